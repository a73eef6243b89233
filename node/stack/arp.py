"""From a next hop's address to its hardware address, and answers to those who ask for ours (RFC 826).

send: packet --> known? --> frame out
                   |
                   +--> not yet: the packet waits, a request goes out --> reply --> frame out
                                                                      --> silence --> Unreachable
"""

from __future__ import annotations

from node.datapath.drops import Counters, Drop
from node.model.address import BROADCAST_MAC, ZERO_IPV4, is_group
from node.stack.interface import Interface, OwnAddresses, is_loopback, is_multicast
from node.stack.neighbors import NeighborTable, Request, Unreachable
from node.wire import arp, ethernet
from node.wire.malformed import Malformed


class AddressResolution:
    """ARP on every interface of one stack, and the last step of every packet on its way out."""

    def __init__(self, interfaces: dict[str, Interface], own: OwnAddresses, counters: Counters) -> None:
        self.neighbors = NeighborTable()
        self._interfaces = interfaces
        self._own = own
        self._counters = counters

    def send(self, interface: Interface, next_hop: bytes, packet: bytes, now: float) -> None:
        """Send a packet to a neighbour, once its hardware address is known."""
        mac = self.neighbors.find(interface.name, next_hop, now) or self._group_mac(next_hop)
        if mac is not None:
            self._transmit(interface, mac, packet, now)
            return
        is_asked, given_up = self.neighbors.wait(interface.name, next_hop, packet, now)
        for _ in range(given_up):
            interface.sent.dropped += 1
            self._counters.drop(Drop.NEIGHBOR_QUEUE_FULL)
        if is_asked:
            self._request(interface, next_hop, None, now)

    def receive(self, interface: Interface, frame: bytes, now: float) -> None:
        """Take an ARP frame: learn from it, and answer if it asks for an own address."""
        try:
            packet = arp.parse(frame[ethernet.HEADER_BYTES :])
        except Malformed:
            self._counters.drop(Drop.MALFORMED_PACKET)
            return
        is_for_us = self._own.hold(packet.target_ip) and not is_loopback(packet.target_ip)
        is_asking = packet.operation == arp.REQUEST and is_for_us
        is_probe = packet.sender_ip == ZERO_IPV4  # "is this address free?" (RFC 5227)
        if not is_probe:
            if self._is_impossible(packet):
                self._counters.drop(Drop.MARTIAN)
                return
            if is_asking:
                released = self.neighbors.learn(interface.name, packet.sender_ip, packet.sender_mac, now)
            else:
                is_reply = packet.operation == arp.REPLY and is_for_us
                released = self.neighbors.hear(
                    interface.name, packet.sender_ip, packet.sender_mac, now, is_reply=is_reply
                )
            for waiting in released:
                self._transmit(interface, packet.sender_mac, waiting, now)
        if is_asking:
            answer = arp.reply(packet, interface.mac).emit()
            self._transmit(interface, packet.sender_mac, answer, now, ethernet.ARP)

    def wake(self, now: float) -> list[Unreachable]:
        """Ask again where an answer is overdue; the packets that have waited in vain."""
        unreachable = []
        for action in self.neighbors.due(now):
            if isinstance(action, Request):
                self._request(self._interfaces[action.interface], action.address, action.mac, now)
            else:
                unreachable.append(action)
        return unreachable

    def announce(self, interface: Interface, address: bytes, now: float) -> None:
        """Tell everyone, unasked, who has an address now (RFC 5227 section 2.3).

        Engine 28 does so when a container joins, because another may have had the address before.
        """
        announcement = arp.request(interface.mac, address, address).emit()
        self._transmit(interface, BROADCAST_MAC, announcement, now, ethernet.ARP)

    def _request(self, interface: Interface, address: bytes, mac: bytes | None, now: float) -> None:
        source = interface.source_towards(address)
        if source is not None:
            request = arp.request(interface.mac, source, address).emit()
            self._transmit(interface, mac or BROADCAST_MAC, request, now, ethernet.ARP)

    def _transmit(
        self, interface: Interface, mac: bytes, payload: bytes, now: float, kind: bytes = ethernet.IPV4
    ) -> None:
        assert interface.transmit is not None, "nothing is sent to neighbours through lo"
        frame = mac + interface.mac + kind + payload
        interface.sent.count(len(frame))
        if interface.observers:
            interface.show(frame, now, is_outgoing=True)
        interface.transmit(frame, now)

    def _group_mac(self, address: bytes) -> bytes | None:
        if not self._own.is_group(address):
            return None
        if is_multicast(address):  # its last 23 bits behind a fixed prefix (RFC 1112 section 6.4)
            return bytes((0x01, 0x00, 0x5E, address[1] & 0x7F, address[2], address[3]))
        return BROADCAST_MAC

    def _is_impossible(self, packet: arp.Arp) -> bool:
        sender = packet.sender_ip
        return (
            is_group(packet.sender_mac)
            or self._own.hold(sender)
            or self._own.is_group(sender)
            or packet.operation not in (arp.REQUEST, arp.REPLY)
        )
