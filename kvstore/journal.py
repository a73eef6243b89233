"""A SQLite file that keeps every Change of an Mvcc, and gives its State back when it is opened.

    state     one row: revision, compacted, newest lease
    item      what stands now
    history   what each revision after ``compacted`` changed (value NULL: deleted)
    lease     time to live, deadline

One Change is one SQLite transaction, in WAL mode with synchronous=NORMAL: when it returns it is in
the kernel's hands, so it outlives this process however that dies, and nobody waits for the disk. If
the whole machine loses power the newest changes may be missing, but what is left is whole
(sqlite.org/pragma.html#pragma_synchronous). For what one simulated host knows, that is right.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple
from itertools import groupby
from pathlib import Path
from typing import Any

from kvstore.errors import StoreError, StoreUnavailable
from kvstore.mvcc import HISTORY_BATCHES_MAX, Change, Lease, State
from kvstore.store import Batch, Event, KeyValue

APPLICATION = 0x6B767374
"""Marks a file as ours: "kvst" (sqlite.org/pragma.html#pragma_application_id)."""

SCHEMA_VERSION = 1

EMPTY = State()

SCHEMA = f"""
BEGIN IMMEDIATE;
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = {SCHEMA_VERSION};
CREATE TABLE state (
    revision INTEGER NOT NULL DEFAULT {EMPTY.revision},
    compacted INTEGER NOT NULL DEFAULT {EMPTY.compacted},
    newest_lease INTEGER NOT NULL DEFAULT {EMPTY.newest_lease}
) STRICT;
CREATE TABLE item (
    key TEXT PRIMARY KEY, value BLOB NOT NULL,
    created INTEGER NOT NULL, modified INTEGER NOT NULL, lease INTEGER NOT NULL
) STRICT;
CREATE TABLE history (
    revision INTEGER NOT NULL, key TEXT NOT NULL, value BLOB,
    created INTEGER NOT NULL, lease INTEGER NOT NULL, PRIMARY KEY (revision, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE lease (
    identity INTEGER PRIMARY KEY, ttl_s REAL NOT NULL, deadline REAL NOT NULL
) STRICT;
INSERT INTO state DEFAULT VALUES;
COMMIT;
"""

LOCK_WAIT_S = 1.0
"""How long opening waits for another process to let go of the file, say one that is just ending."""

CHECKPOINT_PAGES = 200
"""WAL pages after which SQLite moves them into the file: few, so that no commit waits for long."""


class Journal:
    """The open file. One process has it at a time."""

    def __init__(self, path: Path) -> None:
        """Open the file, or create it, readable by its owner alone.

        Raises StoreError, with a sentence for a person, if it cannot be used as it is.
        """
        self._path = path
        with explained(path):
            make_private(path)
            self._database = sqlite3.connect(path, isolation_level=None, timeout=LOCK_WAIT_S)
            try:
                self._prepare()
            except BaseException:
                self._database.close()
                raise

    def read(self) -> State:
        """All that was written. Raises StoreError if the file is damaged."""
        with explained(self._path):
            return self._read()

    def write(self, change: Change) -> None:
        """Keep a change, whole or not at all. Raises StoreUnavailable if it cannot be written."""
        try:
            with self._transaction():
                if change.batch is not None:
                    self._write_batch(change.batch)
                if change.lease is not None:
                    self._write_lease(change.lease)
                if change.ended is not None:
                    self._database.execute("DELETE FROM lease WHERE identity = ?", (change.ended,))
                if change.compacted is not None:
                    self._forget(change.compacted)
        except sqlite3.Error as error:
            raise StoreUnavailable(f"{self._path} cannot be written: {error}") from error

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    # -- opening ----------------------------------------------------------------------------------

    def _prepare(self) -> None:
        # Exclusive before the first access: then SQLite keeps the lock, and the WAL index in memory.
        self._database.execute("PRAGMA locking_mode = EXCLUSIVE")
        application = self._one("PRAGMA application_id")
        version = self._one("PRAGMA user_version")
        empty = self._one("SELECT count(*) FROM sqlite_schema") == 0
        if not empty and application != APPLICATION:
            raise StoreError(f"{self._path} belongs to another program: name another file")
        if not empty and version != SCHEMA_VERSION:
            raise StoreError(
                f"{self._path} has format {version}, and this program knows format {SCHEMA_VERSION} only: "
                "use the program that wrote it, or move the file away to start empty"
            )
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        if empty:
            self._database.executescript(SCHEMA)

    def _read(self) -> State:
        if (problem := self._one("PRAGMA quick_check(1)")) != "ok":
            raise sqlite3.DatabaseError(problem)
        revision, compacted, newest_lease = self._database.execute("SELECT * FROM state").fetchone()
        state = State(
            revision=revision,
            compacted=compacted,
            items=[KeyValue(*row) for row in self._database.execute("SELECT * FROM item")],
            history=self._read_history(),
            leases=[Lease(*row) for row in self._database.execute("SELECT * FROM lease")],
            newest_lease=newest_lease,
        )
        if [batch.revision for batch in state.history] != list(range(compacted + 1, revision + 1)):
            raise sqlite3.DatabaseError("the history has gaps")
        return state

    def _read_history(self) -> list[Batch]:
        rows = self._database.execute(
            "SELECT revision, key, value, created, lease FROM history ORDER BY revision, key"
        )
        return [
            Batch(revision, tuple(event_of(*row) for row in changed))
            for revision, changed in groupby(rows, key=lambda row: row[0])
        ]

    def _one(self, query: str) -> Any:
        return self._database.execute(query).fetchone()[0]

    # -- writing ----------------------------------------------------------------------------------

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._database.execute("COMMIT")
        except BaseException:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            raise

    def _write_batch(self, batch: Batch) -> None:
        for event in batch.events:
            item = event.item
            if item is None:
                self._database.execute("DELETE FROM item WHERE key = ?", (event.key,))
                self._write_history(batch.revision, event.key, None, 0, 0)
            else:
                self._database.execute("REPLACE INTO item VALUES (?, ?, ?, ?, ?)", astuple(item))
                self._write_history(batch.revision, item.key, item.value, item.created, item.lease)
        self._database.execute("UPDATE state SET revision = ?", (batch.revision,))
        self._forget(batch.revision - HISTORY_BATCHES_MAX)

    def _write_history(self, *row: int | str | bytes | None) -> None:
        self._database.execute("INSERT INTO history VALUES (?, ?, ?, ?, ?)", row)

    def _write_lease(self, lease: Lease) -> None:
        self._database.execute("REPLACE INTO lease VALUES (?, ?, ?)", astuple(lease))
        self._database.execute("UPDATE state SET newest_lease = max(newest_lease, ?)", (lease.identity,))

    def _forget(self, compacted: int) -> None:
        self._database.execute("DELETE FROM history WHERE revision <= ?", (compacted,))
        self._database.execute("UPDATE state SET compacted = max(compacted, ?)", (compacted,))


def event_of(revision: int, key: str, value: bytes | None, created: int, lease: int) -> Event:
    """One row of the history."""
    return Event(key, None if value is None else KeyValue(key, value, created, revision, lease))


def make_private(path: Path) -> None:
    """Let the file be there, for its owner alone; SQLite gives its WAL the same mode.

    An existing file is not opened: closing it again would give up every lock that this process
    holds on it (sqlite.org/howtocorrupt.html, section 2.2).
    """
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        path.chmod(0o600)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what goes wrong while opening the file into a StoreError that says what to do."""
    try:
        yield
    except OSError as error:
        raise StoreError(f"{path} cannot be opened: {error.strerror}") from error
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
            raise StoreError(f"{path} is in use by another process: end that one first") from error
        raise StoreError(f"{path} cannot be opened: {error}") from error
    except sqlite3.Error as error:
        raise StoreError(f"{path} is damaged ({error}): move it away to start empty") from error
