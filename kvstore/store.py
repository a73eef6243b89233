"""The Store protocol: a small ordered map with revisions, leases and watches, and its value types.

    commit(Transaction) ----> one revision ----> Batch of events ----> every watch

A store keeps text keys and byte values under one counter, the **revision**. A transaction compares
what its author read and, if nothing of that has changed, applies all its operations at one new
revision; otherwise it applies none and says what stands there now. It is etcd v3's model
(etcd.io/docs/v3.5/learning/api) cut down to what is used here, and knows nothing of networks.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

OPERATIONS_MAX = 128
"""Compares or operations in one transaction (etcd's own default limit)."""

VALUE_BYTES_MAX = 1_048_576
"""Bytes of all values of one transaction together: below etcd's request limit of 1.5 MiB."""


@dataclass(frozen=True, slots=True)
class KeyValue:
    """One key as stored: ``modified`` is the revision of its last put, ``lease`` 0 when it has none."""

    key: str
    value: bytes
    created: int
    modified: int
    lease: int = 0


@dataclass(frozen=True, slots=True)
class Compare:
    """The key's last modification is at this revision; 0 means that the key must not exist."""

    key: str
    modified: int


def absent(key: str) -> Compare:
    """The key must not exist when the transaction is applied."""
    return Compare(key, 0)


def unchanged(item: KeyValue) -> Compare:
    """The key must stand as it was read."""
    return Compare(item.key, item.modified)


@dataclass(frozen=True, slots=True)
class Put:
    """Set a key; with a lease, it disappears when the lease does."""

    key: str
    value: bytes
    lease: int = 0


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove a key; removing what is not there is no error and makes no event."""

    key: str


@dataclass(frozen=True, slots=True)
class Transaction:
    """Applied whole at one revision if every compare holds, else not at all.

    A key is not empty and stands in at most one operation, as etcd wants it.
    Raises ValueError otherwise, and beyond OPERATIONS_MAX or VALUE_BYTES_MAX.
    """

    compares: tuple[Compare, ...] = ()
    operations: tuple[Put | Delete, ...] = ()

    def __post_init__(self) -> None:
        if len(self.compares) > OPERATIONS_MAX or len(self.operations) > OPERATIONS_MAX:
            raise ValueError(f"a transaction holds at most {OPERATIONS_MAX} compares and operations")
        keys = [operation.key for operation in self.operations]
        if len(set(keys)) != len(keys):
            raise ValueError("a transaction may name a key in one operation only")
        if "" in keys or any(compare.key == "" for compare in self.compares):
            raise ValueError("a key may not be empty")
        if sum(len(put.value) for put in self.operations if isinstance(put, Put)) > VALUE_BYTES_MAX:
            raise ValueError(f"a transaction holds at most {VALUE_BYTES_MAX} bytes of values")


@dataclass(frozen=True, slots=True)
class CommitResult:
    """``revision`` is the store's after the attempt.

    ``current`` is empty on success; on failure it holds every compared key as it stood at that
    instant (None: absent), so that the caller can see which compare failed without another read.
    """

    succeeded: bool
    revision: int
    current: Mapping[str, KeyValue | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Listing:
    """All keys below a prefix, in key order, as of one revision."""

    revision: int
    items: tuple[KeyValue, ...]


@dataclass(frozen=True, slots=True)
class Event:
    """One change. ``item`` is None for a deletion."""

    key: str
    item: KeyValue | None


@dataclass(frozen=True, slots=True)
class Batch:
    """Everything that one revision changed below the watched prefix, in key order."""

    revision: int
    events: Sequence[Event]


class Store(Protocol):
    """What a node needs of a key-value store.

    Every method raises StoreUnavailable when the store cannot be reached. A commit, grant or
    revoke that was sent but not answered raises OutcomeUnknown: it may have happened or not.
    """

    async def get(self, key: str) -> KeyValue | None:
        """The key as it stands now, or None."""

    async def list(self, prefix: str) -> Listing:
        """All keys that start with the prefix, at one revision."""

    async def commit(self, transaction: Transaction) -> CommitResult:
        """Apply the transaction. Raises LeaseExpired if a put names a lease that is gone."""

    def watch(self, prefix: str, revision: int) -> AbstractAsyncContextManager[AsyncIterator[Batch]]:
        """Batches of the given revision (1 or more) and later, each once, in order, without a gap.

        Entering waits until the watch stands. Iterating raises Compacted if history that far back
        is gone, or if the store stands before the revision asked for (it has lost its data: list
        again), and StoreUnavailable if the connection broke or the reader fell too far behind
        (resume from the last revision seen + 1).
        """

    async def grant(self, ttl_s: float) -> int:
        """A new lease that lives ttl_s seconds from now and from each renewal (etcd: whole seconds).

        Raises ValueError unless ttl_s is above 0.
        """

    async def renew(self, lease: int) -> None:
        """Make the lease live its full time again. Raises LeaseExpired if it is gone."""

    async def revoke(self, lease: int) -> None:
        """End the lease and delete its keys, at one revision. A lease that is gone is no error."""

    async def compact(self, revision: int) -> None:
        """Forget history up to and including this revision; watches from there or before see Compacted.

        Without effect when that much is forgotten already. Raises StoreError for a revision to come.
        """

    async def close(self) -> None:
        """Give back connections and files; watches end with StoreUnavailable."""
