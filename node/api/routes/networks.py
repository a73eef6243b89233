"""Routes about networks: list, inspect, create, remove, connect, disconnect, prune."""

from __future__ import annotations

from node.api import filters as by
from node.api import select
from node.api.backend import Backend
from node.api.docker_json import networks as network_json
from node.api.http import Answer, Request, Response, json_response
from node.api.moments import moment
from node.api.parse_network import endpoint_spec, network_spec
from node.api.router import Route, route
from node.errors import InvalidParameter
from node.model import times
from node.model.network import NetworkRecord
from node.seams import Clock


class NetworkRoutes:
    """See the module."""

    def __init__(self, backend: Backend, clock: Clock) -> None:
        self._networks = backend.networks
        self._clock = clock

    def routes(self) -> list[Route]:
        """The table."""
        return [
            route("GET", "/networks", self.list),
            route("GET", "/networks/", self.list),
            route("POST", "/networks/create", self.create),
            route("POST", "/networks/prune", self.prune),
            route("GET", "/networks/{name}", self.inspect),
            route("POST", "/networks/{name}/connect", self.connect),
            route("POST", "/networks/{name}/disconnect", self.disconnect),
            route("DELETE", "/networks/{name}", self.remove),
        ]

    async def list(self, request: Request) -> Answer:
        """The networks that the filters select."""
        filters = by.parse(request.text("filters"), select.NETWORK_FILTERS)
        found = [(network, len(self._networks.attached(network))) for network in self._networks.list()]
        return json_response([network_json.listed(n) for n in select.networks(found, filters)])

    async def inspect(self, request: Request, name: str) -> Answer:
        """One network, with the endpoints on this node."""
        verbose = request.text("verbose").lower()
        if verbose not in ("", "0", "1", "f", "t", "false", "true"):
            raise InvalidParameter(f"invalid value for verbose: {request.text('verbose')}")
        network = self._networks.find(name, request.text("scope"))
        attached, peers = self._networks.attached(network), self._networks.peers(network)
        return json_response(network_json.inspected(network, attached, peers))

    async def create(self, request: Request) -> Answer:
        """A new network's id."""
        identity, warning = await self._networks.create(network_spec(request.fields()))
        return json_response({"Id": identity, "Warning": warning}, 201)

    async def remove(self, _request: Request, name: str) -> Answer:
        """Take a network away."""
        await self._networks.remove(name)
        return Response(204)

    async def connect(self, request: Request, name: str) -> Answer:
        """Put a container into a network."""
        body = request.fields()
        wish = endpoint_spec(body.object("EndpointConfig"))
        await self._networks.connect(name, body.text("Container"), wish)
        return Response(200)

    async def disconnect(self, request: Request, name: str) -> Answer:
        """Take a container out of a network."""
        body = request.fields()
        await self._networks.disconnect(name, body.text("Container"), force=body.flag("Force"))
        return Response(200)

    async def prune(self, request: Request) -> Answer:
        """Take all unused networks away that the filters select."""
        filters = by.parse(request.text("filters"), select.PRUNE_FILTERS)
        until = prune_until(filters, self._clock.wall())

        def wanted(network: NetworkRecord) -> bool:
            return select.prunable(network.labels, times.seconds(network.created), filters, until)

        removed = await self._networks.prune(wanted)
        return json_response({"NetworksDeleted": [*removed] or None})


def prune_until(filters: by.Filters, now: float) -> float:
    """The moment of the `until` filter; 0 if there is none. Raises InvalidParameter."""
    values = filters.get("until", ())
    if len(values) > 1:
        raise InvalidParameter("more than one until filter specified")
    return moment(values[0], now) if values else 0.0
