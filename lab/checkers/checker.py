"""What a checker is: a sentence that must hold, and a function that finds where it does not.

    Seen (one moment of the whole swarm) ---> check ---> Violation, Violation, ...
    Hop  (one station of one frame)      ---> hop   --'

Checkers look and never touch. One that must remember (what was seen before, what a frame may do) keeps
it in itself: every run has checkers of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from lab.checkers.seen import Seen
from node.datapath.switchboard import Hop


@dataclass(frozen=True, slots=True)
class Violation:
    """A sentence that did not hold: which, when (seconds since the start), and what was seen instead."""

    checker: str
    at: float
    what: str


class Checker:
    """See the module. A checker overrides one of the two functions, or both."""

    name: ClassVar[str]
    """As scenario files call it: a few words with hyphens."""
    sentence: ClassVar[str]
    """What must hold at every moment."""

    def check(self, seen: Seen) -> Iterable[Violation]:
        """Look at one moment."""
        return ()

    def hop(self, node: str, hop: Hop) -> Iterable[Violation]:
        """Look at one station of a frame on a node."""
        return ()
