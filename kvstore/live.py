"""A state machine that lives: its leases run out on time, and its watches hear of every batch."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from kvstore.errors import Compacted, StoreUnavailable
from kvstore.mvcc import Mvcc
from kvstore.store import Batch, CommitResult, KeyValue, Listing, Transaction
from kvstore.watches import Watch, Watches

JOURNAL_RETRY_S = 1.0
"""How long until a lease's end is tried again that the journal refused."""


class LiveMvcc:
    """One Mvcc with a clock and watches; every method is done when it returns.

    ``now()`` is seconds on the clock that the running event loop's timers follow, in real or in
    virtual time. Leases end upon every call and, so that watches see it, by a timer of the loop.
    """

    def __init__(self, mvcc: Mvcc, now: Callable[[], float]) -> None:
        self._mvcc = mvcc
        self._now = now
        self._watches = Watches()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_deadline: float | None = None

    @property
    def revision(self) -> int:
        """The newest, leases that are over by now included."""
        self._expire()
        return self._mvcc.revision

    @property
    def leases(self) -> int:
        """How many leases live."""
        self._expire()
        return self._mvcc.leases

    def get(self, key: str) -> KeyValue | None:
        """See Store.get."""
        self._expire()
        return self._mvcc.get(key)

    def listing(self, prefix: str) -> Listing:
        """See Store.list."""
        self._expire()
        return self._mvcc.listing(prefix)

    def commit(self, transaction: Transaction) -> CommitResult:
        """See Store.commit."""
        result, batch = self._mvcc.apply(transaction, self._expire())
        self._tell(batch)
        return result

    def grant(self, ttl_s: float) -> int:
        """See Store.grant."""
        lease = self._mvcc.grant(ttl_s, self._expire())
        self._set_timer()
        return lease

    def renew(self, lease: int) -> None:
        """See Store.renew."""
        self._mvcc.renew(lease, self._expire())
        self._set_timer()

    def revoke(self, lease: int) -> None:
        """See Store.revoke."""
        self._expire()
        self._tell(self._mvcc.revoke(lease))
        self._set_timer()

    def compact(self, revision: int) -> None:
        """See Store.compact."""
        self._mvcc.compact(revision)

    @contextmanager
    def watch(self, prefix: str, revision: int) -> Iterator[Watch]:
        """A watch that is told of every batch until the context is left. See Store.watch."""
        self._expire()
        try:
            watch = Watch(prefix, self._mvcc.since(prefix, revision))
        except Compacted as error:
            watch = Watch(prefix)
            watch.end(error)
        self._watches.add(watch)
        try:
            yield watch
        finally:
            self._watches.remove(watch)

    def stop(self, reason: StoreUnavailable) -> None:
        """End every watch and the timer."""
        self._watches.end(reason)
        if self._timer is not None:
            self._timer.cancel()

    def _tell(self, batch: Batch | None) -> None:
        if batch is not None:
            self._watches.tell(batch)

    def _expire(self, at_least: float = 0.0) -> float:
        """End the leases that are over; the present time comes back."""
        now = max(self._now(), at_least)
        for batch in self._mvcc.expire(now):
            self._tell(batch)
        self._set_timer()
        return now

    def _set_timer(self) -> None:
        deadline = self._mvcc.next_deadline()
        if deadline == self._timer_deadline:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        self._timer_deadline = deadline
        if deadline is not None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(max(0.0, deadline - self._now()), self._ring, deadline)

    def _ring(self, deadline: float) -> None:
        """The timer: it rings for this deadline, however the loop has rounded its delay."""
        self._timer_deadline = None
        try:
            self._expire(at_least=deadline)
        except StoreUnavailable:
            # The journal could not be written. Whoever uses the store meets the same error and
            # tells of it; nothing waits here for an answer, so there is only trying again.
            self._timer = asyncio.get_running_loop().call_later(JOURNAL_RETRY_S, self._ring, deadline)
