"""An event loop on virtual time: when nothing is ready, the clock jumps to the next timer.

    ready callbacks? --yes--> run them                       (time stands still)
          | no
    a timer pending? --yes--> now = its time, run it         (no waiting)
          | no
    Deadlock: everybody waits for somebody

What belongs to a frozen node (gate.py) is put aside, and goes on when the node does.

It runs unmodified asyncio code that does no real I/O. Two loops on PyPI do nearly this: looptime
turns 42 empty rounds before each step and, with nothing left to do, waits in real time;
async-solipsism is under the GPL. What is needed is little enough to stand here.
"""

from __future__ import annotations

import asyncio
import gc
import selectors
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from contextvars import Context
from heapq import heappop, heappush
from typing import Any, TypeVar, TypeVarTuple

from lab.sim.gate import Gate, gate_of

Result = TypeVar("Result")
Arguments = TypeVarTuple("Arguments")


GARBAGE_THRESHOLDS = (100_000, 50, 100)
"""How rarely cyclic garbage is looked for (gc.set_threshold): worlds are large, and little is garbage."""


class Deadlock(RuntimeError):
    """No callback is ready and no timer is set: the simulation would wait for ever."""


class _NoFiles(selectors.BaseSelector):
    """What an event loop would wait for files with: here are none."""

    def __init__(self) -> None:
        self._registered: dict[Any, selectors.SelectorKey] = {}

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        key = self._registered[fileobj] = selectors.SelectorKey(fileobj, 0, events, data)
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._registered.pop(fileobj)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        return []

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._registered


class VirtualLoop(asyncio.SelectorEventLoop):
    """See the module. ``time()`` starts at 0 and is exactly each timer's own time when it fires.

    Two private names of asyncio's are used: ``_ready``, what is to be run, and ``_run_once``, a round.
    """

    _ready: deque[asyncio.Handle]

    def __init__(self) -> None:
        self._virtual_now = 0.0
        self._frozen: dict[Gate, list[asyncio.Handle]] = {}
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        """A heap; of timers for the same moment, the one that was set first is first."""
        self._timers_set = 0
        super().__init__(_NoFiles())

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._virtual_now

    def call_at(
        self,
        when: float,
        callback: Callable[[*Arguments], object],
        *args: *Arguments,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """As in asyncio."""
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        self._timers_set += 1
        heappush(self._timers, (when, self._timers_set, timer))
        return timer

    def _run_once(self) -> None:
        """A round: what is ready, or the next timers. What becomes ready meanwhile is the next round's."""
        ready, timers = self._ready, self._timers
        if not ready:
            while timers and timers[0][2].cancelled():
                heappop(timers)
            if not timers:
                raise Deadlock("every task waits, and no timer is set")
            self._virtual_now = max(self._virtual_now, timers[0][0])
        while timers and timers[0][0] <= self._virtual_now:
            ready.append(heappop(timers)[2])
        for _ in range(len(ready)):
            handle = ready.popleft()
            if not handle.cancelled():
                handle._run()

    # -- nodes that stand still -------------------------------------------------------------------

    def call_soon(
        self,
        callback: Callable[[*Arguments], object],
        *args: *Arguments,
        context: Context | None = None,
    ) -> asyncio.Handle:
        """As in asyncio; a call that belongs to a frozen node waits until the node goes on."""
        if self._frozen and (held := self._frozen.get(gate_of(context))) is not None:
            handle = asyncio.Handle(callback, args, self, context)
            held.append(handle)
            return handle
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def freeze(self, gate: Gate) -> None:
        """From now on nothing that was begun in the gate's context goes on."""
        self._frozen.setdefault(gate, [])

    def thaw(self, gate: Gate) -> None:
        """It goes on, with everything that was put aside, in its order."""
        for handle in self._frozen.pop(gate, []):
            self.call_soon(_run_unless_cancelled, handle)

    def is_frozen(self, gate: Gate) -> bool:
        """Whether it stands still."""
        return gate in self._frozen


def _run_unless_cancelled(handle: asyncio.Handle) -> None:
    if not handle.cancelled():
        handle._run()


def run(main: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine to its end in a loop of its own on virtual time. Raises Deadlock."""
    thresholds = gc.get_threshold()
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    try:
        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            return runner.run(main)
    finally:
        gc.set_threshold(*thresholds)
