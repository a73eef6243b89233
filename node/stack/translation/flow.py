"""What tells the packets of one conversation from all others (Linux: a conntrack tuple).

TCP and UDP: both ends with their ports. ICMP echo: both ends with the identifier, which stands on both
sides, since a reply carries the same. An ICMP error belongs to the flow of the packet that it quotes.
"""

from __future__ import annotations

from typing import NamedTuple

from node.wire import icmp, ipv4
from node.wire.ipv4 import Packet

End = tuple[bytes, int]
"""IPv4 address, and port or identifier."""


class Flow(NamedTuple):
    """One direction of a conversation."""

    protocol: int
    source: End
    destination: End

    @property
    def reversed(self) -> Flow:
        """The other direction."""
        return Flow(self.protocol, self.destination, self.source)


def flow_of(packet: Packet) -> Flow | None:
    """The flow of a whole packet; None if its protocol has none that could be followed."""
    return _flow(packet.protocol, packet.source, packet.destination, packet.payload)


def quoted_flow(packet: Packet) -> Flow | None:
    """The flow of the packet that an ICMP error is about; None if this is no ICMP error."""
    data = packet.payload
    if packet.protocol != ipv4.PROTOCOL_ICMP or len(data) < icmp.HEADER_BYTES + ipv4.HEADER_BYTES + 8:
        return None
    if data[0] not in (icmp.UNREACHABLE, icmp.TIME_EXCEEDED):
        return None
    inner = data[icmp.HEADER_BYTES :]
    header_bytes = (inner[0] & 0x0F) * 4
    if header_bytes < ipv4.HEADER_BYTES or len(inner) < header_bytes + 8:
        return None
    return _flow(inner[9], inner[12:16], inner[16:20], inner[header_bytes:])


def _flow(protocol: int, source: bytes, destination: bytes, payload: bytes) -> Flow | None:
    if protocol in (ipv4.PROTOCOL_TCP, ipv4.PROTOCOL_UDP):
        if len(payload) < 4:
            return None
        ports = int.from_bytes(payload[0:2], "big"), int.from_bytes(payload[2:4], "big")
        return Flow(protocol, (source, ports[0]), (destination, ports[1]))
    if protocol == ipv4.PROTOCOL_ICMP and len(payload) >= 8 and payload[0] in (0, 8):
        identifier = int.from_bytes(payload[4:6], "big")
        return Flow(protocol, (source, identifier), (destination, identifier))
    return None
