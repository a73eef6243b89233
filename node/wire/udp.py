"""UDP datagrams (RFC 768): two ports, a length, a checksum over them and a pseudo header.

 0               2               4               6               8
+---------------+---------------+---------------+---------------+---------
| source port   | dest. port    | length        | checksum      | payload ...
+---------------+---------------+---------------+---------------+---------
"""

from __future__ import annotations

from dataclasses import dataclass

from node.wire.checksum import checksum
from node.wire.ipv4 import PROTOCOL_UDP
from node.wire.malformed import Malformed

HEADER_BYTES = 8
PAYLOAD_BYTES_MAX = 65507


@dataclass(frozen=True, slots=True)
class Datagram:
    """A datagram's meaning."""

    source_port: int
    destination_port: int
    payload: bytes

    def emit(self, source: bytes, destination: bytes) -> bytes:
        """The datagram between two IPv4 addresses of four bytes each, with its checksum."""
        length = HEADER_BYTES + len(self.payload)
        head = b"".join(
            (
                self.source_port.to_bytes(2, "big"),
                self.destination_port.to_bytes(2, "big"),
                length.to_bytes(2, "big"),
            )
        )
        total = checksum(_pseudo_header(source, destination, length) + head + b"\0\0" + self.payload)
        # 0 would say "no checksum"; 0xFFFF is the same number in ones' complement.
        return b"".join((head, (total or 0xFFFF).to_bytes(2, "big"), self.payload))


def _pseudo_header(source: bytes, destination: bytes, length: int) -> bytes:
    return source + destination + bytes((0, PROTOCOL_UDP)) + length.to_bytes(2, "big")


def parse(data: bytes, source: bytes, destination: bytes) -> Datagram:
    """Raises Malformed for a wrong length or checksum; a checksum of 0 means that there is none."""
    if len(data) < HEADER_BYTES:
        raise Malformed(f"a UDP datagram of {len(data)} bytes has no room for its header")
    length = int.from_bytes(data[4:6], "big")
    if not HEADER_BYTES <= length <= len(data):
        raise Malformed(f"a UDP datagram says {length} bytes and has {len(data)}")
    data = data[:length]
    if data[6:8] != b"\0\0" and checksum(_pseudo_header(source, destination, length) + data) != 0:
        raise Malformed("a UDP datagram's checksum is wrong")
    return Datagram(int.from_bytes(data[0:2], "big"), int.from_bytes(data[2:4], "big"), data[HEADER_BYTES:])
