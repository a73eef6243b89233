"""Byte streams between a program and whoever is at the other end: bounded, waiting, ended once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

PIPE_BYTES_MAX = 65_536
"""What a pipe holds, as on Linux (pipe(7)); a writer waits beyond it."""


class BrokenPipe(Exception):
    """Nobody will ever read what is written."""


class Pipe:
    """Bytes from one writer to one reader."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._ended = False
        self._ended_once = False
        self._abandoned = False
        self._changed = asyncio.Event()

    def feed(self, data: bytes) -> None:
        """Add bytes without waiting; whoever feeds much waits in drain()."""
        if not self._ended and not self._abandoned:
            self._buffer += data
            self._wake()

    def end(self) -> None:
        """No more will come."""
        self._ended = True
        self._wake()

    def end_once(self) -> None:
        """One reader finds an end here, and the next one may read on: ^D on a terminal."""
        self._ended_once = True
        self._wake()

    def abandon(self) -> None:
        """Nobody reads any more."""
        self._abandoned = True
        self._buffer.clear()
        self._wake()

    async def drain(self) -> None:
        """Wait until there is room. Raises BrokenPipe when nobody reads."""
        while len(self._buffer) >= PIPE_BYTES_MAX and not self._abandoned:
            await self._wait()
        if self._abandoned:
            raise BrokenPipe

    async def read(self, count: int = PIPE_BYTES_MAX) -> bytes:
        """At least one byte and at most ``count``; b"" at the end."""
        while not self._buffer and not self._at_end:
            await self._wait()
        if not self._buffer:
            self._ended_once = False
        data = bytes(self._buffer[:count])
        del self._buffer[:count]
        self._wake()
        return data

    async def read_line(self) -> bytes:
        """One line with its newline; the rest without one, and then b"", at the end."""
        while (index := self._buffer.find(b"\n")) < 0 and not self._at_end:
            if len(self._buffer) >= PIPE_BYTES_MAX:
                return await self.read(PIPE_BYTES_MAX)
            await self._wait()
        return await self.read(index + 1) if index >= 0 else await self.read()

    @property
    def _at_end(self) -> bool:
        return self._ended or self._ended_once

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def _wait(self) -> None:
        await self._changed.wait()


class Writer:
    """What a program writes to: its standard output or error, a pipe, a file, nothing."""

    def __init__(self, take: Callable[[bytes], None], drain: Callable[[], object] | None = None) -> None:
        self._take = take
        self._drain = drain

    def write(self, data: bytes | str) -> None:
        """Hand bytes on at once."""
        self._take(data.encode() if isinstance(data, str) else data)

    async def drain(self) -> None:
        """Wait while the other end is full. Raises BrokenPipe."""
        if self._drain is not None:
            waiting = self._drain()
            if asyncio.iscoroutine(waiting):
                await waiting
