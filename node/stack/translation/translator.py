"""The address translation of a host: published ports inwards, masquerading outwards (RFC 3022).

    in --> arrive() --> route --> rules --> leave() --> out
              |                                |
     known, or published?              known, or to be hidden?
     the destination changes           the source changes

Both directions of a conversation are rows of one table, so that answers find back. Linux does the same in
its hooks prerouting and postrouting (net/netfilter/nf_nat_core.c).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from node.stack.translation import rewrite
from node.stack.translation.flow import End, Flow, flow_of, quoted_flow
from node.wire import ipv4
from node.wire.ipv4 import Packet
from node.wire.tcp import FIN, RST, SYN

FLOWS_MAX = 65_536
"""Rows, two a conversation. Linux's nf_conntrack_max on a machine of 4 GiB is 131072 conversations."""
MASQUERADE_PORTS = range(32_768, 61_000)
ICMP_S = 30.0
UDP_S = 120.0
"""Linux's nf_conntrack_udp_timeout_stream."""
TCP_S = 432_000.0
"""Five days: Linux's nf_conntrack_tcp_timeout_established."""
TCP_ENDING_S = 120.0
"""After FIN or RST: Linux's nf_conntrack_tcp_timeout_fin_wait."""
_SWEEP_EVERY_S = 10.0

IsTaken = Callable[[Flow], bool]
"""Whether a program of the host has the conversation whose packets come in like this."""
FindPublished = Callable[[int, End, str], End | None]
"""(protocol, destination, interface that it came in by) to who serves it, or None."""


@dataclass(slots=True)
class Row:
    """What becomes of the packets of one direction."""

    flow: Flow
    source: End | None = None
    destination: End | None = None
    expiry: float = 0.0
    is_ending: bool = False
    """TCP: one side has ended it."""
    other: Row | None = None


@dataclass(frozen=True, slots=True)
class Arrived:
    """A packet with its destination changed, and what is known of its flow."""

    packet: Packet
    row: Row | None = None
    is_known: bool = False
    """It belongs to a conversation that was let through before."""


class NoRoom(Exception):
    """No flow or no port is free: the packet cannot be translated."""


class Translator:
    """See the module. ``find_published`` decides about packets that begin a conversation."""

    def __init__(self, find_published: FindPublished, is_taken: IsTaken) -> None:
        self._find_published = find_published
        self._is_taken = is_taken
        self._rows: dict[Flow, Row] = {}
        self._next_port: dict[tuple[int, bytes], int] = {}
        self._swept = 0.0

    def __len__(self) -> int:
        """Rows in the table."""
        return len(self._rows)

    def arrive(self, packet: Packet, interface: str, now: float) -> Arrived:
        """A whole packet has come in by an interface; it is not yet decided where it goes. NoRoom."""
        if (quoted := quoted_flow(packet)) is not None:
            return self._arrive_error(packet, quoted, now)
        flow = flow_of(packet)
        if flow is None:
            return Arrived(packet)
        row = self._find(flow, now)
        if row is not None:
            self._extend(row, packet, now)
            if row.destination is not None:
                packet = rewrite.with_destination(packet, row.destination)
            return Arrived(packet, row, is_known=True)
        served = self._find_published(flow.protocol, flow.destination, interface)
        if served is None:
            return Arrived(packet)
        answer = Flow(flow.protocol, served, flow.source)
        row = self._add(Row(flow, destination=served), Row(answer, source=flow.destination), now)
        self._extend(row, packet, now)
        return Arrived(rewrite.with_destination(packet, served), row)

    def leave(self, arrived: Arrived, packet: Packet, hide_as: bytes | None, now: float) -> Packet:
        """The packet goes out, behind ``hide_as`` if that is an address. NoRoom."""
        row, about = arrived.row, quoted_flow(packet)
        if row is None and about is None:
            row = self._follow(packet, now) if hide_as is None else self._hide(packet, hide_as, now)
        if row is None or row.source is None:
            return packet
        if about is None:
            return rewrite.with_source(packet, row.source)
        # The error must be recognized by who sent what it quotes; and it may come from the hidden one itself.
        told = rewrite.error_about(packet, destination=row.source)
        return replace(told, source=row.source[0]) if told.source == row.flow.source[0] else told

    def forget(self, address: bytes) -> None:
        """Somebody has gone: its conversations are over."""
        for row in list(self._rows.values()):
            ends = (row.flow.source, row.flow.destination, row.source, row.destination)
            if any(end is not None and end[0] == address for end in ends):
                self._rows.pop(row.flow, None)

    def _arrive_error(self, packet: Packet, quoted: Flow, now: float) -> Arrived:
        """An ICMP error belongs to the conversation of what it quotes."""
        row = self._find(quoted.reversed, now)
        if row is None:
            return Arrived(packet)
        if row.destination is not None:
            packet = rewrite.error_about(packet, source=row.destination)
            packet = replace(packet, destination=row.destination[0])
        return Arrived(packet, row, is_known=True)

    def _follow(self, packet: Packet, now: float) -> Row | None:
        """Remember a conversation that stays as it is: its answers must stay so too."""
        flow = flow_of(packet)
        if flow is None or flow.reversed in self._rows:
            return None
        row = self._add(Row(flow), Row(flow.reversed), now)
        self._extend(row, packet, now)
        return row

    def _hide(self, packet: Packet, host: bytes, now: float) -> Row | None:
        """Begin a masqueraded conversation: with the same port if that is free, or with another."""
        flow = flow_of(packet)
        if flow is None:
            return None
        port = self._free_port(flow, host)
        answer = Flow(flow.protocol, flow.destination, (host, port))
        row = self._add(Row(flow, source=(host, port)), Row(answer, destination=flow.source), now)
        self._extend(row, packet, now)
        return row

    def _free_port(self, flow: Flow, host: bytes) -> int:
        def is_free(port: int) -> bool:
            answer = Flow(flow.protocol, flow.destination, (host, port))
            return answer not in self._rows and not self._is_taken(answer)

        if is_free(flow.source[1]):
            return flow.source[1]
        begin = self._next_port.get((flow.protocol, host), 0)
        for step in range(len(MASQUERADE_PORTS)):
            place = (begin + step) % len(MASQUERADE_PORTS)
            if is_free(MASQUERADE_PORTS[place]):
                self._next_port[flow.protocol, host] = place + 1
                return MASQUERADE_PORTS[place]
        raise NoRoom

    # -- the table --------------------------------------------------------------------------------

    def _find(self, flow: Flow, now: float) -> Row | None:
        row = self._rows.get(flow)
        if row is not None and row.expiry <= now:
            self._remove(row)
            return None
        return row

    def _add(self, row: Row, answer: Row, now: float) -> Row:
        if len(self._rows) >= FLOWS_MAX and now >= self._swept + _SWEEP_EVERY_S:
            self._swept = now
            for old in [old for old in self._rows.values() if old.expiry <= now]:
                self._rows.pop(old.flow, None)
        if len(self._rows) >= FLOWS_MAX or answer.flow in self._rows:
            raise NoRoom
        row.other, answer.other = answer, row
        self._rows[row.flow] = row
        self._rows[answer.flow] = answer
        return row

    def _remove(self, row: Row) -> None:
        for gone in (row, row.other):
            if gone is not None and self._rows.get(gone.flow) is gone:
                del self._rows[gone.flow]

    @staticmethod
    def _extend(row: Row, packet: Packet, now: float) -> None:
        """Something was said: both directions live on."""
        lifetime = UDP_S
        if packet.protocol == ipv4.PROTOCOL_ICMP:
            lifetime = ICMP_S
        elif packet.protocol == ipv4.PROTOCOL_TCP:
            flags = packet.payload[13] if len(packet.payload) > 13 else 0
            row.is_ending = bool(flags & (FIN | RST)) or (row.is_ending and not flags & SYN)
            lifetime = TCP_ENDING_S if row.is_ending else TCP_S
        row.expiry = now + lifetime
        if row.other is not None:
            row.other.expiry = row.expiry
            row.other.is_ending = row.is_ending
