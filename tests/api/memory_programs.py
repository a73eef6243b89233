"""Programs of the in-memory backend: a handful of commands with real input, output, signals and ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from node.model.output import STDERR, STDOUT, Output
from node.model.times import rfc3339
from node.seams import Clock

BACKLOG_MAX = 1000

Write = Callable[[int, bytes], None]


class Reader:
    """Output as it comes (node/api/backend.py: Flow)."""

    def __init__(self, past: list[Output], forget: Callable[[Reader], None]) -> None:
        self._queue: asyncio.Queue[Output | None] = asyncio.Queue()
        self._forget = forget
        self._ended = False
        for output in past:
            self.hear(output)

    def hear(self, output: Output) -> None:
        if not self._ended:
            self._queue.put_nowait(output)

    @property
    def behind(self) -> bool:
        return self._queue.qsize() > BACKLOG_MAX

    def close(self) -> None:
        if not self._ended:
            self._ended = True
            self._queue.put_nowait(None)
            self._forget(self)

    async def __aiter__(self) -> AsyncIterator[Output]:
        while (output := await self._queue.get()) is not None:
            yield output


class Console:
    """What a program writes: kept, and told to readers."""

    def __init__(self, clock: Clock, *, tty: bool) -> None:
        self._clock = clock
        self._tty = tty
        self.log: list[Output] = []
        self._readers: list[Reader] = []

    def write(self, stream: int, data: bytes) -> None:
        if self._tty:
            stream, data = STDOUT, data.replace(b"\n", b"\r\n")
        output = Output(STDERR if stream == STDERR else STDOUT, data, rfc3339(self._clock.wall()))
        self.log.append(output)
        for reader in list(self._readers):
            reader.hear(output)

    def read(self, past: list[Output], *, live: bool) -> Reader:
        reader = Reader(past, lambda gone: self._readers.remove(gone) if gone in self._readers else None)
        if live:
            self._readers.append(reader)
        else:
            reader.close()
        return reader

    @property
    def readers(self) -> int:
        return len(self._readers)

    @property
    def behind(self) -> bool:
        return any(reader.behind for reader in self._readers)

    def end(self) -> None:
        for reader in list(self._readers):
            reader.close()


class Program:
    """One running command."""

    def __init__(self, arguments: tuple[str, ...], console: Console) -> None:
        self.console = console
        self.size = (0, 0)
        self.stdin: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._arguments = arguments
        self._signal: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._task = asyncio.get_running_loop().create_task(self._run(arguments))

    def kill(self, signal: int) -> None:
        if not self._signal.done():
            self._signal.set_result(128 + signal)

    async def wait(self) -> int:
        await asyncio.wait((self._task, self._signal), return_when=asyncio.FIRST_COMPLETED)
        if not self._task.done():
            self._task.cancel()
            await asyncio.wait((self._task,))
            return self._signal.result()
        return self._task.result()

    async def _run(self, arguments: tuple[str, ...]) -> int:
        name, *rest = arguments
        if name == "sh" and rest[:1] == ["-c"]:
            return await self._script(rest[1])
        return await self._command(name, rest, STDOUT)

    async def _script(self, text: str) -> int:
        code = 0
        for part in text.split(";"):
            words = part.split()
            stream = STDERR if words[-1:] == [">&2"] else STDOUT
            words = [word.strip("'\"") for word in words if word != ">&2"]
            if words[:1] == ["exit"]:
                return int(words[1])
            code = await self._command(words[0], words[1:], stream)
        return code

    async def _command(self, name: str, rest: list[str], stream: int) -> int:
        if name == "echo":
            self.console.write(stream, " ".join(rest).encode() + b"\n")
        elif name == "sleep":
            await asyncio.sleep(float(rest[0]))
        elif name == "cat":
            while (data := await self.stdin.get()) is not None:
                self.console.write(stream, data)
        elif name == "seq":
            for number in range(1, int(rest[0]) + 1):
                self.console.write(stream, b"%d\n" % number)
                while self.console.behind:
                    await asyncio.sleep(0.001)
        return 0


COMMANDS = ("sh", "echo", "sleep", "cat", "seq")
