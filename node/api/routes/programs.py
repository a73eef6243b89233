"""Routes about what runs in containers: wait, attach, logs, resize, top."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from functools import partial
from typing import get_args

from node import errors
from node.api.backend import Backend, Flow
from node.api.detach import parse_keys
from node.api.http import (
    JSON_TYPE,
    MULTIPLEXED_STREAM,
    RAW_STREAM,
    Answer,
    Hijack,
    Request,
    Response,
    Stream,
    json_bytes,
    json_response,
)
from node.api.log_lines import LogLines
from node.api.moments import moment
from node.api.router import Route, route
from node.api.session import Manner, converse
from node.errors import InvalidParameter
from node.model.container import Ended, ProcessRow, WaitCondition
from node.model.output import STDERR, STDOUT, AttachSpec, LogSpec, Output
from node.seams import Clock

CONDITIONS: dict[str, WaitCondition] = {name: name for name in get_args(WaitCondition)}
TITLES = ("UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD")
"""The columns of `ps -ef`."""
MULTIPLEXED_SINCE = (1, 42)


class ProgramRoutes:
    """See the module."""

    def __init__(self, backend: Backend, clock: Clock) -> None:
        self._containers = backend.containers
        self._programs = backend.programs
        self._clock = clock

    def routes(self) -> list[Route]:
        """The table."""
        return [
            route("POST", "/containers/{name}/wait", self.wait),
            route("POST", "/containers/{name}/attach", self.attach),
            route("GET", "/containers/{name}/logs", self.logs),
            route("POST", "/containers/{name}/resize", self.resize),
            route("GET", "/containers/{name}/top", self.top),
            route("GET", "/containers/{name}/stats", self.stats),
        ]

    async def wait(self, request: Request, name: str) -> Answer:
        """Registered at once, and the head goes out at once: `docker run` starts only then."""
        text = request.text("condition") or "not-running"
        condition = CONDITIONS.get(text)
        if condition is None:
            raise InvalidParameter(f'invalid condition: "{text}"')
        ending = self._programs.wait(name, condition)
        return Stream(_told(ending), {"Content-Type": JSON_TYPE}, ending.cancel)

    async def attach(self, request: Request, name: str) -> Answer:
        """The container's terminal."""
        keys = parse_keys(request.text("detachKeys"))
        container = self._containers.find(name)
        spec = AttachSpec(
            logs=request.flag("logs"),
            stream=request.flag("stream"),
            stdin=request.flag("stdin"),
            stdout=request.flag("stdout"),
            stderr=request.flag("stderr"),
        )
        tty = container.spec.tty
        streams = tuple(n for n, wanted in ((STDOUT, spec.stdout), (STDERR, spec.stderr)) if wanted)
        stdin = spec.stdin and spec.stream and container.spec.open_stdin
        terminal = self._programs.attach(container.id, spec)
        manner = Manner(tty=tty, stdin=stdin, streams=streams, detach_keys=keys)
        talk = partial(converse, terminal=terminal, manner=manner)
        return Hijack(stream_type(request, tty=tty), talk, terminal.close, upgrades=request.upgrades)

    async def logs(self, request: Request, name: str) -> Answer:
        """What it has written, and on request what it writes from now on."""
        stdout, stderr = request.flag("stdout"), request.flag("stderr")
        if not stdout and not stderr:
            raise InvalidParameter("Bad parameters: you must choose at least one stream")
        container, now = self._containers.find(name), self._clock.wall()
        spec = LogSpec(
            stdout=stdout,
            stderr=stderr,
            follow=request.flag("follow"),
            tail=_tail(request.text("tail")),
            since_s=moment(request.text("since"), now),
            until_s=moment(request.text("until"), now),
        )
        tty = container.spec.tty
        flow = self._programs.logs(container.id, spec)
        lines = LogLines(tty=tty, timestamps=request.flag("timestamps"), details=request.flag("details"))
        content_type = stream_type(request, tty=tty)
        return Stream(_encoded(flow, lines), {"Content-Type": content_type}, flow.close)

    async def resize(self, request: Request, name: str) -> Answer:
        """The user's terminal has other dimensions."""
        self._programs.resize(name, *dimensions(request))
        return Response(200)

    async def top(self, _request: Request, name: str) -> Answer:
        """Its processes, as `ps -ef` lists them, whatever else `ps` is asked for."""
        rows = [_row(row) for row in self._programs.top(name)]
        return json_response({"Processes": rows, "Titles": TITLES})

    async def stats(self, _request: Request, name: str) -> Answer:
        """There is nothing to measure."""
        self._containers.find(name)
        raise errors.NotImplemented("a simulated container takes no processor or memory: there are no stats")


def stream_type(request: Request, *, tty: bool) -> str:
    """How output is sent: as it is, or in frames that name the stream."""
    return RAW_STREAM if tty or request.version < MULTIPLEXED_SINCE else MULTIPLEXED_STREAM


def dimensions(request: Request) -> tuple[int, int]:
    """Height and width in characters. Raises InvalidParameter."""
    sizes: list[int] = []
    for name, word in (("h", "height"), ("w", "width")):
        text = request.text(name)
        if not (text.isascii() and text.isdecimal()) or len(text) > 5:
            raise InvalidParameter(f'invalid resize {word} "{text}": invalid syntax')
        sizes.append(int(text))
    return sizes[0], sizes[1]


def _tail(text: str) -> int | None:
    """A number of lines; whatever is none, such as "all", means all (moby: daemon/logs.go)."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


async def _told(ending: asyncio.Future[Ended]) -> AsyncGenerator[bytes, None]:
    ended = await ending
    reason = {"Error": {"Message": ended.error}} if ended.error else {}
    yield json_bytes({**reason, "StatusCode": ended.exit_code})


async def _encoded(flow: Flow[Output], lines: LogLines) -> AsyncGenerator[bytes, None]:
    async for output in flow:
        yield lines.encode(output)


def _row(row: ProcessRow) -> list[str]:
    started = datetime.fromtimestamp(row.started_s, UTC).strftime("%H:%M")
    return [row.user, str(row.pid), str(row.parent), "0", started, row.terminal, "00:00:00", row.command]
