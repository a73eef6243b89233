"""Is a history of one address linearizable? A search for an order that explains it.

An address is a register: free, or somebody's. Whoever uses it took effect at one instant between the
start and the end of the operation (Herlihy and Wing, 1990). The search is Wing and Gong's (1993), with
Lowe's memory of configurations that have been tried (2017); registers are independent, so that one
address is looked at alone. No package on PyPI does this (the known checkers are in Go and Clojure).

    free --take(a)--> a --release(a)--> free          nothing else is legal
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

FREE = ""
OPERATIONS_MAX = 24
"""In one search. What overlaps is a handful; more than this is not judged."""

States = frozenset[str]
"""Whose the register may be, as far as is known."""


@dataclass(frozen=True, slots=True)
class Use:
    """One operation on one register. ``end`` is infinite if nobody knows whether it happened."""

    start: float
    end: float
    takes: str = ""
    """The new holder; "" if it is a release."""
    releases: frozenset[str] = frozenset()
    """Who may have been the holder that it takes the address from."""

    def after(self, state: str) -> str | None:
        """The state that it leads to; None where it is not legal."""
        if self.takes:
            return self.takes if state in (FREE, self.takes) else None
        return FREE if state == FREE or state in self.releases else None


def possible(states: Iterable[str], uses: Sequence[Use]) -> States:
    """The states in which the register may be after all that have ended; none: no order explains it.

    What has no end may be put anywhere after its start, or nowhere.
    """
    assert len(uses) <= OPERATIONS_MAX, "too many operations to search through"
    must = sum(1 << index for index, use in enumerate(uses) if math.isfinite(use.end))
    found: dict[str, None] = {}
    tried: set[tuple[int, str]] = set()
    stack = [(0, state) for state in states]
    while stack:
        done, state = stack.pop()
        if (done, state) in tried:
            continue
        tried.add((done, state))
        if done & must == must:
            found[state] = None
        waiting = [(index, use) for index, use in enumerate(uses) if not done >> index & 1]
        first_end = min((use.end for _, use in waiting), default=math.inf)
        for index, use in waiting:
            if use.start <= first_end and (after := use.after(state)) is not None:
                stack.append((done | 1 << index, after))
    return frozenset(found)
