"""VLAN tags (IEEE 802.1Q-2018 section 9.6): four bytes between a frame's addresses and its type.

     0             12        14            16        18
    +-------------+---------+-------------+---------+----------
    | addresses   | 0x8100  | PCP DEI VID | type    | payload ...
    +-------------+---------+-------------+---------+----------

PCP (3 bits) is a priority, DEI (1 bit) says what may be dropped first, VID (12 bits) is the VLAN. A tag
with VID 0 carries a priority only: the frame belongs to no VLAN. VID 4095 is reserved.
"""

from __future__ import annotations

from node.wire.ethernet import HEADER_BYTES
from node.wire.malformed import Malformed

TAG_BYTES = 4
TYPE = b"\x81\x00"
"""The type of a tagged frame, as it stands there."""
NUMBER_MIN, NUMBER_MAX = 1, 4094
_ADDRESSES_BYTES = 12


def tag(number: int) -> bytes:
    """The tag of a VLAN, of the lowest priority; the same for all frames, so made once."""
    if not NUMBER_MIN <= number <= NUMBER_MAX:
        raise ValueError(f"VLAN {number} is not between {NUMBER_MIN} and {NUMBER_MAX}")
    return TYPE + number.to_bytes(2, "big")


def insert(frame: bytes, vlan_tag: bytes) -> bytes:
    """The frame with a tag in its place."""
    return frame[:_ADDRESSES_BYTES] + vlan_tag + frame[_ADDRESSES_BYTES:]


def remove(frame: bytes) -> tuple[int, bytes]:
    """The VLAN of a tagged frame (0: none), and the frame without its tag. Raises Malformed."""
    if len(frame) < HEADER_BYTES + TAG_BYTES:
        raise Malformed(f"a tagged frame of {len(frame)} bytes has no room for its tag")
    number = int.from_bytes(frame[14:16], "big") & 0x0FFF
    return number, frame[:_ADDRESSES_BYTES] + frame[16:]
