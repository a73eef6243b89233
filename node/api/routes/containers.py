"""Routes about containers as things: made, listed, started, stopped, removed."""

from __future__ import annotations

from node.api import filters as by
from node.api import select, select_containers
from node.api.backend import Backend
from node.api.docker_json import containers as container_json
from node.api.http import Answer, Request, Response, json_response
from node.api.parse_container import container_spec, create_warnings, restart_policy
from node.api.router import Route, route
from node.api.routes.networks import prune_until
from node.api.select_containers import CONTAINER_FILTERS, Listing
from node.api.showing import Showing
from node.errors import Conflict, InvalidParameter, NotFound, NotModified
from node.model import times
from node.programs.signals import number_of
from node.seams import Clock


class ContainerRoutes:
    """See the module."""

    def __init__(self, backend: Backend, showing: Showing, clock: Clock) -> None:
        self._backend = backend
        self._containers = backend.containers
        self._showing = showing
        self._clock = clock

    def routes(self) -> list[Route]:
        """The table."""
        return [
            route("GET", "/containers/json", self.list),
            route("POST", "/containers/create", self.create),
            route("POST", "/containers/prune", self.prune),
            route("GET", "/containers/{name}/json", self.inspect),
            route("POST", "/containers/{name}/start", self.start),
            route("POST", "/containers/{name}/stop", self.stop),
            route("POST", "/containers/{name}/restart", self.restart),
            route("POST", "/containers/{name}/kill", self.kill),
            route("POST", "/containers/{name}/pause", self.pause),
            route("POST", "/containers/{name}/unpause", self.unpause),
            route("POST", "/containers/{name}/rename", self.rename),
            route("POST", "/containers/{name}/update", self.update),
            route("DELETE", "/containers/{name}", self.remove),
        ]

    async def list(self, request: Request) -> Answer:
        """What `docker ps` shows."""
        listing = Listing(
            filters=by.parse(request.text("filters"), CONTAINER_FILTERS),
            all=request.flag("all"),
            limit=request.number("limit") or 0,
        )
        found = [self._showing.of(container) for container in self._containers.list()]
        chosen = select_containers.containers(found, listing, self._image_id)
        size = request.flag("size")
        return json_response([container_json.listed(shown, with_size=size) for shown in chosen])

    def _image_id(self, term: str) -> str:
        try:
            return self._backend.images.find(term).id
        except NotFound:
            return ""

    async def inspect(self, _request: Request, name: str) -> Answer:
        """Everything about one container."""
        return json_response(container_json.inspected(self._showing.of(self._containers.find(name))))

    async def create(self, request: Request) -> Answer:
        """A new container's id, and what the user should know about it."""
        body = request.fields()
        spec = container_spec(body)
        identity, warnings = await self._containers.create(request.text("name"), spec)
        return json_response({"Id": identity, "Warnings": [*warnings, *create_warnings(spec)]}, 201)

    async def start(self, request: Request, name: str) -> Answer:
        """Run it."""
        if len(request.body) > len('{"a":1}'):
            raise InvalidParameter(
                "starting container with non-empty request body was deprecated since API v1.22 "
                "and removed in v1.24"
            )
        await self._containers.start(name)
        return Response(204)

    async def stop(self, request: Request, name: str) -> Answer:
        """Ask it to end, and after a while make it."""
        await self._containers.stop(name, timeout_s=request.number("t"), signal=_signal(request))
        return Response(204)

    async def restart(self, request: Request, name: str) -> Answer:
        """End it and run it again."""
        await self._containers.restart(name, timeout_s=request.number("t"), signal=_signal(request))
        return Response(204)

    async def kill(self, request: Request, name: str) -> Answer:
        """Send it a signal."""
        try:
            signal = _signal(request) or number_of("KILL")
        except InvalidParameter as error:
            raise InvalidParameter(f"cannot kill container: {name}: {error}") from None
        await self._containers.kill(name, signal)
        return Response(204)

    async def pause(self, _request: Request, name: str) -> Answer:
        """Freeze it."""
        await self._containers.pause(name)
        return Response(204)

    async def unpause(self, _request: Request, name: str) -> Answer:
        """Let it go on."""
        await self._containers.unpause(name)
        return Response(204)

    async def rename(self, request: Request, name: str) -> Answer:
        """Give it another name."""
        await self._containers.rename(name, request.text("name"))
        return Response(204)

    async def update(self, request: Request, name: str) -> Answer:
        """Give it another restart policy. Limits of resources are taken and mean nothing here."""
        body = request.fields()
        self._containers.find(name)
        if body.object("RestartPolicy").text("Name"):
            await self._containers.update(name, restart_policy(body.object("RestartPolicy")))
        return json_response({"Warnings": None})

    async def remove(self, request: Request, name: str) -> Answer:
        """Take it away. There are no volumes that could go with it."""
        if request.flag("link"):
            raise Conflict("Conflict, cannot remove the default link name of the container")
        await self._containers.remove(name, force=request.flag("force"))
        return Response(204)

    async def prune(self, request: Request) -> Answer:
        """Take all away that do not run, as far as the filters select them."""
        filters = by.parse(request.text("filters"), select.PRUNE_FILTERS)
        until = prune_until(filters, self._clock.wall())
        removed: list[str] = []
        for container in self._containers.list():
            created = times.seconds(container.created)
            running = self._showing.of(container).running
            if running or not select.prunable(container.spec.labels, created, filters, until):
                continue
            try:
                await self._containers.remove(container.id, force=False)
            except (Conflict, NotFound, NotModified):
                continue  # it was started or removed meanwhile
            removed.append(container.id)
        return json_response({"ContainersDeleted": removed or None, "SpaceReclaimed": 0})


def _signal(request: Request) -> int | None:
    """The `signal` parameter, by name or number. Raises InvalidParameter."""
    text = request.text("signal")
    return number_of(text) if text else None
