"""The rules of a host between its networks: who may reach whom, who is hidden, and which ports lead inside.

    containers --- bridge ---+        +--- bridge --- containers
                             |  host  |
               LAN ----------+        |        bridge to bridge     never
                                      |        bridge to LAN        yes, behind the host's address
                                               LAN to bridge        only by published ports

The rules are those that the engine gives to iptables (moby: libnetwork/drivers/bridge/internal/iptabler).
"""

from __future__ import annotations

from dataclasses import dataclass

from node.datapath.drops import Drop
from node.model.address import ZERO_IPV4
from node.model.passage import OPEN, PortGate
from node.stack.forward import ForwardedPacket, Refusal
from node.stack.sandbox import Sandbox
from node.stack.translation.flow import End, Flow
from node.stack.translation.translator import Translator
from node.wire import ipv4
from node.wire.ipv4 import Packet
from node.wire.tcp import ACK, SYN

NAT, NAT_UNPROTECTED, ROUTED, ISOLATED = "nat", "nat-unprotected", "routed", "isolated"
PROTOCOLS = {"tcp": ipv4.PROTOCOL_TCP, "udp": ipv4.PROTOCOL_UDP}


@dataclass(frozen=True, slots=True)
class BridgeRules:
    """What the host's forwarding must know of one bridge."""

    internal: bool = False
    masquerade: bool = True
    mode: str = NAT
    hide_as: bytes | None = None
    """The source address that containers get outside; None is the host's own there."""
    trusted: tuple[str, ...] = ()
    """Host interfaces from which containers may be reached directly."""


class Firewall:
    """See the module. ``lan`` is the host's interface to the outside."""

    def __init__(self, host: Sandbox, lan: str) -> None:
        self.bridges: dict[str, BridgeRules] = {}
        """Host interfaces that are bridges, by name."""
        self._host = host
        self._lan = lan
        self._published: dict[tuple[int, int], dict[bytes, End]] = {}
        """Who serves, by protocol, port and address of the host."""
        self._direct: dict[tuple[int, End], None] = {}
        """Ports of containers that packets may go to straight, where nothing is translated."""
        self.port_gate: PortGate = lambda source, is_established: OPEN
        """Stands before all published ports, wherever their callers come from."""
        self.translator = Translator(self._find_published, self._is_taken)
        rules = host.stack.rules
        rules.admit = self.admit
        rules.judge, rules.hide_as, rules.translator = self.judge, self.hide_as, self.translator

    @property
    def published(self) -> list[tuple[int, int]]:
        """Protocol number and port of everything that is published."""
        return list(self._published)

    def publish(self, protocol: str, host: End, serving: End) -> None:
        """What comes from outside to a port of the host goes to a container; the address may be 0.0.0.0."""
        self._published.setdefault((PROTOCOLS[protocol], host[1]), {})[host[0]] = serving

    def unpublish(self, protocol: str, host: End) -> None:
        """Undo publish; conversations that go on end too."""
        holders = self._published[PROTOCOLS[protocol], host[1]]
        serving = holders.pop(host[0])
        if not holders:
            del self._published[PROTOCOLS[protocol], host[1]]
        self.translator.forget(serving[0])

    def let_through(self, protocol: str, serving: End) -> None:
        """What comes from outside straight to this port of a container may pass (gateway mode routed)."""
        self._direct[PROTOCOLS[protocol], serving] = None

    def stop_letting_through(self, protocol: str, serving: End) -> None:
        """Undo let_through."""
        del self._direct[PROTOCOLS[protocol], serving]

    def admit(self, packet: Packet, now: float) -> Refusal | None:
        """Whether a packet may come in: those to published ports have a gate to pass."""
        number = int.from_bytes(packet.payload[2:4], "big")
        holders = self._published.get((packet.protocol, number))
        if holders is None or packet.fragment_offset:
            return None
        if not (packet.destination in holders or (ZERO_IPV4 in holders and self._is_own(packet.destination))):
            return None
        passage = self.port_gate(packet.source, _is_established(packet))
        if passage.lost or passage.refused:
            return Refusal(Drop.PORT_CLOSED, is_told=passage.refused)
        return None

    def _is_own(self, address: bytes) -> bool:
        interfaces = self._host.stack.interfaces.values()
        return any(own.address == address for interface in interfaces for own in interface.addresses)

    def judge(self, crossing: ForwardedPacket) -> Drop | None:
        """Whether a packet may pass from one interface of the host to another."""
        if crossing.is_known:
            return None
        inside = self.bridges.get(crossing.in_interface)
        outside = self.bridges.get(crossing.out_interface)
        if inside is not None and outside is not None:
            return Drop.ISOLATED_NETWORKS
        if (inside is not None and inside.internal) or (outside is not None and outside.internal):
            return Drop.INTERNAL_NETWORK
        if outside is None or crossing.is_published or crossing.in_interface in outside.trusted:
            return None
        if outside.mode == NAT_UNPROTECTED or (outside.mode == ROUTED and self._serves(crossing)):
            return None
        return Drop.NOT_PUBLISHED

    def hide_as(self, crossing: ForwardedPacket) -> bytes | None:
        """The address that a new conversation from a bridge has outside."""
        inside = self.bridges.get(crossing.in_interface)
        if inside is None or not inside.masquerade or inside.mode == ROUTED:
            return None
        interface = self._host.stack.interfaces[crossing.out_interface]
        return inside.hide_as or interface.source_towards(crossing.packet.destination)

    def _serves(self, crossing: ForwardedPacket) -> bool:
        """Whether a container publishes the port that a packet goes to."""
        packet = crossing.packet
        wanted = packet.destination, int.from_bytes(packet.payload[2:4], "big")
        return packet.protocol == ipv4.PROTOCOL_ICMP or (packet.protocol, wanted) in self._direct

    def _find_published(self, protocol: int, destination: End, interface: str) -> End | None:
        """From outside only: from inside, the engine's proxy takes the connection instead."""
        if interface != self._lan:
            return None
        holders = self._published.get((protocol, destination[1]))
        if holders is None:
            return None
        serving = holders.get(destination[0])
        own = self._host.stack.interfaces[self._lan].addresses
        if serving is None and any(address.address == destination[0] for address in own):
            serving = holders.get(ZERO_IPV4)
        return serving

    def _is_taken(self, answer: Flow) -> bool:
        """Whether a program of the host has a conversation that looks like this from outside."""
        stack = self._host.stack
        if answer.protocol == ipv4.PROTOCOL_TCP:
            return stack.tcp.table.find(answer.destination, answer.source) is not None
        if answer.protocol == ipv4.PROTOCOL_UDP:
            return stack.udp.is_bound(answer.destination, answer.source)
        return stack.echo.find(answer.destination[1]) is not None


def _is_established(packet: Packet) -> bool:
    """TCP says so itself; of UDP nobody knows."""
    flags = packet.payload[13] if len(packet.payload) > 13 else 0
    return packet.protocol == ipv4.PROTOCOL_TCP and flags & (SYN | ACK) != SYN
