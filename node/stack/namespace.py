"""One network namespace: a stack, its clock, and the one timer that the stack asks for."""

from __future__ import annotations

import random

from node.datapath.drops import Counters
from node.seams import Clock, Timer
from node.stack.stack import Stack


class Namespace:
    """Lives as long as anyone holds it; whoever calls into the stack calls arm() after that."""

    def __init__(self, clock: Clock, chance: random.Random, counters: Counters) -> None:
        self.clock = clock
        self.counters = counters
        self.stack = Stack(chance, counters)
        self._holders = 1
        self._timer: Timer | None = None
        self._timer_at = 0.0

    def arm(self) -> None:
        """Make sure that the stack is woken in time. A timer that comes too early does no harm."""
        wake_at = self.stack.wake_at
        if wake_at is None or (self._timer is not None and self._timer_at <= wake_at):
            return
        if self._holders > 0:
            self._disarm()
            self._timer = self.clock.call_at(wake_at, self._wake)
            self._timer_at = wake_at

    def hold(self) -> None:
        """One more uses it."""
        assert self._holders > 0, "a network that nobody holds any more cannot be shared"
        self._holders += 1

    def release(self) -> None:
        """One less uses it; with the last one its time ends."""
        self._holders -= 1
        if self._holders == 0:
            self._disarm()

    def _wake(self) -> None:
        self._timer = None
        # An event loop may call a moment too early, by less than its clock can tell.
        self.stack.wake(max(self.clock.now(), self._timer_at))
        self.arm()

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
