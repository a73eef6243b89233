"""The Engine API of one node: a request value in, an answer value out, no sockets.

version prefix checked and cut off --> route found --> handler --> answer
                                           NodeError ---'--> status table
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from node.api.backend import Backend
from node.api.docker_json.system import dotted
from node.api.http import Answer, Hijack, Request, json_response
from node.api.router import Route, Router
from node.api.routes.absent import absent_routes
from node.api.routes.containers import ContainerRoutes
from node.api.routes.execs import ExecRoutes
from node.api.routes.images import ImageRoutes
from node.api.routes.networks import NetworkRoutes
from node.api.routes.programs import ProgramRoutes
from node.api.routes.swarm import SwarmRoutes
from node.api.routes.system import SystemRoutes
from node.api.showing import Showing
from node.api.status import error_response
from node.errors import InvalidParameter, NodeError
from node.model.engine import API_VERSION, API_VERSION_MIN, ENGINE_VERSION
from node.seams import Clock

ENGINE_HEADERS: Mapping[str, str] = {
    "Api-Version": dotted(API_VERSION),
    "Docker-Experimental": "false",
    "Ostype": "linux",
    "Server": f"Docker/{ENGINE_VERSION} (linux)",
}
"""In every answer; the CLI takes its API version from here."""

_VERSIONED = re.compile(r"/v(\d{1,4})\.(\d{1,4})(/.*)")


class App:
    """See the module."""

    def __init__(self, backend: Backend, clock: Clock) -> None:
        showing = Showing(backend, clock)
        self._router = Router(
            [
                *SystemRoutes(backend, showing, clock).routes(),
                *NetworkRoutes(backend, clock).routes(),
                *ContainerRoutes(backend, showing, clock).routes(),
                *ProgramRoutes(backend, clock).routes(),
                *ExecRoutes(backend).routes(),
                *ImageRoutes(backend).routes(),
                *SwarmRoutes(backend).routes(),
                *absent_routes(),
            ]
        )

    @property
    def routes(self) -> tuple[Route, ...]:
        """The whole table."""
        return self._router.routes

    async def handle(self, request: Request) -> Answer:
        """Answer a request; a refusal is an answer too. Whoever gets a Stream or Hijack closes it."""
        try:
            answer = await self._answer(_without_version(request))
        except NodeError as error:
            answer = error_response(error)
        if isinstance(answer, Hijack):
            return answer
        return replace(answer, headers={**ENGINE_HEADERS, **answer.headers})

    async def _answer(self, request: Request) -> Answer:
        found = self._router.find(request)
        if found is None:
            return json_response({"message": "page not found"}, 404)
        handler, places = found
        return await handler(request, *places)


def _without_version(request: Request) -> Request:
    """Cut "/v1.47" off, if it is there. Raises InvalidParameter for one that is not spoken here."""
    match = _VERSIONED.fullmatch(request.path)
    if match is None:
        return request
    version = (int(match[1]), int(match[2]))
    if version < API_VERSION_MIN:
        raise InvalidParameter(
            f"client version {dotted(version)} is too old. Minimum supported API version is "
            f"{dotted(API_VERSION_MIN)}, please upgrade your client to a newer version"
        )
    if version > API_VERSION:
        raise InvalidParameter(
            f"client version {dotted(version)} is too new. Maximum supported API version is "
            f"{dotted(API_VERSION)}"
        )
    return replace(request, path=match[3], version=version)
