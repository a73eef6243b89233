"""tcpdump: shows the packets that pass through the container's interfaces."""
