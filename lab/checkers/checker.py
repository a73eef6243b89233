"""What a checker is: a sentence that must hold, and functions that find where it does not.

    Seen (one moment of the whole swarm) ---> check -------.
    Hop  (one station of one frame)      ---> hop ----------+--> Violation, Violation, ...
    Operation (of a client on a store)   ---> operation ---'

Checkers look and never touch. One that must remember (what was seen before, what a frame may do) keeps
it in itself: every run has checkers of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from lab.checkers.history import Operation
from lab.checkers.seen import NodeSeen, Seen
from node.datapath.switchboard import Hop

SETTLE_S = 5.0
"""How long what follows from the store's state may take on a node that no fault troubles: a broken
watch is tried again after at most 1 s, and a change waits for its answer for at most 4 s."""


@dataclass(frozen=True, slots=True)
class Violation:
    """A sentence that did not hold: which, when (seconds since the start), and what was seen instead."""

    checker: str
    at: float
    what: str

    def __str__(self) -> str:
        return f"{self.at:.3f} s: {self.checker}: {self.what}"


class Checker:
    """See the module. A checker overrides one of the three functions, or more."""

    name: ClassVar[str]
    """As scenario files call it: a few words with hyphens."""
    sentence: ClassVar[str]
    """What must hold at every moment."""
    within_s: float = 0.0
    """How long something may be wrong before it is a violation."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}
        self._told: dict[str, None] = {}

    def check(self, seen: Seen) -> Iterable[Violation]:
        """Look at one moment; the moments come in order."""
        return ()

    def hop(self, node: str, hop: Hop) -> Iterable[Violation]:
        """Look at one station of a frame on a node."""
        return ()

    def operation(self, operation: Operation) -> Iterable[Violation]:
        """Look at one transaction that has ended."""
        return ()

    def standing(self, at: float, problems: Mapping[str, str]) -> list[Violation]:
        """Of all that is wrong at this moment, subject -> sentence, what has been so for too long.

        A problem has lasted if it was there at every moment in between; as long as it stands it is
        told once.
        """
        self._since = {subject: self._since.get(subject, at) for subject in problems}
        self._told = {subject: None for subject in self._told if subject in problems}
        new = [
            subject
            for subject, since in self._since.items()
            if subject not in self._told and at - since >= self.within_s
        ]
        self._told.update(dict.fromkeys(new))
        return [Violation(self.name, at, problems[subject]) for subject in new]


def undisturbed(seen: Seen) -> list[NodeSeen]:
    """Nodes that hear the store, and that no fault troubles."""
    troubled = {fault.node for fault in seen.faults}
    return [node for node in seen.nodes.values() if node.connected and node.name not in troubled]
