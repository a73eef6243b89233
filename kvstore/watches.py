"""The open watches of a store in this process: each is told every batch below its prefix, once."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable

from kvstore.errors import StoreError, StoreUnavailable
from kvstore.mvcc import HISTORY_BATCHES_MAX, below
from kvstore.store import Batch

WATCH_BATCHES_MAX = HISTORY_BATCHES_MAX
"""Batches that wait for a slow reader; one that falls further behind must resume from history."""


class Watch(AsyncIterator[Batch]):
    """Batches in order, then the error with which the watch ended. For one reader."""

    def __init__(self, prefix: str, backlog: Iterable[Batch] = ()) -> None:
        self._prefix = prefix
        self._waiting = deque(backlog)
        self._ended: StoreError | None = None
        self._news = asyncio.Event()

    def tell(self, batch: Batch) -> None:
        """Queue the part of the batch that lies below the prefix."""
        part = below(self._prefix, batch)
        if part is None or self._ended is not None:
            return
        if len(self._waiting) == WATCH_BATCHES_MAX:
            behind = f"the watch on {self._prefix!r} fell {WATCH_BATCHES_MAX} batches behind"
            self.end(StoreUnavailable(behind))
            return
        self._waiting.append(part)
        self._news.set()

    def end(self, error: StoreError) -> None:
        """Raise this once everything queued before has been read. Only the first end counts."""
        self._ended = self._ended or error
        self._news.set()

    def waiting(self) -> list[Batch]:
        """Take all that can be read without waiting."""
        waiting = list(self._waiting)
        self._waiting.clear()
        return waiting

    async def __anext__(self) -> Batch:
        while not self._waiting:
            if self._ended is not None:
                raise self._ended
            self._news.clear()
            await self._news.wait()
        return self._waiting.popleft()


class Watches:
    """A group of open watches, told in the order in which they were opened."""

    def __init__(self) -> None:
        self._open: dict[Watch, None] = {}

    def add(self, watch: Watch) -> None:
        """Tell this watch too, from the next batch on."""
        self._open[watch] = None

    def remove(self, watch: Watch) -> None:
        """Tell it nothing more."""
        del self._open[watch]

    def tell(self, batch: Batch) -> None:
        """Tell every watch."""
        for watch in self._open:
            watch.tell(batch)

    def end(self, error: StoreError) -> None:
        """End every watch."""
        for watch in self._open:
            watch.end(error)
