"""Routes about further commands in running containers: `docker exec`."""

from __future__ import annotations

from functools import partial

from node.api.backend import Backend
from node.api.detach import parse_keys
from node.api.docker_json import execs as exec_json
from node.api.frames import framed
from node.api.http import Answer, Connection, Hijack, Request, Response, json_response
from node.api.parse_container import console_size, exec_spec
from node.api.router import Route, route
from node.api.routes.programs import dimensions, stream_type
from node.api.session import Manner, converse
from node.errors import NodeError
from node.model.output import STDERR, STDOUT, Output


class ExecRoutes:
    """See the module."""

    def __init__(self, backend: Backend) -> None:
        self._execs = backend.execs

    def routes(self) -> list[Route]:
        """The table."""
        return [
            route("POST", "/containers/{name}/exec", self.create),
            route("POST", "/exec/{id}/start", self.start),
            route("POST", "/exec/{id}/resize", self.resize),
            route("GET", "/exec/{id}/json", self.inspect),
        ]

    async def create(self, request: Request, name: str) -> Answer:
        """A new exec's id; nothing runs yet."""
        spec = exec_spec(request.fields())
        parse_keys(spec.detach_keys)
        return json_response({"Id": await self._execs.create(name, spec)}, 201)

    async def start(self, request: Request, identity: str) -> Answer:
        """Run it, and become its terminal unless the client is not interested."""
        body = request.fields()
        spec = self._execs.find(identity).spec
        tty = body.flag("Tty")
        size = console_size(body) if tty else (0, 0)
        try:
            terminal = await self._execs.start(identity, console_size=size)
        except NodeError as error:
            if body.flag("Detach"):
                raise
            return _said(error, request, tty=tty)
        if body.flag("Detach"):
            terminal.close()
            return Response(200)
        wanted = ((STDOUT, spec.attach_stdout), (STDERR, spec.attach_stderr))
        manner = Manner(
            tty=tty,
            stdin=spec.attach_stdin,
            streams=tuple(number for number, attached in wanted if attached),
            detach_keys=parse_keys(spec.detach_keys),
        )
        talk = partial(converse, terminal=terminal, manner=manner)
        return Hijack(stream_type(request, tty=tty), talk, terminal.close, upgrades=request.upgrades)

    async def resize(self, request: Request, identity: str) -> Answer:
        """The user's terminal has other dimensions."""
        self._execs.resize(identity, *dimensions(request))
        return Response(200)

    async def inspect(self, _request: Request, identity: str) -> Answer:
        """How it stands; the CLI takes its exit code from here."""
        return json_response(exec_json.inspected(self._execs.find(identity)))


def _said(error: NodeError, request: Request, *, tty: bool) -> Hijack:
    """A refusal as output: a client that asked for a stream reads nothing else (the engine does so, too)."""
    text = f"{error}\r\n".encode()

    async def talk(connection: Connection) -> None:
        await connection.write(text if tty else framed(Output(STDOUT, text)))

    return Hijack(stream_type(request, tty=tty), talk, lambda: None, upgrades=request.upgrades)
