"""Faults in words."""

from __future__ import annotations

from lab.scenario.words import span
from node.chaos.faults import Direction, Scope
from node.chaos.kinds import (
    Bandwidth,
    ClockSkew,
    Corrupt,
    Delay,
    Duplicate,
    Flows,
    Kind,
    Loss,
    Mode,
    MtuLimit,
    Partition,
    Reorder,
    StalledWatch,
)
from node.chaos.table import FaultSeen

_WAYS = {
    Direction.BOTH: "from",
    Direction.OUTGOING: "towards",
    Direction.INCOMING: "from what comes of",
}
_ENDS = {Direction.BOTH: "to and from", Direction.OUTGOING: "to", Direction.INCOMING: "from"}


def describe(seen: FaultSeen) -> str:
    """What a fault does, as a phrase: "cut from node-2 (data)", "loses 10 % to and from everybody (data)"."""
    scope, kind = seen.fault.scope, seen.fault.kind
    whom = ",".join(scope.peers) or "everybody"
    what = (
        f"{_cut(kind)} {_WAYS[scope.direction]} {whom}"
        if isinstance(kind, Partition)
        else f"{_act(kind)} {_ENDS[scope.direction]} {whom}"
    )
    if isinstance(kind, (StalledWatch, ClockSkew)):
        what = _act(kind)
    return f"{what} ({_where(scope)})"


def _cut(kind: Partition) -> str:
    refused = " off" if kind.mode is Mode.REJECT else ""
    comes = f" every {span(2 * kind.period_s)}" if kind.period_s else ""
    return f"cut{refused}{comes}" if kind.flows is Flows.ALL else f"{kind.flows} flows cut{refused}{comes}"


def _act(kind: Kind) -> str:
    match kind:
        case Loss(rate, burst):
            return f"loses {rate:.4g}" + (f" in runs of {burst:g}" if burst > 1 else "")
        case Delay(delay_s, jitter_s):
            give = f" give or take {jitter_s * 1000:g} ms" if jitter_s else ""
            return f"late by {delay_s * 1000:g} ms{give}"
        case Reorder(rate, hold_s):
            return f"holds {rate:.4g} back for {hold_s * 1000:g} ms"
        case Duplicate(rate):
            return f"doubles {rate:.4g}"
        case Corrupt(rate):
            return f"spoils {rate:.4g}"
        case Bandwidth(bits_per_s, queue_bytes):
            return f"at most {bits_per_s / 1e6:g} Mbit/s behind {queue_bytes} bytes"
        case MtuLimit(mtu):
            return f"swallows what is longer than {mtu} bytes"
        case StalledWatch():
            return "no news from the store"
        case ClockSkew(rate, offset_s):
            return f"clock runs {rate:g} times as fast, {offset_s:+g} s"
        case Partition():
            return _cut(kind)


def _where(scope: Scope) -> str:
    networks = f"; {', '.join(scope.networks)}" if scope.networks else ""
    return ", ".join(scope.planes) + networks
