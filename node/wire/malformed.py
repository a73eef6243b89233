"""The one error of all parsers: bytes that are not what they should be."""

from __future__ import annotations


class Malformed(ValueError):
    """Raised by every parse(); whoever forwards or receives turns it into a counted drop."""
