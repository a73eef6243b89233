"""One TCP connection: what a program does with it, and what time does to it (RFC 9293 section 3.10).

                     +--------+ open()      accept() +--------+
        SYN  <-------| CLOSED |                      | CLOSED |<------- SYN
                     +--------+                      +--------+
                      SYN_SENT ------------------- SYN_RECEIVED -----> SYN,ACK
        SYN,ACK -------->  \\                          /  <------------- ACK
                            ESTABLISHED ---------------
           finish(): FIN --> /                \\ <-- FIN
                   FIN_WAIT_1                CLOSE_WAIT
            ACK --> | \\ FIN --> CLOSING          | finish(): FIN -->
                   FIN_WAIT_2      | ACK       LAST_ACK
            FIN --> |              |             | ACK
                   TIME_WAIT <-----+           CLOSED

What segments mean is in arrival.py. What goes wrong is an error number that a program would see.
"""

from __future__ import annotations

import errno
from collections.abc import Callable

from node.stack.errors import os_error
from node.stack.tcp.controlblock import MSS_MIN, ControlBlock, Ends
from node.stack.tcp.sending import RETRIES_MAX
from node.stack.tcp.state import HANDSHAKING, OPEN_TO_WRITE, State
from node.wire.tcp import ACK, RST, Segment

SYN_RETRIES_MAX = 6
"""Linux's net.ipv4.tcp_syn_retries: connect() gives up after about two minutes."""
TIME_WAIT_S = 60.0
"""Linux's TCP_TIMEWAIT_LEN."""
ORPHAN_S = 60.0
"""Linux's net.ipv4.tcp_fin_timeout: how long a closed socket waits for the other end's FIN."""


class Connection:
    """See the module. ``first`` is the number of its SYN, ``mss`` what the path takes, in bytes."""

    def __init__(self, ends: Ends, first: int, mss: int, notify: Callable[[], None]) -> None:
        self.block = ControlBlock(ends, first, mss)
        self.state = State.CLOSED
        self.error = 0
        """Why it ended, as an errno; 0: in order, or not yet."""
        self.notify = notify
        """Called when there may be something to read, room to write, or a new state."""
        self.state_deadline: float | None = None
        """When the state has lasted too long: the next SYN, or the end of waiting."""
        self.is_closed_by_program = False
        self.scheduled: float | None = None
        """The owner's note of when it will call wake()."""
        self.is_flushing = False
        """The owner's note that it is sending the outbox."""

    # -- what a program does ----------------------------------------------------------------------

    def open(self, now: float) -> None:
        """Begin: the first SYN."""
        self.state = State.SYN_SENT
        self.send_syn(now)

    def accept(self, syn: Segment, now: float) -> None:
        """Answer a SYN that has come."""
        self.state = State.SYN_RECEIVED
        self.block.learn_syn(syn)
        self.send_syn(now)

    def write(self, data: bytes, now: float) -> int:
        """Send; how many bytes were taken, 0 if there is no room. Raises OSError EPIPE, ENOTCONN, or why."""
        if self.error:
            raise os_error(self.error)
        if self.state in HANDSHAKING:
            raise os_error(errno.ENOTCONN)
        if self.state not in OPEN_TO_WRITE:
            raise os_error(errno.EPIPE)
        taken = self.block.sending.write(data)
        self.block.push(now)
        return taken

    def read(self, bytes_max: int) -> bytes | None:
        """What has come; empty at the end, None if there is nothing yet. Raises OSError: why it ended."""
        receiving = self.block.receiving
        if receiving.readable_bytes:
            data = receiving.read(bytes_max)
            is_over = receiving.finished or self.state is State.CLOSED
            if not is_over and receiving.would_grow_by() >= 2 * self.block.sending.mss:
                self.block.confirm()  # the other end may be waiting for room
            return data
        if self.error:
            raise os_error(self.error)
        return b"" if receiving.finished or self.state is State.CLOSED else None

    @property
    def room(self) -> int:
        """Bytes that write() would take."""
        return self.block.sending.room if self.state in OPEN_TO_WRITE else 0

    def finish(self, now: float) -> None:
        """Send nothing more after what was written (shutdown). Harmless if it was done."""
        if self.state is State.ESTABLISHED:
            self.state = State.FIN_WAIT_1
        elif self.state is State.CLOSE_WAIT:
            self.state = State.LAST_ACK
        else:
            return
        self.block.sending.finish()
        self.block.push(now)

    def close(self, now: float) -> None:
        """The program wants no more of it: in order, or with RST if it leaves something unread."""
        self.is_closed_by_program = True
        if self.block.receiving.readable_bytes or self.state in HANDSHAKING:
            self.abort()
            return
        self.finish(now)
        if self.state is State.FIN_WAIT_2:
            self.state_deadline = now + ORPHAN_S

    def abort(self) -> None:
        """End at once, and tell the other end if it knows of us."""
        if self.state not in (State.CLOSED, State.SYN_SENT, State.TIME_WAIT):
            self.block.send(RST | ACK, self.block.sending.highest)
        self.end(errno.ECONNABORTED)

    # -- what happens to it -----------------------------------------------------------------------

    @property
    def deadline(self) -> float | None:
        """When wake() has something to do, in seconds; None if never."""
        block = self.block
        times = (self.state_deadline, block.ack_deadline, block.sending.deadline)
        return min((time for time in times if time is not None), default=None)

    def wake(self, now: float) -> None:
        """Do what is due; early or late is no harm."""
        block = self.block
        if block.ack_deadline is not None and now >= block.ack_deadline:
            block.confirm()
        if self.state_deadline is not None and now >= self.state_deadline:
            self.state_deadline = None
            if self.state not in HANDSHAKING:
                self.end(0)
            elif block.sending.retries >= SYN_RETRIES_MAX:
                self.end(errno.ETIMEDOUT)
            else:
                block.sending.retries += 1
                block.round_trip.back_off()
                self.send_syn(now)
        sending = block.sending
        if sending.deadline is not None and now >= sending.deadline:
            if sending.retries >= RETRIES_MAX:
                self.end(errno.ETIMEDOUT)
                return
            probe = sending.wake(now)
            if probe is not None:
                block.send_piece(probe)
            block.push(now)

    def path_shrank(self, mss: int, now: float) -> None:
        """A router could not pass on what was sent."""
        block = self.block
        block.path_mss = min(block.path_mss, max(mss, MSS_MIN))
        block.sending.shrink(block.path_mss)
        if self.state not in (*HANDSHAKING, State.CLOSED):
            block.push(now)

    def refused(self, number: int) -> None:
        """ICMP says that nobody can be reached there; only while connecting is that the end (RFC 5927)."""
        if self.state is State.SYN_SENT:
            self.end(number)

    # -- states -----------------------------------------------------------------------------------

    def send_syn(self, now: float) -> None:
        """Our SYN, once more perhaps; it waits for an answer."""
        self.block.send_syn(is_answer=self.state is State.SYN_RECEIVED)
        self.state_deadline = now + self.block.round_trip.wait_s

    def wait_out(self, now: float) -> None:
        """Both ends have said all: only old segments can come any more."""
        self.state = State.TIME_WAIT
        self.state_deadline = now + TIME_WAIT_S
        self.block.sending.deadline = None

    def end(self, error: int) -> None:
        """It is over."""
        self.state = State.CLOSED
        self.error = error
        self.state_deadline = self.block.ack_deadline = self.block.sending.deadline = None
        self.notify()
