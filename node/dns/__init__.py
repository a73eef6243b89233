"""The answers of a container's name server at 127.0.0.11."""
