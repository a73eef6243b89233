"""The three kinds of store on a test's bench, each with two clients and a way to break a connection."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

from kvstore.etcd import EtcdStore
from kvstore.memory import MemoryCluster, MemoryStore
from kvstore.sqlite import SqliteStore
from kvstore.store import OPERATIONS_MAX, Delete, Store, Transaction
from lab.launch.etcd import EtcdProcess


class Bench(ABC):
    """``store`` and ``other`` are two clients of the same data (SQLite: one client, twice)."""

    shortest_ttl_s = 0.05
    store: Store
    other: Store

    @abstractmethod
    async def drop_connection(self) -> None:
        """Break ``store``'s connection; when this returns, ``store`` works again."""

    async def close(self) -> None:
        """Close both clients."""
        await self.store.close()
        await self.other.close()


class MemoryBench(Bench):
    """Sessions of a cluster in memory."""

    store: MemoryStore

    def __init__(self) -> None:
        cluster = MemoryCluster(asyncio.get_running_loop().time)
        self.store = cluster.session("one")
        self.other = cluster.session("other")

    async def drop_connection(self) -> None:
        """Cut it off for an instant."""
        self.store.cut()
        self.store.mend()


class Reopened:
    """A Store that is whatever SqliteStore has the file open at the moment."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._open()

    def _open(self) -> None:
        self._store = SqliteStore(self._path, asyncio.get_running_loop().time)

    async def reopen(self) -> None:
        """Close the file and open it again."""
        await self._store.close()
        self._open()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


class SqliteBench(Bench):
    """A file."""

    def __init__(self, path: Path) -> None:
        self._file = Reopened(path)
        self.store = self.other = cast(Store, self._file)

    async def drop_connection(self) -> None:
        """Close the file and open it again."""
        await self._file.reopen()


class EtcdBench(Bench):
    """A real etcd, emptied of keys."""

    shortest_ttl_s = 1.0

    def __init__(self, process: EtcdProcess) -> None:
        self._process = process
        self.store = EtcdStore([process.member.endpoint])
        self.other = EtcdStore([process.member.endpoint])

    async def drop_connection(self) -> None:
        """Kill it and start it again on the same data."""
        self._process.kill()
        self._process.start()
        await self._process.wait_ready()


async def empty(store: Store) -> None:
    """Delete every key."""
    keys = [item.key for item in (await store.list("")).items]
    for first in range(0, len(keys), OPERATIONS_MAX):
        deletes = tuple(Delete(key) for key in keys[first : first + OPERATIONS_MAX])
        await store.commit(Transaction(operations=deletes))


@asynccontextmanager
async def open_bench(kind: str, directory: Path, process: EtcdProcess | None) -> AsyncIterator[Bench]:
    """A bench of this kind, with no key in its store."""
    bench: Bench
    if kind == "memory":
        bench = MemoryBench()
    elif kind == "sqlite":
        bench = SqliteBench(directory / "store.sqlite")
    else:
        assert process is not None
        await process.wait_ready()
        bench = EtcdBench(process)
    try:
        await empty(bench.store)
        yield bench
    finally:
        await bench.close()
