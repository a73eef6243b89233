"""The shoal command, one verb a file."""
