"""The program that a container runs: watched, talked to, waited for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

from node.control.bodies import Body
from node.control.lives import Lives
from node.control.registry import Registry
from node.errors import Conflict
from node.model.container import ContainerRecord, Ended, ProcessRow, WaitCondition
from node.model.output import AttachSpec, LogSpec, Output
from node.programs.console import Reader
from node.programs.runtime import Task


class Terminal:
    """A program's input and output from where its user sits (node/api/backend.py)."""

    def __init__(self, reader: Reader, body: Body, *, stdin_once: bool) -> None:
        self._reader = reader
        self._body = body
        self._stdin_once = stdin_once

    def __aiter__(self) -> AsyncIterator[Output]:
        return self._reader.__aiter__()

    def close(self) -> None:
        """Nobody reads any more."""
        self._reader.close()

    async def write(self, data: bytes) -> None:
        """Give the program input; before it starts, wait for that."""
        task = await self._body.started()
        if task is not None:
            await task.type(data)

    def close_stdin(self) -> None:
        """The user has no more input; a container that outlives its users keeps its own open."""
        if self._stdin_once:
            self._body.close_stdin()


class Programs:
    """See the module."""

    def __init__(self, registry: Registry, lives: Lives) -> None:
        self._registry = registry
        self._lives = lives

    def _find(self, term: str) -> tuple[ContainerRecord, Body]:
        container = self._registry.find(term)
        return container, self._lives.body(container)

    def wait(self, term: str, condition: WaitCondition) -> asyncio.Future[Ended]:
        """Done when the condition comes true; registered when this returns."""
        container, body = self._find(term)
        future = body.wait(condition)
        # By its record, not by its body: an ending container is over when its exit code is written.
        if condition == "not-running" and container.state.status not in ("running", "paused", "restarting"):
            body.tell(Ended(container.state.exit_code, container.state.error), "not-running")
        return future

    def attach(self, term: str, spec: AttachSpec) -> Terminal:
        """Its input and output, also before its first start."""
        container, body = self._find(term)
        if container.state.status == "paused":
            raise Conflict(f"container {container.id} is paused, unpause the container before attach")
        self._lives.tell(container, "attach")
        reader = body.console.attach(spec)
        return Terminal(reader, body, stdin_once=container.spec.stdin_once or container.spec.tty)

    def logs(self, term: str, spec: LogSpec) -> Reader:
        """What it has written, line by line."""
        _, body = self._find(term)
        return body.console.read(spec, running=body.running)

    def resize(self, term: str, height: int, width: int) -> None:
        """Its user's terminal has other dimensions."""
        container, body = self._find(term)
        _running(container, body).resize(height, width)
        self._lives.tell(container, "resize", height=str(height), width=str(width))

    def top(self, term: str) -> Sequence[ProcessRow]:
        """Its processes."""
        container, body = self._find(term)
        task = _running(container, body)
        self._lives.tell(container, "top")
        base = task.userland.pid_base
        return [
            ProcessRow(
                user="root",
                pid=base + entry.pid,
                parent=base + entry.parent if entry.parent else 1,
                started_s=entry.started_s,
                command=entry.command,
                terminal="pts/0" if entry.terminal else "?",
            )
            for entry in task.userland.processes.values()
        ]


def _running(container: ContainerRecord, body: Body) -> Task:
    if body.task is None:
        raise Conflict(f"container {container.id} is not running")
    return body.task
