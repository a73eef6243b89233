"""The Engine API's routes, one subject a file."""
