"""A host between its networks: packets for others, from one interface to the next (RFC 1812 section 5.2).

TTL left? --> route? --> fits, or may be cut up? --> allowed by the host's rules? --> on its way
    |            |                 |                         |
time exceeded   net unreachable   fragmentation needed      dropped without a word

Its translator stands before and behind: destinations change before the route is chosen, sources after it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from node.datapath.drops import Counters, Drop
from node.stack.arp import AddressResolution
from node.stack.fragments import split
from node.stack.icmp import Icmp
from node.stack.interface import Interface
from node.stack.routes import RouteTable
from node.stack.translation.translator import Arrived, NoRoom, Translator
from node.wire import icmp
from node.wire.ipv4 import Packet


@dataclass(frozen=True, slots=True)
class ForwardedPacket:
    """What the rules of a host judge: a packet, where it came in, and where it would leave."""

    packet: Packet
    in_interface: str
    out_interface: str
    is_known: bool = False
    """It belongs to a conversation that was let through before."""
    is_published: bool = False
    """It came to a published port of the host, and goes on to who serves it."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a packet may not come in, and whether its sender is told (as by iptables' REJECT)."""

    drop: Drop
    is_told: bool


Filter = Callable[[ForwardedPacket], Drop | None]
"""The name under which a packet is dropped; None lets it pass."""
HideAs = Callable[[ForwardedPacket], bytes | None]
"""The own address that a new conversation is hidden behind; None leaves it as it is."""


Admit = Callable[[Packet, float], Refusal | None]
"""Whether a packet may come in at all, at this moment; None lets it."""


@dataclass(slots=True)
class Rules:
    """What a host decides about packets that pass through it. Without any, all pass as they are."""

    admit: Admit | None = None
    judge: Filter | None = None
    hide_as: HideAs | None = None
    translator: Translator | None = None


class Forwarder:
    """The router in one stack."""

    def __init__(
        self,
        interfaces: dict[str, Interface],
        routes: RouteTable,
        resolution: AddressResolution,
        icmp_part: Icmp,
        counters: Counters,
    ) -> None:
        self._interfaces = interfaces
        self._routes = routes
        self._resolution = resolution
        self._icmp = icmp_part
        self._counters = counters

    def forward(self, arrived: Arrived, came_in: Interface, rules: Rules, now: float) -> None:
        """Send a packet that is for somebody else towards its destination, if the rules let it pass."""
        packet = arrived.packet
        if packet.ttl <= 1:
            self._counters.drop(Drop.TTL_EXCEEDED)
            self._icmp.refuse(packet, icmp.TIME_EXCEEDED, icmp.TTL_EXPIRED, now)
            return
        route = self._routes.find(packet.destination)
        if route is None:
            self._counters.drop(Drop.NO_ROUTE)
            self._icmp.refuse(packet, icmp.UNREACHABLE, icmp.NET_UNREACHABLE, now)
            return
        leaving = self._interfaces[route.interface]
        if packet.dont_fragment and packet.total_bytes > leaving.mtu:
            self._counters.drop(Drop.NEEDS_FRAGMENTATION)
            self._icmp.refuse(packet, icmp.UNREACHABLE, icmp.FRAGMENTATION_NEEDED, now, mtu=leaving.mtu)
            return
        is_published = arrived.row is not None and not arrived.is_known
        crossing = ForwardedPacket(packet, came_in.name, leaving.name, arrived.is_known, is_published)
        reason = None if rules.judge is None else rules.judge(crossing)
        if reason is None:
            try:
                packet = _translated(arrived, crossing, rules, now)
            except NoRoom:
                reason = Drop.TRANSLATION_FULL
        if reason is not None:
            self._counters.drop(reason)
            return
        next_hop = route.gateway or packet.destination
        for piece in split(replace(packet, ttl=packet.ttl - 1), leaving.mtu):
            self._resolution.send(leaving, next_hop, piece.emit(), now)


def _translated(arrived: Arrived, crossing: ForwardedPacket, rules: Rules, now: float) -> Packet:
    if rules.translator is None:
        return crossing.packet
    hide_as = None if rules.hide_as is None or arrived.row is not None else rules.hide_as(crossing)
    return rules.translator.leave(arrived, crossing.packet, hide_as, now)
