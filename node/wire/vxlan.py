"""VXLAN (RFC 7348): an Ethernet frame in a UDP datagram, with a 24-bit network identifier.

     0       1                       4                       7       8
    +-------+-----------------------+-----------------------+-------+-----------------
    | 0x08  | reserved              | VNI                   | res.  | Ethernet frame ...
    +-------+-----------------------+-----------------------+-------+-----------------

Reserved bits are zero when sent and ignored when received (section 5).
"""

from __future__ import annotations

from node.wire.malformed import Malformed

HEADER_BYTES = 8
FLAG_VNI = 0x08
"""The I flag: the identifier is valid."""
VNI_MAX = 2**24 - 1
OVERHEAD_BYTES = 50
"""What encapsulation adds to a frame's payload: IPv4 20, UDP 8, VXLAN 8, inner Ethernet 14."""


def header(vni: int) -> bytes:
    """The eight bytes before every frame of a network; the same for all, so made once."""
    if not 0 <= vni <= VNI_MAX:
        raise ValueError(f"VNI {vni} is not between 0 and {VNI_MAX}")
    return b"\x08\0\0\0" + (vni << 8).to_bytes(4, "big")


def emit(vni: int, frame: bytes) -> bytes:
    """A datagram's payload."""
    return header(vni) + frame


def parse(datagram: bytes) -> tuple[int, bytes]:
    """The network identifier and the frame. Raises Malformed without a header or its I flag."""
    if len(datagram) < HEADER_BYTES:
        raise Malformed(f"a VXLAN datagram of {len(datagram)} bytes has no room for its header")
    if not datagram[0] & FLAG_VNI:
        raise Malformed("a VXLAN datagram without a valid network identifier")
    return int.from_bytes(datagram[4:7], "big"), datagram[HEADER_BYTES:]
