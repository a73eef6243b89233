"""What an arriving segment means to a connection, check by check (RFC 9293 section 3.10.7).

in the window? --> RST? --> SYN? --> ACK: windows, what has arrived --> payload --> FIN --> send what may be
"""

from __future__ import annotations

import errno

from node.stack.tcp.connection import ORPHAN_S, TIME_WAIT_S, Connection
from node.stack.tcp.sequence import from_wire, to_wire
from node.stack.tcp.state import State
from node.wire.tcp import ACK, FIN, RST, SYN, Segment


def receive(connection: Connection, segment: Segment, now: float) -> None:
    """Take a segment for this connection."""
    if connection.state is State.SYN_SENT:
        _receive_answer(connection, segment, now)
    elif connection.state is not State.CLOSED:
        _receive_known(connection, segment, now)


def _receive_answer(connection: Connection, segment: Segment, now: float) -> None:
    """In SYN_SENT (section 3.10.7.3)."""
    block, flags = connection.block, segment.flags
    acknowledged = from_wire(segment.acknowledgment, block.first)
    if flags & ACK and acknowledged != block.first + 1:
        if not flags & RST:
            block.outbox.append(reset_for(segment))
        return
    if flags & RST:
        if flags & ACK:
            connection.end(errno.ECONNREFUSED)
        return
    if not flags & SYN:
        return
    block.learn_syn(segment)
    if flags & ACK:
        _establish(connection)
        block.confirm()
    else:
        connection.state = State.SYN_RECEIVED  # both called at the same time
        connection.send_syn(now)


def _receive_known(connection: Connection, segment: Segment, now: float) -> None:
    """In all states that know the other end's numbers (section 3.10.7.4)."""
    block, flags, payload = connection.block, segment.flags, segment.payload
    sequence = from_wire(segment.sequence, block.receiving.next)
    is_last = bool(flags & FIN)
    if not block.receiving.is_acceptable(sequence, _length(segment)):
        if flags & RST:
            return
        if connection.state is State.SYN_RECEIVED and flags & (SYN | ACK) == SYN:
            block.send_syn(is_answer=True)  # ours was lost
            return
        block.confirm()
        if connection.state is State.TIME_WAIT and is_last:
            connection.state_deadline = now + TIME_WAIT_S
        return
    if flags & RST:
        _receive_reset(connection, sequence)
    elif flags & SYN:
        block.confirm()  # RFC 5961 section 4: whoever means it will say RST
    elif flags & ACK and _receive_ack(connection, segment, sequence, now):
        if (payload or is_last) and not block.receiving.finished:
            _receive_payload(connection, sequence, payload, is_last, now)
        if connection.state not in (State.CLOSED, State.TIME_WAIT):
            block.push(now)


def _receive_reset(connection: Connection, sequence: int) -> None:
    """Only the exact number ends a connection; a near one is asked about (RFC 5961 section 3)."""
    if sequence != connection.block.receiving.next:
        connection.block.confirm()
    elif connection.state in (State.CLOSING, State.LAST_ACK, State.TIME_WAIT):
        connection.end(0)
    else:
        connection.end(errno.ECONNRESET)


def _receive_ack(connection: Connection, segment: Segment, sequence: int, now: float) -> bool:
    """False if the segment is not to be looked at any further."""
    block = connection.block
    sending = block.sending
    number = from_wire(segment.acknowledgment, sending.unacknowledged)
    if connection.state is State.SYN_RECEIVED:
        if number != block.first + 1:
            block.outbox.append(reset_for(segment))
            return False
        _establish(connection)
    if number > sending.highest:
        block.confirm()
        return False
    if number < sending.unacknowledged:
        return True
    window = segment.window << block.send_scale
    is_bare = not segment.payload and not segment.flags & FIN and window == sending.window
    had_room = sending.room > 0
    if sequence >= block.window_sequence:
        block.window_sequence = sequence
        sending.offer(window)
    sending.acknowledge(number, now, may_be_duplicate=is_bare)
    if sending.room and not had_room:
        connection.notify()
    if sending.is_finished:
        _finish_confirmed(connection, now)
    return connection.state is not State.CLOSED


def _finish_confirmed(connection: Connection, now: float) -> None:
    """Our FIN has arrived."""
    if connection.state is State.FIN_WAIT_1:
        connection.state = State.FIN_WAIT_2
        if connection.is_closed_by_program:
            connection.state_deadline = now + ORPHAN_S
    elif connection.state is State.CLOSING:
        connection.wait_out(now)
    elif connection.state is State.LAST_ACK:
        connection.end(0)


def _receive_payload(
    connection: Connection, sequence: int, payload: bytes, is_last: bool, now: float
) -> None:
    block = connection.block
    if connection.is_closed_by_program and payload:
        connection.abort()  # nobody will ever read it (RFC 9293 section 3.6.1)
        return
    in_order = block.receiving.take(sequence, payload, is_last=is_last)
    if block.receiving.finished:
        block.confirm()
        _receive_finish(connection, now)
    elif in_order:
        block.confirm_later(now)
    else:
        block.confirm()  # the other end learns of the gap from duplicates (RFC 5681 section 4.2)
    connection.notify()


def _receive_finish(connection: Connection, now: float) -> None:
    """The other end sends nothing more."""
    if connection.state is State.ESTABLISHED:
        connection.state = State.CLOSE_WAIT
    elif connection.state is State.FIN_WAIT_1:
        connection.state = State.CLOSING
    elif connection.state is State.FIN_WAIT_2:
        connection.wait_out(now)


def _establish(connection: Connection) -> None:
    connection.state = State.ESTABLISHED
    connection.state_deadline = None
    connection.block.sending.retries = 0
    connection.notify()


def reset_for(segment: Segment) -> Segment:
    """The answer to a segment that nobody is there for (RFC 9293 section 3.10.7.1)."""
    if segment.flags & ACK:
        sequence, acknowledgment, flags = segment.acknowledgment, 0, RST
    else:
        sequence, acknowledgment = 0, to_wire(segment.sequence + _length(segment))
        flags = RST | ACK
    return Segment(segment.destination_port, segment.source_port, sequence, acknowledgment, flags, 0)


def _length(segment: Segment) -> int:
    """Sequence numbers that a segment takes: SYN and FIN count as one each."""
    return len(segment.payload) + bool(segment.flags & SYN) + bool(segment.flags & FIN)
