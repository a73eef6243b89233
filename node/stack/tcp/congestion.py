"""How much may be on its way: slow start, congestion avoidance, fast recovery (RFC 5681, RFC 6582).

window
  ^          loss by three duplicates
  |         /|        _ /|
  |        / |     _ /   |  time-out
  |       /  |  _ /      |
  |     _/   |_/ avoid   |      _ /
  |  __/ slow start      |  __ /
  +------------------------------------> time
"""

from __future__ import annotations

INITIAL_SEGMENTS = 10
"""RFC 6928."""
WINDOW_BYTES_MAX = 1 << 22


class Congestion:
    """NewReno of one connection; everything is in bytes."""

    def __init__(self, mss: int) -> None:
        self.mss = mss
        self.window = INITIAL_SEGMENTS * mss
        self.threshold = WINDOW_BYTES_MAX
        self.recover: int | None = None
        """While lost segments are sent again: what had been sent when the loss was seen."""
        self._credit = 0

    def acknowledged(self, count: int, in_flight: int) -> None:
        """So much has arrived, of so much that was on its way; a window that is not used does not grow."""
        if in_flight * 2 < self.window:
            return
        if self.window < self.threshold:
            self.window += min(count, 2 * self.mss)
        else:
            self._credit += count
            if self._credit >= self.window:
                self._credit -= self.window
                self.window += self.mss
        self.window = min(self.window, WINDOW_BYTES_MAX)

    def lost(self, in_flight: int, highest: int) -> None:
        """Three duplicates: something is missing, but what came after it arrived (RFC 6582 section 3.2)."""
        self.threshold = max(in_flight // 2, 2 * self.mss)
        self.window = self.threshold + 3 * self.mss
        self.recover = highest

    def duplicate(self) -> None:
        """One more has left the path."""
        self.window = min(self.window + self.mss, WINDOW_BYTES_MAX)

    def partly_recovered(self, count: int) -> None:
        """The next gap shows."""
        self.window = max(self.window - count, self.mss) + (self.mss if count >= self.mss else 0)

    def recovered(self, in_flight: int) -> None:
        """Nothing is missing any more."""
        self.window = min(self.threshold, max(in_flight, self.mss) + self.mss)
        self.recover = None
        self._credit = 0

    def timed_out(self, in_flight: int) -> None:
        """Nothing comes back: begin anew with one segment (RFC 5681 section 3.1)."""
        self.threshold = max(in_flight // 2, 2 * self.mss)
        self.window = self.mss
        self.recover = None
        self._credit = 0
