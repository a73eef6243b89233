"""What a checker is, and the one clockwork that most of them share.

    look --> Seen ---> check() ---.
    hop of a frame --> hop() ------+--> violations
    store operation -> operation() '

A checker is made for one run and may remember. It decides from what it is given and touches nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from lab.checkers.history import Operation
from lab.checkers.seen import NodeSeen, Seen
from node.datapath.switchboard import Hop

SETTLE_S = 5.0
"""How long what follows from the store's state may take on a node that no fault troubles: a broken
watch is tried again after at most 1 s, and a change waits for its answer for at most 4 s."""


@dataclass(frozen=True, slots=True)
class Violation:
    """An invariant did not hold. ``subject`` tells one violation of a checker from the next."""

    checker: str
    at: float
    subject: str
    text: str
    """One sentence for people."""

    def __str__(self) -> str:
        return f"{self.at:.3f} s: {self.checker}: {self.text}"


class Checker(Protocol):
    """See the module. ``name`` is what scenarios call it; ``sentence`` is what holds, for people."""

    name: str
    sentence: str

    def check(self, seen: Seen) -> list[Violation]:
        """What is wrong at this moment, or has been for too long. The moments come in order."""

    def hop(self, node: str, hop: Hop) -> None:
        """A frame took a step on a node; what comes of it is said by the next check."""

    def operation(self, operation: Operation) -> None:
        """Somebody used a store."""


class Base:
    """A checker that hears neither of frames nor of operations."""

    name = ""
    sentence = ""

    def check(self, seen: Seen) -> list[Violation]:
        """See Checker."""
        raise NotImplementedError

    def hop(self, node: str, hop: Hop) -> None:
        """Nothing to learn from it."""

    def operation(self, operation: Operation) -> None:
        """Nothing to learn from it."""

    def violations(self, at: float, problems: Mapping[str, str]) -> list[Violation]:
        """One for each subject and its text."""
        return [Violation(self.name, at, subject, text) for subject, text in problems.items()]


class Lasting:
    """Problems that may stand for a while. Those that stand longer are told."""

    def __init__(self, within_s: float = SETTLE_S) -> None:
        self._within_s = within_s
        self._since: dict[str, float] = {}

    def judge(self, at: float, problems: Mapping[str, str]) -> dict[str, str]:
        """Of what is wrong at this moment, by subject, what has been so at every moment for too long."""
        self._since = {subject: self._since.get(subject, at) for subject in problems}
        return {
            subject: f"{text} (for {at - self._since[subject]:.1f} s)"
            for subject, text in problems.items()
            if at - self._since[subject] > self._within_s
        }


class Checkers:
    """All checkers of one run as one. Each violation is told once."""

    def __init__(self, checkers: Sequence[Checker]) -> None:
        self.all = tuple(checkers)
        self._told: dict[tuple[str, str], None] = {}
        self._watching = [one for one in self.all if _has_own(one, "hop")]
        self._reading = [one for one in self.all if _has_own(one, "operation")]

    def check(self, seen: Seen) -> list[Violation]:
        """What is newly wrong."""
        new = []
        for checker in self.all:
            for violation in checker.check(seen):
                key = violation.checker, violation.subject
                if key not in self._told:
                    self._told[key] = None
                    new.append(violation)
        return new

    def hop(self, node: str, hop: Hop) -> None:
        """See Checker."""
        for checker in self._watching:
            checker.hop(node, hop)

    def operation(self, operation: Operation) -> None:
        """See Checker."""
        for checker in self._reading:
            checker.operation(operation)


def _has_own(checker: Checker, method: str) -> bool:
    return getattr(type(checker), method) is not getattr(Base, method)


def undisturbed(seen: Seen) -> list[NodeSeen]:
    """Nodes that hear the store, and that no fault troubles."""
    troubled = {fault.node for fault in seen.faults}
    return [node for node in seen.nodes.values() if node.connected and node.name not in troubled]
