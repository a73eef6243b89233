"""A Clock that faults make fast, slow, or wrong by a year.

    true clock ----x rate----> the node's own     what was asked for in own seconds
                               leases, timers      is waited for in true seconds

Faults themselves, and the underlay, keep to the true clock: every fault ends when it was told to.
"""

from __future__ import annotations

from collections.abc import Callable

from node.chaos.table import ClockPace, FaultTable
from node.seams import Clock, Timer


class FaultyClock:
    """See node/seams.py. It never runs backwards, except for the calendar, which people read."""

    def __init__(self, inner: Clock, table: FaultTable) -> None:
        self._inner = inner
        self._table = table
        self._base_true = self._base_own = inner.now()
        self._reached = 0.0
        """The latest moment that a timer was made to wait for: rounding may not fall short of it."""
        self._pace: ClockPace = table.pace(self._base_true)
        table.listeners.append(self._repace)

    def now(self) -> float:
        """Seconds of the node's own time."""
        return self._own_at(self._inner.now())

    def wall(self) -> float:
        """The node's own calendar."""
        ahead = self.now() - self._inner.now()
        return self._inner.wall() + ahead + self._pace.offset_s

    async def sleep(self, seconds: float) -> None:
        """Return after so many seconds of its own; a pace that changes meanwhile does not wake it."""
        self.now()
        await self._inner.sleep(seconds / self._pace.rate)

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        """Make a call when now() reaches ``when``; likewise."""
        true = self._inner.now()
        own = self._own_at(true)
        if own == true and self._pace.rate == 1.0:
            return self._inner.call_at(when, callback)

        def ring() -> None:
            self._reached = max(self._reached, when)
            callback()

        return self._inner.call_at(true + max(0.0, when - own) / self._pace.rate, ring)

    def _own_at(self, true: float) -> float:
        while true >= self._pace.until:
            self._turn(self._pace.until)
        if self._pace.rate == 1.0 and self._base_own == self._base_true:
            return true
        own = self._base_own + (true - self._base_true) * self._pace.rate
        return max(own, self._reached)

    def _repace(self) -> None:
        true = self._inner.now()
        self._own_at(true)
        self._turn(true)

    def _turn(self, true: float) -> None:
        """From this moment on it runs as the table says."""
        self._base_own += (true - self._base_true) * self._pace.rate
        self._base_true = true
        self._pace = self._table.pace(true)
