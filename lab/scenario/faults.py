"""Fault steps as what is injected: which fault, into the table of which node."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lab.scenario import model
from node.chaos import kinds
from node.chaos.faults import Direction, Injection, Scope, cut_from
from node.chaos.kinds import Kind, Plane

EVERYWHERE = (Plane.DATA, Plane.CABLE, Plane.CONTROL, Plane.STORE)


def injections(step: model.FaultStep, nodes: Sequence[str]) -> Iterator[tuple[str, Injection]]:
    """Node and injection, for every node that has the fault. Raises InvalidParameter."""
    kind, planes = _kind_of(step)
    for node, peers, direction in _ends(step, nodes):
        chosen = step.planes or planes or kinds.default_planes(kind)
        way = Direction.OUTGOING if _is_everywhere(step, chosen) else direction
        scope = Scope(peers, way, chosen, step.networks)
        yield node, Injection(kind, scope, step.lasts, step.id)


def _ends(step: model.FaultStep, nodes: Sequence[str]) -> Iterator[tuple[str, tuple[str, ...], Direction]]:
    """Who has the fault, against whom, which way."""
    if isinstance(step, model.PartitionStep) and step.groups:
        having = step.groups[0] if step.one_way else [name for group in step.groups for name in group]
        direction = Direction.OUTGOING if step.one_way else step.direction
        for node in having:
            yield node, cut_from(node, step.groups), direction
        return
    for node in step.on or nodes:
        yield node, step.peers, step.direction


def _is_everywhere(step: model.FaultStep, planes: Sequence[Plane]) -> bool:
    """All nodes have the fault against all others: each judges what it sends, and nothing twice."""
    return (
        not step.on
        and not step.peers
        and step.direction is Direction.BOTH
        and not isinstance(step, model.PartitionStep)
        and all(plane in kinds.BETWEEN_NODES for plane in planes)
    )


def _kind_of(step: model.FaultStep) -> tuple[Kind, tuple[Plane, ...]]:
    """The kind of a step, and the planes that its name implies."""
    match step:
        case model.PartitionStep():
            return kinds.Partition(step.mode, step.flows, step.flap), ()
        case model.LossStep():
            return kinds.Loss(step.rate, step.burst), ()
        case model.DelayStep():
            return kinds.Delay(step.delay, step.jitter), ()
        case model.ReorderStep():
            return kinds.Reorder(step.rate, step.hold), ()
        case model.DuplicateStep():
            return kinds.Duplicate(step.rate), ()
        case model.CorruptStep():
            return kinds.Corrupt(step.rate), ()
        case model.BandwidthStep():
            return kinds.Bandwidth(step.bits_per_second, step.queue_bytes), ()
        case model.MtuStep():
            return kinds.MtuLimit(step.mtu), ()
        case model.SlowNodeStep():
            return kinds.Delay(step.delay), EVERYWHERE
        case model.ClockSkewStep():
            return kinds.ClockSkew(step.rate, step.offset), ()
        case model.StoreUnavailableStep():
            return kinds.Partition(), (Plane.STORE,)
        case model.StoreSlowStep():
            return kinds.Delay(step.delay), (Plane.STORE,)
        case model.WatchStalledStep():
            return kinds.StalledWatch(), ()
        case model.NameServerSilentStep():
            return kinds.Partition(), (Plane.NAMES,)
        case model.PortDeadStep():
            return kinds.Partition(step.mode), (Plane.PORTS,)
    raise AssertionError(f"{type(step).__name__} is not injected into a table")
