"""The Internet checksum: the ones' complement of the ones' complement sum of 16-bit words (RFC 1071).

Adding with end-around carry is arithmetic modulo 65535, so the sum of all words is the whole message
read as one large number, modulo 65535: one operation in C instead of a loop in Python.
"""

from __future__ import annotations


def checksum(data: bytes) -> int:
    """The checksum of some bytes, as a host-order number; an odd last byte is padded with zero."""
    if len(data) & 1:
        data += b"\0"
    total = int.from_bytes(data, "big") % 0xFFFF
    # A sum that is a multiple of 65535 is 0xFFFF in ones' complement, unless every word was zero.
    if total == 0 and any(data):
        total = 0xFFFF
    return total ^ 0xFFFF


def verifies(data: bytes) -> bool:
    """Whether a message that contains its checksum is intact: the sum of all words is 0xFFFF."""
    return checksum(data) == 0
