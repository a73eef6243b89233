"""All checkers by name."""

from __future__ import annotations

from collections.abc import Iterable

from lab.checkers.apart import Apart
from lab.checkers.checker import Checker
from lab.checkers.cuts import Cuts
from lab.checkers.frames import Frames
from lab.checkers.given_once import GivenOnce
from lab.checkers.held import Held
from lab.checkers.leaks import Leaks
from lab.checkers.linear import Linear
from lab.checkers.members import Members
from lab.checkers.names import Names
from lab.checkers.tables import Tables
from lab.checkers.views import Views

KINDS: tuple[type[Checker], ...] = (
    GivenOnce,
    Linear,
    Held,
    Members,
    Views,
    Tables,
    Names,
    Apart,
    Cuts,
    Frames,
    Leaks,
)
"""In the order in which they are checked and listed."""


def checkers(names: Iterable[str] = ()) -> tuple[Checker, ...]:
    """Fresh checkers of these names; without names, all of them. Raises KeyError for an unknown one."""
    known = {kind.name: kind for kind in KINDS}
    wanted = tuple(names) or tuple(known)
    return tuple(known[name]() for name in wanted)
