"""Runs the programs of a container: its main one (pid 1) and further ones (exec).

    start(Run) --> Task: wait, kill, pause, resume, type, close_stdin
                     |
                   Userland: what all programs of the container share

Pid 1 is special, as in every Linux container: a signal that it does not handle itself is ignored,
except SIGKILL; so `docker stop` of a plain `sleep` takes its whole ten seconds (pid_namespaces(7)).
When it ends, all others end with it.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from node.errors import Failed
from node.model.output import STDERR, STDOUT
from node.programs import applets
from node.programs.catalogue import Image
from node.programs.console import Console
from node.programs.process import Files, Process, Program, Userland
from node.programs.signals import IGNORED_BY_DEFAULT, SIGKILL, Handlers
from node.programs.steps import Steps
from node.programs.streams import BrokenPipe, Pipe, Writer
from node.programs.terminal import LineDiscipline, printed
from node.seams import Clock
from node.stack.sandbox import Sandbox

BROKEN_PIPE_CODE = 141
"""128 and SIGPIPE."""
NOT_EXECUTABLE_CODE = 126
NOT_FOUND_CODE = 127
CANNOT_START_CODE = 128


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """Everything about a container's main program."""

    arguments: tuple[str, ...]
    environment: tuple[str, ...]
    working_directory: str
    image: Image
    hostname: str
    files: Mapping[str, str]
    tty: bool
    open_stdin: bool
    sandbox: Sandbox
    clock: Clock
    chance: random.Random
    console: Console


class NotExecutable(Failed):
    """The container has no program of that name."""


class Task:
    """A running program. ``bug`` hears of an exception that the program should not have raised."""

    def __init__(
        self,
        userland: Userland,
        process: Process,
        console: Console,
        bug: Callable[[Exception], None],
    ) -> None:
        self.userland = userland
        self.process = process
        self.console = console
        self.others: dict[Task, None] = {}
        """Further programs of the container, which end with this one."""
        self._bug = bug
        self._discipline = LineDiscipline() if process.tty else None
        self._killed_by = 0
        self._work = asyncio.get_running_loop().create_task(self._main())

    @property
    def pid(self) -> int:
        """As the host would see it."""
        return self.userland.pid_base + self.process.pid

    async def _main(self) -> int:
        process = self.process
        program = applets.find(process.arguments[0])
        assert program is not None, "a program is looked up before it is started"
        try:
            return await Steps(self.userland.gate, _coroutine(program, process))
        except asyncio.CancelledError:
            return 128 + (self._killed_by or SIGKILL)
        except BrokenPipe:
            return BROKEN_PIPE_CODE
        except Exception as error:  # noqa: BLE001 - a bug in a program ends that program, not the node
            process.stderr.write(f"{process.arguments[0]}: internal error: {error}\n")
            self._bug(error)
            return 1
        finally:
            process.stdin.abandon()
            self.userland.processes.pop(process.pid, None)

    async def wait(self) -> int:
        """Its exit code, once it has ended."""
        code = await asyncio.shield(self._work)
        for other in list(self.others):
            other.kill(SIGKILL)
        return code

    def kill(self, signal: int) -> None:
        """Deliver a signal."""
        if signal == SIGKILL:
            self.userland.gate.thaw()
        elif self.process.signals.deliver(signal) or self.process.pid == 1 or signal in IGNORED_BY_DEFAULT:
            return
        self._killed_by = signal
        self._work.cancel()

    def pause(self) -> None:
        """Freeze all programs of the container."""
        self.userland.gate.freeze()

    def resume(self) -> None:
        """Let them go on."""
        self.userland.gate.thaw()

    def resize(self, height: int, width: int) -> None:
        """The user's terminal has other dimensions now."""
        self.process.environment["LINES"] = str(height)
        self.process.environment["COLUMNS"] = str(width)

    async def type(self, data: bytes) -> None:
        """Input from its user; waits while the program has more than it reads."""
        if self._discipline is None:
            self.process.stdin.feed(data)
        else:
            typed = self._discipline.type(data)
            if typed.echo:
                self.console.write(STDOUT, typed.echo)
            self.process.stdin.feed(typed.data)
            for signal in typed.signals:
                self.kill(signal)
            if typed.ended:
                self.process.stdin.end_once()
        try:
            await self.process.stdin.drain()
        except BrokenPipe:
            return  # it has ended, or closed its input: what is typed now is lost, as ever

    def close_stdin(self) -> None:
        """Its user has no more input."""
        self.process.stdin.end()


async def _coroutine(program: Program, process: Process) -> int:
    return await program(process)


def start(run: Run, bug: Callable[[Exception], None]) -> Task:
    """Start a container's main program. Raises NotExecutable."""
    files = Files(run.files)
    if run.image.os_release:
        files.write("/etc/os-release", run.image.os_release.encode())
    if reason := _refusal(run.arguments[0], files):
        raise NotExecutable(
            "failed to create task for container: failed to create shim task: OCI runtime create failed: "
            "runc create failed: unable to start container process: error during container init: "
            f'exec: "{run.arguments[0]}": {reason}: unknown'
        )
    userland = Userland(
        sandbox=run.sandbox,
        clock=run.clock,
        chance=run.chance,
        hostname=run.hostname,
        family=run.image.family,
        files=files,
        pid_base=run.chance.randrange(2_000, 4_000_000),
    )
    stdin = Pipe()
    if not run.open_stdin:
        stdin.end()
    environment = _environment(run.environment, run.hostname, tty=run.tty)
    process = _process(userland, run.arguments, environment, stdin, run.console, tty=run.tty)
    process.working_directory = run.working_directory or "/"
    return Task(userland, process, run.console, bug)


def start_further(
    main: Task,
    arguments: tuple[str, ...],
    environment: tuple[str, ...],
    console: Console,
    *,
    tty: bool,
    open_stdin: bool,
) -> Task:
    """Run one more program in a container (`docker exec`). Raises NotExecutable."""
    if reason := _refusal(arguments[0], main.userland.files):
        raise NotExecutable(
            "OCI runtime exec failed: exec failed: unable to start container process: "
            f'exec: "{arguments[0]}": {reason}'
        )
    stdin = Pipe()
    if not open_stdin:
        stdin.end()
    own = {**main.process.environment, **dict(text.partition("=")[::2] for text in environment)}
    process = _process(main.userland, arguments, own, stdin, console, tty=tty)
    process.working_directory = main.process.working_directory
    task = Task(main.userland, process, console, main._bug)
    main.others[task] = None
    task._work.add_done_callback(lambda _: main.others.pop(task, None))
    return task


def _refusal(command: str, files: Files) -> str:
    """Why a command cannot be run, in the container runtime's words; empty if it can."""
    if applets.find(command) is not None:
        return ""
    if "/" not in command:
        return "executable file not found in $PATH"
    if files.is_directory(command):
        return "is a directory"
    if files.read(command) is not None:
        return "permission denied"
    return f"stat {command}: no such file or directory"


def exit_code(error: Exception) -> int:
    """What a container or an exec ends with that could not be started (moby: daemon/start.go)."""
    if not isinstance(error, NotExecutable):
        return CANNOT_START_CODE
    reasons = ("is a directory", "permission denied")
    return NOT_EXECUTABLE_CODE if any(reason in str(error) for reason in reasons) else NOT_FOUND_CODE


def _process(
    userland: Userland,
    arguments: tuple[str, ...],
    environment: dict[str, str],
    stdin: Pipe,
    console: Console,
    *,
    tty: bool,
) -> Process:
    shown = printed if tty else bytes
    entry = userland.enter(" ".join(arguments), 0, terminal=tty)
    return Process(
        userland=userland,
        arguments=arguments,
        environment=environment,
        working_directory="/",
        stdin=stdin,
        stdout=Writer(lambda data: console.write(STDOUT, shown(data)), console.drain),
        stderr=Writer(lambda data: console.write(STDOUT if tty else STDERR, shown(data)), console.drain),
        tty=tty,
        pid=entry.pid,
        signals=Handlers(),
    )


def _environment(given: tuple[str, ...], hostname: str, *, tty: bool) -> dict[str, str]:
    """What the engine sets, and what the image and the user add."""
    environment = {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOSTNAME": hostname,
        **({"TERM": "xterm"} if tty else {}),
    }
    for text in given:
        name, equals, value = text.partition("=")
        if equals:
            environment[name] = value
    environment.setdefault("HOME", "/root")
    return environment
