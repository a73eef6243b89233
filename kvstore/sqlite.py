"""A store in one SQLite file, for what one node keeps for itself across restarts.

SqliteStore ---> LiveMvcc ---> Mvcc ---> Journal ---> file
                    |
                    `---> watches, once the file has it
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from kvstore.errors import StoreUnavailable
from kvstore.journal import Journal
from kvstore.live import LiveMvcc
from kvstore.mvcc import Mvcc
from kvstore.store import Batch, CommitResult, KeyValue, Listing, Transaction


class SqliteStore:
    """A Store (kvstore/store.py) whose every operation is done at once, without waiting.

    ``now()`` is seconds on the clock of the event loop's timers. Leases come back with the time
    that was left to them if that clock runs on from one process to the next, as Linux's monotonic
    clock does until the machine restarts; otherwise with at most their full time, as in etcd when
    a new leader takes over.
    """

    def __init__(self, path: Path, now: Callable[[], float]) -> None:
        """Open the file or create it, mode 0600. Raises StoreError if it cannot be used as it is."""
        self._path = path
        self._journal = Journal(path)
        state = self._journal.read()
        leases = [replace(lease, deadline=min(lease.deadline, now() + lease.ttl_s)) for lease in state.leases]
        mvcc = Mvcc(self._journal.write, replace(state, leases=leases))
        self._live: LiveMvcc | None = LiveMvcc(mvcc, now)

    async def get(self, key: str) -> KeyValue | None:
        """See Store.get."""
        return self._opened().get(key)

    async def list(self, prefix: str) -> Listing:
        """See Store.list."""
        return self._opened().listing(prefix)

    async def commit(self, transaction: Transaction) -> CommitResult:
        """See Store.commit. Raises StoreUnavailable if the file cannot be written."""
        return self._opened().commit(transaction)

    @asynccontextmanager
    async def watch(self, prefix: str, revision: int) -> AsyncIterator[AsyncIterator[Batch]]:
        """See Store.watch."""
        with self._opened().watch(prefix, revision) as watch:
            yield watch

    async def grant(self, ttl_s: float) -> int:
        """See Store.grant."""
        return self._opened().grant(ttl_s)

    async def renew(self, lease: int) -> None:
        """See Store.renew."""
        self._opened().renew(lease)

    async def revoke(self, lease: int) -> None:
        """See Store.revoke."""
        self._opened().revoke(lease)

    async def compact(self, revision: int) -> None:
        """See Store.compact."""
        self._opened().compact(revision)

    async def close(self) -> None:
        """See Store.close."""
        if self._live is not None:
            self._live.stop(self._closed())
            self._live = None
            self._journal.close()

    def _opened(self) -> LiveMvcc:
        if self._live is None:
            raise self._closed()
        return self._live

    def _closed(self) -> StoreUnavailable:
        return StoreUnavailable(f"the store in {self._path} is closed")
