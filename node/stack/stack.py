"""The IP stack of one sandbox: the place where its parts meet, and the way in.

      frame --> ARP ----------------------------------------> AddressResolution
        |
        +-----> IPv4 --> plausible? --> for us? --> whole? --> ICMP, UDP, TCP  --> programs
                                           |          |
                                       Forwarder   Reassembly

    programs --> Output --> path, fragments --> AddressResolution --> frame
                    +-----> Loopback: packets to own addresses come in again

Sans-IO: frames and the time come in as arguments, frames go out through ``transmit``, and
``wake_at`` tells when wake() wants to be called.
"""

from __future__ import annotations

import errno
import random

from node.datapath.drops import Counters, Drop
from node.model.address import BROADCAST_IPV4, ZERO_IPV4, ZERO_MAC
from node.stack.arp import AddressResolution
from node.stack.echo import EchoTable
from node.stack.errors import os_error
from node.stack.forward import Forwarder, Rules
from node.stack.fragments import GivenUp, Reassembly
from node.stack.icmp import Icmp, Upper
from node.stack.interface import LOOPBACK, Interface, OwnAddresses, Transmit, is_loopback
from node.stack.loopback import Loopback
from node.stack.output import Output
from node.stack.routes import Route, RouteTable
from node.stack.tcp.protocol import Tcp
from node.stack.translation.translator import Arrived, NoRoom
from node.stack.udp import Udp
from node.stack.udptable import UdpTable
from node.wire import ethernet, icmp, ipv4
from node.wire.ipv4 import Packet
from node.wire.malformed import Malformed

INTERFACES_MAX = 16_384
"""A host has one on every bridge."""
MTU_MIN_BYTES = 68
"""Every link must carry a packet of 68 bytes (RFC 791 section 3.2)."""
LOOPBACK_MTU_BYTES = 65_536


class Stack:
    """The stack of one sandbox. It has the interface lo from the start."""

    def __init__(self, chance: random.Random, counters: Counters) -> None:
        self.interfaces: dict[str, Interface] = {}
        self.routes = RouteTable(self.interfaces)
        self.protocols: dict[int, Upper] = {}
        """What is above IPv4, by protocol number."""
        self._counters = counters
        self._own = OwnAddresses()
        self._index = 0
        self._reassembly = Reassembly()
        self.resolution = AddressResolution(self.interfaces, self._own, counters)
        loopback = self._insert(LOOPBACK, ZERO_MAC, LOOPBACK_MTU_BYTES, None)
        work = Loopback(loopback, counters, self._receive_ipv4)
        self.output = Output(self.interfaces, self._own, self.routes, self.resolution, work, chance)
        self.echo = EchoTable(chance)
        self.icmp = Icmp(self.output, self._own, self.protocols, self.echo, counters)
        self.udp = Udp(self.output, self._own, self.icmp, UdpTable(chance), counters)
        self.tcp = Tcp(self.output, self._own, chance, counters)
        self.protocols[ipv4.PROTOCOL_ICMP] = self.icmp
        self.protocols[ipv4.PROTOCOL_TCP] = self.tcp
        self.protocols[ipv4.PROTOCOL_UDP] = self.udp
        self.forwarding = False
        """Whether packets for others are sent on: only a host does."""
        self.rules = Rules()
        """The host's rules between its interfaces."""
        self._forwarder = Forwarder(self.interfaces, self.routes, self.resolution, self.icmp, counters)
        loopback.add_address("127.0.0.1/8")

    def add_interface(self, name: str, mac: bytes, mtu: int, transmit: Transmit) -> Interface:
        """Add an interface without addresses. Raises ValueError, and OSError EEXIST or ENOSPC.

        ``mtu`` is the longest IPv4 packet in bytes; ``transmit(frame, now)`` sends a frame.
        """
        if mtu < MTU_MIN_BYTES:
            raise ValueError(f"MTU {mtu} is too small: IPv4 needs {MTU_MIN_BYTES} bytes")
        if name in self.interfaces:
            raise os_error(errno.EEXIST)
        if len(self.interfaces) >= INTERFACES_MAX:
            raise os_error(errno.ENOSPC)
        return self._insert(name, mac, mtu, transmit)

    def remove_interface(self, name: str) -> None:
        """Remove an interface, its addresses, routes and neighbours. Raises OSError ENODEV."""
        interface = self.interfaces.get(name)
        if interface is None or name == LOOPBACK:
            raise os_error(errno.ENODEV)
        interface.addresses = ()
        self._readdress(interface)
        for route in self.routes.of_interface(name):
            self.routes.delete(route)
        for _ in range(self.resolution.neighbors.forget(name)):
            self._counters.drop(Drop.NEIGHBOR_UNREACHABLE)
        del self.interfaces[name]

    @property
    def wake_at(self) -> float | None:
        """When wake() has something to do, in seconds; None if never."""
        times = (self.resolution.neighbors.wake_at, self._reassembly.wake_at, self.tcp.wake_at)
        return min((time for time in times if time is not None), default=None)

    def wake(self, now: float) -> None:
        """Do what the passing of time asks for; early or late is no harm."""
        for unreachable in self.resolution.wake(now):
            for data in unreachable.packets:
                self._counters.drop(Drop.NEIGHBOR_UNREACHABLE)
                packet = ipv4.parse(data)
                self.icmp.refuse(packet, icmp.UNREACHABLE, icmp.HOST_UNREACHABLE, now)
        self.tcp.wake(now)
        for given_up in self._reassembly.expire(now):
            self._give_up(given_up)
            if given_up.first is not None:
                self.icmp.refuse(given_up.first, icmp.TIME_EXCEEDED, icmp.REASSEMBLY_EXPIRED, now)

    def receive(self, interface_name: str, frame: bytes, now: float) -> None:
        """Take a frame that has come in: it is delivered, answered, or a counted drop."""
        interface = self.interfaces.get(interface_name)
        if interface is None:
            self._counters.drop(Drop.NOT_FOR_ME)
            return
        interface.received.count(len(frame))
        if len(frame) < ethernet.HEADER_BYTES:
            self._counters.drop(Drop.MALFORMED_PACKET)
            return
        if interface.observers:
            interface.show(frame, now, is_outgoing=False)
        is_group_frame = frame[0] & 1
        if not is_group_frame and frame[0:6] != interface.mac:
            self._counters.drop(Drop.NOT_FOR_ME)
            return
        kind = frame[12:14]
        if kind == ethernet.IPV4:
            self._receive_ipv4(interface, frame[ethernet.HEADER_BYTES :], now, bool(is_group_frame))
        elif kind == ethernet.ARP:
            self.resolution.receive(interface, frame, now)
        else:
            interface.received.dropped += 1
            self._counters.drop(Drop.UNKNOWN_PROTOCOL)

    def _receive_ipv4(
        self, interface: Interface, data: bytes, now: float, is_group_frame: bool = False
    ) -> None:
        try:
            packet = ipv4.parse(data)
        except Malformed:
            self._counters.drop(Drop.MALFORMED_PACKET)
            return
        if self._is_martian(packet, interface):
            self._counters.drop(Drop.MARTIAN)
        elif self._own.is_group(packet.destination):
            self._deliver(packet, now)
        elif is_group_frame:
            # For one host, but sent to all: that is how storms begin (RFC 1122 section 3.3.6).
            self._counters.drop(Drop.MARTIAN)
        elif not self.forwarding:
            if self._own.hold(packet.destination):
                self._deliver(packet, now)
            else:
                self._counters.drop(Drop.FORWARDING_OFF)
        else:
            self._receive_as_router(packet, interface, now)

    def _receive_as_router(self, packet: Packet, interface: Interface, now: float) -> None:
        """What has come may be for us under another's address, or for another under ours."""
        translator = self.rules.translator if interface.transmit is not None else None
        if translator is not None and packet.is_fragment:
            # Only the first fragment has ports (Linux: nf_defrag_ipv4).
            whole = self._whole(packet, now)
            if whole is None:
                return
            packet = whole
        if self.rules.admit is not None and (refusal := self.rules.admit(packet, now)) is not None:
            self._counters.drop(refusal.drop)
            if refusal.is_told:
                self.icmp.refuse(packet, icmp.UNREACHABLE, icmp.PORT_UNREACHABLE, now)
            return
        arrived = Arrived(packet)
        if translator is not None:
            try:
                arrived = translator.arrive(packet, interface.name, now)
            except NoRoom:
                self._counters.drop(Drop.TRANSLATION_FULL)
                return
        if self._own.hold(arrived.packet.destination):
            self._deliver(arrived.packet, now)
        else:
            self._forwarder.forward(arrived, interface, self.rules, now)

    def _is_martian(self, packet: Packet, interface: Interface) -> bool:
        """Whether an address cannot be what it says (RFC 1812 section 5.3.7)."""
        if interface.transmit is None:
            return False
        source, destination = packet.source, packet.destination
        return (
            source[0] >= 224
            or (source[0] == 0 and (source != ZERO_IPV4 or destination != BROADCAST_IPV4))
            or destination[0] == 0
            or is_loopback(destination)
            or self._own.hold(source)
            or self._own.is_group(source)
        )

    def _deliver(self, packet: Packet, now: float) -> None:
        if packet.is_fragment:
            whole = self._whole(packet, now)
            if whole is None:
                return
            packet = whole
        upper = self.protocols.get(packet.protocol)
        if upper is None:
            self._counters.drop(Drop.UNKNOWN_PROTOCOL)
            self.icmp.refuse(packet, icmp.UNREACHABLE, icmp.PROTOCOL_UNREACHABLE, now)
        else:
            upper.receive(packet, now)

    def _whole(self, fragment: Packet, now: float) -> Packet | None:
        """The packet that a fragment completes, or None."""
        whole = self._reassembly.add(fragment, now)
        if isinstance(whole, GivenUp):
            self._give_up(whole)
        return whole if isinstance(whole, Packet) else None

    def _give_up(self, given_up: GivenUp) -> None:
        for _ in range(given_up.fragments):
            self._counters.drop(Drop.REASSEMBLY_FAILED)

    def _insert(self, name: str, mac: bytes, mtu: int, transmit: Transmit | None) -> Interface:
        self._index += 1
        interface = Interface(self._index, name, mac, mtu, transmit, self._readdress)
        self.interfaces[name] = interface
        return interface

    def _readdress(self, interface: Interface) -> None:
        """Addresses came or went: so do the networks that an interface leads to."""
        self._own.update(interface)
        if interface.transmit is None:
            return
        connected: dict[tuple[bytes, int], Route] = {}
        for own in interface.addresses:
            if own.prefix < 32:
                route = Route(own.network, own.prefix, None, interface.name, own.address, "kernel")
                connected.setdefault((own.network, own.prefix), route)
        self.routes.replace_connected(interface.name, tuple(connected.values()))
