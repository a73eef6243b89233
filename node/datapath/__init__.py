"""Pure, synchronous forwarding of frames inside one node and into its tunnels."""
