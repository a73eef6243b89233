"""A program's view of the world: its arguments, its streams, its container's network and files."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine, Mapping, MutableMapping
from dataclasses import dataclass, field, replace
from typing import Any, ParamSpec, TypeVar

from node.programs.signals import Handlers
from node.programs.steps import Gate, Steps
from node.programs.streams import Pipe, Writer
from node.seams import Clock
from node.stack.sandbox import Sandbox

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

FILES_BYTES_MAX = 1_048_576
"""What the programs of one container may write altogether."""


class NoSpace(Exception):
    """The container's files are full."""


class Files:
    """A container's files: a few that are given and live, and what its programs write.

    ``given`` is read afresh each time, so /etc/hosts is always as it should be now.
    """

    def __init__(self, given: Mapping[str, str]) -> None:
        self._given = given
        self._written: dict[str, bytes] = {}
        self._removed: dict[str, None] = {}

    def read(self, path: str) -> bytes | None:
        """A file's bytes, or None."""
        if path in self._written:
            return self._written[path]
        text = None if path in self._removed else self._given.get(path)
        return None if text is None else text.encode()

    def write(self, path: str, data: bytes) -> None:
        """Make or replace a file. Raises NoSpace."""
        others = sum(len(content) for name, content in self._written.items() if name != path)
        if others + len(data) > FILES_BYTES_MAX:
            raise NoSpace
        self._written[path] = data
        self._removed.pop(path, None)

    def remove(self, path: str) -> bool:
        """Remove a file; False if there is none."""
        there = self.read(path) is not None
        self._written.pop(path, None)
        self._removed[path] = None
        return there

    def paths(self) -> list[str]:
        """Every file, in order."""
        given = [path for path in self._given if path not in self._removed]
        return sorted({*given, *self._written})

    def is_directory(self, path: str) -> bool:
        """Whether files lie below a path; a few directories are always there."""
        if path.rstrip("/") in ("", "/tmp", "/root", "/etc", "/home", "/var", "/proc", "/dev"):  # noqa: S108
            return True
        return any(name.startswith(path.rstrip("/") + "/") for name in self.paths())


@dataclass(slots=True)
class ProcessEntry:
    """A running process as `ps` and `docker top` list it."""

    pid: int
    parent: int
    command: str
    started_s: float
    """Seconds since 1970."""
    terminal: bool = False


@dataclass(slots=True, eq=False)
class Userland:
    """What the programs of one container share."""

    sandbox: Sandbox
    clock: Clock
    chance: random.Random
    hostname: str
    family: str
    """"busybox" or "gnu": whose tools' output it shows."""
    files: Files
    gate: Gate = field(default_factory=Gate)
    """Frozen by `docker pause`."""
    processes: dict[int, ProcessEntry] = field(default_factory=dict)
    pid_base: int = 0
    """What is added to a pid for the one that the host would see."""
    _next_pid: int = 1

    def enter(self, command: str, parent: int, *, terminal: bool) -> ProcessEntry:
        """Count a new process."""
        pid = self._next_pid
        self._next_pid += 1
        entry = ProcessEntry(pid, parent, command, self.clock.wall(), terminal)
        self.processes[pid] = entry
        return entry

    def leave(self, entry: ProcessEntry) -> None:
        """A process has ended."""
        self.processes.pop(entry.pid, None)


@dataclass(slots=True, eq=False)
class Process:
    """What a program is given. It returns its exit code."""

    userland: Userland
    arguments: tuple[str, ...]
    environment: MutableMapping[str, str]
    working_directory: str
    stdin: Pipe
    stdout: Writer
    stderr: Writer
    tty: bool
    pid: int
    signals: Handlers

    @property
    def sandbox(self) -> Sandbox:
        """The network it stands in."""
        return self.userland.sandbox

    @property
    def clock(self) -> Clock:
        """Time."""
        return self.userland.clock

    @property
    def chance(self) -> random.Random:
        """Chance."""
        return self.userland.chance

    def start(
        self,
        work: Callable[Arguments, Coroutine[Any, Any, Result]],
        *arguments: Arguments.args,
        **named: Arguments.kwargs,
    ) -> asyncio.Task[Result]:
        """Run ``work(*arguments)`` beside what the program does; whoever starts it also cancels it."""
        return asyncio.get_running_loop().create_task(self.gated(work, *arguments, **named))

    async def gated(
        self,
        work: Callable[Arguments, Coroutine[Any, Any, Result]],
        *arguments: Arguments.args,
        **named: Arguments.kwargs,
    ) -> Result:
        """What every task of a program is: `docker pause` freezes it as it freezes the program."""
        return await Steps(self.userland.gate, work(*arguments, **named))

    def path(self, name: str) -> str:
        """A path as the program means it, from the root."""
        full = name if name.startswith("/") else f"{self.working_directory.rstrip('/')}/{name}"
        parts: list[str] = []
        for part in full.split("/"):
            if part == "..":
                parts = parts[:-1]
            elif part not in ("", "."):
                parts.append(part)
        return "/" + "/".join(parts)

    def with_arguments(self, arguments: tuple[str, ...]) -> Process:
        """The same process running another program."""
        return replace(self, arguments=arguments)

    def fail(self, message: str, code: int = 1) -> int:
        """Say on stderr what is wrong, and give the exit code back."""
        self.stderr.write(message + "\n")
        return code


Program = Callable[[Process], Awaitable[int]]
"""Runs until it returns its exit code."""
