"""Runs the commands that contain others: if, loops, case, functions, groups, conditions."""

from __future__ import annotations

import fnmatch
from typing import TYPE_CHECKING

from node.programs import basics
from node.programs.process import Process
from node.programs.shell.builtins import Exit, LoopEnded
from node.programs.shell.conditional import holds
from node.programs.shell.redirect import redirected
from node.programs.shell.syntax import (
    Case,
    Compound,
    Condition,
    For,
    Function,
    Group,
    If,
    List,
    Redirected,
    While,
)
from node.programs.shell.tokens import Word

if TYPE_CHECKING:
    from node.programs.shell.run import Shell

TURN_S = 0.000_1
"""What a turn of a loop takes: it lets others run, and time pass, on virtual time too."""


async def perform(shell: Shell, command: Compound, process: Process) -> int:
    """Run a command that is not simple; its exit code."""
    match command:
        case If():
            for condition, body in command.branches:
                if await _condition(shell, condition, process) == 0:
                    return await shell.sequence(body, process)
            return 0 if command.otherwise is None else await shell.sequence(command.otherwise, process)
        case While():
            return await _while(shell, command, process)
        case For():
            shell.status = 0
            for value in await shell.expansion.fields(command.words, process):
                process.environment[command.name] = value
                if not await _turn(shell, command.body, process):
                    break
            return shell.status
        case Case():
            return await _case(shell, command, process)
        case Function():
            shell.functions[command.name] = command.body
            return 0
        case Condition():
            return await _holds(shell, command, process)
        case Redirected():
            return await _redirected(shell, command, process)
        case Group():
            return await _group(shell, command, process)


async def _redirected(shell: Shell, command: Redirected, process: Process) -> int:
    try:
        process, finish = await redirected(command.redirections, process, shell.expansion)
    except OSError as error:
        return process.fail(f"{shell.name}: {error}")
    try:
        return await shell.command(command.command, process)
    finally:
        if finish is not None:
            finish()


async def _group(shell: Shell, command: Group, process: Process) -> int:
    if not command.own:
        return await shell.sequence(command.body, process)
    inner = shell.copy(process)
    try:
        code = await inner.sequence(command.body, inner.process)
    except Exit as end:
        code = end.code
    return await inner.leave(code)


async def _case(shell: Shell, command: Case, process: Process) -> int:
    value = await shell.expansion.unsplit(command.word, process)
    for patterns, body in command.branches:
        for word in patterns:
            if fnmatch.fnmatchcase(value, await shell.expansion.pattern(word, process)):
                shell.status = 0
                return await shell.sequence(body, process)
    return 0


async def _holds(shell: Shell, condition: Condition, process: Process) -> int:
    async def value_of(word: Word, as_pattern: bool) -> str:
        expand = shell.expansion.pattern if as_pattern else shell.expansion.unsplit
        return await expand(word, process)

    try:
        return 0 if await holds(condition, value_of, lambda words: basics.holds(process, words)) else 1
    except ValueError as error:
        return process.fail(f"{shell.name}: [[: {error}", 2)


async def _while(shell: Shell, command: While, process: Process) -> int:
    shell.status, status = 0, 0
    while (await _condition(shell, command.condition, process) == 0) != command.until:
        if not await _turn(shell, command.body, process):
            break
        status = shell.status
    return status


async def _turn(shell: Shell, body: List, process: Process) -> bool:
    """One turn of a loop; False after `break`."""
    await process.clock.sleep(TURN_S)
    shell.loops += 1
    try:
        await shell.sequence(body, process)
    except LoopEnded as end:
        return end.again
    finally:
        shell.loops -= 1
    return True


async def _condition(shell: Shell, condition: List, process: Process) -> int:
    strict, shell.exit_on_error = shell.exit_on_error, False
    try:
        return await shell.sequence(condition, process)
    finally:
        shell.exit_on_error = strict
