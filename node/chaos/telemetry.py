"""A Telemetry whose words can be lost or late; what a node does is the same, only nobody hears of it."""

from __future__ import annotations

from node.chaos.faults import Direction, Traffic
from node.chaos.kinds import Plane
from node.chaos.table import FaultTable
from node.seams import Clock, Telemetry

HELD_MAX = 1000
"""Words that are late at one time; beyond it they are lost."""


class FaultyTelemetry:
    """See node/seams.py."""

    def __init__(self, inner: Telemetry, table: FaultTable, clock: Clock) -> None:
        self._inner = inner
        self._table = table
        self._clock = clock
        self._held = 0

    def tell(self, event: str, **fields: object) -> None:
        """See node/seams.py."""
        verdict = self._table.judge(Traffic(Plane.TELEMETRY, Direction.OUTGOING), self._clock.now())
        if verdict.mode is not None:
            return
        if verdict.delay_s <= 0:
            self._inner.tell(event, **fields)
        elif self._held < HELD_MAX:
            self._held += 1
            self._clock.call_at(self._clock.now() + verdict.delay_s, lambda: self._release(event, fields))

    def _release(self, event: str, fields: dict[str, object]) -> None:
        self._held -= 1
        self._inner.tell(event, **fields)
