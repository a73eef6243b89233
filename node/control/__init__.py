"""What a node decides: networks, endpoints, containers, members."""
