"""Runs a coroutine step by step, so that it can be frozen between two of them.

`docker pause` freezes programs and nothing else: the container's IP stack still answers pings. A
frozen coroutine stays where it waits; what it waited for may come, but it does not see it until it
is thawed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Generator
from typing import Any, Generic, TypeVar

Result = TypeVar("Result")


class Gate:
    """Open, or frozen until it is thawed."""

    def __init__(self) -> None:
        self.thawed: asyncio.Future[None] | None = None

    def freeze(self) -> None:
        """From their next step on, coroutines behind it stand still."""
        if self.thawed is None:
            self.thawed = asyncio.get_running_loop().create_future()

    def thaw(self) -> None:
        """They go on."""
        if self.thawed is not None:
            thawed, self.thawed = self.thawed, None
            thawed.set_result(None)


class Steps(Generic[Result]):
    """Await this instead of the coroutine."""

    def __init__(self, gate: Gate, work: Coroutine[Any, Any, Result]) -> None:
        self._gate = gate
        self._work = work

    def __await__(self) -> Generator[Any, Any, Result]:
        error: BaseException | None = None
        while True:
            try:
                waiting = self._work.send(None) if error is None else self._work.throw(error)
            except StopIteration as stop:
                return stop.value  # type: ignore[no-any-return]
            error = None
            try:
                yield waiting
                while self._gate.thawed is not None:
                    # Shielded: who is cancelled while it stands here must not thaw the others.
                    yield from asyncio.shield(self._gate.thawed)
            except BaseException as caught:  # noqa: BLE001 - it is the coroutine's to handle
                error = caught
