"""What isolated ports may exchange all the same: a legacy link's ports, and what comes back from them.

The rules are those that the engine gives to iptables for each exposed port (moby: libnetwork/drivers/bridge,
link.go): to the linked container's port, and from that port back; nothing else. Addresses are asked for
on both sides.
"""

from __future__ import annotations

from node.datapath.port import Port
from node.wire import ethernet, ipv4

_PORTS_BYTES = 4
_OFFSET_MASK = 0x1FFF


def let_through(source: Port, out: Port, frame: bytes) -> bool:
    """Whether a frame from one isolated port may go to another."""
    there = source.openings.get(out.mac)
    back = out.openings.get(source.mac)
    if there is None and back is None:
        return False
    if frame[12:14] == ethernet.ARP:
        return True
    ports = _ports(frame)
    if ports is None:
        return False
    protocol, sending, receiving = ports
    return (there is not None and (protocol, receiving) in there) or (
        back is not None and (protocol, sending) in back
    )


def _ports(frame: bytes) -> tuple[int, int, int] | None:
    """Protocol, source port, destination port; None if it has no ports: no IPv4, a later fragment."""
    packet = frame[ethernet.HEADER_BYTES :]
    if frame[12:14] != ethernet.IPV4 or len(packet) < ipv4.HEADER_BYTES:
        return None
    size = (packet[0] & 0x0F) * 4
    if int.from_bytes(packet[6:8], "big") & _OFFSET_MASK or len(packet) < size + _PORTS_BYTES:
        return None
    if packet[9] not in (ipv4.PROTOCOL_TCP, ipv4.PROTOCOL_UDP):
        return None
    return (
        packet[9],
        int.from_bytes(packet[size : size + 2], "big"),
        int.from_bytes(packet[size + 2 : size + 4], "big"),
    )
