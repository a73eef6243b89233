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
import selectors
from collections.abc import Callable, Coroutine, Mapping
from contextvars import Context
from typing import Any, TypeVar, TypeVarTuple

from lab.sim.gate import Gate, gate_of

Result = TypeVar("Result")
Arguments = TypeVarTuple("Arguments")


class Deadlock(RuntimeError):
    """No callback is ready and no timer is set: the simulation would wait for ever."""


class _Jump(selectors.BaseSelector):
    """Where an event loop would wait for files, this moves the loop's clock instead."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self._registered: dict[Any, selectors.SelectorKey] = {}

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        key = self._registered[fileobj] = selectors.SelectorKey(fileobj, 0, events, data)
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._registered.pop(fileobj)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise Deadlock("every task waits, and no timer is set")
        if timeout > 0:
            self._loop.jump()
        return []

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._registered


class VirtualLoop(asyncio.SelectorEventLoop):
    """See the module. ``time()`` starts at 0 and is exactly each timer's own time when it fires."""

    def __init__(self) -> None:
        self._virtual_now = 0.0
        self._frozen: dict[Gate, list[asyncio.Handle]] = {}
        super().__init__(_Jump(self))

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._virtual_now

    def jump(self) -> None:
        """Go to the next timer, exactly; asyncio's list of timers is the one private name used."""
        timers: list[asyncio.TimerHandle] = self._scheduled  # type: ignore[attr-defined]
        self._virtual_now = max(self._virtual_now, timers[0].when())

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
        return super().call_soon(callback, *args, context=context)

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
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)
