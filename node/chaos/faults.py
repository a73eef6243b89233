"""A fault as a value: what it does, to which traffic, and until when.

Further kinds (loss, delay, duplication, ...) are further members of ``Kind``; what they do to a
datagram or call becomes further fields of ``Verdict``.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from node.errors import InvalidParameter
from node.seams import Channel

FAULT_S_MAX = 3600.0
"""Every fault ends; one that is forgotten ends within the hour."""
PEERS_MAX = 256
"""Nodes named in one fault."""

_ID = re.compile(r"[a-zA-Z0-9_-]{1,16}")


class Plane(StrEnum):
    """What traffic belongs to."""

    DATA = "data"
    """Frames of overlay networks."""
    CABLE = "cable"
    """Frames of the LAN that joins the hosts."""
    CONTROL = "control"
    """Calls between nodes."""
    STORE = "store"
    """Operations on the swarm's store; it is no node, and has no name as a peer."""


PLANE_OF = {Channel.DATA: Plane.DATA, Channel.CABLE: Plane.CABLE}
BETWEEN_NODES = (Plane.DATA, Plane.CABLE, Plane.CONTROL)
"""What a fault applies to unless it says otherwise."""


class Direction(StrEnum):
    """Which way traffic goes, seen from the node that has the fault."""

    BOTH = "both"
    OUTGOING = "outgoing"
    INCOMING = "incoming"


class Mode(StrEnum):
    """How the sender learns that something does not get through."""

    DROP = "drop"
    """Not at all."""
    REJECT = "reject"
    """At once."""


@dataclass(frozen=True, slots=True)
class Partition:
    """Traffic in the scope does not get through."""

    mode: Mode = Mode.DROP


Kind = Partition


@dataclass(frozen=True, slots=True)
class Scope:
    """Which traffic a fault applies to; no ``peers`` means every other node. Raises InvalidParameter."""

    peers: tuple[str, ...] = ()
    direction: Direction = Direction.BOTH
    planes: tuple[Plane, ...] = BETWEEN_NODES

    def __post_init__(self) -> None:
        if len(self.peers) > PEERS_MAX:
            raise InvalidParameter(f"a fault names at most {PEERS_MAX} nodes, not {len(self.peers)}")
        if "" in self.peers:
            raise InvalidParameter("a fault names a node without a name")
        if not self.planes:
            raise InvalidParameter(f"a fault needs a plane: {', '.join(Plane)}")

    def covers(self, plane: Plane, direction: Direction, peer: str) -> bool:
        """Whether it applies to traffic of this plane going this way to or from this peer."""
        return (
            plane in self.planes
            and self.direction in (Direction.BOTH, direction)
            and (plane is Plane.STORE or not self.peers or peer in self.peers)
        )


@dataclass(frozen=True, slots=True)
class Injection:
    """A fault as asked for; without an id the table chooses one. Raises InvalidParameter."""

    kind: Kind
    scope: Scope
    duration_s: float
    id: str = ""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.duration_s) and 0 < self.duration_s <= FAULT_S_MAX):
            raise InvalidParameter(
                f"a fault lasts more than 0 and at most {FAULT_S_MAX:.0f} seconds, not {self.duration_s:g}"
            )
        if self.id and not _ID.fullmatch(self.id):
            raise InvalidParameter(f'fault id "{self.id}": use 1 to 16 letters, digits, - or _')


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault in force from ``start`` until just before ``end``, in seconds of the node's own clock."""

    id: str
    kind: Kind
    scope: Scope
    start: float
    end: float


def cut_from(node: str, groups: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """The peers that ``node`` loses when the groups part: every member of the other groups, sorted.

    Raises InvalidParameter if the groups overlap, or if the node is in none of them.
    """
    names = [name for group in groups for name in group]
    twice = next((name for name, times in Counter(names).items() if times > 1), None)
    if twice is not None:
        raise InvalidParameter(f"node {twice} is in more than one group, or twice in one")
    if node not in names:
        raise InvalidParameter(f"node {node} is in none of the groups: there is nothing to cut it from")
    others = sorted(name for group in groups if node not in group for name in group)
    if not others:
        raise InvalidParameter(f"node {node} has all others in its own group: name a second group")
    return tuple(others)
