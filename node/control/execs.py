"""Further commands in running containers: `docker exec`."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator

import msgspec

from node.control.bodies import Body
from node.control.lives import Lives
from node.control.registry import Registry
from node.errors import Conflict, NotFound
from node.model.container import ContainerRecord
from node.model.exec import ExecRecord, ExecSpec
from node.model.ids import local_id
from node.model.output import STDOUT, AttachSpec, Output
from node.programs.console import Console, Reader
from node.programs.runtime import NotExecutable, Task, exit_code, start_further
from node.seams import Clock
from node.tasks import TaskScope

EXECS_MAX = 1000
"""Remembered on one node; beyond it the oldest that has ended is forgotten."""


def _command_line(spec: ExecSpec) -> str:
    """As events tell it: the program, a blank, and its arguments, of which there may be none."""
    return f"{spec.command[0]} {' '.join(spec.command[1:])}"


class ExecTerminal:
    """An exec's input and output from where its user sits (node/api/backend.py)."""

    def __init__(self, reader: Reader, task: Task | None) -> None:
        self._reader = reader
        self._task = task

    def __aiter__(self) -> AsyncIterator[Output]:
        return self._reader.__aiter__()

    def close(self) -> None:
        """Nobody reads any more."""
        self._reader.close()

    async def write(self, data: bytes) -> None:
        """Give the program input."""
        if self._task is not None:
            await self._task.type(data)

    def close_stdin(self) -> None:
        """The user has no more input."""
        if self._task is not None:
            self._task.close_stdin()


class Execs:
    """See the module."""

    def __init__(
        self, registry: Registry, lives: Lives, clock: Clock, chance: random.Random, tasks: TaskScope
    ) -> None:
        self._registry = registry
        self._lives = lives
        self._clock = clock
        self._chance = chance
        self._tasks = tasks
        self._records: dict[str, ExecRecord] = {}
        self._running: dict[str, Task] = {}

    def find(self, identity: str) -> ExecRecord:
        """Raises NotFound."""
        record = self._records.get(identity)
        if record is None:
            raise NotFound(f"No such exec instance: {identity}")
        return record

    async def create(self, term: str, spec: ExecSpec) -> str:
        """Its id."""
        container, body = self._body(term)
        self._make_room()
        record = ExecRecord(id=local_id(self._chance), container=container.id, spec=spec)
        self._records[record.id] = record
        self._lives.tell(container, f"exec_create: {_command_line(spec)}", execID=record.id)
        assert body.task is not None
        return record.id

    def _body(self, term: str) -> tuple[ContainerRecord, Body]:
        container = self._registry.find(term)
        body = self._lives.body(container)
        if body.task is None:
            raise Conflict(f"container {container.id} is not running")
        if container.state.status == "paused":
            raise Conflict(f"Container {term} is paused, unpause the container before exec")
        return container, body

    def _make_room(self) -> None:
        for identity, record in list(self._records.items()):
            gone = self._registry.get(record.container) is None
            crowded = len(self._records) >= EXECS_MAX and record.exit_code is not None
            if identity not in self._running and (gone or crowded):
                del self._records[identity]

    async def start(self, identity: str, *, console_size: tuple[int, int]) -> ExecTerminal:
        """Run it. A command that cannot be run says so in its output and by its exit code."""
        record = self.find(identity)
        if record.running or record.exit_code is not None:
            raise Conflict(f"exec process {identity} has already run")
        container, body = self._body(record.container)
        spec = record.spec
        console = Console(self._clock)
        reader = console.attach(AttachSpec(stream=True, stdout=True, stderr=True))
        assert body.task is not None
        try:
            task = start_further(
                body.task,
                spec.command,
                spec.environment,
                console,
                tty=spec.tty,
                open_stdin=spec.attach_stdin,
            )
        except NotExecutable as error:
            text = f"{error}\r\n" if spec.tty else f"{error}\n"
            console.write(STDOUT, text.encode())
            console.end()
            self._change(identity, exit_code=exit_code(error))
            return ExecTerminal(reader, None)
        if spec.working_directory:
            task.process.working_directory = spec.working_directory
        if any(console_size):
            task.resize(*console_size)
        self._running[identity] = task
        self._change(identity, running=True, pid=task.pid)
        self._lives.tell(container, f"exec_start: {_command_line(spec)}", execID=identity)
        self._tasks.start(self._watch(container, identity, task, console), f"exec {identity[:12]}")
        return ExecTerminal(reader, task)

    async def _watch(self, container: ContainerRecord, identity: str, task: Task, console: Console) -> None:
        code = await task.wait()
        self._running.pop(identity, None)
        self._change(identity, running=False, exit_code=code, pid=0)
        console.end()
        self._lives.tell(container, "exec_die", execID=identity, exitCode=str(code))

    def _change(self, identity: str, **fields: object) -> None:
        record = self._records.get(identity)
        if record is not None:
            self._records[identity] = msgspec.structs.replace(record, **fields)

    def resize(self, identity: str, height: int, width: int) -> None:
        """Its user's terminal has other dimensions."""
        self.find(identity)
        if identity in self._running:
            self._running[identity].resize(height, width)
