"""A node that a fault cuts off from the store, against the store in memory."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import pytest

from kvstore.errors import OutcomeUnknown, StoreUnavailable
from kvstore.follow import follow
from kvstore.memory import MemoryCluster
from kvstore.store import Put, Store, Transaction
from lab.sim.clock import VirtualClock
from lab.sim.loop import run
from node.chaos.faults import Direction, Injection, Scope
from node.chaos.kinds import Delay, Mode, Partition, Plane, StalledWatch
from node.chaos.store import FaultyStore
from node.chaos.table import FaultTable

STORE = (Plane.STORE,)


class Bench:
    """A store behind faults, and the same one without."""

    def __init__(self) -> None:
        self.clock = VirtualClock(asyncio.get_running_loop())
        cluster = MemoryCluster(self.clock.now)
        self.direct = cluster.session("direct")
        self.table = FaultTable(random.Random(1))
        self.store = FaultyStore(cluster.session("node-1"), self.table, self.clock)

    def cut(
        self, direction: Direction = Direction.BOTH, duration_s: float = 5.0, mode: Mode = Mode.DROP
    ) -> None:
        self.table.inject(
            Injection(Partition(mode), Scope((), direction, STORE), duration_s), self.clock.now()
        )


async def put(store: Store, key: str) -> int:
    return (await store.commit(Transaction(operations=(Put(key, b""),)))).revision


def operations(store: Store) -> list[Coroutine[Any, Any, object]]:
    return [
        store.get("a"),
        store.list("a"),
        put(store, "a"),
        store.grant(5.0),
        store.renew(1),
        store.revoke(1),
        store.compact(1),
        anext_of_watch(store),
    ]


async def anext_of_watch(store: Store) -> object:
    async with store.watch("a", 1) as batches:
        return await anext(batches)


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("direction", [Direction.BOTH, Direction.OUTGOING])
def test_when_requests_are_lost_nothing_is_changed_and_it_fails_at_once(
    direction: Direction, mode: Mode
) -> None:
    async def scenario() -> None:
        bench = Bench()
        before = await put(bench.store, "a")
        bench.cut(direction, mode=mode)
        for operation in operations(bench.store):
            with pytest.raises(StoreUnavailable, match="cuts this node off"):
                await operation
        assert bench.clock.now() == 0.0
        assert (await bench.direct.list("")).revision == before

    run(scenario())


def test_when_answers_are_lost_a_change_is_made_and_its_outcome_unknown() -> None:
    async def scenario() -> None:
        bench = Bench()
        bench.cut(Direction.INCOMING)
        with pytest.raises(OutcomeUnknown):
            await put(bench.store, "a")
        with pytest.raises(StoreUnavailable):
            await bench.store.get("a")
        assert await bench.direct.get("a") is not None

    run(scenario())


def test_a_cut_of_other_planes_leaves_the_store_alone() -> None:
    async def scenario() -> None:
        bench = Bench()
        bench.table.inject(Injection(Partition(), Scope(), 5.0), bench.clock.now())
        await put(bench.store, "a")
        assert await bench.direct.get("a") is not None

    run(scenario())


@pytest.mark.parametrize("direction", Direction)
def test_an_open_watch_breaks_at_the_cut(direction: Direction) -> None:
    async def scenario() -> None:
        bench = Bench()
        async with bench.store.watch("", 1) as batches:
            revision = await put(bench.direct, "a")
            assert (await anext(batches)).revision == revision
            waiting = asyncio.ensure_future(read(batches))
            await bench.clock.sleep(1)
            bench.cut(direction)
            with pytest.raises(StoreUnavailable):
                await waiting
            with pytest.raises(StoreUnavailable):
                await anext(batches)

    run(scenario())


def test_a_watch_whose_reader_was_busy_during_the_whole_cut_is_broken_all_the_same() -> None:
    async def scenario() -> None:
        bench = Bench()
        async with bench.store.watch("", 1) as batches:
            bench.cut(duration_s=1.0)
            await bench.clock.sleep(2)
            with pytest.raises(StoreUnavailable):
                await anext(batches)

    run(scenario())


def test_a_follower_misses_nothing_across_a_cut_that_heals_by_itself() -> None:
    async def scenario() -> None:
        bench = Bench()
        seen: list[str] = []

        async def follower() -> None:
            async for news in follow(
                bench.store, "", sleep=bench.clock.sleep, random=random.Random(1), on_state=lambda *_: None
            ):
                seen.append(repr(news))

        task = asyncio.ensure_future(follower())
        for number in range(10):
            if number == 3:
                bench.cut(duration_s=4.5)
            await put(bench.direct, f"key-{number}")
            await bench.clock.sleep(1)
        await bench.clock.sleep(10)
        task.cancel()
        story = "".join(seen)
        assert all(f"key-{number}" in story for number in range(10))

    run(scenario())


async def read(batches: AsyncIterator[Any]) -> object:
    return await anext(batches)


def test_a_stalled_watch_brings_all_its_news_when_the_fault_ends_and_operations_go_on() -> None:
    async def scenario() -> None:
        bench = Bench()
        bench.table.inject(Injection(StalledWatch(), Scope(planes=STORE), 5.0), bench.clock.now())
        async with bench.store.watch("", 1) as batches:
            await put(bench.store, "a")
            await put(bench.store, "b")
            heard = []
            async with asyncio.timeout(60):
                async for batch in batches:
                    heard.append((bench.clock.now(), [event.key for event in batch.events]))
                    if len(heard) == 2:
                        break
        assert [keys for _, keys in heard] == [["a"], ["b"]]
        assert all(5.0 <= at < 5.2 for at, _ in heard)

    run(scenario())


def test_a_slow_store_answers_late() -> None:
    async def scenario() -> None:
        bench = Bench()
        bench.table.inject(Injection(Delay(0.3), Scope(planes=STORE), 60.0), bench.clock.now())
        await put(bench.store, "a")
        assert bench.clock.now() == pytest.approx(0.6)

    run(scenario())
