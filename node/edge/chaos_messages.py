"""Faults as protobuf messages, and back (proto/node/rpc/v1/chaos.proto)."""

from __future__ import annotations

from typing import Any

from node.chaos.faults import (
    BETWEEN_NODES,
    Direction,
    Fault,
    Injection,
    Mode,
    Partition,
    Plane,
    Scope,
    cut_from,
)
from node.chaos.table import FaultSeen
from node.errors import InvalidParameter
from node.rpc.v1 import chaos_pb2

_PLANES = {
    Plane.DATA: chaos_pb2.PLANE_DATA,
    Plane.CABLE: chaos_pb2.PLANE_CABLE,
    Plane.CONTROL: chaos_pb2.PLANE_CONTROL,
    Plane.STORE: chaos_pb2.PLANE_STORE,
}
_DIRECTIONS = {
    Direction.BOTH: chaos_pb2.DIRECTION_BOTH,
    Direction.OUTGOING: chaos_pb2.DIRECTION_OUTGOING,
    Direction.INCOMING: chaos_pb2.DIRECTION_INCOMING,
}
_MODES = {Mode.DROP: chaos_pb2.Partition.MODE_DROP, Mode.REJECT: chaos_pb2.Partition.MODE_REJECT}
_PLANE_OF = {number: plane for plane, number in _PLANES.items()}
_DIRECTION_OF = {number: direction for direction, number in _DIRECTIONS.items()} | {
    chaos_pb2.DIRECTION_UNSPECIFIED: Direction.BOTH
}
_MODE_OF = {number: mode for mode, number in _MODES.items()} | {
    chaos_pb2.Partition.MODE_UNSPECIFIED: Mode.DROP
}


def injection_message(injection: Injection, groups: tuple[tuple[str, ...], ...] = ()) -> Any:
    """An InjectRequest; ``groups``, if there are any, stand in place of the scope's peers."""
    scope = _scope_message(injection.scope)
    if groups:
        scope.groups.groups.extend(chaos_pb2.Group(names=group) for group in groups)
    return chaos_pb2.InjectRequest(
        fault_id=injection.id,
        duration_s=injection.duration_s,
        scope=scope,
        partition=chaos_pb2.Partition(mode=_MODES[injection.kind.mode]),
    )


def injection(message: Any, node: str) -> Injection:
    """What an InjectRequest asks of the node with this name. Raises InvalidParameter."""
    scope = message.scope
    if scope.WhichOneof("among") == "groups":
        peers = cut_from(node, [tuple(group.names) for group in scope.groups.groups])
    else:
        peers = tuple(scope.peers.names)
    return Injection(_kind(message), _scope(scope, peers), message.duration_s, message.fault_id)


def seen_message(seen: FaultSeen) -> Any:
    """A Fault message."""
    return chaos_pb2.Fault(
        fault_id=seen.fault.id,
        remaining_s=seen.remaining_s,
        scope=_scope_message(seen.fault.scope),
        hits=seen.hits,
        partition=chaos_pb2.Partition(mode=_MODES[seen.fault.kind.mode]),
    )


def seen(message: Any) -> FaultSeen:
    """What a Fault message says; start and end count from now, for lack of the node's clock."""
    scope = _scope(message.scope, tuple(message.scope.peers.names))
    fault = Fault(message.fault_id, _kind(message), scope, 0.0, message.remaining_s)
    return FaultSeen(fault, message.remaining_s, message.hits)


def _scope_message(scope: Scope) -> Any:
    return chaos_pb2.Scope(
        peers=chaos_pb2.Peers(names=scope.peers),
        direction=_DIRECTIONS[scope.direction],
        planes=[_PLANES[plane] for plane in scope.planes],
    )


def _scope(message: Any, peers: tuple[str, ...]) -> Scope:
    try:
        planes = tuple(_PLANE_OF[number] for number in dict.fromkeys(message.planes))
        return Scope(peers, _DIRECTION_OF[message.direction], planes or BETWEEN_NODES)
    except KeyError as unknown:
        raise InvalidParameter(
            f"the fault's scope has a value {unknown} that this node does not know"
        ) from None


def _kind(message: Any) -> Partition:
    kind = message.WhichOneof("kind")
    if kind != "partition" or message.partition.mode not in _MODE_OF:
        raise InvalidParameter("a fault needs a kind that this node knows: partition")
    return Partition(_MODE_OF[message.partition.mode])
