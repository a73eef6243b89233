"""TCP of one stack: segments to their connections, connections' segments to the network, and their timers.

packet --> whole? --> connection by both ends --> arrival.receive() --> outbox --> Output
                          |
                          +--> listener: a new connection, if it is a SYN
                          |
                          +--> nobody: RST
"""

from __future__ import annotations

import errno
import heapq
import random
from collections.abc import Callable

from node.datapath.drops import Counters, Drop
from node.stack.errors import MessageTooLong, os_error
from node.stack.icmp import Quotation
from node.stack.interface import OwnAddresses
from node.stack.output import Output
from node.stack.tcp import arrival
from node.stack.tcp.connection import Connection
from node.stack.tcp.controlblock import Address, Ends
from node.stack.tcp.sequence import from_wire
from node.stack.tcp.state import State
from node.stack.tcp.table import Listener, TcpTable
from node.stack.udptable import ANY
from node.wire import icmp, ipv4, tcp
from node.wire.ipv4 import Packet
from node.wire.malformed import Malformed
from node.wire.tcp import ACK, RST, SYN, Segment

HEADERS_BYTES = ipv4.HEADER_BYTES + tcp.HEADER_BYTES
"""What an MTU has more than an MSS (RFC 9293 section 3.7.1)."""

_ERRORS = {
    icmp.NET_UNREACHABLE: errno.ENETUNREACH,
    icmp.PROTOCOL_UNREACHABLE: errno.ENOPROTOOPT,
    icmp.PORT_UNREACHABLE: errno.ECONNREFUSED,
}
"""What a program that connects sees of "unreachable"; EHOSTUNREACH of the rest (Linux: icmp_err_convert)."""


class Tcp:
    """The TCP part of one stack."""

    def __init__(self, output: Output, own: OwnAddresses, chance: random.Random, counters: Counters) -> None:
        self.table = TcpTable(chance)
        self._output = output
        self._own = own
        self._chance = chance
        self._counters = counters
        self._handshakes: dict[Connection, Listener] = {}
        self._timers: list[tuple[float, int, Connection]] = []
        self._turn = 0

    # -- what programs do -------------------------------------------------------------------------

    def listen(
        self, local: Address, backlog: int, notify: Callable[[], None], *, is_hidden: bool = False
    ) -> Listener:
        """Take connections at an own address, or at all of them (ANY). OSError EADDRINUSE, EADDRNOTAVAIL."""
        if local[0] != ANY and not self._own.hold(local[0]):
            raise os_error(errno.EADDRNOTAVAIL)
        listener = Listener(local, backlog, notify, is_hidden=is_hidden)
        self.table.listen(listener)
        return listener

    def unlisten(self, listener: Listener, now: float) -> None:
        """Take no more; those that nobody has accepted end."""
        self.table.unlisten(listener)
        for connection in (*listener.pending, *listener.queue):
            self._handshakes.pop(connection, None)
            connection.abort()
            self.flush(connection, now)
        listener.pending.clear()
        listener.queue.clear()

    def connect(
        self, remote: Address, source: bytes | None, notify: Callable[[], None], now: float
    ) -> Connection:
        """Begin a connection. Raises OSError ENETUNREACH, EADDRNOTAVAIL, ENFILE, ECONNREFUSED."""
        if remote[1] == 0 or self._own.is_group(remote[0]):
            raise os_error(errno.ECONNREFUSED if remote[1] == 0 else errno.ENETUNREACH)
        path = self._output.path_to(remote[0], source)
        connection = self._make(self.table.ends_to(path.source, remote), notify, now)
        connection.open(now)
        self.flush(connection, now)
        return connection

    def flush(self, connection: Connection, now: float) -> None:
        """Send what a connection wants to send; call after everything that was done with it."""
        if connection.is_flushing:
            return  # an answer came while it was sending: what that leads to goes out in its turn
        connection.is_flushing = True
        try:
            outbox = connection.block.outbox
            while outbox:
                self._send(connection, outbox.popleft(), now)
        finally:
            connection.is_flushing = False
        if connection.state is State.CLOSED:
            self.table.remove(connection)
        deadline = connection.deadline
        if deadline is not None and (connection.scheduled is None or deadline < connection.scheduled):
            connection.scheduled = deadline
            self._turn += 1
            heapq.heappush(self._timers, (deadline, self._turn, connection))

    # -- what the network and time do -------------------------------------------------------------

    def receive(self, packet: Packet, now: float) -> None:
        """Take a segment to its connection, or to who listens; nobody: RST."""
        try:
            segment = tcp.parse(packet.payload, packet.source, packet.destination)
        except Malformed:
            self._counters.drop(Drop.MALFORMED_PACKET)
            return
        if self._own.is_group(packet.destination):
            self._counters.drop(Drop.MARTIAN)
            return
        ends = Ends((packet.destination, segment.destination_port), (packet.source, segment.source_port))
        connection = self.table.find(ends.local, ends.remote)
        if connection is not None and _begins_anew(connection, segment):
            connection.end(0)
            self.table.remove(connection)
            connection = None
        if connection is None:
            self._receive_first(ends, segment, now)
            return
        arrival.receive(connection, segment, now)
        self._settle_pending(connection)
        self.flush(connection, now)

    def refused(self, quotation: Quotation, error: icmp.Error, source: bytes, now: float) -> None:
        """Hear of an ICMP error about a segment that was sent."""
        local = (quotation.source, int.from_bytes(quotation.payload[0:2], "big"))
        remote = (quotation.destination, int.from_bytes(quotation.payload[2:4], "big"))
        connection = self.table.find(local, remote)
        if connection is None or not _was_sent(connection, quotation.payload):
            self._counters.drop(Drop.NO_LISTENER)
        elif error.kind == icmp.UNREACHABLE and error.code == icmp.FRAGMENTATION_NEEDED:
            mtu = self._output.path_mtu.of(quotation.destination, quotation.total_bytes, now)
            connection.path_shrank(mtu - HEADERS_BYTES, now)
            self.flush(connection, now)
        elif error.kind == icmp.UNREACHABLE:
            connection.refused(_ERRORS.get(error.code, errno.EHOSTUNREACH))
            self.flush(connection, now)

    @property
    def wake_at(self) -> float | None:
        """When wake() may have something to do, in seconds; None if never."""
        return self._timers[0][0] if self._timers else None

    def wake(self, now: float) -> None:
        """Do what the passing of time asks for."""
        timers = self._timers
        while timers and timers[0][0] <= now:
            deadline, _, connection = heapq.heappop(timers)
            if connection.scheduled == deadline:
                connection.scheduled = None
                connection.wake(now)
                self._settle_pending(connection)
                self.flush(connection, now)

    # -- a connection's beginning -----------------------------------------------------------------

    def _receive_first(self, ends: Ends, segment: Segment, now: float) -> None:
        """A segment that belongs to no connection."""
        listener = self.table.find_listener(ends.local)
        if listener is None or segment.flags & (SYN | ACK | RST) != SYN:
            self._counters.drop(Drop.NO_LISTENER)
            if not segment.flags & RST:
                self._send_from(ends, arrival.reset_for(segment), now)
            return
        if listener.is_full:
            self._counters.drop(Drop.BACKLOG_FULL)  # it will try again
            return
        try:
            connection = self._make(ends, _nobody, now)
        except OSError:
            self._counters.drop(Drop.BACKLOG_FULL)
            return
        self._handshakes[connection] = listener
        listener.pending[connection] = None
        connection.accept(segment, now)
        self.flush(connection, now)

    def _settle_pending(self, connection: Connection) -> None:
        """A handshake that has ended, well or not, leaves its listener's list."""
        if connection.state is State.SYN_RECEIVED or connection not in self._handshakes:
            return
        listener = self._handshakes.pop(connection)
        del listener.pending[connection]
        if connection.state is not State.CLOSED:
            listener.queue.append(connection)
            listener.notify()

    def _make(self, ends: Ends, notify: Callable[[], None], now: float) -> Connection:
        path = self._output.path_to(ends.remote[0], ends.local[0])
        mtu = self._output.path_mtu.of(ends.remote[0], path.interface.mtu, now)
        first = self._chance.getrandbits(32)
        connection = Connection(ends, first, min(mtu, ipv4.PACKET_BYTES_MAX) - HEADERS_BYTES, notify)
        self.table.add(connection)
        return connection

    # -- out --------------------------------------------------------------------------------------

    def _send(self, connection: Connection, segment: Segment, now: float) -> None:
        try:
            self._send_from(connection.block.ends, segment, now)
        except MessageTooLong as error:
            connection.path_shrank(error.mtu - HEADERS_BYTES, now)

    def _send_from(self, ends: Ends, segment: Segment, now: float) -> None:
        """Raises MessageTooLong."""
        source, destination = ends.local[0], ends.remote[0]
        output = self._output
        try:
            path = output.path_to(destination, source)
        except OSError:
            self._counters.drop(Drop.NO_ROUTE)
            return
        packet = Packet(
            source,
            destination,
            ipv4.PROTOCOL_TCP,
            segment.emit(source, destination),
            identification=output.identification(),
            dont_fragment=True,
        )
        output.send(packet, path, now)


def _nobody() -> None:
    """Nobody waits for a connection that was not accepted yet."""


def _begins_anew(connection: Connection, segment: Segment) -> bool:
    """A SYN may end TIME_WAIT early, if it is surely no old one (RFC 1122 section 4.2.2.13)."""
    if connection.state is not State.TIME_WAIT or segment.flags & (SYN | ACK | RST) != SYN:
        return False
    expected = connection.block.receiving.next
    return from_wire(segment.sequence, expected) > expected


def _was_sent(connection: Connection, quoted: bytes) -> bool:
    """Whether an error is about something that is on its way: others are forged (RFC 5927 section 4)."""
    block = connection.block
    sequence = from_wire(int.from_bytes(quoted[4:8], "big"), block.sending.unacknowledged)
    return block.first <= sequence < max(block.sending.highest, block.first + 1)
