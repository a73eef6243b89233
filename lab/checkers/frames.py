"""Every frame is delivered, or dropped for a reason that has a name."""

from __future__ import annotations

from collections.abc import Iterable

from lab.checkers.checker import Checker, Violation
from lab.checkers.seen import Seen


class Frames(Checker):
    """The laws of node/datapath/drops.py and node/chaos/underlay.py, and the same for the wire itself."""

    name = "frames"
    sentence = "Every frame is delivered, on its way, or counted as a drop that has a name."

    def check(self, seen: Seen) -> Iterable[Violation]:
        """See Checker."""
        problems = {
            node.name: f"{node.name} does not know what became of {node.unaccounted} frames"
            for node in seen.nodes.values()
            if node.unaccounted
        }
        if seen.lost_between:
            problems["wire"] = f"{seen.lost_between} datagrams vanished between the nodes"
        return self.standing(seen.at, problems)
