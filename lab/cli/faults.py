"""Faults in words."""

from __future__ import annotations

from node.chaos.faults import Direction
from node.chaos.table import FaultSeen

_WAYS = {
    Direction.BOTH: "from",
    Direction.OUTGOING: "towards",
    Direction.INCOMING: "from what comes of",
}


def describe(seen: FaultSeen) -> str:
    """What a fault does, as a phrase: "cut from node-2 (data)"."""
    scope = seen.fault.scope
    whom = ",".join(scope.peers) or "everybody"
    return f"cut {_WAYS[scope.direction]} {whom} ({', '.join(scope.planes)})"
