"""How long an answer takes, and so how long to wait for one (RFC 6298)."""

from __future__ import annotations

INITIAL_S = 1.0
WAIT_MIN_S = 0.2
"""Linux's TCP_RTO_MIN; RFC 6298 says a second, for clocks of its time."""
WAIT_MAX_S = 120.0

_GRANULARITY_S = 0.001


class RoundTrip:
    """The retransmission time-out of one connection."""

    def __init__(self) -> None:
        self.wait_s = INITIAL_S
        """The time-out, in seconds."""
        self._smoothed = 0.0
        self._variation = 0.0

    @property
    def smoothed_s(self) -> float:
        """What an answer takes on the average; 0 before the first."""
        return self._smoothed

    def sample(self, measured_s: float) -> None:
        """An answer to something that was sent once took so long (section 2)."""
        if self._smoothed == 0.0:
            self._smoothed, self._variation = measured_s, measured_s / 2
        else:
            difference = abs(self._smoothed - measured_s)
            self._variation += (difference - self._variation) / 4
            self._smoothed += (measured_s - self._smoothed) / 8
        self._settle()

    def back_off(self) -> None:
        """No answer came: wait twice as long (section 5.5)."""
        self.wait_s = min(self.wait_s * 2, WAIT_MAX_S)

    def forgive(self) -> None:
        """Answers come again: what was waited in vain says nothing of the path."""
        if self._smoothed:
            self._settle()

    def _settle(self) -> None:
        wait = self._smoothed + max(_GRANULARITY_S, 4 * self._variation)
        self.wait_s = min(max(wait, WAIT_MIN_S), WAIT_MAX_S)
