"""Routes about the engine itself: ping, version, info, events, disk usage."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

from node.api import filters as by
from node.api import select
from node.api.backend import Backend, Flow
from node.api.docker_json import images as image_json
from node.api.docker_json import swarm as swarm_json
from node.api.docker_json import system as system_json
from node.api.docker_json.system import NANOSECONDS
from node.api.filters import Filters
from node.api.http import JSON_TYPE, Answer, Request, Response, Stream, json_bytes, json_response
from node.api.moments import moment
from node.api.router import Route, route
from node.api.showing import Showing
from node.errors import InvalidParameter
from node.model.event import EngineEvent
from node.model.times import rfc3339
from node.seams import Clock


class SystemRoutes:
    """See the module."""

    def __init__(self, backend: Backend, showing: Showing, clock: Clock) -> None:
        self._backend = backend
        self._showing = showing
        self._clock = clock

    def routes(self) -> list[Route]:
        """The table."""
        return [
            route("HEAD", "/_ping", self.ping),
            route("GET", "/_ping", self.ping),
            route("GET", "/version", self.version),
            route("GET", "/info", self.info),
            route("GET", "/events", self.events),
            route("GET", "/system/df", self.disk_usage),
        ]

    async def ping(self, request: Request) -> Answer:
        """What every client asks first, without a version."""
        headers = {
            "Cache-Control": "no-cache, no-store, must-revalidate",
            "Pragma": "no-cache",
            "Content-Type": "text/plain; charset=utf-8",
            "Builder-Version": "1",
            "Swarm": swarm_json.ping_header(self._backend.swarm.facts()),
        }
        return Response(200, b"" if request.method == "HEAD" else b"OK", headers)

    async def version(self, _request: Request) -> Answer:
        """Which engine this claims to be."""
        return json_response(system_json.version(self._backend.system.facts()))

    async def info(self, _request: Request) -> Answer:
        """Everything that `docker info` prints."""
        backend = self._backend
        changing = {
            "Images": len(backend.images.list()),
            "NEventsListener": backend.events.listeners,
            "SystemTime": rfc3339(self._clock.wall()),
            "Swarm": swarm_json.swarm_of_info(backend.swarm.facts()),
        }
        return json_response(system_json.info(backend.system.facts(), backend.containers.list(), changing))

    async def disk_usage(self, _request: Request) -> Answer:
        """Images take what the real ones would; containers of the simulation take nothing."""
        images = self._backend.images.list()
        containers = self._backend.containers.list()
        used = [container.image_id for container in containers]
        shape = {
            "LayersSize": sum(image.size for image in images),
            "Images": [image_json.listed(image, used.count(image.id)) for image in images],
            "Containers": [self._showing.listed(container) for container in containers],
            "Volumes": [],
            "BuildCache": [],
        }
        return json_response(shape)

    async def events(self, request: Request) -> Answer:
        """What happened since, and what happens from now on, until."""
        now = self._clock.wall()
        since, until = moment(request.text("since"), now), moment(request.text("until"), now)
        if until and until < since:
            raise InvalidParameter(
                f"`since` time ({request.text('since')}) cannot be after "
                f"`until` time ({request.text('until')})"
            )
        filters = by.parse(request.text("filters"))
        flow = self._backend.events.listen()
        past = self._backend.events.since(round(since * NANOSECONDS)) if since else ()
        pieces = self._tell(past, flow, filters, until)
        return Stream(pieces, {"Content-Type": JSON_TYPE}, flow.close)

    async def _tell(
        self, past: Sequence[EngineEvent], flow: Flow[EngineEvent], filters: Filters, until: float
    ) -> AsyncGenerator[bytes, None]:
        for event in past:
            if select.event(event, filters) and not 0 < until * NANOSECONDS < event.time_ns:
                yield json_bytes(system_json.event(event))
        ending = None
        if until:
            ending = self._clock.call_at(self._clock.now() + until - self._clock.wall(), flow.close)
        try:
            async for event in flow:
                if select.event(event, filters):
                    yield json_bytes(system_json.event(event))
        finally:
            if ending is not None:
                ending.cancel()
