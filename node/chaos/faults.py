"""A fault as a value: what it does (kinds.py), to which traffic, and until when."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from node.chaos.kinds import BETWEEN_NODES, Kind, Plane
from node.errors import InvalidParameter

FAULT_S_MAX = 3600.0
"""Every fault ends; one that is forgotten ends within the hour."""
PEERS_MAX = 256
"""Nodes named in one fault."""
NETWORKS_MAX = 64
"""Networks named in one fault."""

_ID = re.compile(r"[a-zA-Z0-9_-]{1,16}")


class Direction(StrEnum):
    """Which way traffic goes, seen from the node that has the fault."""

    BOTH = "both"
    OUTGOING = "outgoing"
    INCOMING = "incoming"


@dataclass(frozen=True, slots=True)
class Traffic:
    """One datagram, call, operation, question or connection, as far as faults look at it."""

    plane: Plane
    direction: Direction
    peer: str = ""
    """The node at the other end; "" for the store, and where none is known."""
    bytes: int = 0
    """Length of the carrying IP packet, where it is a datagram."""
    network: str = ""
    """Name of the network that it belongs to, where that is known."""
    vni: int = 0
    established: bool | None = None
    """Its conversation has sent something before; None where nobody knows."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Which traffic a fault applies to; no ``peers`` means every other node. Raises InvalidParameter."""

    peers: tuple[str, ...] = ()
    direction: Direction = Direction.BOTH
    planes: tuple[Plane, ...] = BETWEEN_NODES
    networks: tuple[str, ...] = ()
    """Names, or VNIs as text; none means all. If some are named, what belongs to none is left alone."""

    def __post_init__(self) -> None:
        if len(self.peers) > PEERS_MAX:
            raise InvalidParameter(f"a fault names at most {PEERS_MAX} nodes, not {len(self.peers)}")
        if len(self.networks) > NETWORKS_MAX:
            raise InvalidParameter(f"a fault names at most {NETWORKS_MAX} networks, not {len(self.networks)}")
        if "" in self.peers:
            raise InvalidParameter("a fault names a node without a name")
        if not self.planes:
            raise InvalidParameter(f"a fault needs a plane: {', '.join(Plane)}")

    def covers(self, traffic: Traffic) -> bool:
        """Whether it applies."""
        return (
            traffic.plane in self.planes
            and self.direction in (Direction.BOTH, traffic.direction)
            and (not self.peers or traffic.peer in self.peers or traffic.plane is Plane.STORE)
            and (not self.networks or traffic.network in self.networks or str(traffic.vni) in self.networks)
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
        strange = [plane for plane in self.scope.planes if plane not in self.kind.planes]
        if strange:
            raise InvalidParameter(
                f"{type(self.kind).__name__} makes no sense on the {strange[0]} plane: "
                f"it applies to {', '.join(self.kind.planes)}"
            )


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
