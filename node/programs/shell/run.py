"""Runs parsed commands: lists, pipelines, loops, and the programs that they name."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from node.programs import table
from node.programs.process import Process, Program
from node.programs.shell import grammar
from node.programs.shell.builtins import BUILTINS, Exit, LoopEnded
from node.programs.shell.expand import Expansion, is_assignment
from node.programs.shell.grammar import For, Group, If, List, Parser, Pipeline, Simple, While
from node.programs.shell.redirect import redirected
from node.programs.shell.tokens import ShellSyntaxError, Tokenizer
from node.programs.signals import SIGINT, Handlers
from node.programs.streams import BrokenPipe, Pipe, Writer

SYNTAX_CODE = 2
NOT_FOUND_CODE = 127
STEPS_BETWEEN_YIELDS = 64
TURN_S = 0.000_1
"""What a turn of a loop takes: it lets others run, and time pass, on virtual time too."""


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
        self._expansion = Expansion(self)

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
                work = process.start(self._pipeline, step.pipeline, process)
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
            await process.clock.sleep(TURN_S)
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
            shell = self.copy(part)
            reads, writes = stdin if index else None, None if last else pipe
            work.append(process.start(shell._part, command, shell.process, reads, writes))
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

    def copy(self, process: Process) -> Shell:
        """A shell that starts from where this one stands, and changes nothing in it."""
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
                for value in await self._expansion.fields(command.words, process):
                    process.environment[command.name] = value
                    if not await self._turn(command.body, process):
                        break
                return self.status
            case Group():
                if not command.own:
                    return await self.sequence(command.body, process)
                inner = self.copy(process)
                try:
                    return await inner.sequence(command.body, inner.process)
                except Exit as end:
                    return end.code

    async def _while(self, command: While, process: Process) -> int:
        self.status, status = 0, 0
        while (await self._condition(command.condition, process) == 0) != command.until:
            if not await self._turn(command.body, process):
                break
            status = self.status
        return status

    async def _turn(self, body: List, process: Process) -> bool:
        """One turn of a loop; False after `break`."""
        await process.clock.sleep(TURN_S)
        try:
            await self.sequence(body, process)
        except LoopEnded as end:
            return end.again
        return True

    async def _condition(self, condition: List, process: Process) -> int:
        strict, self.exit_on_error = self.exit_on_error, False
        try:
            return await self.sequence(condition, process)
        finally:
            self.exit_on_error = strict

    async def _simple(self, command: Simple, process: Process) -> int:
        assigned = 0
        while assigned < len(command.words) and is_assignment(command.words[assigned]):
            assigned += 1
        texts = [await self._expansion.unsplit(word, process) for word in command.words[:assigned]]
        changes = dict(text.partition("=")[::2] for text in texts)
        words = await self._expansion.fields(command.words[assigned:], process)
        try:
            process, finish = await redirected(command, process, self._expansion)
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
        work = process.start(_call, program, child)
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


async def _call(program: Program, process: Process) -> int:
    """Calls only once it runs: a task that is cancelled before has nothing left open."""
    return await program(process)


def _end(work: asyncio.Task[int]) -> None:
    work.cancel()


def _cancelling() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
