"""A node's way to the swarm's store: operations and news take time, and somebody may be told of them.

node --(half)--> MemoryStore --(half)--> node
change --(news)--> watch: in order, and what comes meanwhile comes along

In a large world news are gathered: every node hears of them at the same moments, as one batch, and of its own
changes as soon as they are confirmed. That is far less work than a thousand nodes woken by each change.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from kvstore.errors import OutcomeUnknown, StoreError
from kvstore.memory import MemoryStore
from kvstore.store import Batch, CommitResult, KeyValue, Listing, Transaction
from kvstore.watches import Watch
from lab.sim.fabric import Latency
from node.seams import Clock

Told = Callable[[float, Transaction, bool | None], None]
"""(when it was begun, transaction, whether it succeeded; None: nobody knows)."""


class DistantStore:
    """A Store (kvstore/store.py) at some distance. ``told`` hears of every commit when it has ended."""

    def __init__(
        self,
        inner: MemoryStore,
        clock: Clock,
        chance: random.Random,
        way: Latency,
        news: Latency,
        gather_s: float = 0.0,
    ) -> None:
        self.told: Told | None = None
        self._inner = inner
        self._clock = clock
        self._chance = chance
        self._way = way
        self._news = news
        self._gather_s = gather_s
        self._hurry: asyncio.Event | None = None
        """Set when this node has changed something itself: its gathered news are not to wait."""

    async def get(self, key: str) -> KeyValue | None:
        """See Store.get."""
        await self._travel()
        item = await self._inner.get(key)
        await self._travel()
        return item

    async def list(self, prefix: str) -> Listing:
        """See Store.list."""
        await self._travel()
        listing = await self._inner.list(prefix)
        await self._travel()
        return listing

    async def commit(self, transaction: Transaction) -> CommitResult:
        """See Store.commit."""
        begun = self._clock.now()
        succeeded: bool | None = None
        try:
            await self._travel()
            result = await self._inner.commit(transaction)
            await self._travel()
            succeeded = result.succeeded
            if self._hurry is not None:
                self._hurry.set()
        except OutcomeUnknown:
            raise
        except StoreError:
            succeeded = False
            raise
        finally:
            if self.told is not None:
                self.told(begun, transaction, succeeded)
        return result

    @asynccontextmanager
    async def watch(self, prefix: str, revision: int) -> AsyncIterator[AsyncIterator[Batch]]:
        """See Store.watch."""
        await self._travel()
        async with self._inner.watch(prefix, revision) as batches:
            if self._gather_s:
                yield self._gathered(batches)
            else:
                yield batches if self._news.floor_s == 0 else self._late(batches)

    async def _gathered(self, batches: Watch) -> AsyncIterator[Batch]:
        self._hurry = hurry = asyncio.Event()
        async for batch in batches:
            moment = (self._clock.now() // self._gather_s + 1) * self._gather_s
            timer = self._clock.call_at(moment, hurry.set)
            await hurry.wait()
            timer.cancel()
            hurry.clear()
            yield together([batch, *batches.waiting()])

    async def _late(self, batches: AsyncIterator[Batch]) -> AsyncIterator[Batch]:
        here = -1.0
        async for batch in batches:
            if self._clock.now() > here:
                await self._clock.sleep(self._news.draw(self._chance))
                here = self._clock.now()
            yield batch

    async def grant(self, ttl_s: float) -> int:
        """See Store.grant."""
        await self._travel()
        lease = await self._inner.grant(ttl_s)
        await self._travel()
        return lease

    async def renew(self, lease: int) -> None:
        """See Store.renew."""
        await self._travel()
        await self._inner.renew(lease)
        await self._travel()

    async def revoke(self, lease: int) -> None:
        """See Store.revoke."""
        await self._travel()
        await self._inner.revoke(lease)
        await self._travel()

    async def compact(self, revision: int) -> None:
        """See Store.compact."""
        await self._travel()
        await self._inner.compact(revision)

    async def close(self) -> None:
        """See Store.close."""
        await self._inner.close()

    async def _travel(self) -> None:
        await self._clock.sleep(self._way.draw(self._chance) / 2)


def together(batches: Sequence[Batch]) -> Batch:
    """Several batches as one, as of the last revision: their events in order."""
    if len(batches) == 1:
        return batches[0]
    return Batch(batches[-1].revision, tuple(event for batch in batches for event in batch.events))
