"""A node's way to the swarm's store: operations and news take time, and somebody may be told of them.

node --(half)--> MemoryStore --(half)--> node
change --(news)--> watch: in order, and what comes meanwhile comes along
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from kvstore.errors import OutcomeUnknown, StoreError
from kvstore.memory import MemoryStore
from kvstore.store import Batch, CommitResult, KeyValue, Listing, Transaction
from lab.sim.fabric import Latency
from node.seams import Clock

Told = Callable[[float, Transaction, bool | None], None]
"""(when it was begun, transaction, whether it succeeded; None: nobody knows)."""


class DistantStore:
    """A Store (kvstore/store.py) at some distance. ``told`` hears of every commit when it has ended."""

    def __init__(
        self, inner: MemoryStore, clock: Clock, chance: random.Random, way: Latency, news: Latency
    ) -> None:
        self.told: Told | None = None
        self._inner = inner
        self._clock = clock
        self._chance = chance
        self._way = way
        self._news = news

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
            yield batches if self._news.floor_s == 0 else self._late(batches)

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
