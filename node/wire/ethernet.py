"""Ethernet II frames (IEEE 802.3): two hardware addresses, a type, a payload.

 0              6             12        14
+--------------+--------------+---------+----------
| destination  | source       | type    | payload ...
+--------------+--------------+---------+----------
"""

from __future__ import annotations

from dataclasses import dataclass

from node.wire.malformed import Malformed

HEADER_BYTES = 14
TYPE_IPV4 = 0x0800
TYPE_ARP = 0x0806
TYPE_VLAN = 0x8100

IPV4 = b"\x08\x00"
ARP = b"\x08\x06"
"""The types as they stand in a frame, for comparing without decoding."""


def destination(frame: bytes) -> bytes:
    """The receiver's hardware address."""
    return frame[0:6]


def source(frame: bytes) -> bytes:
    """The sender's hardware address."""
    return frame[6:12]


def ethertype(frame: bytes) -> int:
    """What the payload is, as a number."""
    return frame[12] << 8 | frame[13]


def emit(destination: bytes, source: bytes, ethertype: int, payload: bytes) -> bytes:
    """A frame; the trailing checksum and padding of a real wire are left out, as in VXLAN."""
    return destination + source + ethertype.to_bytes(2, "big") + payload


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame's meaning. Addresses are six bytes."""

    destination: bytes
    source: bytes
    ethertype: int
    payload: bytes

    def emit(self) -> bytes:
        """The frame as bytes."""
        return emit(self.destination, self.source, self.ethertype, self.payload)


def parse(data: bytes) -> Frame:
    """Raises Malformed if it is too short to have a header."""
    if len(data) < HEADER_BYTES:
        raise Malformed(f"an Ethernet frame of {len(data)} bytes has no room for its header")
    return Frame(data[0:6], data[6:12], data[12] << 8 | data[13], data[HEADER_BYTES:])
