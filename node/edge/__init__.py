"""The real world: the only folder of a node with sockets, files, signals and servers."""
