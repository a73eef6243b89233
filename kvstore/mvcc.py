"""The state machine behind a store: ordered keys, one revision counter, leases, bounded history.

    apply, revoke, expire ---> Change ---> journal (may refuse) ---> the new state
                                 |
                                 `-------> Batch, for whoever watches

Pure: time is an argument, and every step is decided as one Change before anything moves, so that
a journal can write the Change down first and rebuild the same state from what it wrote.
The meaning is etcd v3's (etcd.io/docs/v3.5/learning/api): a differential test plays both.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from heapq import heapify, heappop, heappush
from itertools import islice, takewhile

from kvstore.errors import Compacted, LeaseExpired, Rewound, StoreError
from kvstore.store import Batch, CommitResult, Delete, Event, KeyValue, Listing, Put, Transaction

FIRST_REVISION = 1
"""The revision of a store in which nothing has happened yet (etcd's too)."""

HISTORY_BATCHES_MAX = 4096
"""Batches kept for watches that start in the past; the oldest are compacted beyond it."""


@dataclass(frozen=True, slots=True)
class Lease:
    """Lives ``ttl_s`` seconds from each renewal; it is over when time reaches ``deadline``."""

    identity: int
    ttl_s: float
    deadline: float


@dataclass(frozen=True, slots=True)
class Change:
    """One step of the state; what is None stays as it was."""

    batch: Batch | None = None
    lease: Lease | None = None
    """Granted or renewed."""
    ended: int | None = None
    """The lease that is over."""
    compacted: int | None = None
    """History up to this revision is forgotten."""


@dataclass(frozen=True, slots=True)
class State:
    """All that an Mvcc holds, as a journal gives it back."""

    revision: int = FIRST_REVISION
    compacted: int = FIRST_REVISION
    items: Sequence[KeyValue] = ()
    history: Sequence[Batch] = ()
    """Every revision after ``compacted``."""
    leases: Sequence[Lease] = ()
    newest_lease: int = 0
    """The last identity given out: none is given twice."""


def unwritten(change: Change) -> None:
    """The journal of a state that lives in memory alone."""


class Mvcc:
    """A map of keys under one revision counter, with leases and history.

    ``journal`` hears every Change before it takes effect; what it raises stops the Change and
    reaches the caller. ``now`` is seconds on any clock, as long as it is always the same one.
    """

    def __init__(self, journal: Callable[[Change], None] = unwritten, state: State | None = None) -> None:
        state = state or State()
        self._journal = journal
        self.revision = state.revision
        self.compacted = state.compacted
        self._items = {item.key: item for item in state.items}
        self._order = sorted(self._items)
        self._history = deque(state.history)
        self._leases = {lease.identity: lease for lease in state.leases}
        self._deadlines = [(lease.deadline, lease.identity) for lease in state.leases]
        """A heap; what a renewal has put off, or an end made pointless, is left in it until it comes up."""
        heapify(self._deadlines)
        self._newest_lease = state.newest_lease

    # -- what stands now --------------------------------------------------------------------------

    @property
    def leases(self) -> int:
        """How many leases live."""
        return len(self._leases)

    def get(self, key: str) -> KeyValue | None:
        """The key as it stands, or None."""
        return self._items.get(key)

    def listing(self, prefix: str) -> Listing:
        """All keys that start with the prefix, in order (of code points, which is UTF-8's too)."""
        first = bisect_left(self._order, prefix)
        keys = takewhile(lambda key: key.startswith(prefix), islice(self._order, first, None))
        return Listing(self.revision, tuple(self._items[key] for key in keys))

    def since(self, prefix: str, revision: int) -> Sequence[Batch]:
        """What has happened below the prefix at this revision and later.

        Raises Compacted if that is no longer known, Rewound if the revision lies further ahead
        than the next one, ValueError if there is no such revision.
        """
        if revision < FIRST_REVISION:
            raise ValueError(f"there is no revision {revision}")
        if revision > self.revision + 1:
            raise Rewound(self.revision, revision)
        # At the first revision nothing has happened that could have been forgotten.
        oldest = max(revision, FIRST_REVISION + 1)
        if oldest <= self.compacted:
            raise Compacted(self.compacted)
        later = islice(self._history, oldest - self.compacted - 1, None)
        return [batch for whole in later if (batch := below(prefix, whole)) is not None]

    def next_deadline(self) -> float | None:
        """When the next lease is over, or None without leases."""
        while self._deadlines:
            deadline, identity = self._deadlines[0]
            lease = self._leases.get(identity)
            if lease is not None and lease.deadline == deadline:
                return deadline
            heappop(self._deadlines)
        return None

    # -- changing it ------------------------------------------------------------------------------

    def apply(self, transaction: Transaction, now: float) -> tuple[CommitResult, Batch | None]:
        """Apply the transaction if its compares hold; the Batch is None when nothing has changed.

        Raises LeaseExpired if a put names a lease that is gone and the compares hold, as etcd does.
        """
        current = {compare.key: self.get(compare.key) for compare in transaction.compares}
        for compare in transaction.compares:
            item = current[compare.key]
            if (item.modified if item else 0) != compare.modified:
                return CommitResult(False, self.revision, current), None
        for operation in transaction.operations:
            if isinstance(operation, Put) and operation.lease:
                self._living(operation.lease, now)
        batch = self._outcome(transaction.operations)
        if batch is not None:
            self._accept(Change(batch=batch))
        return CommitResult(True, self.revision), batch

    def grant(self, ttl_s: float, now: float) -> int:
        """A new lease. Raises ValueError unless ``ttl_s`` is above 0."""
        if not ttl_s > 0:
            raise ValueError(f"a lease must live longer than {ttl_s} s")
        identity = self._newest_lease + 1
        self._accept(Change(lease=Lease(identity, ttl_s, now + ttl_s)))
        return identity

    def renew(self, lease: int, now: float) -> None:
        """Give the lease its full time again. Raises LeaseExpired if it is gone."""
        living = self._living(lease, now)
        self._accept(Change(lease=replace(living, deadline=now + living.ttl_s)))

    def revoke(self, lease: int) -> Batch | None:
        """End the lease and delete its keys at one revision; None if nothing hung on it."""
        if lease not in self._leases:
            return None
        keys = [key for key in self._order if self._items[key].lease == lease]
        batch = self._outcome([Delete(key) for key in keys])
        self._accept(Change(batch=batch, ended=lease))
        return batch

    def expire(self, now: float) -> Iterator[Batch]:
        """End the leases whose deadline has come, first come first, each as its batch is asked for."""
        while (deadline := self.next_deadline()) is not None and deadline <= now:
            if (batch := self.revoke(self._deadlines[0][1])) is not None:
                yield batch

    def compact(self, revision: int) -> None:
        """Forget history up to and including this revision. Raises StoreError for one to come."""
        if revision > self.revision:
            raise StoreError(f"cannot compact up to revision {revision}: the store stands at {self.revision}")
        if revision > self.compacted:
            self._accept(Change(compacted=revision))

    # -- how a change takes effect ----------------------------------------------------------------

    def _living(self, lease: int, now: float) -> Lease:
        living = self._leases.get(lease)
        if living is None or living.deadline <= now:
            raise LeaseExpired(lease)
        return living

    def _outcome(self, operations: Sequence[Put | Delete]) -> Batch | None:
        """What the operations would change at the next revision."""
        revision = self.revision + 1
        events = []
        for operation in operations:
            before = self._items.get(operation.key)
            if isinstance(operation, Put):
                created = before.created if before else revision
                item = KeyValue(operation.key, operation.value, created, revision, operation.lease)
                events.append(Event(operation.key, item))
            elif before is not None:
                events.append(Event(operation.key, None))
        events.sort(key=lambda event: event.key)
        return Batch(revision, tuple(events)) if events else None

    def _accept(self, change: Change) -> None:
        """The one place where the state moves, once the journal has it."""
        self._journal(change)
        if change.batch is not None:
            self.revision = change.batch.revision
            self._history.append(change.batch)
            for event in change.batch.events:
                self._set(event)
        if change.lease is not None:
            self._leases[change.lease.identity] = change.lease
            heappush(self._deadlines, (change.lease.deadline, change.lease.identity))
            self._newest_lease = max(self._newest_lease, change.lease.identity)
        if change.ended is not None:
            del self._leases[change.ended]
        while self.compacted < max(change.compacted or 0, self.revision - HISTORY_BATCHES_MAX):
            self._history.popleft()
            self.compacted += 1

    def _set(self, event: Event) -> None:
        if event.item is None:
            del self._items[event.key]
            del self._order[bisect_left(self._order, event.key)]
            return
        if event.key not in self._items:
            insort(self._order, event.key)
        self._items[event.key] = event.item


def below(prefix: str, batch: Batch) -> Batch | None:
    """The part of a batch that a watch on this prefix sees, or None."""
    events = tuple(event for event in batch.events if event.key.startswith(prefix))
    if len(events) == len(batch.events):
        return batch
    return Batch(batch.revision, events) if events else None
