"""The Clock of a simulated world: the virtual loop's own time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from lab.sim.gate import Gate
from lab.sim.loop import VirtualLoop
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


class NodeClock(VirtualClock):
    """The clock of a node: its timers ring late if the node was frozen when they were due."""

    def __init__(self, loop: VirtualLoop, gate: Gate) -> None:
        super().__init__(loop)
        self._virtual_loop = loop
        self._gate = gate

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        """See node/seams.py."""
        return _NodeTimer(self._virtual_loop, self._gate, when, callback)


class _NodeTimer:
    """A call that was put off, perhaps for longer than was asked for."""

    __slots__ = ("_callback", "_gate", "_handle", "_loop")

    def __init__(self, loop: VirtualLoop, gate: Gate, when: float, callback: Callable[[], None]) -> None:
        self._loop = loop
        self._gate = gate
        self._callback = callback
        self._handle: asyncio.Handle = loop.call_at(when, self._ring)

    def cancel(self) -> None:
        """See node/seams.py."""
        self._handle.cancel()

    def _ring(self) -> None:
        if self._loop.is_frozen(self._gate):
            self._handle = self._loop.call_soon(self._callback, context=self._gate.context)
        else:
            self._callback()
