"""What every Store promises about keys, transactions and leases: memory, SQLite, and a real etcd."""

from __future__ import annotations

import asyncio

import pytest

from kvstore.errors import LeaseExpired, StoreError, StoreUnavailable
from kvstore.store import (
    OPERATIONS_MAX,
    VALUE_BYTES_MAX,
    Batch,
    Compare,
    Delete,
    Event,
    KeyValue,
    Put,
    Store,
    Transaction,
    absent,
    unchanged,
)
from tests.store_benches import Bench

PATIENCE_S = 10.0


async def put(store: Store, key: str, value: bytes = b"", lease: int = 0) -> int:
    """The revision at which the key was set."""
    return (await store.commit(Transaction(operations=(Put(key, value, lease),)))).revision


# -- keys -----------------------------------------------------------------------------------------


async def test_a_key_is_read_as_it_was_put(bench: Bench) -> None:
    first = await put(bench.store, "a", b"\x00\xff")
    assert await bench.other.get("a") == KeyValue("a", b"\x00\xff", created=first, modified=first)
    second = await put(bench.store, "a", b"")
    assert second == first + 1
    assert await bench.other.get("a") == KeyValue("a", b"", created=first, modified=second)
    assert await bench.store.get("b") is None


async def test_a_deleted_key_is_created_anew(bench: Bench) -> None:
    await put(bench.store, "a")
    await bench.store.commit(Transaction(operations=(Delete("a"),)))
    assert await bench.store.get("a") is None
    again = await put(bench.store, "a")
    assert await bench.store.get("a") == KeyValue("a", b"", created=again, modified=again)


async def test_a_list_holds_what_starts_with_the_prefix_in_order(bench: Bench) -> None:
    for key in ("n/é", "n/", "n/b/1", "n", "n/b", "n0", "m/z", "n/\U0001f433", "n/\uffff"):
        last = await put(bench.store, key)
    listing = await bench.other.list("n/")
    assert [item.key for item in listing.items] == ["n/", "n/b", "n/b/1", "n/é", "n/\uffff", "n/\U0001f433"]
    assert listing.revision == last
    assert len((await bench.store.list("")).items) == 9
    assert (await bench.store.list("x")).items == ()


async def test_keys_are_any_text_and_values_up_to_the_limit(bench: Bench) -> None:
    value = b"x" * VALUE_BYTES_MAX
    await put(bench.store, "Straße/\U0001f433", value)
    item = await bench.store.get("Straße/\U0001f433")
    assert item is not None
    assert item.value == value


# -- transactions ---------------------------------------------------------------------------------


async def test_a_transaction_is_one_revision(bench: Bench) -> None:
    before = await put(bench.store, "old")
    result = await bench.store.commit(
        Transaction((absent("a"), absent("b")), (Put("a", b"1"), Put("b", b"2"), Delete("old")))
    )
    assert result.succeeded
    assert result.revision == before + 1
    assert result.current == {}
    assert [(item.key, item.modified) for item in (await bench.other.list("")).items] == [
        ("a", before + 1),
        ("b", before + 1),
    ]


async def test_a_transaction_that_conflicts_changes_nothing_and_says_what_stands(bench: Bench) -> None:
    await put(bench.store, "a", b"1")
    stale = await bench.store.get("a")
    assert stale is not None
    last = await put(bench.other, "a", b"2")
    result = await bench.store.commit(
        Transaction((unchanged(stale), absent("b"), absent("b")), (Put("a", b"mine"), Put("b", b"mine")))
    )
    assert not result.succeeded
    assert result.revision == last
    assert result.current == {"a": await bench.store.get("a"), "b": None}
    assert await bench.store.get("b") is None


async def test_an_absent_key_can_be_compared_with(bench: Bench) -> None:
    revision = await put(bench.store, "a")
    assert (await bench.store.commit(Transaction((absent("b"),)))).succeeded
    assert not (await bench.store.commit(Transaction((absent("a"),)))).succeeded
    assert (await bench.store.commit(Transaction((Compare("a", revision),)))).succeeded
    assert not (await bench.store.commit(Transaction((Compare("b", revision),)))).succeeded


async def test_what_changes_nothing_makes_no_revision(bench: Bench) -> None:
    before = await put(bench.store, "a", b"same")
    assert (await bench.store.commit(Transaction(operations=(Delete("b"),)))).revision == before
    assert (await bench.store.commit(Transaction())).revision == before
    assert await put(bench.store, "a", b"same") == before + 1


async def test_of_two_writers_racing_for_a_key_one_wins(bench: Bench) -> None:
    for attempt in range(20):
        claim = f"claim/{attempt}"
        results = await asyncio.gather(
            bench.store.commit(Transaction((absent(claim),), (Put(claim, b"store"),))),
            bench.other.commit(Transaction((absent(claim),), (Put(claim, b"other"),))),
        )
        assert [result.succeeded for result in results].count(True) == 1
        winner = b"store" if results[0].succeeded else b"other"
        item = await bench.store.get(claim)
        assert item is not None
        assert item.value == winner
        loser = results[1] if results[0].succeeded else results[0]
        assert loser.current == {claim: item}


async def test_fifty_writers_that_retry_count_to_fifty(bench: Bench) -> None:
    await put(bench.store, "count", b"0")

    async def count(store: Store) -> None:
        item = await store.get("count")
        while item is not None:
            more = Put("count", b"%d" % (int(item.value) + 1))
            result = await store.commit(Transaction((unchanged(item),), (more,)))
            if result.succeeded:
                return
            item = result.current["count"]

    await asyncio.gather(*(count(bench.store if turn % 2 else bench.other) for turn in range(50)))
    item = await bench.store.get("count")
    assert item is not None
    assert item.value == b"50"


async def test_the_biggest_transaction_fits(bench: Bench) -> None:
    keys = [f"{number:04d}" for number in range(OPERATIONS_MAX)]
    compares = tuple(absent(key) for key in keys)
    puts = tuple(Put(key, b"x" * (VALUE_BYTES_MAX // OPERATIONS_MAX)) for key in keys)
    assert (await bench.store.commit(Transaction(compares, puts))).succeeded
    again = await bench.store.commit(Transaction(compares, puts))
    assert not again.succeeded
    assert list(again.current) == keys


# -- leases ---------------------------------------------------------------------------------------


async def test_a_lease_takes_its_keys_along_when_it_ends(bench: Bench) -> None:
    lease = await bench.store.grant(bench.shortest_ttl_s)
    revision = await put(bench.store, "leased", b"", lease)
    item = await bench.other.get("leased")
    assert item is not None
    assert item.lease == lease
    async with asyncio.timeout(PATIENCE_S), bench.other.watch("", revision + 1) as batches:
        assert await anext(batches) == Batch(revision + 1, (Event("leased", None),))
    assert await bench.other.get("leased") is None
    with pytest.raises(LeaseExpired, match=f"{lease:x}"):
        await bench.store.renew(lease)
    with pytest.raises(LeaseExpired):
        await put(bench.store, "leased", b"", lease)


async def test_a_lease_that_is_renewed_lives_on(bench: Bench) -> None:
    lease = await bench.store.grant(bench.shortest_ttl_s)
    await put(bench.store, "leased", b"", lease)
    loop = asyncio.get_running_loop()
    end = loop.time() + 3 * bench.shortest_ttl_s
    while loop.time() < end:
        await asyncio.sleep(bench.shortest_ttl_s / 10)
        await bench.store.renew(lease)
    assert await bench.other.get("leased")
    await bench.store.revoke(lease)


async def test_a_lease_that_is_revoked_ends_at_one_revision(bench: Bench) -> None:
    lease = await bench.store.grant(100)
    await put(bench.store, "a", b"", lease)
    last = await put(bench.store, "b", b"", lease)
    await bench.other.revoke(lease)
    listing = await bench.store.list("")
    assert listing.items == ()
    assert listing.revision == last + 1
    await bench.store.revoke(lease)
    unused = await bench.store.grant(100)
    assert unused != lease
    await bench.store.revoke(unused)
    assert (await bench.store.list("")).revision == last + 1


async def test_a_key_put_again_without_its_lease_outlives_it(bench: Bench) -> None:
    lease, other = await bench.store.grant(100), await bench.store.grant(100)
    for key in ("kept", "moved", "lost"):
        await put(bench.store, key, b"", lease)
    await put(bench.store, "kept")
    await put(bench.store, "moved", b"", other)
    await bench.store.revoke(lease)
    assert [item.key for item in (await bench.store.list("")).items] == ["kept", "moved"]
    await bench.store.revoke(other)
    assert [item.key for item in (await bench.store.list("")).items] == ["kept"]


async def test_a_put_under_a_lease_that_never_was_changes_nothing(bench: Bench) -> None:
    with pytest.raises(LeaseExpired):
        await bench.store.commit(Transaction(operations=(Put("a", b""), Put("b", b"", 12345))))
    assert (await bench.store.list("")).items == ()
    await put(bench.store, "a")
    # When the compares fail, nobody looks at the lease.
    conflict = await bench.store.commit(Transaction((absent("a"),), (Put("b", b"", 12345),)))
    assert not conflict.succeeded


async def test_a_lease_without_time_is_a_mistake(bench: Bench) -> None:
    with pytest.raises(ValueError, match="longer"):
        await bench.store.grant(0)


# -- the end --------------------------------------------------------------------------------------


async def test_history_to_come_cannot_be_compacted(bench: Bench) -> None:
    revision = await put(bench.store, "a")
    with pytest.raises(StoreError, match=f"stands at {revision}"):
        await bench.store.compact(revision + 1)
    await bench.store.compact(revision)
    await bench.store.compact(revision)


async def test_a_closed_store_says_so(bench: Bench) -> None:
    await put(bench.store, "a")
    await bench.store.close()
    await bench.store.close()
    with pytest.raises(StoreUnavailable, match="clos"):
        await bench.store.get("a")
    with pytest.raises(StoreUnavailable, match="clos"):
        await put(bench.store, "a")
    with pytest.raises(StoreUnavailable, match="clos"):
        async with bench.store.watch("a", 1):
            raise AssertionError("the watch stands")
