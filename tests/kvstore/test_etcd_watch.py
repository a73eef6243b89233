"""How EtcdStore puts batches together from what a real etcd sends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from kvstore.etcd import EtcdStore
from kvstore.store import VALUE_BYTES_MAX, Put, Transaction
from lab.launch.etcd import EtcdProcess


@pytest.fixture
async def store(shared_etcd: EtcdProcess) -> AsyncIterator[EtcdStore]:
    """A client."""
    await shared_etcd.wait_ready()
    opened = EtcdStore([shared_etcd.member.endpoint])
    yield opened
    await opened.close()


async def test_a_big_history_that_etcd_cuts_up_arrives_whole(store: EtcdStore) -> None:
    # etcd cuts what is above 2 MiB into fragments, in the middle of a revision too.
    sizes = (VALUE_BYTES_MAX // 3, VALUE_BYTES_MAX // 4, 1, VALUE_BYTES_MAX // 5)
    expected = []
    for turn in range(8):
        puts = tuple(Put(f"big/{turn}/{part}", bytes(size)) for part, size in enumerate(sizes))
        result = await store.commit(Transaction(operations=puts))
        expected.append((result.revision, [(put.key, len(put.value)) for put in puts]))
    async with asyncio.timeout(10), store.watch("big/", expected[0][0]) as batches:
        arrived = [await anext(batches) for _ in expected]
    assert [
        (batch.revision, [(event.key, len(event.item.value)) for event in batch.events if event.item])
        for batch in arrived
    ] == expected


async def test_a_long_history_arrives_in_order(store: EtcdStore) -> None:
    # etcd sends at most 1000 revisions in one response.
    first = (await store.commit(Transaction(operations=(Put("long", b""),)))).revision
    results = await asyncio.gather(
        *(store.commit(Transaction(operations=(Put("long", b""),))) for _ in range(2500))
    )
    async with asyncio.timeout(10), store.watch("long", first) as batches:
        arrived = [(await anext(batches)).revision for _ in range(2501)]
    assert arrived == [first, *sorted(result.revision for result in results)]


@pytest.mark.parametrize(
    "endpoints", [[], ["localhost"], ["127.0.0.1:"], [":2379"], ["127.0.0.1:2379", "localhost:2379"]]
)
def test_an_endpoint_is_a_host_and_a_port(endpoints: list[str]) -> None:
    with pytest.raises(ValueError, match="endpoint"):
        EtcdStore(endpoints)
