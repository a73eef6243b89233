"""ICMP of one stack (RFC 792): answers to echo requests, errors sent, and errors heard.

heard:  echo request --> reply           sent:  refuse(packet) --> may one answer it? --> error
        echo reply   --> whoever pings                              |
        error        --> whoever sent what it quotes                +--> no (RFC 1122): silence
"""

from __future__ import annotations

import errno
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from node.datapath.drops import Counters, Drop
from node.model.address import format_ipv4
from node.stack.echo import EchoBinding, EchoError, EchoReply, EchoRequest, EchoTable
from node.stack.errorlimit import ErrorLimit
from node.stack.errors import os_error
from node.stack.interface import OwnAddresses
from node.stack.output import Output
from node.wire import icmp, ipv4
from node.wire.ipv4 import Packet
from node.wire.malformed import Malformed

_QUERIES = frozenset(bytes((kind,)) for kind in (0, 8, 13, 14, 15, 16, 17, 18))
"""ICMP types (the first byte) that are no errors, so that errors may be sent about them."""
_QUOTED_PAYLOAD_MIN_BYTES = 8


@dataclass(frozen=True, slots=True)
class Quotation:
    """What an ICMP error tells of the packet it is about."""

    source: bytes
    destination: bytes
    protocol: int
    total_bytes: int
    payload: bytes
    """At least the first 8 bytes."""


class Upper(Protocol):
    """A protocol above IPv4."""

    def receive(self, packet: Packet, now: float) -> None:
        """Take a whole packet that is for this stack."""

    def refused(self, quotation: Quotation, error: icmp.Error, source: bytes, now: float) -> None:
        """Hear of an ICMP error, from ``source``, about a packet of this protocol that was sent."""


class Icmp:
    """The ICMP part of one stack."""

    def __init__(
        self,
        output: Output,
        own: OwnAddresses,
        uppers: Mapping[int, Upper],
        echo: EchoTable,
        counters: Counters,
    ) -> None:
        """``uppers`` are asked by protocol number when an error has come."""
        self._output = output
        self._own = own
        self._uppers = uppers
        self._echo = echo
        self._counters = counters
        self._limit = ErrorLimit()

    def receive(self, packet: Packet, now: float) -> None:
        """Take an ICMP message."""
        try:
            message = icmp.parse(packet.payload)
        except Malformed:
            self._counters.drop(Drop.MALFORMED_PACKET)
            return
        if isinstance(message, icmp.Echo):
            if message.request:
                self._answer(packet, message, now)
            else:
                self._hand_over(packet, message, now)
        elif isinstance(message, icmp.Error):
            self._hear_error(packet, message, now)
        else:
            self._counters.drop(Drop.UNKNOWN_PROTOCOL)

    def request(self, binding: EchoBinding, wish: EchoRequest, now: float) -> None:
        """Send an echo request. Raises OSError ENETUNREACH, EMSGSIZE, EINVAL."""
        if not 1 <= wish.ttl <= 255:
            raise os_error(errno.EINVAL)
        path = self._output.path_to(wish.destination)
        message = icmp.Echo(True, binding.identifier, wish.sequence & 0xFFFF, wish.payload)
        packet = Packet(
            path.source,
            wish.destination,
            ipv4.PROTOCOL_ICMP,
            message.emit(),
            ttl=wish.ttl,
            identification=self._output.identification(),
            dont_fragment=wish.dont_fragment,
        )
        self._output.send(packet, path, now)

    def refuse(self, packet: Packet, kind: int, code: int, now: float, mtu: int = 0) -> None:
        """Tell a packet's sender why it was not delivered, where that is allowed."""
        if not self._may_answer(packet):
            return
        is_own = self._own.hold(packet.source)
        is_path_report = (kind, code) == (icmp.UNREACHABLE, icmp.FRAGMENTATION_NEEDED)
        if not is_own and not is_path_report and not self._limit.allow(packet.source, now):
            return
        addressed = packet.destination if self._own.hold(packet.destination) else None
        self._send(packet.source, addressed, icmp.Error(kind, code, packet.emit(), mtu), now)

    def refused(self, quotation: Quotation, error: icmp.Error, source: bytes, now: float) -> None:
        """An echo request did not arrive."""
        if quotation.payload[0] != icmp.ECHO_REQUEST:
            self._counters.drop(Drop.NO_LISTENER)
            return
        identifier = int.from_bytes(quotation.payload[4:6], "big")
        sequence = int.from_bytes(quotation.payload[6:8], "big")
        is_path_report = (error.kind, error.code) == (icmp.UNREACHABLE, icmp.FRAGMENTATION_NEEDED)
        mtu = error.mtu if is_path_report else None
        self._deliver(identifier, EchoError(format_ipv4(source), error.kind, error.code, sequence, mtu, now))

    def _answer(self, packet: Packet, request: icmp.Echo, now: float) -> None:
        if self._own.is_group(packet.destination):
            # One broadcast must not make a whole network answer (RFC 1122 section 3.2.2.6 allows it).
            self._counters.drop(Drop.NO_LISTENER)
            return
        reply = icmp.Echo(False, request.identifier, request.sequence, request.payload)
        self._send(packet.source, packet.destination, reply, now)

    def _hand_over(self, packet: Packet, reply: icmp.Echo, now: float) -> None:
        event = EchoReply(format_ipv4(packet.source), reply.sequence, packet.ttl, reply.payload, now)
        self._deliver(reply.identifier, event)

    def _deliver(self, identifier: int, event: EchoReply | EchoError) -> None:
        binding = self._echo.find(identifier)
        if binding is None:
            self._counters.drop(Drop.NO_LISTENER)
        elif not binding.put(event):
            self._counters.drop(Drop.SOCKET_QUEUE_FULL)

    def _hear_error(self, packet: Packet, error: icmp.Error, now: float) -> None:
        quotation = _read(error.quoted)
        if quotation is None:
            self._counters.drop(Drop.MALFORMED_PACKET)
            return
        if not self._own.hold(quotation.source):
            self._counters.drop(Drop.MARTIAN)  # about a packet that was never sent from here
            return
        if error.kind == icmp.UNREACHABLE and error.code == icmp.FRAGMENTATION_NEEDED:
            self._output.path_mtu.learn(quotation.destination, error.mtu, quotation.total_bytes, now)
        upper = self._uppers.get(quotation.protocol)
        if upper is None:
            self._counters.drop(Drop.UNKNOWN_PROTOCOL)
            return
        upper.refused(quotation, error, packet.source, now)

    def _send(
        self, destination: bytes, source: bytes | None, message: icmp.Echo | icmp.Error, now: float
    ) -> None:
        try:
            path = self._output.path_to(destination, source)
        except OSError:
            self._counters.drop(Drop.NO_ROUTE)
            return
        identification = self._output.identification()
        packet = Packet(
            path.source, destination, ipv4.PROTOCOL_ICMP, message.emit(), identification=identification
        )
        self._output.send(packet, path, now)

    def _may_answer(self, packet: Packet) -> bool:
        """RFC 1122 section 3.2.2: no error about an error, a later fragment, or what went to a group.

        Sources that are no single host are martians, and have not come this far.
        """
        is_error = packet.protocol == ipv4.PROTOCOL_ICMP and packet.payload[:1] not in _QUERIES
        return not is_error and packet.fragment_offset == 0 and not self._own.is_group(packet.destination)


def _read(quoted: bytes) -> Quotation | None:
    """A quotation is cut off, so that its lengths cannot agree as those of a packet must."""
    header_bytes = (quoted[0] & 0x0F) * 4 if quoted else 0
    if (
        header_bytes < ipv4.HEADER_BYTES
        or quoted[0] >> 4 != 4
        or len(quoted) < header_bytes + _QUOTED_PAYLOAD_MIN_BYTES
    ):
        return None
    return Quotation(
        source=quoted[12:16],
        destination=quoted[16:20],
        protocol=quoted[9],
        total_bytes=int.from_bytes(quoted[2:4], "big"),
        payload=quoted[header_bytes:],
    )
