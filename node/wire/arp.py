"""ARP for IPv4 over Ethernet (RFC 826): "who has this address? tell me your hardware address".

 0        2        4    5    6          8            14          18           24          28
+--------+--------+----+----+----------+------------+-----------+------------+-----------+
| 1      | 0x0800 | 6  | 4  | 1 ask    | sender's   | sender's  | target's   | target's  |
|        |        |    |    | 2 answer | MAC        | IPv4      | MAC        | IPv4      |
+--------+--------+----+----+----------+------------+-----------+------------+-----------+
"""

from __future__ import annotations

from dataclasses import dataclass

from node.model.address import ZERO_MAC
from node.wire.malformed import Malformed

PACKET_BYTES = 28
REQUEST = 1
REPLY = 2

_ETHERNET_IPV4 = b"\x00\x01\x08\x00\x06\x04"


@dataclass(frozen=True, slots=True)
class Arp:
    """One ARP packet. Hardware addresses are six bytes, protocol addresses four."""

    operation: int
    sender_mac: bytes
    sender_ip: bytes
    target_mac: bytes
    target_ip: bytes

    def emit(self) -> bytes:
        """The packet as 28 bytes."""
        return b"".join(
            (
                _ETHERNET_IPV4,
                self.operation.to_bytes(2, "big"),
                self.sender_mac,
                self.sender_ip,
                self.target_mac,
                self.target_ip,
            )
        )


def request(sender_mac: bytes, sender_ip: bytes, target_ip: bytes) -> Arp:
    """ "Who has target_ip?" """
    return Arp(REQUEST, sender_mac, sender_ip, ZERO_MAC, target_ip)


def reply(to: Arp, mac: bytes) -> Arp:
    """The answer to a request: its target address is at this hardware address."""
    return Arp(REPLY, mac, to.target_ip, to.sender_mac, to.sender_ip)


def parse(data: bytes) -> Arp:
    """Raises Malformed if it is not ARP for IPv4 over Ethernet; trailing padding is ignored."""
    if len(data) < PACKET_BYTES:
        raise Malformed(f"an ARP packet of {len(data)} bytes is shorter than {PACKET_BYTES}")
    if data[0:6] != _ETHERNET_IPV4:
        raise Malformed("an ARP packet for something else than IPv4 over Ethernet")
    return Arp(int.from_bytes(data[6:8], "big"), data[8:14], data[14:18], data[18:24], data[24:28])
