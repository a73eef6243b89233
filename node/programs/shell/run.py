"""Runs parsed commands: lists, pipelines, loops, and the programs that they name."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from node.programs import table
from node.programs.process import Process, Program
from node.programs.shell import compound
from node.programs.shell.builtins import BUILTINS, Exit, Returned
from node.programs.shell.expand import Expansion, is_assignment
from node.programs.shell.grammar import Parser
from node.programs.shell.redirect import redirected
from node.programs.shell.syntax import Command, List, Pipeline, Simple
from node.programs.shell.tokens import ShellSyntaxError, Tokenizer
from node.programs.shell.traps import EXIT, Traps
from node.programs.signals import SIGINT, Handlers
from node.programs.streams import BrokenPipe, Pipe, Writer

SYNTAX_CODE = 2
NOT_FOUND_CODE = 127
DEPTH_MAX = 100
"""Of commands within commands, when functions call themselves."""
SUBSHELL_DEPTH = 10
"""What a shell within a shell counts as, so that they cannot double without end."""
BACKGROUND_MAX = 1_000
STEPS_BETWEEN_YIELDS = 64


class Shell:
    """One shell: its variables, its last exit code, its background work."""

    def __init__(self, process: Process, name: str) -> None:
        self.process = process
        self.name = name
        self.status = 0
        self.positional: tuple[str, ...] = ()
        self.exit_on_error = False
        self.background: list[asyncio.Task[int]] = []
        self.functions: dict[str, Command] = {}
        self.locals: list[dict[str, str | None]] = []
        """What the variables were that functions, the outermost first, have made their own."""
        self.traps = Traps(process.signals)
        self.loops = 0
        """Those around the command that runs."""
        self._steps = 0
        self._depth = 0
        self.expansion = Expansion(self)

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
            while self.traps.pending:
                await self._act(self.traps.next())
            if (step.condition == "&&" and self.status != 0) or (step.condition == "||" and self.status == 0):
                continue
            if step.background:
                self.background = [work for work in self.background if not work.done()]
                if len(self.background) >= BACKGROUND_MAX:
                    process.fail(f"{self.name}: can't fork: Resource temporarily unavailable")
                    raise Exit(2)
                self.background.append(process.start(self.copy(process)._behind, step.pipeline))
                self.status = 0
                continue
            self.status = await self._pipeline(step.pipeline, process)
            if self.exit_on_error and self.status != 0 and not step.condition:
                raise Exit(self.status)
        while self.traps.pending:
            await self._act(self.traps.next())
        return self.status

    async def leave(self, code: int) -> int:
        """Run the trap for the end, if there is one; the exit code."""
        action = self.traps.actions.pop(EXIT, "")
        self.status = code
        try:
            await self._act(action)
        except Exit as end:
            return end.code
        return code

    async def _act(self, action: str) -> None:
        """Run a trap's action, which leaves the last exit code as it was."""
        status = self.status
        await self.text(action)
        self.status = status

    async def _pipeline(self, pipeline: Pipeline, process: Process) -> int:
        self._steps += 1
        if self._steps % STEPS_BETWEEN_YIELDS == 0:
            await process.clock.sleep(compound.TURN_S)
        commands = pipeline.commands
        if len(commands) == 1:
            status = await self.command(commands[0], process)
        else:
            status = await self._piped(commands, process)
        return (0 if status else 1) if pipeline.negated else status

    async def _piped(self, commands: tuple[Command, ...], process: Process) -> int:
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

    async def _behind(self, pipeline: Pipeline) -> int:
        """What & puts in the background: a shell of its own."""
        try:
            return await self._pipeline(pipeline, self.process)
        except BrokenPipe:
            return 141
        except Exit as end:
            return end.code

    async def _part(self, command: Command, process: Process, reads: Pipe | None, writes: Pipe | None) -> int:
        try:
            return await self.command(command, process)
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
        other.traps = Traps(process.signals, self.traps)
        other.functions, other.locals = dict(self.functions), [*self.locals]
        other._depth = self._depth + SUBSHELL_DEPTH
        return other

    async def command(self, command: Command, process: Process) -> int:
        """Run one command."""
        if self._depth >= DEPTH_MAX:
            process.fail(f"{self.name}: commands are nested too deeply")
            raise Exit(2)
        self._depth += 1
        try:
            if isinstance(command, Simple):
                return await self._simple(command, process)
            return await compound.perform(self, command, process)
        finally:
            self._depth -= 1

    async def _simple(self, command: Simple, process: Process) -> int:
        assigned = 0
        while assigned < len(command.words) and is_assignment(command.words[assigned]):
            assigned += 1
        texts = [await self.expansion.unsplit(word, process) for word in command.words[:assigned]]
        changes = dict(text.partition("=")[::2] for text in texts)
        words = await self.expansion.fields(command.words[assigned:], process)
        try:
            process, finish = await redirected(command.redirections, process, self.expansion)
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
        function = self.functions.get(words[0])
        if function is not None:
            return await self._call(function, words, process)
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
        work = process.start(_execute, program, child)
        # ^C goes to the program in the foreground, not to the shell.
        process.signals.on(SIGINT, lambda: self._interrupt(handlers, work))
        try:
            return await work
        except asyncio.CancelledError:
            if not work.cancelled() or _cancelling():
                work.cancel()
                raise
            return 128 + SIGINT
        finally:
            self.traps.listen()
            userland.leave(entry)

    def _interrupt(self, handlers: Handlers, work: asyncio.Task[int]) -> None:
        self.traps.come(SIGINT)
        if not handlers.deliver(SIGINT):
            work.cancel()

    async def _call(self, function: Command, words: tuple[str, ...], process: Process) -> int:
        """Run a function with positional parameters, and variables, of its own."""
        before, self.positional = self.positional, words[1:]
        self.locals.append({})
        try:
            return await self.command(function, process)
        except Returned as end:
            return end.code
        finally:
            self.positional = before
            for name, value in self.locals.pop().items():
                process.environment.pop(name, None)
                if value is not None:
                    process.environment[name] = value


async def _execute(program: Program, process: Process) -> int:
    """Calls only once it runs: a task that is cancelled before has nothing left open."""
    return await program(process)


def _cancelling() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
