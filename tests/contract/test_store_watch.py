"""What every Store promises to those who watch: memory, SQLite, and a real etcd."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from random import Random
from typing import TypeVar

import pytest

from kvstore.errors import Compacted, Rewound, StoreUnavailable
from kvstore.follow import Snapshot, follow
from kvstore.store import Batch, Delete, Event, KeyValue, Put, Store, Transaction
from tests.store_benches import Bench

PATIENCE_S = 10.0
Item = TypeVar("Item")


async def commit(store: Store, *operations: Put | Delete) -> int:
    """The revision of a transaction that compares nothing."""
    return (await store.commit(Transaction(operations=operations))).revision


async def take(source: AsyncIterator[Item], count: int) -> list[Item]:
    """The next few things that come."""
    async with asyncio.timeout(PATIENCE_S):
        return [await anext(source) for _ in range(count)]


async def test_a_watch_sees_each_revision_once_in_order(bench: Bench) -> None:
    start = await commit(bench.store, Put("before", b""))
    async with bench.store.watch("", start + 1) as batches:
        revisions = [await commit(bench.other, Put(f"key/{turn}", b"")) for turn in range(50)]
        assert [batch.revision for batch in await take(batches, 50)] == revisions


async def test_a_revision_is_one_batch_in_key_order(bench: Bench) -> None:
    created = await commit(bench.store, Put("b", b"old"), Put("d", b"old"))
    async with bench.store.watch("", created + 1) as batches:
        revision = await commit(bench.other, Put("c", b"new"), Delete("d"), Put("b", b"new"), Delete("a"))
        expected = Batch(
            revision,
            (
                Event("b", KeyValue("b", b"new", created, revision)),
                Event("c", KeyValue("c", b"new", revision, revision)),
                Event("d", None),
            ),
        )
        assert await take(batches, 1) == [expected]


async def test_a_watch_sees_only_what_lies_below_its_prefix(bench: Bench) -> None:
    start = await commit(bench.store, Put("n/0", b""))
    async with bench.store.watch("n/", start + 1) as batches:
        await commit(bench.other, Put("m", b""), Put("n", b""), Put("n0", b""))
        mixed = await commit(bench.other, Put("n/1", b""), Put("m", b""))
        await commit(bench.other, Delete("m"))
        last = await commit(bench.other, Delete("n/0"))
        first, second = await take(batches, 2)
    assert (first.revision, [event.key for event in first.events]) == (mixed, ["n/1"])
    assert second == Batch(last, (Event("n/0", None),))


async def test_a_watch_may_begin_in_the_past(bench: Bench) -> None:
    first = await commit(bench.store, Put("a", b"1"))
    second = await commit(bench.store, Delete("a"))
    third = await commit(bench.store, Put("a", b"3"), Put("b", b""))
    async with bench.other.watch("a", first) as batches:
        fourth = await commit(bench.store, Put("a", b"4"))
        assert await take(batches, 4) == [
            Batch(first, (Event("a", KeyValue("a", b"1", first, first)),)),
            Batch(second, (Event("a", None),)),
            Batch(third, (Event("a", KeyValue("a", b"3", third, third)),)),
            Batch(fourth, (Event("a", KeyValue("a", b"4", third, fourth)),)),
        ]
    async with bench.other.watch("a", third) as batches:
        assert [batch.revision for batch in await take(batches, 2)] == [third, fourth]


async def test_two_watches_see_the_same(bench: Bench) -> None:
    start = await commit(bench.store, Put("a", b""))
    async with bench.store.watch("", start + 1) as one, bench.other.watch("", start + 1) as other:
        await commit(bench.store, Put("a", b"1"))
        await commit(bench.other, Put("a", b"2"))
        assert await take(one, 2) == await take(other, 2)


async def test_no_revision_comes_before_the_first(bench: Bench) -> None:
    with pytest.raises(ValueError, match="revision 0"):
        async with bench.store.watch("", 0):
            raise AssertionError("the watch stands")


async def test_a_reader_that_is_cancelled_misses_nothing(bench: Bench) -> None:
    start = await commit(bench.store, Put("a", b""))
    async with bench.store.watch("", start + 1) as batches:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await anext(batches)
        revision = await commit(bench.other, Put("a", b"1"))
        assert [batch.revision for batch in await take(batches, 1)] == [revision]


async def test_a_broken_watch_is_resumed_where_it_ended(bench: Bench) -> None:
    start = await commit(bench.store, Put("a", b"0"))
    async with bench.store.watch("", start + 1) as batches:
        seen = await commit(bench.store, Put("a", b"1"))
        assert [batch.revision for batch in await take(batches, 1)] == [seen]
        await bench.drop_connection()
        with pytest.raises(StoreUnavailable):
            await take(batches, 1)
        with pytest.raises(StoreUnavailable):
            await take(batches, 1)
    missed = await commit(bench.other, Put("a", b"2"))
    async with bench.store.watch("", seen + 1) as batches:
        later = await commit(bench.other, Put("a", b"3"))
        assert [batch.revision for batch in await take(batches, 2)] == [missed, later]


async def test_compacted_history_is_refused(bench: Bench) -> None:
    first = await commit(bench.store, Put("a", b""), Put("b", b""))
    second = await commit(bench.store, Delete("a"))
    third = await commit(bench.store, Put("c", b""))
    await bench.store.compact(second)
    for revision in (1, first, second):
        async with bench.other.watch("", revision) as batches:
            with pytest.raises(Compacted) as caught:
                await take(batches, 1)
        assert caught.value.revision == second
    async with bench.other.watch("", third) as batches:
        assert [batch.revision for batch in await take(batches, 1)] == [third]


async def test_compaction_does_not_disturb_a_watch_that_is_up_to_date(bench: Bench) -> None:
    start = await commit(bench.store, Put("a", b""))
    async with bench.store.watch("", start + 1) as batches:
        first = await commit(bench.other, Put("a", b"1"))
        assert [batch.revision for batch in await take(batches, 1)] == [first]
        await bench.other.compact(first)
        second = await commit(bench.other, Put("a", b"2"))
        assert [batch.revision for batch in await take(batches, 1)] == [second]


async def test_a_store_that_has_lost_its_data_is_noticed(bench: Bench) -> None:
    stands = await commit(bench.store, Put("a", b""))
    async with bench.store.watch("", stands + 2) as batches:
        with pytest.raises(Rewound, match=f"at revision {stands}, before {stands + 2}"):
            await take(batches, 1)


async def test_closing_ends_watches(bench: Bench) -> None:
    start = await commit(bench.store, Put("a", b""))
    async with bench.store.watch("", start + 1) as batches:
        reader = asyncio.ensure_future(take(batches, 1))
        await asyncio.sleep(0)
        await bench.store.close()
        with pytest.raises(StoreUnavailable, match="clos"):
            await reader


# -- follow: list, watch, resume, list again ------------------------------------------------------


async def test_follow_lists_and_goes_on_from_there(bench: Bench) -> None:
    stands = await commit(bench.store, Put("n/a", b"1"), Put("m", b""))
    async with aclosing(follow(bench.store, "n/", sleep=asyncio.sleep, random=Random(1))) as news:
        assert await take(news, 1) == [Snapshot(stands, (KeyValue("n/a", b"1", stands, stands),))]
        later = await commit(bench.other, Put("n/b", b"2"))
        assert await take(news, 1) == [Batch(later, (Event("n/b", KeyValue("n/b", b"2", later, later)),))]


async def test_follow_loses_nothing_when_the_connection_drops(bench: Bench) -> None:
    states: list[bool] = []
    await commit(bench.store, Put("a", b""))
    revisions = []

    async with aclosing(
        follow(
            bench.store,
            "",
            sleep=asyncio.sleep,
            random=Random(1),
            on_state=lambda connected, reason: states.append(connected),
        )
    ) as news:
        await take(news, 1)
        for _ in range(3):
            revisions += [await commit(bench.store, Put("a", b"")) for _ in range(3)]
            assert [item.revision for item in await take(news, 3)] == revisions[-3:]
            await bench.drop_connection()
    assert states == [True, False, True, False, True]


async def test_follow_lists_again_after_compaction(bench: Bench) -> None:
    await commit(bench.store, Put("a", b""), Put("b", b""))
    async with aclosing(follow(bench.store, "", sleep=asyncio.sleep, random=Random(1))) as news:
        await take(news, 1)
        await commit(bench.store, Put("a", b"1"))
        await take(news, 1)
        await bench.drop_connection()
        await commit(bench.store, Delete("b"))
        stands = await commit(bench.store, Put("a", b"2"))
        await bench.store.compact(stands)
        (again,) = await take(news, 1)
        assert isinstance(again, Snapshot)
        assert again.revision == stands
        assert [(item.key, item.value) for item in again.items] == [("a", b"2")]
