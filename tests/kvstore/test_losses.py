"""Stores that are killed, frozen or opened again: nothing acknowledged is lost, nothing is seen twice."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kvstore.errors import OutcomeUnknown, StoreError, StoreUnavailable
from kvstore.etcd import EtcdStore
from kvstore.follow import Snapshot, follow
from kvstore.sqlite import SqliteStore
from kvstore.store import Put, Transaction, absent
from lab.launch.etcd import EtcdProcess
from tests.real_etcd import some_member

WRITES = 60


@pytest.fixture
async def etcd(tmp_path: Path) -> AsyncIterator[EtcdProcess]:
    """A real etcd of this test's own."""
    process = EtcdProcess(some_member(tmp_path))
    process.start()
    await process.wait_ready()
    yield process
    process.kill()


def put(key: str, value: str = "x") -> Transaction:
    return Transaction((absent(key),), (Put(key, value.encode()),))


async def test_etcd_is_killed_under_an_open_watch_and_no_event_is_lost_or_seen_twice(
    etcd: EtcdProcess,
) -> None:
    store, watching = (EtcdStore((etcd.member.endpoint,)) for _ in range(2))
    seen: list[str] = []
    states: list[bool] = []

    async def watch() -> None:
        async for news in follow(
            watching,
            "/t/",
            sleep=asyncio.sleep,
            random=random.Random(1),
            on_state=lambda connected, _: states.append(connected),
        ):
            items = news.items if isinstance(news, Snapshot) else [event.item for event in news.events]
            seen.extend(item.key for item in items if item is not None)

    following = asyncio.create_task(watch())
    certain: list[str] = []
    unknown: list[str] = []
    try:
        for number in range(WRITES):
            if number == WRITES // 3:
                etcd.kill()
                etcd.start()
            key = f"/t/{number:04d}"
            while True:
                try:
                    await store.commit(put(key))
                except StoreUnavailable:
                    await asyncio.sleep(0.02)
                except OutcomeUnknown:
                    unknown.append(key)
                    break
                else:
                    certain.append(key)
                    break
        async with asyncio.timeout(10):
            while not set(certain) <= set(seen):
                await asyncio.sleep(0.02)
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        await store.close()
        await watching.close()
    assert len(seen) == len(set(seen)), "seen twice"
    assert seen == sorted(seen), "out of order"
    assert set(seen) <= set(certain) | set(unknown)
    assert states[0] is True
    assert False in states, "the follower noticed that etcd was away"


async def test_a_change_that_etcd_does_not_answer_is_reported_as_unknown(etcd: EtcdProcess) -> None:
    store = EtcdStore((etcd.member.endpoint,), call_timeout_s=1.0)
    try:
        await store.commit(put("/t/before"))
        etcd.pause()
        with pytest.raises(OutcomeUnknown):
            await store.commit(put("/t/frozen"))
        etcd.resume()
        etcd.kill()
        with pytest.raises(StoreError):
            await store.commit(put("/t/gone"))
        with pytest.raises(StoreUnavailable):
            await store.get("/t/before")
    finally:
        await store.close()


async def test_a_file_that_is_opened_again_knows_everything(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    now = asyncio.get_running_loop().time
    store = SqliteStore(path, now)
    revision = 0
    for number in range(5):
        revision = (await store.commit(put(f"/t/{number}"))).revision
    await store.close()
    again = SqliteStore(path, now)
    listing = await again.list("/t/")
    assert (listing.revision, [item.key for item in listing.items]) == (
        revision,
        [f"/t/{n}" for n in range(5)],
    )
    assert (await again.commit(put("/t/5"))).revision == revision + 1
    await again.close()
    assert path.stat().st_mode & 0o077 == 0


async def test_a_damaged_file_is_refused_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    path.write_bytes(b"this is no database at all, whatever its name says" * 100)
    with pytest.raises(StoreError):
        SqliteStore(path, asyncio.get_running_loop().time)
