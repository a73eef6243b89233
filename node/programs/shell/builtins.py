"""Commands that change the shell itself, and so cannot be programs of their own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from node.programs.process import Process

if TYPE_CHECKING:
    from node.programs.shell.run import Shell


class Exit(Exception):
    """The shell ends with this code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class LoopEnded(Exception):
    """break, or continue where ``again``."""

    def __init__(self, *, again: bool) -> None:
        super().__init__(again)
        self.again = again


class Returned(Exit):
    """A function ends with this code, or the shell within the shell that it runs in."""


async def leave_loop(shell: Shell, process: Process) -> int:
    """break"""
    if shell.loops:
        raise LoopEnded(again=False)
    return 0


async def next_turn(shell: Shell, process: Process) -> int:
    """continue"""
    if shell.loops:
        raise LoopEnded(again=True)
    return 0


async def change_directory(shell: Shell, process: Process) -> int:
    """cd"""
    target = process.arguments[1] if len(process.arguments) > 1 else process.environment.get("HOME", "/")
    path = process.path(target)
    if not process.userland.files.is_directory(path):
        return process.fail(f"{shell.name}: cd: can't cd to {target}: No such file or directory", 2)
    shell.process.working_directory = path
    shell.process.environment["PWD"] = path
    return 0


async def end(shell: Shell, process: Process) -> int:
    """exit"""
    try:
        raise Exit(int(process.arguments[1]) & 0xFF if len(process.arguments) > 1 else shell.status)
    except ValueError:
        process.fail(f"{shell.name}: exit: Illegal number: {process.arguments[1]}")
        raise Exit(2) from None


async def return_(shell: Shell, process: Process) -> int:
    """return"""
    words = process.arguments[1:]
    if not shell.locals:
        return process.fail(f"{shell.name}: return: not in a function", 1)
    if words and not words[0].isdecimal():
        raise Returned(process.fail(f"{shell.name}: return: Illegal number: {words[0]}", 2))
    raise Returned(int(words[0]) & 0xFF if words else shell.status)


async def local(shell: Shell, process: Process) -> int:
    """local"""
    if not shell.locals:
        return process.fail(f"{shell.name}: local: not in a function", 1)
    for word in process.arguments[1:]:
        name, equals, value = word.partition("=")
        shell.locals[-1].setdefault(name, shell.process.environment.get(name))
        if equals:
            shell.process.environment[name] = value
    return 0


async def shift(shell: Shell, process: Process) -> int:
    """shift"""
    words = process.arguments[1:]
    count = int(words[0]) if words and words[0].isdecimal() else 1
    if count > len(shell.positional):
        return process.fail(f"{shell.name}: shift: can't shift that many", 1)
    shell.positional = shell.positional[count:]
    return 0


async def trap(shell: Shell, process: Process) -> int:
    """trap"""
    words = [word for word in process.arguments[1:] if word != "--"]
    if not words:
        process.stdout.write(shell.traps.listing())
        return 0
    action, names = (words[0], words[1:]) if len(words) > 1 else ("-", words)
    for name in names:
        try:
            shell.traps.set(name, action)
        except ValueError:
            return process.fail(f"{shell.name}: trap: {name}: invalid signal specification")
    return 0


async def export(shell: Shell, process: Process) -> int:
    """export"""
    for word in process.arguments[1:]:
        name, equals, value = word.partition("=")
        if equals:
            shell.process.environment[name] = value
    return 0


async def unset(shell: Shell, process: Process) -> int:
    """unset"""
    for name in process.arguments[1:]:
        shell.process.environment.pop(name, None)
    return 0


async def options(shell: Shell, process: Process) -> int:
    """set"""
    for place, word in enumerate(process.arguments[1:], start=1):
        if word == "--":
            shell.positional = process.arguments[place + 1 :]
            break
        if word[:1] in "-+" and "e" in word:
            shell.exit_on_error = word[0] == "-"
    return 0


async def wait(shell: Shell, process: Process) -> int:
    """wait; a signal that has a trap ends it"""
    while shell.background:
        if not await shell.traps.outlast(shell.background[0]):
            return 128 + shell.traps.pending[0]
        shell.background.pop(0)
    return 0


async def colon(shell: Shell, process: Process) -> int:
    """: and true"""
    return 0


async def read(shell: Shell, process: Process) -> int:
    """read"""
    line = (await process.stdin.read_line()).decode(errors="replace")
    names = [name for name in process.arguments[1:] if not name.startswith("-")] or ["REPLY"]
    values = line.rstrip("\n").split(None, len(names) - 1)
    for index, name in enumerate(names):
        shell.process.environment[name] = values[index] if index < len(values) else ""
    return 0 if line else 1


BUILTINS: dict[str, Callable[[Shell, Process], Awaitable[int]]] = {
    "cd": change_directory,
    "exit": end,
    "export": export,
    "unset": unset,
    "set": options,
    "wait": wait,
    ":": colon,
    "read": read,
    "break": leave_loop,
    "continue": next_turn,
    "return": return_,
    "local": local,
    "shift": shift,
    "trap": trap,
}
