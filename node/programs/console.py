"""What one container has written: a bounded log, and those who read along.

program --write--> Console --+--> log (lines, with times; the oldest go first)
                             +--> readers: attach, logs -f
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Literal

from node.model.output import STDERR, STDOUT, AttachSpec, LogSpec, Output
from node.model.times import rfc3339, seconds
from node.seams import Clock

LOG_BYTES_MAX = 1_048_576
"""Of one container; beyond it the oldest lines are forgotten."""
LINE_BYTES_MAX = 16_384
"""A longer line is logged in parts, as the engine does."""
BACKLOG_BYTES_MAX = 1_048_576
"""What one reader may leave unread; beyond it, it is cut off."""

Stream = Literal[1, 2]


class Reader:
    """Output as it comes, until the console ends, it is closed, or it has fallen too far behind."""

    def __init__(self, forget: Callable[[Reader], None], *, stdout: bool, stderr: bool) -> None:
        self._forget = forget
        self._wanted = (STDOUT if stdout else 0, STDERR if stderr else 0)
        self._queue: asyncio.Queue[Output | None] = asyncio.Queue()
        self._backlog = 0
        self._ended = False

    def hear(self, output: Output) -> None:
        """One more piece, if it is of a stream that is wanted."""
        if self._ended or output.stream not in self._wanted:
            return
        self._backlog += len(output.data)
        self._queue.put_nowait(output)
        if self._backlog > BACKLOG_BYTES_MAX:
            self._queue.put_nowait(Output(STDERR, b"(output lost: this reader is too slow)\n"))
            self.close()

    def close(self) -> None:
        """Nothing more is wanted, or will come; what was heard can still be read."""
        if not self._ended:
            self._ended = True
            self._forget(self)
            self._queue.put_nowait(None)

    @property
    def full(self) -> bool:
        """More is unread than a pipe would hold: a considerate program waits."""
        return self._backlog > LINE_BYTES_MAX * 4 and not self._ended

    async def __aiter__(self) -> AsyncIterator[Output]:
        while (output := await self._queue.get()) is not None:
            self._backlog -= len(output.data)
            yield output


class Console:
    """See the module."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._log: deque[Output] = deque()
        self._log_bytes = 0
        self._parts: dict[Stream, bytes] = {}
        self._readers: dict[Reader, None] = {}

    # -- the program's side -----------------------------------------------------------------------

    def write(self, stream: Stream, data: bytes) -> None:
        """The program has written something."""
        now = rfc3339(self._clock.wall())
        for reader in list(self._readers):
            reader.hear(Output(stream, data, now))
        pending = self._parts.pop(stream, b"") + data
        while pending:
            line, newline, _ = pending.partition(b"\n")
            if not newline and len(line) < LINE_BYTES_MAX:
                self._parts[stream] = line
                return
            whole = (line + newline)[:LINE_BYTES_MAX]
            self._keep(Output(stream, whole, now))
            pending = pending[len(whole) :]

    def _keep(self, line: Output) -> None:
        self._log.append(line)
        self._log_bytes += len(line.data)
        while self._log_bytes > LOG_BYTES_MAX:
            self._log_bytes -= len(self._log.popleft().data)

    async def drain(self) -> None:
        """Wait a little while a reader does not keep up."""
        while any(reader.full for reader in self._readers):
            await self._clock.sleep(0.01)

    def end(self) -> None:
        """The program has ended: what is unfinished is a line now, and the readers' streams end."""
        now = rfc3339(self._clock.wall())
        for stream, part in list(self._parts.items()):
            self._keep(Output(stream, part, now))
        self._parts.clear()
        for reader in list(self._readers):
            reader.close()

    # -- the readers' side ------------------------------------------------------------------------

    def attach(self, spec: AttachSpec) -> Reader:
        """Read along, as `docker attach` does."""
        reader = Reader(self._forget, stdout=spec.stdout, stderr=spec.stderr)
        if spec.logs:
            for line in self._log:
                reader.hear(line)
        if spec.stream:
            self._readers[reader] = None
        else:
            reader.close()
        return reader

    def read(self, spec: LogSpec, *, running: bool) -> Reader:
        """Read the log, as `docker logs` does, and go on while it is followed and the program runs."""
        reader = Reader(self._forget, stdout=spec.stdout, stderr=spec.stderr)
        lines = [line for line in self._log if _within(line, spec)]
        if spec.tail is not None:
            lines = lines[len(lines) - min(spec.tail, len(lines)) :]
        for line in lines:
            reader.hear(line)
        if spec.follow and running:
            self._readers[reader] = None
        else:
            reader.close()
        return reader

    def _forget(self, reader: Reader) -> None:
        self._readers.pop(reader, None)


def _within(line: Output, spec: LogSpec) -> bool:
    moment = seconds(line.time)
    return moment >= spec.since_s and (not spec.until_s or moment <= spec.until_s)
