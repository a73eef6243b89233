"""A Control whose calls are judged, request and answer each: one way cut is enough to lose a call.

         caller                     called
    OUTGOING request  ------->  INCOMING request
                                     | acted upon
    INCOMING answer   <-------  OUTGOING answer

So a call whose answer is lost has had its effect, as on a real network.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TypeVar

from node.chaos.faults import Direction, Traffic
from node.chaos.kinds import Mode, Plane
from node.chaos.table import FaultTable
from node.seams import Clock, Control, ControlAnswers, Unreachable

Answer = TypeVar("Answer")


class Unanswered(Unreachable):
    """A fault swallows a call: whoever serves it lets the caller wait in vain."""


class FaultyControl:
    """See node/seams.py. ``name_of`` finds the node that answers calls at an address, "" if none is known."""

    def __init__(
        self, inner: Control, table: FaultTable, clock: Clock, name_of: Callable[[str], str]
    ) -> None:
        self._inner = inner
        self._table = table
        self._clock = clock
        self._name_of = name_of

    async def probe(self, address: str, *, sender: str, timeout_s: float) -> float:
        """See node/seams.py."""
        call = self._inner.probe(address, sender=sender, timeout_s=timeout_s)
        return await self._judged(address, timeout_s, call)

    async def announce(self, address: str, *, sender: str, revision: int, timeout_s: float) -> int:
        """See node/seams.py."""
        call = self._inner.announce(address, sender=sender, revision=revision, timeout_s=timeout_s)
        return await self._judged(address, timeout_s, call)

    def serve(self, answers: ControlAnswers) -> None:
        """See node/seams.py. A call that is not to be answered ends with Unreachable or Unanswered."""
        self._inner.serve(FaultyAnswers(answers, self._table, self._clock))

    async def _judged(self, address: str, timeout_s: float, call: Coroutine[None, None, Answer]) -> Answer:
        deadline = self._clock.now() + timeout_s
        try:
            await self._cross(Direction.OUTGOING, address, deadline)
            answer = await call
        finally:
            call.close()
        await self._cross(Direction.INCOMING, address, deadline)
        return answer

    async def _cross(self, direction: Direction, address: str, deadline: float) -> None:
        if self._table.empty:
            return
        now, peer = self._clock.now(), self._name_of(address)
        verdict = self._table.judge(Traffic(Plane.CONTROL, direction, peer), now)
        late = verdict.delay_s > max(0.0, deadline - now)
        if verdict.mode is None and not late:
            if verdict.delay_s > 0:
                await self._clock.sleep(verdict.delay_s)
            return
        if verdict.mode is not Mode.REJECT:
            await self._clock.sleep(max(0.0, deadline - now))
        raise Unreachable(f"{peer or 'the node'} cannot be reached: a fault cuts it off")


class FaultyAnswers:
    """What a node says to those that a fault lets through to it."""

    def __init__(self, inner: ControlAnswers, table: FaultTable, clock: Clock) -> None:
        self._inner = inner
        self._table = table
        self._clock = clock

    def probed(self, sender: str) -> None:
        """See node/seams.py. Raises Unreachable or Unanswered."""
        self._cross(Direction.INCOMING, sender)
        self._inner.probed(sender)
        self._cross(Direction.OUTGOING, sender)

    def announced(self, sender: str, revision: int) -> int:
        """See node/seams.py. Raises Unreachable or Unanswered."""
        self._cross(Direction.INCOMING, sender)
        own_revision = self._inner.announced(sender, revision)
        self._cross(Direction.OUTGOING, sender)
        return own_revision

    def _cross(self, direction: Direction, peer: str) -> None:
        if self._table.empty:
            return
        traffic = Traffic(Plane.CONTROL, direction, peer)
        mode = self._table.judge(traffic, self._clock.now()).mode  # delays are the caller's to wait for
        if mode is not None:
            refusal = Unanswered if mode is Mode.DROP else Unreachable
            raise refusal(f"a fault cuts {peer} off")
