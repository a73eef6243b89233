"""Bytes to meaning and back, one protocol a file."""
