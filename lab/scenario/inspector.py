"""Shows checkers all that happens on a stage, and tells of what they find broken."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from lab.checkers.checker import Checker, Violation
from lab.checkers.history import Operation
from lab.checkers.seen import Seen
from lab.scenario.packets import Packets
from lab.scenario.result import Broken
from lab.scenario.stage import Stage
from node.datapath.switchboard import Hop

LOOK_S = 0.5
"""How often the checkers look even if nothing seems to change."""
NODES_PER_LOOK = 10
BROKEN_MAX = 20


class Inspector:
    """See the module; a witness (stage.py)."""

    def __init__(
        self, checkers: Sequence[Checker], broke: Callable[[Broken], None], packets: Packets
    ) -> None:
        self.checkers = tuple(checkers)
        self.packets = packets
        self.broken: list[Broken] = []
        self.moments = 0
        self._broke = broke
        self._of_hops = tuple(one for one in checkers if type(one).hop is not Checker.hop)

    async def keep_looking(self, stage: Stage) -> None:
        """Look now and then, for ever; the more there is to see, the less often."""
        pause_s = LOOK_S * max(1, len(stage.nodes()) // NODES_PER_LOOK)
        while True:
            await stage.sleep_until(stage.now() + pause_s)
            self.moment(await stage.look())

    def moment(self, seen: Seen) -> None:
        """See Witness. What was not one moment is not judged."""
        if not seen.at_once:
            return
        self.moments += 1
        for checker in self.checkers:
            self._take(checker.check(seen))

    def hop(self, node: str, hop: Hop) -> None:
        """See Witness."""
        self.packets.hear(node, hop)
        for checker in self._of_hops:
            self._take(checker.hop(node, hop))

    def passed(self, node: str, hop: Hop, at: float) -> None:
        """See Witness."""
        self.packets.hear(node, hop, at)

    def operation(self, operation: Operation) -> None:
        """See Witness."""
        for checker in self.checkers:
            self._take(checker.operation(operation))

    def _take(self, violations: Iterable[Violation]) -> None:
        for violation in violations:
            broken = Broken(checker=violation.checker, at=violation.at, text=violation.what)
            if len(self.broken) < BROKEN_MAX:
                self.broken.append(broken)
                self._broke(broken)
