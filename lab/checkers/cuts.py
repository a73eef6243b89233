"""What a partition cuts does not arrive."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lab.checkers.checker import Checker, Violation
from lab.checkers.seen import FaultSeen, Seen
from node.chaos.kinds import Partition, Plane
from node.control.directory import LAN
from node.datapath.switchboard import Hop

PENDING_MAX = 1000


class Cuts(Checker):
    """A frame that arrives is judged between two moments: the fault must be in force at both."""

    name = "cuts"
    sentence = "While a partition is in force, no frame arrives from the nodes that it cuts off."

    def __init__(self) -> None:
        super().__init__()
        self._cuts: dict[str, list[FaultSeen]] = {}
        self._nodes: dict[str, str] = {}
        self._pending: list[tuple[FaultSeen, float, str]] = []

    def hop(self, node: str, hop: Hop) -> Iterable[Violation]:
        """See Checker."""
        if hop.stage == "receive" and node in self._cuts:
            self._arrived(node, hop)
        return ()

    def _arrived(self, node: str, hop: Hop) -> None:
        sender = self._nodes.get(hop.peer, "")
        on_lan = hop.segment == LAN or hop.segment.startswith(LAN + ".")
        plane = Plane.CABLE if on_lan else Plane.DATA
        network = LAN if on_lan else hop.segment.partition("/")[0]
        for fault in self._cuts[node]:
            if plane.value not in fault.planes or len(self._pending) >= PENDING_MAX:
                continue
            if (not fault.peers or sender in fault.peers) and (
                not fault.networks or network in fault.networks
            ):
                what = f"a frame of {network} came to {node} from {sender}, past partition {fault.id}"
                self._pending.append((fault, hop.at, what))

    def check(self, seen: Seen) -> Iterable[Violation]:
        """See Checker."""
        problems = {what: what for fault, _, what in self._pending if fault in seen.faults}
        self._pending = []
        self._cuts = {}
        for fault in _incoming(seen):
            self._cuts.setdefault(fault.node, []).append(fault)
        self._nodes = {node.underlay_address: node.name for node in seen.nodes.values()}
        return self.standing(seen.at, problems)


def _incoming(seen: Seen) -> Iterator[FaultSeen]:
    for fault in seen.faults:
        if fault.kind == Partition.__name__ and fault.whole and fault.incoming:
            yield fault
