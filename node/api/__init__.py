"""The Docker Engine API, without sockets."""
