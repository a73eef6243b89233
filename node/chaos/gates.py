"""Gates whose decisions are a fault table's: at the name server of containers, and at published ports.

container --- question (OUTGOING) ---> gate ---> 127.0.0.11
          <--- answer (INCOMING) -----  gate <---
caller ------ packet (INCOMING) -----> gate ---> published port of this node
"""

from __future__ import annotations

from collections.abc import Callable

from node.chaos.faults import Direction, Traffic
from node.chaos.kinds import Mode, Plane
from node.chaos.table import DELIVER, FaultTable, Verdict
from node.model.address import format_ipv4
from node.model.passage import OPEN, Passage
from node.seams import Clock

LOST = Passage(lost=True)
REFUSED = Passage(refused=True)


class NamesGate:
    """Judges a question together with its answer. ``lost`` is called for every one that is swallowed."""

    def __init__(self, table: FaultTable, clock: Clock, lost: Callable[[], None]) -> None:
        self._table = table
        self._clock = clock
        self._lost = lost

    def __call__(self) -> Passage:
        """See Gate in node/model/passage.py."""
        if self._table.empty:
            return OPEN
        now = self._clock.now()
        asked = self._table.judge(Traffic(Plane.NAMES, Direction.OUTGOING), now)
        if asked.mode is not None:
            return self._passage(asked)
        answered = self._table.judge(Traffic(Plane.NAMES, Direction.INCOMING), now)
        return self._passage(Verdict(answered.mode, asked.delay_s + answered.delay_s))

    def _passage(self, verdict: Verdict) -> Passage:
        if verdict.mode is Mode.DROP:
            self._lost()
            return LOST
        return REFUSED if verdict.mode is Mode.REJECT else Passage(delay_s=verdict.delay_s)


class PortsGate:
    """Judges what comes to published ports. ``node_on_lan`` finds a node by its address there, or ""."""

    def __init__(self, table: FaultTable, clock: Clock, node_on_lan: Callable[[str], str]) -> None:
        self._table = table
        self._clock = clock
        self._node_on_lan = node_on_lan

    def __call__(self, source: bytes, is_established: bool) -> Passage:
        """See PortGate in node/model/passage.py."""
        if self._table.empty:
            return OPEN
        peer = self._node_on_lan(format_ipv4(source))
        verdict = judge_port(self._table, self._clock.now(), peer, is_established=is_established)
        if verdict.mode is Mode.DROP:
            return LOST
        return REFUSED if verdict.mode is Mode.REJECT else OPEN


def judge_port(table: FaultTable, now: float, peer: str = "", *, is_established: bool = False) -> Verdict:
    """What becomes of something that comes to a published port."""
    if table.empty:
        return DELIVER
    traffic = Traffic(Plane.PORTS, Direction.INCOMING, peer, established=is_established)
    return table.judge(traffic, now)
