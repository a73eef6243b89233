"""Runs parsed commands: expands words, redirects, pipes, and starts programs.

sh -c TEXT      the text
sh              lines from standard input; with a terminal, after a prompt
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from node.model.ids import short
from node.programs import table
from node.programs.process import NoSpace, Process
from node.programs.shell import grammar
from node.programs.shell.builtins import BUILTINS, Exit
from node.programs.shell.grammar import For, Group, If, List, Parser, Pipeline, Simple, While
from node.programs.shell.tokens import Piece, ShellSyntaxError, Tokenizer, Word
from node.programs.signals import SIGINT, Handlers
from node.programs.streams import BrokenPipe, Pipe, Writer

SYNTAX_CODE = 2
NOT_FOUND_CODE = 127
STEPS_BETWEEN_YIELDS = 64
"""A loop of builtins lets others run now and then."""


class Shell:
    """One shell: its variables, its last exit code, its background work."""

    def __init__(self, process: Process, name: str) -> None:
        self.process = process
        self.name = name
        self.status = 0
        self.positional: tuple[str, ...] = ()
        self.exit_on_error = False
        self.background: list[asyncio.Task[int]] = []
        self._steps = 0

    async def text(self, text: str) -> int:
        """Run a whole text."""
        try:
            commands = Parser(Tokenizer(text).tokens()).program()
        except ShellSyntaxError as error:
            self.status = self.process.fail(f"{self.name}: {error}", SYNTAX_CODE)
            return self.status
        return await self.sequence(commands, self.process)

    # -- commands ---------------------------------------------------------------------------------

    async def sequence(self, commands: List, process: Process) -> int:
        """Pipelines in order, as their conditions say."""
        for step in commands.steps:
            if (step.condition == "&&" and self.status != 0) or (step.condition == "||" and self.status == 0):
                continue
            if step.background:
                work = asyncio.get_running_loop().create_task(self._pipeline(step.pipeline, process))
                self.background.append(work)
                self.status = 0
                continue
            self.status = await self._pipeline(step.pipeline, process)
            if self.exit_on_error and self.status != 0 and not step.condition:
                raise Exit(self.status)
        return self.status

    async def _pipeline(self, pipeline: Pipeline, process: Process) -> int:
        self._steps += 1
        if self._steps % STEPS_BETWEEN_YIELDS == 0:
            await process.clock.sleep(0)
        commands = pipeline.commands
        if len(commands) == 1:
            status = await self._command(commands[0], process)
        else:
            status = await self._piped(commands, process)
        return (0 if status else 1) if pipeline.negated else status

    async def _piped(self, commands: tuple[grammar.Command, ...], process: Process) -> int:
        """All at once, each in a shell of its own, as in POSIX."""
        work: list[asyncio.Task[int]] = []
        stdin = process.stdin
        for index, command in enumerate(commands):
            last = index == len(commands) - 1
            pipe = Pipe()
            stdout = process.stdout if last else Writer(pipe.feed, pipe.drain)
            part = replace(process, stdin=stdin, stdout=stdout)
            work.append(
                asyncio.get_running_loop().create_task(
                    self._copy(part)._part(command, part, stdin if index else None, None if last else pipe)
                )
            )
            stdin = pipe
        try:
            statuses = [await task for task in work]
        except asyncio.CancelledError:
            for task in work:
                task.cancel()
            raise
        return statuses[-1]

    async def _part(
        self, command: grammar.Command, process: Process, reads: Pipe | None, writes: Pipe | None
    ) -> int:
        try:
            return await self._command(command, process)
        except BrokenPipe:
            return 141
        except Exit as end:
            return end.code
        finally:
            if reads is not None:
                reads.abandon()
            if writes is not None:
                writes.end()

    def _copy(self, process: Process) -> Shell:
        other = Shell(replace(process, environment=dict(process.environment)), self.name)
        other.status, other.positional = self.status, self.positional
        return other

    async def _command(self, command: grammar.Command, process: Process) -> int:
        match command:
            case Simple():
                return await self._simple(command, process)
            case If():
                for condition, body in command.branches:
                    if await self._condition(condition, process) == 0:
                        return await self.sequence(body, process)
                return 0 if command.otherwise is None else await self.sequence(command.otherwise, process)
            case While():
                return await self._while(command, process)
            case For():
                self.status = 0
                for value in await self._fields(command.words, process):
                    process.environment[command.name] = value
                    await self.sequence(command.body, process)
                return self.status
            case Group():
                if not command.own:
                    return await self.sequence(command.body, process)
                inner = self._copy(process)
                try:
                    return await inner.sequence(command.body, inner.process)
                except Exit as end:
                    return end.code

    async def _while(self, command: While, process: Process) -> int:
        status = 0
        while (await self._condition(command.condition, process) == 0) != command.until:
            status = await self.sequence(command.body, process)
            self._steps += 1
            await process.clock.sleep(0)
        return status

    async def _condition(self, condition: List, process: Process) -> int:
        strict, self.exit_on_error = self.exit_on_error, False
        try:
            return await self.sequence(condition, process)
        finally:
            self.exit_on_error = strict

    async def _simple(self, command: Simple, process: Process) -> int:
        assigned = 0
        while assigned < len(command.words) and _is_assignment(command.words[assigned]):
            assigned += 1
        texts = [await self._unsplit(word, process) for word in command.words[:assigned]]
        changes = dict(text.partition("=")[::2] for text in texts)
        words = await self._fields(command.words[assigned:], process)
        try:
            process, finish = await self._redirect(command, process)
        except OSError as error:
            return process.fail(f"{self.name}: {error}")
        try:
            if not words:
                process.environment.update(changes)
                return 0
            if changes:
                process = replace(process, environment={**process.environment, **changes})
            return await self._run(tuple(words), process)
        finally:
            if finish is not None:
                finish()

    async def _run(self, words: tuple[str, ...], process: Process) -> int:
        builtin = BUILTINS.get(words[0])
        if builtin is not None:
            return await builtin(self, process.with_arguments(words))
        program = table.find(words[0])
        if program is None:
            return process.fail(f"{self.name}: {words[0]}: not found", NOT_FOUND_CODE)
        userland = process.userland
        entry = userland.enter(" ".join(words), process.pid, terminal=process.tty)
        handlers = Handlers()
        child = replace(
            process,
            arguments=words,
            environment=dict(process.environment),
            pid=entry.pid,
            signals=handlers,
        )
        work = asyncio.get_running_loop().create_task(_coroutine(program(child)))
        # ^C goes to the program in the foreground, not to the shell.
        process.signals.on(SIGINT, lambda: None if handlers.deliver(SIGINT) else _end(work))
        try:
            return await work
        except asyncio.CancelledError:
            if not work.cancelled() or _cancelling():
                work.cancel()
                raise
            return 128 + SIGINT
        finally:
            process.signals.clear(SIGINT)
            userland.leave(entry)

    # -- words ------------------------------------------------------------------------------------

    async def _fields(self, words: tuple[Word, ...], process: Process) -> list[str]:
        return [field for word in words for field in await self._expand(word, process)]

    async def _unsplit(self, word: Word, process: Process) -> str:
        """A word as one text, whatever blanks an expansion brings: what an assignment takes."""
        return "".join([await self._value(piece, process) for piece in word.pieces])

    async def _expand(self, word: Word, process: Process) -> list[str]:
        """A word as the fields that it becomes: unquoted expansions are split at blanks."""
        fields = [""]
        present = False
        for piece in word.pieces:
            value = await self._value(piece, process)
            if piece.quoted or piece.kind == "text":
                fields[-1] += value
                present = present or piece.quoted or bool(value)
                continue
            parts = value.split()
            if value[:1].isspace() and fields[-1]:
                fields.append("")
            for index, part in enumerate(parts):
                if index:
                    fields.append("")
                fields[-1] += part
            if parts and value[-1:].isspace():
                fields.append("")
        return [field for index, field in enumerate(fields) if field or (present and index == 0)]

    async def _value(self, piece: Piece, process: Process) -> str:
        if piece.kind == "text":
            return piece.text
        if piece.kind == "command":
            return await self._output_of(piece.text, process)
        name, _, default = piece.text.partition(":-")
        value = self._variable(name, process)
        return default if not value and default else value

    def _variable(self, name: str, process: Process) -> str:
        if name.isdecimal():
            number = int(name)
            if number == 0:
                return self.name
            return self.positional[number - 1] if number <= len(self.positional) else ""
        match name:
            case "?":
                return str(self.status)
            case "$":
                return str(process.pid)
            case "#":
                return str(len(self.positional))
            case "@" | "*":
                return " ".join(self.positional)
        return process.environment.get(name, "")

    async def _output_of(self, text: str, process: Process) -> str:
        """$(...): what the commands in it write."""
        written = bytearray()
        inner = self._copy(replace(process, stdout=Writer(written.extend)))
        try:
            self.status = await inner.text(text)
        except Exit as end:
            self.status = end.code
        return written.decode(errors="replace").rstrip("\n")

    # -- redirections -----------------------------------------------------------------------------

    async def _redirect(self, command: Simple, process: Process) -> tuple[Process, Callable[[], None] | None]:
        """The process with its streams redirected, and what to do when it has ended."""
        files: list[tuple[str, bytearray]] = []
        for redirection in command.redirections:
            match redirection.operator:
                case "2>&1":
                    process = replace(process, stderr=process.stdout)
                    continue
                case ">&2" | "1>&2":
                    process = replace(process, stdout=process.stderr)
                    continue
            assert redirection.target is not None
            names = await self._expand(redirection.target, process)
            if len(names) != 1:
                raise OSError("ambiguous redirect")
            path = process.path(names[0])
            if redirection.operator == "<":
                process = replace(process, stdin=_reading(process, path, names[0]))
                continue
            written = bytearray()
            if redirection.operator.endswith(">>"):
                written += process.userland.files.read(path) or b""
            writer = Writer(written.extend)
            if path != "/dev/null":
                files.append((path, written))
            if redirection.operator.startswith("2"):
                process = replace(process, stderr=writer)
            else:
                process = replace(process, stdout=writer)
        if not files:
            return process, None

        def finish() -> None:
            for path, written in files:
                try:
                    process.userland.files.write(path, bytes(written))
                except NoSpace:
                    process.fail(f"{self.name}: write error: No space left on device")

        return process, finish


def _reading(process: Process, path: str, name: str) -> Pipe:
    pipe = Pipe()
    if path != "/dev/null":
        content = process.userland.files.read(path)
        if content is None:
            raise OSError(f"can't open {name}: no such file")
        pipe.feed(content)
    pipe.end()
    return pipe


def _is_assignment(word: Word) -> bool:
    """name=..., with the name and the sign written plainly."""
    name = ""
    for piece in word.pieces:
        if piece.kind != "text" or piece.quoted:
            return False
        if piece.text == "=":
            return name.replace("_", "a").isalnum() and not name[0].isdecimal()
        name += piece.text
    return False


async def _coroutine(work: Awaitable[int]) -> int:
    return await work


def _end(work: asyncio.Task[int]) -> None:
    work.cancel()


def _cancelling() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


# -- the program ------------------------------------------------------------------------------------


async def shell(process: Process) -> int:
    """sh, bash, ash."""
    arguments = list(process.arguments[1:])
    name = process.arguments[0].rpartition("/")[2]
    running = Shell(process, name)
    try:
        while arguments and arguments[0].startswith("-") and arguments[0] != "-c":
            running.exit_on_error |= "e" in arguments.pop(0)
        if arguments and arguments[0] == "-c":
            if len(arguments) < 2:
                return process.fail(f"{name}: option requires an argument -- 'c'", SYNTAX_CODE)
            running.positional = tuple(arguments[3:])
            return await running.text(arguments[1])
        if arguments:
            return await _script(running, process, arguments)
        return await _interactive(running, process)
    except Exit as end:
        return end.code
    finally:
        for work in running.background:
            work.cancel()


async def _script(running: Shell, process: Process, arguments: list[str]) -> int:
    content = process.userland.files.read(process.path(arguments[0]))
    if content is None:
        return process.fail(f"{running.name}: can't open '{arguments[0]}': No such file or directory", 2)
    running.positional = tuple(arguments[1:])
    return await running.text(content.decode(errors="replace"))


async def _interactive(running: Shell, process: Process) -> int:
    """Read lines until the end; a terminal gets a prompt."""
    pending = ""
    process.signals.on(SIGINT, lambda: process.stdout.write(_prompt(process)) if process.tty else None)
    while True:
        if process.tty:
            process.stdout.write("> " if pending else _prompt(process))
        line = (await process.stdin.read_line()).decode(errors="replace")
        if not line:
            if process.tty:
                process.stdout.write("exit\n" if process.userland.family == "gnu" else "\n")
            return running.status
        pending += line
        if _is_unfinished(pending):
            continue
        text, pending = pending, ""
        await running.text(text)
        process.signals.on(SIGINT, lambda: process.stdout.write(_prompt(process)) if process.tty else None)


def _is_unfinished(text: str) -> bool:
    """Whether more lines are needed: an open quote, or a loop without its end."""
    try:
        Parser(Tokenizer(text).tokens()).program()
    except ShellSyntaxError as error:
        return "end of file" in str(error) or "unterminated" in str(error)
    return False


def _prompt(process: Process) -> str:
    place = process.working_directory
    if process.userland.family == "gnu":
        return f"root@{short(process.userland.hostname)}:{'~' if place == '/root' else place}# "
    return f"{'~' if place == '/root' else place} # "
