"""A store in memory for many clients, each of which can be cut off from it.

    MemoryStore "node-1" ---.
    MemoryStore "node-2" ----+---- MemoryCluster: one LiveMvcc
    MemoryStore "node-3" -x--'
                         cut

The twin of EtcdStore in simulated worlds: the same answers, on any clock, and faults on demand.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import TypeVar

from kvstore.errors import OutcomeUnknown, StoreError, StoreUnavailable
from kvstore.live import LiveMvcc
from kvstore.mvcc import Mvcc
from kvstore.store import CommitResult, KeyValue, Listing, Transaction
from kvstore.watches import Watch, Watches

Answer = TypeVar("Answer")


async def at_once() -> None:
    """The latency of a store that takes no time."""


class MemoryCluster:
    """What all sessions share. ``now()`` is seconds on the clock of the event loop's timers."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._live = LiveMvcc(Mvcc(), now)

    def listing(self, prefix: str) -> Listing:
        """What stands in it, for whoever looks at a simulated world from outside."""
        return self._live.listing(prefix)

    @property
    def revision(self) -> int:
        """The newest."""
        return self._live.revision

    @property
    def leases(self) -> int:
        """How many leases live."""
        return self._live.leases

    def session(self, name: str, latency: Callable[[], Awaitable[None]] = at_once) -> MemoryStore:
        """A client of this cluster; ``latency`` is awaited before each of its operations."""
        return MemoryStore(self._live, name, latency)


class MemoryStore:
    """One client's connection to a MemoryCluster: a Store (kvstore/store.py)."""

    def __init__(self, live: LiveMvcc, name: str, latency: Callable[[], Awaitable[None]]) -> None:
        self._live = live
        self._name = name
        self._latency = latency
        self._watches = Watches()
        self._away = ""
        self._closed = False
        self._next_answer_lost: str | None = None

    # -- faults -----------------------------------------------------------------------------------

    def cut(self, reason: str = "is cut off from the store") -> None:
        """Cut this client off: operations raise StoreUnavailable, and its watches end with it."""
        self._away = f"{self._name} {reason}"
        self._watches.end(StoreUnavailable(self._away))

    def mend(self) -> None:
        """End the cut."""
        if not self._closed:
            self._away = ""

    def lose_next_answer(self, *, applied: bool) -> None:
        """Let the next commit, grant or revoke raise OutcomeUnknown, applied or not."""
        self._next_answer_lost = "applied" if applied else "not applied"

    # -- the Store protocol -----------------------------------------------------------------------

    async def get(self, key: str) -> KeyValue | None:
        """See Store.get."""
        await self._reach()
        return self._live.get(key)

    async def list(self, prefix: str) -> Listing:
        """See Store.list."""
        await self._reach()
        return self._live.listing(prefix)

    async def commit(self, transaction: Transaction) -> CommitResult:
        """See Store.commit."""
        await self._reach()
        return self._answer(lambda: self._live.commit(transaction))

    @asynccontextmanager
    async def watch(self, prefix: str, revision: int) -> AsyncIterator[Watch]:
        """See Store.watch."""
        await self._reach()
        with self._live.watch(prefix, revision) as watch:
            self._watches.add(watch)
            try:
                yield watch
            finally:
                self._watches.remove(watch)

    async def grant(self, ttl_s: float) -> int:
        """See Store.grant."""
        await self._reach()
        return self._answer(lambda: self._live.grant(ttl_s))

    async def renew(self, lease: int) -> None:
        """See Store.renew."""
        await self._reach()
        self._live.renew(lease)

    async def revoke(self, lease: int) -> None:
        """See Store.revoke."""
        await self._reach()
        self._answer(lambda: self._live.revoke(lease))

    async def compact(self, revision: int) -> None:
        """See Store.compact."""
        await self._reach()
        self._live.compact(revision)

    async def close(self) -> None:
        """See Store.close. The cluster lives on."""
        self._closed = True
        self.cut("has closed its connection to the store")

    # -- how it is reached ------------------------------------------------------------------------

    async def _reach(self) -> None:
        await self._latency()
        if self._away:
            raise StoreUnavailable(self._away)

    def _answer(self, act: Callable[[], Answer]) -> Answer:
        lost, self._next_answer_lost = self._next_answer_lost, None
        if lost is None:
            return act()
        if lost == "applied":
            with suppress(StoreError):
                act()
        raise OutcomeUnknown(f"{self._name} got no answer from the store")
