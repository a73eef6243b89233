"""A Store that faults can cut off.

    request lost (OUTGOING)  ->  StoreUnavailable: nothing was changed
    answer lost (INCOMING)   ->  OutcomeUnknown: a change was made, and nobody heard
    either                   ->  open watches break

Both modes of a partition fail at once: a client of etcd, too, gives up long before its user does.
A delay is waited for, before the operation and before its answer; a stalled watch holds its news back.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from kvstore.errors import OutcomeUnknown, StoreError, StoreUnavailable
from kvstore.store import Batch, CommitResult, KeyValue, Listing, Store, Transaction
from node.chaos.faults import Direction, Traffic
from node.chaos.kinds import Plane
from node.chaos.table import FaultTable
from node.seams import Clock, Timer

CUT_OFF = "a fault cuts this node off from the store"
STALL_LOOK_S = 0.05
"""How often a stalled watch looks whether it was healed."""


class FaultyStore:
    """A Store (kvstore/store.py) whose operations are judged on their way out and back."""

    def __init__(self, inner: Store, table: FaultTable, clock: Clock) -> None:
        self._inner = inner
        self._table = table
        self._clock = clock
        self._watches: dict[BreakableWatch, None] = {}
        self._next: Timer | None = None
        """Rings when a flapping partition cuts again."""
        table.listeners.append(self._break_watches)

    async def get(self, key: str) -> KeyValue | None:
        """See Store.get."""
        async with self._judged(StoreUnavailable):
            return await self._inner.get(key)

    async def list(self, prefix: str) -> Listing:
        """See Store.list."""
        async with self._judged(StoreUnavailable):
            return await self._inner.list(prefix)

    async def commit(self, transaction: Transaction) -> CommitResult:
        """See Store.commit."""
        async with self._judged(OutcomeUnknown):
            return await self._inner.commit(transaction)

    @asynccontextmanager
    async def watch(self, prefix: str, revision: int) -> AsyncIterator[AsyncIterator[Batch]]:
        """See Store.watch."""
        async with AsyncExitStack() as stack:
            async with self._judged(StoreUnavailable):
                batches = await stack.enter_async_context(self._inner.watch(prefix, revision))
            watch = BreakableWatch(batches, self._news_may_come)
            self._watches[watch] = None
            self._break_watches()
            stack.callback(self._watches.pop, watch)
            yield watch

    async def grant(self, ttl_s: float) -> int:
        """See Store.grant."""
        async with self._judged(OutcomeUnknown):
            return await self._inner.grant(ttl_s)

    async def renew(self, lease: int) -> None:
        """See Store.renew."""
        async with self._judged(StoreUnavailable):
            await self._inner.renew(lease)

    async def revoke(self, lease: int) -> None:
        """See Store.revoke."""
        async with self._judged(OutcomeUnknown):
            await self._inner.revoke(lease)

    async def compact(self, revision: int) -> None:
        """See Store.compact."""
        async with self._judged(StoreUnavailable):
            await self._inner.compact(revision)

    async def close(self) -> None:
        """See Store.close."""
        self._table.listeners.remove(self._break_watches)
        if self._next is not None:
            self._next.cancel()
        await self._inner.close()

    @asynccontextmanager
    async def _judged(self, unheard: type[StoreError]) -> AsyncIterator[None]:
        """One operation; it raises ``unheard`` if it was done and its answer is lost."""
        await self._cross(Direction.OUTGOING, StoreUnavailable)
        yield
        await self._cross(Direction.INCOMING, unheard)

    async def _cross(self, direction: Direction, refusal: type[StoreError]) -> None:
        if self._table.empty:
            return
        verdict = self._table.judge(Traffic(Plane.STORE, direction), self._clock.now())
        if verdict.mode is not None:
            raise refusal(CUT_OFF)
        if verdict.delay_s > 0:
            await self._clock.sleep(verdict.delay_s)

    def _break_watches(self) -> None:
        """A cut began, or a fault came or went: a connection that loses one way for good is lost."""
        now = self._clock.now()
        if self._next is not None:
            self._next.cancel()
            self._next = None
        cut_at = self._table.next_cut(Plane.STORE, now)
        if cut_at <= now:
            for watch in tuple(self._watches):
                watch.break_off()
        elif cut_at < math.inf:
            self._next = self._clock.call_at(cut_at, self._break_watches)

    async def _news_may_come(self) -> None:
        """Return when no fault stalls the watches any more; healing ends a stall at once, nearly."""
        if self._table.empty:
            return
        while (until := self._table.stalled_until(self._clock.now())) > self._clock.now():
            await self._clock.sleep(min(until - self._clock.now(), STALL_LOOK_S))


class BreakableWatch:
    """A watch that can be ended from outside, also while its reader waits or is busy elsewhere."""

    def __init__(self, batches: AsyncIterator[Batch], may_come: Callable[[], Awaitable[None]]) -> None:
        self._batches = batches
        self._may_come = may_come
        self._waiting: asyncio.Timeout | None = None
        self._broken = False

    def break_off(self) -> None:
        """Let the reader's present or next wait raise StoreUnavailable, and every later one."""
        self._broken = True
        if self._waiting is not None:
            self._waiting.reschedule(asyncio.get_running_loop().time())

    def __aiter__(self) -> BreakableWatch:
        return self

    async def __anext__(self) -> Batch:
        if self._broken:
            raise StoreUnavailable(CUT_OFF)
        try:
            async with asyncio.timeout(None) as self._waiting:
                batch = await anext(self._batches)
                await self._may_come()
                return batch
        except TimeoutError:
            raise StoreUnavailable(CUT_OFF) from None
        finally:
            self._waiting = None
