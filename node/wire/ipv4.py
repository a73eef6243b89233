"""IPv4 packets (RFC 791), without meaning given to options.

 0       1       2               4               6               8
+---+---+-------+---------------+---------------+-----+---------+
|ver|len| TOS   | total length  | identification|flags| fragment|
+---+---+-------+---------------+---------------+-----+---------+
| TTL   | proto.| checksum      | source                        |
+-------+-------+---------------+-------------------------------+
| destination                   | options ...  | payload ...
+-------------------------------+--------------+---------------
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from node.wire.checksum import checksum
from node.wire.malformed import Malformed

HEADER_BYTES = 20
PACKET_BYTES_MAX = 65535
PROTOCOL_ICMP = 1
PROTOCOL_TCP = 6
PROTOCOL_UDP = 17
TTL_DEFAULT = 64

DONT_FRAGMENT = 0x4000
MORE_FRAGMENTS = 0x2000
_OFFSET_MASK = 0x1FFF

_HEADER = struct.Struct("!BBHHHBBH4s4s")


@dataclass(frozen=True, slots=True)
class Packet:
    """A packet's meaning. Addresses are four bytes; ``fragment_offset`` counts bytes."""

    source: bytes
    destination: bytes
    protocol: int
    payload: bytes
    ttl: int = TTL_DEFAULT
    identification: int = 0
    dont_fragment: bool = False
    more_fragments: bool = False
    fragment_offset: int = 0
    type_of_service: int = 0
    options: bytes = b""
    """As they stood, padded to whole 32-bit words."""

    @property
    def is_fragment(self) -> bool:
        """A part of a larger packet."""
        return self.more_fragments or self.fragment_offset > 0

    @property
    def total_bytes(self) -> int:
        """Length of the packet as emitted."""
        return HEADER_BYTES + len(self.options) + len(self.payload)

    def emit(self) -> bytes:
        """The packet with its header checksum."""
        flags = (DONT_FRAGMENT if self.dont_fragment else 0) | (MORE_FRAGMENTS if self.more_fragments else 0)
        words = (HEADER_BYTES + len(self.options)) // 4
        header = (
            _HEADER.pack(
                0x40 | words,
                self.type_of_service,
                self.total_bytes,
                self.identification,
                flags | self.fragment_offset >> 3,
                self.ttl,
                self.protocol,
                0,
                self.source,
                self.destination,
            )
            + self.options
        )
        return b"".join((header[:10], checksum(header).to_bytes(2, "big"), header[12:], self.payload))


def parse(data: bytes) -> Packet:
    """Raises Malformed for a wrong version, length or header checksum; trailing padding is cut off."""
    if len(data) < HEADER_BYTES:
        raise Malformed(f"an IPv4 packet of {len(data)} bytes has no room for its header")
    first, service, total, identification, fragment, ttl, protocol, _, source, target = _HEADER.unpack_from(
        data
    )
    header_bytes = (first & 0x0F) * 4
    if first >> 4 != 4:
        raise Malformed(f"an IPv4 packet says that its version is {first >> 4}")
    if not HEADER_BYTES <= header_bytes <= total <= len(data):
        raise Malformed(
            f"an IPv4 packet's lengths disagree: header {header_bytes}, {total} of {len(data)} bytes"
        )
    if checksum(data[:header_bytes]) != 0:
        raise Malformed("an IPv4 packet's header checksum is wrong")
    return Packet(
        source=source,
        destination=target,
        protocol=protocol,
        payload=data[header_bytes:total],
        ttl=ttl,
        identification=identification,
        dont_fragment=bool(fragment & DONT_FRAGMENT),
        more_fragments=bool(fragment & MORE_FRAGMENTS),
        fragment_offset=(fragment & _OFFSET_MASK) << 3,
        type_of_service=service,
        options=data[HEADER_BYTES:header_bytes],
    )
