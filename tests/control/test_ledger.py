"""What a change says when the store does not answer as it should: never more than is known."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

import pytest

from kvstore.memory import MemoryCluster
from kvstore.store import Compare, Put, Transaction
from lab.sim import loop
from lab.sim.clock import VirtualClock
from node.control import keys
from node.control.ledger import CHANGE_TIMEOUT_S, Ledger
from node.control.view import View
from node.errors import Unavailable

KEY = keys.NETWORKS_GUARD


class Bench:
    """A ledger over a store that can be made to take for ever."""

    def __init__(self) -> None:
        self.clock = VirtualClock(asyncio.get_running_loop())
        self.cluster = MemoryCluster(self.clock.now)
        self.answers = asyncio.Event()
        self.answers.set()
        self.session = self.cluster.session("node-1", latency=self._latency)
        self.ledger = Ledger("swarm's", self.session, self.clock, random.Random(1))

    async def _latency(self) -> None:
        await self.answers.wait()


def put(view: View) -> Transaction:
    return Transaction(operations=(Put(KEY, b"1"),))


def play(scenario: Callable[[Bench], Awaitable[None]]) -> None:
    async def main() -> None:
        bench = Bench()
        following = asyncio.ensure_future(bench.ledger.follow())
        await asyncio.sleep(0.1)
        await scenario(bench)
        following.cancel()

    loop.run(main())


def test_a_store_that_does_not_answer_leaves_it_open_what_became_of_the_change() -> None:
    async def scenario(bench: Bench) -> None:
        bench.answers.clear()
        begun = bench.clock.now()
        with pytest.raises(Unavailable, match="did not confirm the change, so it may have happened or not"):
            await bench.ledger.change(put)
        assert bench.clock.now() - begun == pytest.approx(CHANGE_TIMEOUT_S)

    play(scenario)


def test_a_store_that_is_away_changed_nothing() -> None:
    async def scenario(bench: Bench) -> None:
        bench.session.cut()
        with pytest.raises(Unavailable, match="cannot be reached, so nothing was changed"):
            await bench.ledger.change(put)

    play(scenario)


def test_a_change_that_was_made_and_not_heard_of_is_told_as_that() -> None:
    async def scenario(bench: Bench) -> None:
        other = Ledger("swarm's", bench.cluster.session("deaf"), bench.clock, random.Random(1))
        with pytest.raises(Unavailable, match=r"the change was made \(revision \d+ .* its watch is stalled"):
            await other.change(put)

    play(scenario)


def test_a_change_that_somebody_else_forestalled_and_no_news_of_it_changed_nothing() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.ledger.change(put)
        other = Ledger("swarm's", bench.cluster.session("deaf"), bench.clock, random.Random(1))

        def plan(view: View) -> Transaction:
            return Transaction((Compare(KEY, view.modified(KEY)),), (Put(KEY, b"2"),))

        with pytest.raises(Unavailable, match="so nothing was changed"):
            await other.change(plan)

    play(scenario)
