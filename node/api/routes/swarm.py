"""Routes about the swarm: its nodes are looked at and changed; the lab forms it, and services are to come."""

from __future__ import annotations

import re
from collections.abc import Sequence

from node import errors
from node.api import filters as by
from node.api import select
from node.api.backend import Backend
from node.api.docker_json import swarm as swarm_json
from node.api.http import Answer, Request, Response, json_response
from node.api.router import Route, route
from node.errors import InvalidParameter, NotFound, Unavailable
from node.model.facts import NodeSeen
from node.model.member import NodeWish, Role

_VERSION = re.compile(r"[0-9]{1,19}")
ROLES: dict[str, Role] = {"manager": "manager", "worker": "worker"}
BY_THE_LAB = "the lab forms the swarm: stop it, and use `shoal up` with other options"
ALREADY_IN = (
    'This node is already part of a swarm. Use "docker swarm leave" to leave this swarm and join another one.'
)
NOT_IN = "This node is not part of a swarm"
NO_SERVICES = "swarm services are not simulated yet: run containers with `docker run` on the nodes"
FILTERS: dict[str, tuple[str, ...]] = {
    "services": ("id", "label", "mode", "name", "runtime"),
    "tasks": ("_up-to-date", "desired-state", "id", "label", "name", "node", "runtime", "service"),
    "secrets": ("id", "label", "name", "names"),
    "configs": ("id", "label", "name"),
}
"""Of lists that are always empty, but refuse what the engine refuses."""


class SwarmRoutes:
    """See the module."""

    def __init__(self, backend: Backend) -> None:
        self._swarm = backend.swarm
        self._system = backend.system

    def routes(self) -> list[Route]:
        """The table."""
        table = [
            route("GET", "/swarm", self.inspect),
            route("POST", "/swarm/init", self.join),
            route("POST", "/swarm/join", self.join),
            route("POST", "/swarm/leave", self.leave),
            route("POST", "/swarm/update", self.refuse_change),
            route("POST", "/swarm/unlock", self.refuse_change),
            route("GET", "/swarm/unlockkey", self.unlock_key),
            route("GET", "/nodes", self.nodes),
            route("GET", "/nodes/{id}", self.node),
            route("POST", "/nodes/{id}/update", self.update_node),
            route("DELETE", "/nodes/{id}", self.remove_node),
        ]
        for kind in FILTERS:
            table += [
                route("GET", f"/{kind}", self.empty_list),
                route("POST", f"/{kind}/create", self.refuse_service),
                route("GET", f"/{kind}/{{id}}", self.unknown),
                route("POST", f"/{kind}/{{id}}", self.refuse_service),
                route("DELETE", f"/{kind}/{{id}}", self.unknown),
            ]
        return table

    async def inspect(self, _request: Request) -> Answer:
        """The swarm itself."""
        self._swarm.nodes()  # which refuses where this node is no manager
        return json_response(swarm_json.inspected(self._swarm.facts()))

    async def nodes(self, request: Request) -> Answer:
        """The nodes that the filters select."""
        found = self._swarm.nodes()
        filters = by.parse(request.text("filters"), select.NODE_FILTERS)
        return json_response([self._shape(seen) for seen in select.nodes(found, filters)])

    async def node(self, _request: Request, term: str) -> Answer:
        """One node, by id, name or beginning of an id."""
        return json_response(self._shape(_find(list(self._swarm.nodes()), term)))

    def _shape(self, seen: NodeSeen) -> dict[str, object]:
        return swarm_json.node(seen, self._system.facts(), self._swarm.facts())

    async def join(self, _request: Request) -> Answer:
        """Not by this way."""
        if self._swarm.facts().state != "inactive":
            raise Unavailable(ALREADY_IN)
        raise errors.NotImplemented(BY_THE_LAB)

    async def leave(self, request: Request) -> Answer:
        """Not by this way."""
        facts = self._swarm.facts()
        if facts.state == "inactive":
            raise Unavailable(NOT_IN)
        if facts.manager and not request.flag("force"):
            raise Unavailable(_why_stay(self._swarm.nodes()))
        raise errors.NotImplemented(BY_THE_LAB)

    async def remove_node(self, request: Request, term: str) -> Answer:
        """Forget a worker that is down, or with force any."""
        seen = _find(list(self._swarm.nodes()), term)
        await self._swarm.remove(seen.record.id, force=request.flag("force"))
        return Response(200)

    async def update_node(self, request: Request, term: str) -> Answer:
        """Its role, availability and labels."""
        text, body = request.text("version"), request.fields()
        if not _VERSION.fullmatch(text):
            raise InvalidParameter(
                f"invalid node version '{text}': strconv.ParseUint: parsing \"{text}\": invalid syntax"
            )
        role, availability = ROLES.get(body.text("Role").lower()), body.text("Availability").lower()
        if role is None:
            raise InvalidParameter(f'invalid Role: "{body.text("Role")}"')
        if availability not in ("active", "pause", "drain"):
            raise InvalidParameter(f'invalid Availability: "{body.text("Availability")}"')
        seen = _find(list(self._swarm.nodes()), term)
        wish = NodeWish(role=role, availability=availability, labels=body.mapping("Labels"))
        await self._swarm.update(seen.record.id, int(text), wish)
        return Response(200)

    async def refuse_change(self, _request: Request, *_terms: str) -> Answer:
        """Not by this way."""
        self._swarm.nodes()
        raise errors.NotImplemented(BY_THE_LAB)

    async def unlock_key(self, _request: Request) -> Answer:
        """The swarm is never locked."""
        self._swarm.nodes()
        return json_response({"UnlockKey": ""})

    async def empty_list(self, request: Request) -> Answer:
        """There is none of these."""
        self._swarm.nodes()
        by.parse(request.text("filters"), FILTERS[request.path.strip("/")])
        return json_response([])

    async def unknown(self, request: Request, term: str) -> Answer:
        """There is none of these, so not this one either."""
        self._swarm.nodes()
        kind = request.path.split("/")[1].removesuffix("s")
        raise NotFound(f"{kind} {term} not found")

    async def refuse_service(self, _request: Request, *_terms: str) -> Answer:
        """Not yet."""
        self._swarm.nodes()
        raise errors.NotImplemented(NO_SERVICES)


def _why_stay(found: Sequence[NodeSeen]) -> str:
    """What a manager hears that leaves without force (moby: daemon/cluster/swarm.go, Leave)."""
    managers = [seen for seen in found if seen.record.role == "manager"]
    reachable = sum(seen.member is not None for seen in managers)
    text = "You are attempting to leave the swarm on a node that is participating as a manager. "
    if reachable - 2 <= len(managers) - reachable:
        if len(managers) == 1:
            return (
                text + "Removing the last manager erases all current state of the swarm. "
                "Use `--force` to ignore this message. "
            )
        text += (
            f"Removing this node leaves {reachable - 1} managers out of {len(managers)}. "
            "Without a Raft quorum your swarm will be inaccessible. "
        )
    return (
        text + "The only way to restore a swarm that has lost consensus is to reinitialize it with "
        "`--force-new-cluster`. Use `--force` to suppress this message."
    )


def _find(found: list[NodeSeen], term: str) -> NodeSeen:
    """As the swarm looks nodes up (swarmkit: controlapi/node.go). Raises NotFound, InvalidParameter."""
    for seen in found:
        if term in (seen.record.id, seen.record.name):
            return seen
    begun = [seen for seen in found if term and seen.record.id.startswith(term)]
    if len(begun) > 1:
        raise errors.InvalidParameter(
            f"rpc error: code = InvalidArgument desc = node {term} is ambiguous ({len(begun)} matches found)"
        )
    if not begun:
        raise NotFound(f"node {term} not found")
    return begun[0]
