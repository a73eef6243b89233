"""ICMP (RFC 792): echo, and errors that quote the packet they are about.

 0       1       2               4                               8
+-------+-------+---------------+-------------------------------+---------
| type  | code  | checksum      | identifier, sequence | 0, MTU | payload, or
+-------+-------+---------------+-------------------------------+ the quoted packet
"""

from __future__ import annotations

from dataclasses import dataclass

from node.wire.checksum import checksum
from node.wire.malformed import Malformed

HEADER_BYTES = 8

ECHO_REPLY = 0
UNREACHABLE = 3
ECHO_REQUEST = 8
TIME_EXCEEDED = 11

NET_UNREACHABLE = 0
HOST_UNREACHABLE = 1
PROTOCOL_UNREACHABLE = 2
PORT_UNREACHABLE = 3
FRAGMENTATION_NEEDED = 4
ADMINISTRATIVELY_PROHIBITED = 13

TTL_EXPIRED = 0
REASSEMBLY_EXPIRED = 1

QUOTED_BYTES_MAX = 548
"""An error fits into the 576 bytes that every host must take (RFC 1812 section 4.3.2.3)."""


@dataclass(frozen=True, slots=True)
class Echo:
    """A request or its reply, which carries the same identifier, sequence number and payload."""

    request: bool
    identifier: int
    sequence: int
    payload: bytes

    def emit(self) -> bytes:
        """The message with its checksum."""
        kind = ECHO_REQUEST if self.request else ECHO_REPLY
        rest = self.identifier.to_bytes(2, "big") + self.sequence.to_bytes(2, "big")
        return _emit(kind, 0, rest, self.payload)


@dataclass(frozen=True, slots=True)
class Error:
    """Unreachable or time exceeded. ``quoted`` begins with the offending packet's IPv4 header."""

    kind: int
    code: int
    quoted: bytes
    mtu: int = 0
    """Of the next hop, when fragmentation is needed (RFC 1191 section 4); else 0."""

    def emit(self) -> bytes:
        """The message with its checksum; the quotation is cut to QUOTED_BYTES_MAX."""
        rest = b"\0\0" + self.mtu.to_bytes(2, "big")
        return _emit(self.kind, self.code, rest, self.quoted[:QUOTED_BYTES_MAX])


@dataclass(frozen=True, slots=True)
class Other:
    """A message of a kind that nothing here acts upon."""

    kind: int
    code: int


Message = Echo | Error | Other


def _emit(kind: int, code: int, rest: bytes, payload: bytes) -> bytes:
    head = bytes((kind, code))
    total = checksum(b"".join((head, b"\0\0", rest, payload)))
    return b"".join((head, total.to_bytes(2, "big"), rest, payload))


def parse(data: bytes) -> Message:
    """Raises Malformed if it is too short or its checksum is wrong."""
    if len(data) < HEADER_BYTES:
        raise Malformed(f"an ICMP message of {len(data)} bytes has no room for its header")
    if checksum(data) != 0:
        raise Malformed("an ICMP message's checksum is wrong")
    kind, code = data[0], data[1]
    if kind in (ECHO_REQUEST, ECHO_REPLY) and code == 0:
        identifier, sequence = int.from_bytes(data[4:6], "big"), int.from_bytes(data[6:8], "big")
        return Echo(kind == ECHO_REQUEST, identifier, sequence, data[HEADER_BYTES:])
    if kind in (UNREACHABLE, TIME_EXCEEDED):
        needed = kind == UNREACHABLE and code == FRAGMENTATION_NEEDED
        mtu = int.from_bytes(data[6:8], "big") if needed else 0
        return Error(kind, code, data[HEADER_BYTES:], mtu)
    return Other(kind, code)
