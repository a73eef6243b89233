"""Which objects a client's filters select: pure choices over lists (moby: daemon/list.go, daemon/network,
daemon/events/filter.go, daemon/cluster/filters.go)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from node.api import filters as by
from node.api.filters import Filters
from node.errors import Failed, InvalidParameter
from node.model.event import EngineEvent
from node.model.facts import NodeSeen
from node.model.network import NetworkRecord

NETWORK_FILTERS = ("dangling", "driver", "id", "label", "name", "scope", "type")
PRUNE_FILTERS = ("label", "label!", "until")
NODE_FILTERS = ("id", "label", "membership", "name", "node.label", "role")
PREDEFINED_NAMES = ("bridge", "host", "none", "default")

_FUZZY_ACTIONS = ("health_status", "exec_create", "exec_start")


def networks(found: Sequence[tuple[NetworkRecord, int]], filters: Filters) -> list[NetworkRecord]:
    """GET /networks; each network comes with how many stand in it. Raises InvalidParameter, Failed."""
    dangling = _dangling(filters)
    for kind in filters.get("type", ()):
        if kind not in ("builtin", "custom"):
            raise Failed(f"invalid filter: 'type'='{kind}'")
    return [
        network
        for network, users in found
        if by.exactly(filters, "driver", network.driver)
        and by.matches(filters, "name", network.name)
        and by.matches(filters, "id", network.id)
        and by.labelled(filters, network.labels)
        and by.exactly(filters, "scope", network.scope)
        and by.exactly(filters, "type", "builtin" if _is_predefined(network) else "custom")
        and dangling in (None, not _is_predefined(network) and users == 0)
    ]


def _is_predefined(network: NetworkRecord) -> bool:
    return network.name in PREDEFINED_NAMES


def _dangling(filters: Filters) -> bool | None:
    values = filters.get("dangling", ())
    if not values:
        return None
    if len(values) > 1:
        raise InvalidParameter('got more than one value for filter key "dangling"')
    if values[0] not in ("0", "1", "false", "true"):
        raise InvalidParameter(
            'invalid value for filter \'dangling\', must be "true" (or "1"), or "false" (or "0")'
        )
    return values[0] in ("1", "true")


def prunable(labels: Mapping[str, str], created: float, filters: Filters, until: float) -> bool:
    """Whether `prune` may take an object; ``until`` is a moment, 0 for none."""
    old_enough = not until or created <= until
    return old_enough and by.labelled(filters, labels) and by.unlabelled(filters, labels)


def event(happened: EngineEvent, filters: Filters) -> bool:
    """GET /events. Names of filters that are not known select everything, as in the engine."""
    actions = filters.get("event", ())
    fuzzy = any(action in _FUZZY_ACTIONS for action in actions)
    name = happened.attributes.get("name", "")
    return (
        (by.begins if fuzzy else by.exactly)(filters, "event", happened.action)
        and by.exactly(filters, "type", happened.kind)
        and by.exactly(filters, "scope", happened.scope)
        and by.labelled(filters, happened.attributes)
        and _of_image(happened, filters)
        and all(
            by.begins(filters, kind, happened.actor, name)
            for kind in ("daemon", "container", "plugin", "volume", "network", "node", "service")
        )
    )


def _of_image(happened: EngineEvent, filters: Filters) -> bool:
    """An event of the image, or of a container that was made from it; a tag need not be named."""
    image = happened.attributes.get("name" if happened.kind == "image" else "image", "")
    names = [image, happened.actor]
    return by.exactly(filters, "image", *names, *(name.partition(":")[0] for name in names))


def nodes(found: Sequence[NodeSeen], filters: Filters) -> list[NodeSeen]:
    """GET /nodes. Raises Failed, as the engine does, for a role or membership that there is not."""
    for name, allowed in (("role", ("worker", "manager")), ("membership", ("pending", "accepted"))):
        for value in filters.get(name, ()):
            if value.lower() not in allowed:
                raise Failed(f"Invalid {name} filter: '{value}'")
    roles = {"role": tuple(value.lower() for value in filters.get("role", ()))}
    accepted = {"membership": tuple(value.lower() for value in filters.get("membership", ()))}
    return [
        seen
        for seen in found
        if by.begins(filters, "id", seen.record.id)
        and by.begins(filters, "name", seen.record.name)
        and by.labelled(filters, seen.record.labels, "node.label")
        and by.labelled(filters, {}, "label")  # of engines; those of the simulation have none
        and by.exactly(roles, "role", seen.record.role)
        and by.exactly(accepted, "membership", "accepted")
    ]
