"""An Outside whose published ports a fault can close to real programs.

    real program ---> socket of this machine ---> judged ---> conversation in the simulation

The socket itself stays open, for it is the machine's: a program that is refused sees its connection
reset, one that is dropped sees it stand and hears nothing.
"""

from __future__ import annotations

import errno
from collections.abc import Awaitable, Callable

from node.chaos.gates import judge_port
from node.chaos.kinds import Mode
from node.chaos.table import FaultTable
from node.seams import Clock, Conversation, Opened, Outside

LOOK_S = 0.05
"""How often something that is held up looks whether the fault is over."""


class FaultyOutside:
    """See node/seams.py."""

    def __init__(self, inner: Outside, table: FaultTable, clock: Clock) -> None:
        self._inner = inner
        self._table = table
        self._clock = clock

    async def open(
        self, protocol: str, host_port: int, connect: Callable[[], Awaitable[Conversation]]
    ) -> Opened | None:
        """See Outside."""

        async def connect_judged() -> Conversation:
            await self.pass_through(is_established=False)
            return JudgedConversation(await connect(), self)

        return await self._inner.open(protocol, host_port, connect_judged)

    async def pass_through(self, *, is_established: bool) -> None:
        """Return when nothing holds it up (any more). Raises OSError ECONNREFUSED."""
        while True:
            verdict = judge_port(self._table, self._clock.now(), is_established=is_established)
            if verdict.mode is Mode.REJECT:
                raise OSError(errno.ECONNREFUSED, "a fault closes this port")
            if verdict.mode is None:
                return
            await self._clock.sleep(LOOK_S)


class JudgedConversation:
    """A conversation whose incoming half is judged: what is dropped is sent again until it gets through,

    as TCP does between real hosts.
    """

    def __init__(self, inner: Conversation, outside: FaultyOutside) -> None:
        self._inner = inner
        self._outside = outside

    async def read(self) -> bytes:
        """See Conversation."""
        return await self._inner.read()

    async def write(self, data: bytes) -> None:
        """See Conversation."""
        await self._outside.pass_through(is_established=True)
        await self._inner.write(data)

    def finish(self) -> None:
        """See Conversation."""
        self._inner.finish()

    def close(self) -> None:
        """See Conversation."""
        self._inner.close()
