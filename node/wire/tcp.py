"""TCP segments (RFC 9293 section 3.1): ports, sequence numbers, flags, a window, options, payload.

 0               2               4                               8
+---------------+---------------+-------------------------------+
| source port   | dest. port    | sequence number               |
+---------------+-+-------------+-------------------------------+
| acknowledgment number         |len| flags | window            |
+---------------+---------------+---------------+---------------+
| checksum      | urgent        | options ...   | payload ...
+---------------+---------------+---------------+---------------
"""

from __future__ import annotations

import struct

import msgspec

from node.wire.checksum import checksum
from node.wire.ipv4 import PROTOCOL_TCP
from node.wire.malformed import Malformed

HEADER_BYTES = 20
FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32
WINDOW_SCALE_MAX = 14
"""RFC 7323 section 2.3: a larger shift counts as this one."""

_HEADER = struct.Struct("!HHIIHHHH")
_END, _NOTHING, _MSS, _WINDOW_SCALE = 0, 1, 2, 3
_FLAGS_MASK = 0x3F


class Segment(msgspec.Struct, frozen=True, gc=False):
    """A segment's meaning. Sequence numbers are those on the wire, modulo 2**32."""

    source_port: int
    destination_port: int
    sequence: int
    acknowledgment: int
    flags: int
    window: int
    """As it stands, not scaled."""
    payload: bytes = b""
    mss: int | None = None
    """The option of RFC 9293 section 3.7.1, bytes; on SYN only."""
    window_scale: int | None = None
    """The option of RFC 7323, a shift; on SYN only."""

    def emit(self, source: bytes, destination: bytes) -> bytes:
        """The segment between two IPv4 addresses of four bytes each, with its checksum."""
        options = b""
        if self.mss is not None:
            options += bytes((_MSS, 4)) + self.mss.to_bytes(2, "big")
        if self.window_scale is not None:
            options += bytes((_NOTHING, _WINDOW_SCALE, 3, self.window_scale))
        header_bytes = HEADER_BYTES + len(options)
        header = (
            _HEADER.pack(
                self.source_port,
                self.destination_port,
                self.sequence,
                self.acknowledgment,
                header_bytes << 10 | self.flags,
                self.window,
                0,
                0,
            )
            + options
        )
        length = header_bytes + len(self.payload)
        total = checksum(b"".join((_pseudo_header(source, destination, length), header, self.payload)))
        return b"".join((header[:16], total.to_bytes(2, "big"), header[18:], self.payload))


def _pseudo_header(source: bytes, destination: bytes, length: int) -> bytes:
    return source + destination + bytes((0, PROTOCOL_TCP)) + length.to_bytes(2, "big")


def parse(data: bytes, source: bytes, destination: bytes) -> Segment:
    """Raises Malformed for a wrong length, option or checksum. Options without meaning here are skipped."""
    if len(data) < HEADER_BYTES:
        raise Malformed(f"a TCP segment of {len(data)} bytes has no room for its header")
    fields = _HEADER.unpack_from(data)
    header_bytes = fields[4] >> 12 << 2
    if not HEADER_BYTES <= header_bytes <= len(data):
        raise Malformed(f"a TCP segment of {len(data)} bytes says that its header has {header_bytes}")
    if checksum(_pseudo_header(source, destination, len(data)) + data) != 0:
        raise Malformed("a TCP segment's checksum is wrong")
    mss = scale = None
    if header_bytes > HEADER_BYTES:
        mss, scale = _options(data[HEADER_BYTES:header_bytes])
    return Segment(
        fields[0],
        fields[1],
        fields[2],
        fields[3],
        fields[4] & _FLAGS_MASK,
        fields[5],
        data[header_bytes:],
        mss,
        scale,
    )


def _options(data: bytes) -> tuple[int | None, int | None]:
    """Maximum segment size and window scale, where they are given."""
    mss = scale = None
    place = 0
    while place < len(data) and data[place] != _END:
        kind = data[place]
        if kind == _NOTHING:
            place += 1
            continue
        length = data[place + 1] if place + 1 < len(data) else 0
        if length < 2 or place + length > len(data):
            raise Malformed("a TCP option does not fit its header")
        value = data[place + 2 : place + length]
        if kind == _MSS and length == 4:
            mss = int.from_bytes(value, "big")
        elif kind == _WINDOW_SCALE and length == 3:
            scale = min(value[0], WINDOW_SCALE_MAX)
        place += length
    return mss, scale


def flag_names(flags: int) -> str:
    """ "SYN,ACK": for people."""
    names = (("SYN", SYN), ("FIN", FIN), ("RST", RST), ("PSH", PSH), ("ACK", ACK), ("URG", URG))
    return ",".join(name for name, bit in names if flags & bit)
