"""A conversation between a user's connection and a program's terminal (attach, exec start).

      user --- read ---> detach keys ---> terminal.write
      user <--- write --- frames <------- terminal

It ends when the program's output has ended, when the user detaches, or when the user is gone
altogether. A user who has only sent the last of the input (half-close) still gets all output.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from node.api.backend import Terminal
from node.api.detach import DetachKeys
from node.api.frames import framed
from node.api.http import Connection


@dataclass(frozen=True, slots=True)
class Manner:
    """How the two talk."""

    tty: bool
    stdin: bool
    streams: tuple[int, ...]
    """Whose output the user wants: STDOUT, STDERR."""
    detach_keys: bytes
    """Heeded on a terminal only, as in the engine."""


async def converse(connection: Connection, terminal: Terminal, manner: Manner) -> None:
    """Talk to the end; the terminal stays open."""
    speaking = asyncio.ensure_future(_speak(connection, terminal, manner))
    listening = asyncio.ensure_future(_listen(connection, terminal, manner))
    try:
        await asyncio.wait((speaking, listening), return_when=asyncio.FIRST_COMPLETED)
    finally:
        listening.cancel()
        speaking.cancel()
        ended = await asyncio.gather(speaking, listening, return_exceptions=True)
    for outcome in ended:
        if isinstance(outcome, Exception) and not isinstance(outcome, ConnectionError):
            raise outcome


async def _speak(connection: Connection, terminal: Terminal, manner: Manner) -> None:
    """What the program writes, until it has ended."""
    async for output in terminal:
        if manner.tty:
            await connection.write(output.data)
        elif output.stream in manner.streams:
            await connection.write(framed(output))


async def _listen(connection: Connection, terminal: Terminal, manner: Manner) -> None:
    """What the user types, until they detach or are gone."""
    keys = DetachKeys(manner.detach_keys)
    while data := await connection.read():
        detached = False
        if manner.tty:
            data, detached = keys.watch(data)
        if manner.stdin and data:
            await terminal.write(data)
        if detached:
            return
    if manner.stdin and not manner.tty:  # who hangs up a terminal detaches (moby: container/stream/attach.go)
        terminal.close_stdin()
    await connection.gone()
