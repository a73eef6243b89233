"""EtcdStore against a real etcd that is killed, frozen, emptied, or not there."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from random import Random

import pytest

from kvstore.errors import OutcomeUnknown, StoreUnavailable
from kvstore.etcd import EtcdStore
from kvstore.follow import Snapshot, follow
from kvstore.store import Batch, Put, Transaction, absent
from lab.launch.etcd import EtcdProcess
from tests.real_etcd import free_ports, running_etcd

CALL_TIMEOUT_S = 0.3
PATIENCE_S = 15.0


@pytest.fixture
async def etcd(tmp_path: Path) -> AsyncIterator[EtcdProcess]:
    """An etcd that this test may do anything to."""
    async with running_etcd(tmp_path) as process:
        yield process


@pytest.fixture
async def store(etcd: EtcdProcess) -> AsyncIterator[EtcdStore]:
    """A client of it that does not wait for long."""
    opened = EtcdStore([etcd.member.endpoint], call_timeout_s=CALL_TIMEOUT_S)
    yield opened
    await opened.close()


def put(key: str, value: bytes = b"") -> Transaction:
    """Set one key, whatever stands there."""
    return Transaction(operations=(Put(key, value),))


def now() -> float:
    """Seconds."""
    return asyncio.get_running_loop().time()


# -- away -----------------------------------------------------------------------------------------


async def test_with_nobody_listening_every_operation_is_unavailable() -> None:
    (port,) = free_ports(1)
    store = EtcdStore([f"127.0.0.1:{port}"], call_timeout_s=CALL_TIMEOUT_S)
    start = now()
    for operation in (
        store.get("a"),
        store.list("a"),
        store.commit(put("a")),
        store.grant(1),
        store.renew(1),
        store.revoke(1),
        store.compact(1),
        store.watch("a", 1).__aenter__(),
    ):
        with pytest.raises(StoreUnavailable):
            await operation
    assert now() - start < 7 * CALL_TIMEOUT_S + 2.5
    await store.close()


async def test_a_change_after_etcd_was_killed_is_unavailable_not_unknown(
    etcd: EtcdProcess, store: EtcdStore
) -> None:
    revision = (await store.commit(put("a"))).revision
    async with store.watch("a", revision + 1) as batches:
        etcd.kill()
        with pytest.raises(StoreUnavailable):
            await anext(batches)
    with pytest.raises(StoreUnavailable, match=r"etcd at 127\.0\.0\.1:\d+ did not answer within 0.3 s"):
        await store.commit(put("a"))
    with pytest.raises(StoreUnavailable):
        await store.get("a")


async def test_a_call_succeeds_soon_after_etcd_is_back(etcd: EtcdProcess, store: EtcdStore) -> None:
    await store.commit(put("a", b"kept"))
    etcd.kill()
    for _ in range(4):
        with pytest.raises(StoreUnavailable):
            await store.get("a")
    etcd.start()
    await etcd.wait_ready()
    start = now()
    while True:
        try:
            item = await store.get("a")
            break
        except StoreUnavailable:
            assert now() - start < 2
    assert item is not None
    assert item.value == b"kept"
    assert now() - start < 1.5


# -- frozen ---------------------------------------------------------------------------------------


async def test_a_change_that_was_sent_and_not_answered_is_unknown(
    etcd: EtcdProcess, store: EtcdStore
) -> None:
    lease = await store.grant(100)
    etcd.pause()
    for change in (store.commit(put("a", b"late")), store.grant(1), store.revoke(lease)):
        with pytest.raises(OutcomeUnknown, match=r"did not answer within 0.3 s"):
            await change
    with pytest.raises(StoreUnavailable):
        await store.commit(Transaction((absent("a"),)))
    with pytest.raises(StoreUnavailable):
        await store.get("a")
    with pytest.raises(StoreUnavailable):
        await store.renew(lease)
    etcd.resume()
    # Nobody may rely on what became of them, only on the store being whole.
    item = await store.get("a")
    assert item is None or item.value == b"late"


async def test_a_change_whose_connection_breaks_is_unknown(etcd: EtcdProcess, store: EtcdStore) -> None:
    await store.commit(put("a"))
    etcd.pause()
    change = asyncio.ensure_future(store.commit(put("b")))
    await asyncio.sleep(0.05)
    etcd.kill()
    with pytest.raises(OutcomeUnknown, match="cannot be reached"):
        await change


async def test_closing_under_a_change_leaves_it_unknown(etcd: EtcdProcess, store: EtcdStore) -> None:
    await store.commit(put("a"))
    etcd.pause()
    change = asyncio.ensure_future(store.commit(put("b")))
    read = asyncio.ensure_future(store.get("b"))
    await asyncio.sleep(0.05)
    await store.close()
    with pytest.raises(OutcomeUnknown, match="closed"):
        await change
    with pytest.raises(StoreUnavailable, match="closed"):
        await read


async def test_a_frozen_etcd_is_noticed_by_a_watch(etcd: EtcdProcess, store: EtcdStore) -> None:
    revision = (await store.commit(put("a"))).revision
    async with store.watch("a", revision + 1) as batches:
        etcd.pause()
        start = now()
        with pytest.raises(StoreUnavailable, match="silent"):
            await anext(batches)
        assert now() - start < 5
    etcd.resume()
    later = (await store.commit(put("a"))).revision
    async with store.watch("a", revision + 1) as batches:
        assert (await anext(batches)).revision == later


# -- killed under a watch -------------------------------------------------------------------------


class Writer:
    """Sets /0, /1, /2 ... once each, and keeps what became of each."""

    def __init__(self, store: EtcdStore) -> None:
        self.acknowledged: dict[str, int] = {}
        self.unknown: list[str] = []
        self._store = store
        self._turn = 0

    async def write(self) -> None:
        """The next key, until etcd has taken it or may have."""
        key = f"/{self._turn}"
        self._turn += 1
        while True:
            try:
                result = await self._store.commit(Transaction((absent(key),), (Put(key, b""),)))
            except StoreUnavailable:
                continue
            except OutcomeUnknown:
                self.unknown.append(key)
                return
            assert result.succeeded, f"{key} was written twice"
            self.acknowledged[key] = result.revision
            return


async def test_every_acknowledged_write_is_seen_once_while_etcd_is_killed_again_and_again(
    etcd: EtcdProcess, store: EtcdStore
) -> None:
    other = EtcdStore([etcd.member.endpoint], call_timeout_s=CALL_TIMEOUT_S)
    writer = Writer(other)
    seen: list[Batch] = []

    async def kill_and_start() -> None:
        for _ in range(4):
            target = len(seen) + 50
            while len(seen) < target:
                await asyncio.sleep(0.005)
            etcd.kill()
            await asyncio.sleep(0.05)
            etcd.start()
            await etcd.wait_ready()

    async def write_meanwhile(killer: asyncio.Task[None]) -> None:
        while not killer.done():
            await writer.write()

    async with (
        asyncio.timeout(PATIENCE_S),
        aclosing(follow(store, "/", sleep=asyncio.sleep, random=Random(1))) as news,
    ):
        first = await anext(news)
        assert isinstance(first, Snapshot)

        async def read() -> None:
            async for item in news:
                assert isinstance(item, Batch), "history was lost"
                seen.append(item)

        reader = asyncio.ensure_future(read())
        killer = asyncio.ensure_future(kill_and_start())
        await write_meanwhile(killer)
        await killer
        last = (await store.list("/")).revision
        while not seen or seen[-1].revision < last:
            assert not reader.done(), reader
            await asyncio.sleep(0.005)
        reader.cancel()
        await asyncio.wait([reader])

    revisions = [batch.revision for batch in seen]
    assert revisions == list(range(first.revision + 1, last + 1)), "a gap, or one twice"
    arrived = {event.key: batch.revision for batch in seen for event in batch.events}
    assert len(arrived) == len(seen)
    assert arrived.items() >= writer.acknowledged.items()
    assert len(writer.acknowledged) >= 200
    assert arrived.keys() - writer.acknowledged.keys() <= set(writer.unknown)
    await other.close()


async def test_an_etcd_that_comes_back_empty_is_listed_anew(etcd: EtcdProcess, store: EtcdStore) -> None:
    for turn in range(5):
        await store.commit(put(f"a/{turn}"))
    async with (
        asyncio.timeout(PATIENCE_S),
        aclosing(follow(store, "a/", sleep=asyncio.sleep, random=Random(1))) as news,
    ):
        before = await anext(news)
        waiting = asyncio.ensure_future(anext(news))
        await asyncio.sleep(0.05)
        etcd.kill()
        shutil.rmtree(etcd.member.directory / "data")
        etcd.start()
        await etcd.wait_ready()
        after = await waiting
        assert isinstance(after, Snapshot)
        assert after.items == ()
        assert after.revision < before.revision
        revision = (await store.commit(put("a/new"))).revision
        assert (await anext(news)).revision == revision
