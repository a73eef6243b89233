"""All checkers by name."""

from __future__ import annotations

from collections.abc import Iterable

from lab.checkers.checker import Checker

KINDS: tuple[type[Checker], ...] = ()
"""In the order in which they are checked and listed."""


def checkers(names: Iterable[str] = ()) -> tuple[Checker, ...]:
    """Fresh checkers of these names; without names, all of them. Raises KeyError for an unknown one."""
    known = {kind.name: kind for kind in KINDS}
    wanted = tuple(names) or tuple(known)
    return tuple(known[name]() for name in wanted)
