"""The program sh: a text after -c, a script, or lines from standard input with or without a terminal."""

from __future__ import annotations

from node.model.ids import short
from node.programs.process import Process
from node.programs.shell.builtins import Exit
from node.programs.shell.grammar import Parser
from node.programs.shell.run import SYNTAX_CODE, Shell
from node.programs.shell.tokens import ShellSyntaxError, Tokenizer
from node.programs.signals import SIGINT


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
            return await running.leave(await running.text(arguments[1]))
        if arguments:
            return await running.leave(await _script(running, process, arguments))
        return await running.leave(await _interactive(running, process))
    except Exit as end:
        return await running.leave(end.code)
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
    while True:
        if SIGINT not in running.traps.actions:
            process.signals.on(SIGINT, lambda: process.stdout.write(_prompt(process) * process.tty))
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
