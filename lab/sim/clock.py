"""The Clock of a simulated world: the virtual loop's own time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from node.seams import Timer

EPOCH_S = 1_767_225_600.0
"""What people read at virtual time 0: 2026-01-01T00:00:00Z, the same in every run."""


class VirtualClock:
    """See node/seams.py; reads the running loop, which must be a VirtualLoop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def now(self) -> float:
        """Virtual seconds since the world began."""
        return self._loop.time()

    def wall(self) -> float:
        """The same on the calendar."""
        return EPOCH_S + self._loop.time()

    async def sleep(self, seconds: float) -> None:
        """Let virtual time pass."""
        await asyncio.sleep(seconds)

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        """Make a call at a virtual time."""
        return self._loop.call_at(when, callback)
