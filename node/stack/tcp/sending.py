"""The sending half of a connection: what was written, until the other end has it.

    acknowledged  |  on its way             |  waiting               |
    --------------+-------------------------+------------------------+------> sequence numbers
             unacknowledged        next                              end (then FIN)
                  |<------ the other end's window, congestion window ----->|

One timer serves three purposes (RFC 6298, RFC 9293 section 3.8.6.1): retransmission, probing a window
of zero, and giving up.
"""

from __future__ import annotations

from collections.abc import Iterator

from node.stack.tcp.congestion import Congestion
from node.stack.tcp.roundtrip import RoundTrip

BUFFER_BYTES = 262_144
RETRIES_MAX = 15
"""Linux's net.ipv4.tcp_retries2: about a quarter of an hour."""
DUPLICATES = 3

Piece = tuple[int, bytes, bool]
"""Sequence number, payload, and whether FIN goes with it."""


class SendSide:
    """What goes out to the other end. Numbers do not wrap (sequence.py)."""

    def __init__(self, first: int, mss: int, round_trip: RoundTrip) -> None:
        self.unacknowledged = first
        """SND.UNA"""
        self.next = first
        """SND.NXT; goes back when a time-out makes all be sent again."""
        self.highest = first
        """What was ever sent; an acknowledgment beyond it is a mistake."""
        self.window = 0
        """What the other end offers, in bytes."""
        self.deadline: float | None = None
        """When wake() wants to be called."""
        self.retries = 0
        self.resent = 0
        """Segments that were sent again."""
        self.mss = mss
        self.round_trip = round_trip
        self._congestion = Congestion(mss)
        self._buffer = bytearray()
        self._finish_at: int | None = None
        self._largest_window = 0
        self._duplicates = 0
        self._resend = False
        self._recovered_to = first
        self._timed: tuple[int, float] | None = None
        """A number whose acknowledgment is awaited, and when it was sent: for the round trip's time."""

    @property
    def room(self) -> int:
        """Bytes that write() would take."""
        return max(BUFFER_BYTES - len(self._buffer), 0)

    @property
    def congestion_window(self) -> int:
        """Bytes that the path is believed to take."""
        return self._congestion.window

    @property
    def is_finished(self) -> bool:
        """Everything has arrived, and the FIN too."""
        return self._finish_at is not None and self.unacknowledged > self._finish_at

    @property
    def end(self) -> int:
        """The number after everything that was written."""
        return self.unacknowledged + len(self._buffer)

    def write(self, data: bytes) -> int:
        """Add to what is to be sent; how many bytes were taken."""
        assert self._finish_at is None, "nothing is written after the end"
        taken = data[: self.room]
        self._buffer += taken
        return len(taken)

    def finish(self) -> None:
        """After what was written comes the end."""
        if self._finish_at is None:
            self._finish_at = self.end

    def offer(self, window: int) -> None:
        """The other end says how much it takes."""
        if window > 0 and self.window == 0:
            self.deadline = None  # no more probing
        self.window = window
        self.retries = 0  # whoever speaks lives
        self._largest_window = max(self._largest_window, window)

    def acknowledge(self, number: int, now: float, *, may_be_duplicate: bool) -> bool:
        """The other end has everything below ``number``; whether that is news."""
        if number > self.unacknowledged:
            self._advance(number, now)
            return True
        in_flight = self.highest - self.unacknowledged
        if number == self.unacknowledged and in_flight and may_be_duplicate:
            self._duplicates += 1
            if self._congestion.recover is not None:
                self._congestion.duplicate()
            elif self._duplicates == DUPLICATES and self.unacknowledged >= self._recovered_to:
                self._congestion.lost(in_flight, self.highest)
                self._resend = True
        return False

    def _advance(self, number: int, now: float) -> None:
        count = number - self.unacknowledged
        in_flight = self.highest - self.unacknowledged
        if self._timed is not None and number >= self._timed[0]:
            self.round_trip.sample(now - self._timed[1])
            self._timed = None
        elif self.retries:
            self.round_trip.forgive()
        del self._buffer[:count]  # a FIN counts as one, and has no byte
        self.unacknowledged = number
        self.next = max(self.next, number)
        self._duplicates = self.retries = 0
        self.deadline = None
        congestion = self._congestion
        if congestion.recover is None:
            congestion.acknowledged(count, in_flight)
        elif number >= congestion.recover:
            congestion.recovered(self.highest - number)
            self._recovered_to = number
        else:
            congestion.partly_recovered(count)
            self._resend = True

    def pieces(self, now: float) -> Iterator[Piece]:
        """Everything that may be sent now, in order; the timer is set for it."""
        if self._resend:
            self._resend = False
            self.resent += 1
            self._timed = None  # Karn's rule: nobody knows which of two an answer is for
            yield self._piece(self.unacknowledged, self.mss)
        while (size := self._sendable()) >= 0:
            piece = self._piece(self.next, size)
            end = self.next + len(piece[1]) + piece[2]
            if self._timed is None and end > self.highest:
                self._timed = (end, now)
            self.resent += self.next < self.highest
            self.next = end
            self.highest = max(self.highest, end)
            yield piece
        if self.deadline is None and (self.highest > self.unacknowledged or self._is_shut_out()):
            self.deadline = now + self.round_trip.wait_s

    def _sendable(self) -> int:
        """Bytes of the next segment; 0 for a FIN alone, -1 for nothing."""
        waiting = self.end - self.next
        if waiting <= 0:
            return 0 if self.next == self._finish_at else -1
        room = min(self.window, self._congestion.window) - (self.next - self.unacknowledged)
        size = min(waiting, self.mss, room)
        # A small piece goes only if it is all there is, or a good part of what the other end ever took:
        # or both would exchange crumbs for ever (RFC 9293 section 3.8.6.2.1).
        if size == self.mss or (size > 0 and (size == waiting or size * 2 >= self._largest_window)):
            return size
        return -1

    def _piece(self, sequence: int, size: int) -> Piece:
        offset = sequence - self.unacknowledged
        payload = bytes(self._buffer[offset : offset + size])
        return sequence, payload, sequence + len(payload) == self._finish_at

    def _is_shut_out(self) -> bool:
        """Something waits, nothing is on its way, so nothing would ever come to wake us."""
        return self.next < self.end

    def wake(self, now: float) -> Piece | None:
        """The deadline has passed: go back, or probe. The piece to send whatever the windows say."""
        self.deadline = now + self.round_trip.wait_s * 2
        self.round_trip.back_off()
        self.retries += 1
        self._timed = None
        self._duplicates = 0
        if self.window == 0 or self.highest == self.unacknowledged:
            # Does the window still stand where it stood? A byte too many makes the other end say so.
            piece = self._piece(self.unacknowledged, min(max(self.window, 1), self.mss))
            self.highest = max(self.highest, piece[0] + len(piece[1]) + piece[2])
            return piece
        self._congestion.timed_out(self.highest - self.unacknowledged)
        self._recovered_to = self.highest
        self.next = self.unacknowledged
        self._resend = False
        self.deadline = None
        return None

    def shrink(self, mss: int) -> None:
        """The path takes less: cut smaller, and send again what did not fit."""
        if mss < self.mss:
            self.mss = self._congestion.mss = mss
            self.next = self.unacknowledged
            self._timed = None
