"""Sequence numbers: 32 bits on the wire, numbers that only grow inside (RFC 9293 section 3.4).

Inside a connection numbers never wrap, so that two of them compare as numbers do. A number from the
wire is the one nearest to something known that has the same last 32 bits.
"""

from __future__ import annotations

_MASK = 0xFFFF_FFFF
_HALF = 0x8000_0000


def to_wire(number: int) -> int:
    """The last 32 bits."""
    return number & _MASK


def from_wire(number: int, reference: int) -> int:
    """The number nearest to ``reference`` that looks like this on the wire."""
    return reference + ((number - reference + _HALF) & _MASK) - _HALF
