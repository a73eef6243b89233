"""Routes for what a simulated host does not have, so that clients hear so at once and go on."""

from __future__ import annotations

from collections.abc import Callable

from node import errors
from node.api.http import Answer, Request, json_response
from node.api.router import Handler, Route, route
from node.errors import NotFound

VOLUMES = "volumes are not simulated: a container keeps its files to itself"
FILES = "files cannot be copied into or out of a simulated container; use `docker exec` to look at them"
PLUGINS = "plugins are not simulated"
REGISTRY = "no registry can be reached from a simulated host"
BUILDER = "images cannot be built here: they are names for programs of the simulator"


def absent_routes() -> list[Route]:
    """The table."""
    table = [
        route("GET", "/volumes", _always({"Volumes": [], "Warnings": None})),
        route("POST", "/volumes/prune", _always({"VolumesDeleted": None, "SpaceReclaimed": 0})),
        route("POST", "/volumes/create", _refuse(VOLUMES)),
        route("GET", "/volumes/{name}", _no_volume),
        route("DELETE", "/volumes/{name}", _no_volume),
        route("GET", "/plugins", _always([])),
        route("GET", "/plugins/{name}/json", _no_plugin),
        route("POST", "/plugins/{rest}", _refuse(PLUGINS)),
        route("POST", "/build/prune", _always({"CachesDeleted": None, "SpaceReclaimed": 0})),
        route("POST", "/auth", _refuse(REGISTRY)),
        route("GET", "/distribution/{name}/json", _no_registry),
        route("POST", "/session", _refuse(BUILDER)),
        route("POST", "/grpc", _refuse(BUILDER)),
    ]
    for method in ("GET", "HEAD", "PUT"):
        table.append(route(method, "/containers/{name}/archive", _refuse(FILES)))
    for path in ("/containers/{name}/export", "/containers/{name}/changes", "/images/get", "/images/{n}/get"):
        table.append(route("GET", path, _refuse(FILES)))
    return table


def _always(value: object) -> Handler:
    async def answer(_request: Request, *_names: str) -> Answer:
        return json_response(value)

    return answer


def _refuse(sentence: str) -> Handler:
    async def answer(_request: Request, *_names: str) -> Answer:
        raise errors.NotImplemented(sentence)

    return answer


def _not_found(sentence: Callable[[str], str]) -> Handler:
    async def answer(_request: Request, name: str) -> Answer:
        raise NotFound(sentence(name))

    return answer


_no_volume = _not_found(lambda name: f"get {name}: no such volume")
_no_plugin = _not_found(lambda name: f'plugin "{name}" not found')
_no_registry = _not_found(lambda name: f"{name}: {REGISTRY}")
