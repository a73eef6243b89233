"""The receiving half of a connection: put in order, kept until read, and the window that is offered.

read  |  ready to be read  |  early pieces, gaps between  |
------+--------------------+------------------------------+------> sequence numbers
                           next                           edge (what was offered)
"""

from __future__ import annotations

from bisect import insort

BUFFER_BYTES = 131_072
"""Linux's default in net.ipv4.tcp_rmem."""
WINDOW_SCALE = 7
EARLY_PIECES_MAX = 512


class ReceiveSide:
    """What came in from the other end. Numbers do not wrap (sequence.py)."""

    def __init__(self, first: int) -> None:
        self.next = first
        """RCV.NXT: the first number that is still missing."""
        self.finished = False
        """All of it came, the FIN included."""
        self._ready = bytearray()
        self._early: list[tuple[int, bytes]] = []
        self._finish_at: int | None = None
        self._edge = first + BUFFER_BYTES

    @property
    def readable_bytes(self) -> int:
        """What read() could give at once."""
        return len(self._ready)

    def window(self) -> int:
        """Bytes to offer now: from a multiple of what the scale can tell, and never less than offered."""
        free = BUFFER_BYTES - len(self._ready)
        self._edge = max(self._edge, self.next + (free >> WINDOW_SCALE << WINDOW_SCALE))
        return self._edge - self.next

    def would_grow_by(self) -> int:
        """How much more could be offered than was."""
        return self.next + BUFFER_BYTES - len(self._ready) - self._edge

    def is_acceptable(self, sequence: int, length: int) -> bool:
        """Whether a segment touches the window (RFC 9293 section 3.10.7.4)."""
        end = sequence + length
        if self._edge == self.next:
            return length == 0 and sequence == self.next
        return self.next <= sequence < self._edge or (length > 0 and self.next < end <= self._edge)

    def take(self, sequence: int, payload: bytes, *, is_last: bool) -> bool:
        """Take a piece that is_acceptable; whether it was just what came next, and no gap is left."""
        end = sequence + len(payload)
        if is_last and end <= self._edge:
            self._finish_at = end
        in_order = sequence <= self.next and not self._early
        if sequence < self.next:
            payload = payload[self.next - sequence :]
            sequence = self.next
        if end > self._edge:
            payload = payload[: self._edge - sequence]
        if sequence == self.next:
            self._ready += payload
            self.next += len(payload)
            if self._early:
                self._fill()
        elif payload and len(self._early) < EARLY_PIECES_MAX:
            insort(self._early, (sequence, payload))
        if self._finish_at == self.next and not self.finished:
            self.finished = True
            self.next += 1
            self._early.clear()
        return in_order

    def read(self, bytes_max: int) -> bytes:
        """Take out what is ready, up to a limit."""
        data = bytes(self._ready[:bytes_max])
        del self._ready[: len(data)]
        return data

    def _fill(self) -> None:
        """Early pieces that are not early any more."""
        used = 0
        for sequence, payload in self._early:
            if sequence > self.next:
                break
            used += 1
            fresh = payload[self.next - sequence :]
            self._ready += fresh
            self.next += len(fresh)
        del self._early[:used]
