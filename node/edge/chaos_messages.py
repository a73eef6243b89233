"""Faults as protobuf messages, and back (proto/node/rpc/v1/chaos.proto).

A kind and its message have the same fields by the same names; 0 in a message is the kind's default.
"""

from __future__ import annotations

from dataclasses import MISSING, fields
from enum import StrEnum
from typing import Any

from node.chaos import kinds
from node.chaos.faults import Direction, Fault, Injection, Scope, cut_from
from node.chaos.kinds import Flows, Kind, Mode, Plane, default_planes
from node.chaos.table import FaultSeen
from node.errors import InvalidParameter
from node.rpc.v1 import chaos_pb2

_KINDS: dict[str, type[Kind]] = {
    "partition": kinds.Partition,
    "loss": kinds.Loss,
    "delay": kinds.Delay,
    "reorder": kinds.Reorder,
    "duplicate": kinds.Duplicate,
    "corrupt": kinds.Corrupt,
    "bandwidth": kinds.Bandwidth,
    "mtu_limit": kinds.MtuLimit,
    "stalled_watch": kinds.StalledWatch,
    "clock_skew": kinds.ClockSkew,
}
"""By the name of their field in an InjectRequest."""
_MESSAGES = {kind: name for name, kind in _KINDS.items()}
_PLANES = {plane: chaos_pb2.Plane.Value(f"PLANE_{plane.name}") for plane in Plane}
_DIRECTIONS = {direction: chaos_pb2.Direction.Value(f"DIRECTION_{direction.name}") for direction in Direction}
_MODES: dict[StrEnum, int] = {mode: chaos_pb2.Partition.Mode.Value(f"MODE_{mode.name}") for mode in Mode}
_FLOWS: dict[StrEnum, int] = {
    flows: chaos_pb2.Partition.Flows.Value(f"FLOWS_{flows.name}") for flows in Flows
}
_WORDS = {"mode": _MODES, "flows": _FLOWS}
"""Fields whose values are words, and their numbers."""
_PLANE_OF = {number: plane for plane, number in _PLANES.items()}
_DIRECTION_OF = {number: direction for direction, number in _DIRECTIONS.items()} | {
    chaos_pb2.DIRECTION_UNSPECIFIED: Direction.BOTH
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
        **_kind_message(injection.kind),
    )


def injection(message: Any, node: str) -> Injection:
    """What an InjectRequest asks of the node with this name. Raises InvalidParameter."""
    scope = message.scope
    if scope.WhichOneof("among") == "groups":
        peers = cut_from(node, [tuple(group.names) for group in scope.groups.groups])
    else:
        peers = tuple(scope.peers.names)
    kind = _kind(message)
    return Injection(kind, _scope(scope, peers, kind), message.duration_s, message.fault_id)


def seen_message(seen: FaultSeen) -> Any:
    """A Fault message."""
    return chaos_pb2.Fault(
        fault_id=seen.fault.id,
        remaining_s=seen.remaining_s,
        scope=_scope_message(seen.fault.scope),
        hits=seen.hits,
        **_kind_message(seen.fault.kind),
    )


def seen(message: Any) -> FaultSeen:
    """What a Fault message says; start and end count from now, for lack of the node's clock."""
    kind = _kind(message)
    scope = _scope(message.scope, tuple(message.scope.peers.names), kind)
    fault = Fault(message.fault_id, kind, scope, 0.0, message.remaining_s)
    return FaultSeen(fault, message.remaining_s, message.hits)


def _scope_message(scope: Scope) -> Any:
    return chaos_pb2.Scope(
        peers=chaos_pb2.Peers(names=scope.peers),
        direction=_DIRECTIONS[scope.direction],  # type: ignore[arg-type]
        planes=[_PLANES[plane] for plane in scope.planes],  # type: ignore[misc]
        networks=scope.networks,
    )


def _scope(message: Any, peers: tuple[str, ...], kind: Kind) -> Scope:
    try:
        planes = tuple(_PLANE_OF[number] for number in dict.fromkeys(message.planes))
        direction = _DIRECTION_OF[message.direction]
    except KeyError as unknown:
        raise InvalidParameter(
            f"the fault's scope has a value {unknown} that this node does not know"
        ) from None
    return Scope(peers, direction, planes or default_planes(kind), tuple(message.networks))


def _kind_message(kind: Kind) -> dict[str, Any]:
    """The one field of an InjectRequest or Fault that says what the fault does."""
    name = _MESSAGES[type(kind)]
    message_type = type(getattr(chaos_pb2.Fault(), name))
    values = {}
    for field in fields(kind):
        value = getattr(kind, field.name)
        values[field.name] = _WORDS[field.name][value] if field.name in _WORDS else value
    return {name: message_type(**values)}


def _kind(message: Any) -> Kind:
    name = message.WhichOneof("kind")
    if name not in _KINDS:
        raise InvalidParameter(f"a fault needs a kind that this node knows: {', '.join(_KINDS)}")
    given = getattr(message, name)
    values: dict[str, Any] = {}
    for field in fields(_KINDS[name]):
        value = getattr(given, field.name)
        if value == 0 and field.default is not MISSING:
            continue
        values[field.name] = _word(field.name, value) if field.name in _WORDS else value
    return _KINDS[name](**values)


def _word(field: str, number: int) -> StrEnum:
    for word, known in _WORDS[field].items():
        if known == number:
            return word
    raise InvalidParameter(f"a partition has a {field} {number} that this node does not know")
