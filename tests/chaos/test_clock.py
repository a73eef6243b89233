"""A node's clock that runs wrongly."""

from __future__ import annotations

import asyncio
import random

import pytest

from lab.sim.clock import VirtualClock
from lab.sim.loop import run
from node.chaos.clock import FaultyClock
from node.chaos.faults import Injection, Scope
from node.chaos.kinds import ClockSkew, Plane
from node.chaos.table import FaultTable

CLOCK = Scope(planes=(Plane.CLOCK,))


class Bench:
    """A true clock, faults, and the node's own."""

    def __init__(self) -> None:
        self.true = VirtualClock(asyncio.get_running_loop())
        self.table = FaultTable(random.Random(1))
        self.own = FaultyClock(self.true, self.table)

    def skew(self, duration_s: float = 10.0, **kind: float) -> str:
        return self.table.inject(Injection(ClockSkew(**kind), CLOCK, duration_s), self.true.now()).id


def test_without_a_fault_it_is_the_true_clock_to_the_last_bit() -> None:
    async def scenario() -> None:
        bench = Bench()
        await bench.own.sleep(0.1)
        await bench.own.sleep(0.2)
        assert bench.own.now() == bench.true.now()
        assert bench.own.wall() == bench.true.wall()

    run(scenario())


def test_a_slow_clock_sleeps_longer_and_a_fast_one_less() -> None:
    async def scenario() -> None:
        bench = Bench()
        bench.skew(rate=0.5)
        before = bench.true.now()
        await bench.own.sleep(1.0)
        assert bench.true.now() - before == pytest.approx(2.0)
        bench.skew(rate=8.0)  # together four times as fast
        before = bench.true.now()
        await bench.own.sleep(1.0)
        assert bench.true.now() - before == pytest.approx(0.25)

    run(scenario())


def test_time_goes_on_from_where_it_was_when_the_fault_ends_or_is_healed() -> None:
    async def scenario() -> None:
        bench = Bench()
        bench.skew(rate=0.1, duration_s=10.0)
        await bench.true.sleep(20.0)  # nobody looks at the clock when the fault ends
        assert bench.own.now() == pytest.approx(1.0 + 10.0)
        identity = bench.skew(rate=10.0, duration_s=100.0)
        await bench.true.sleep(1.0)
        bench.table.heal([identity], bench.true.now())
        await bench.true.sleep(1.0)
        assert bench.own.now() == pytest.approx(11.0 + 10.0 + 1.0)

    run(scenario())


def test_a_timer_never_rings_before_its_own_time() -> None:
    async def scenario() -> None:
        bench = Bench()
        bench.skew(rate=3.0, duration_s=1000.0)
        rung: list[bool] = []
        for number in range(1, 200):
            when = number / 7
            bench.own.call_at(when, lambda when=when: rung.append(bench.own.now() >= when))  # type: ignore[misc]
        await bench.true.sleep(30.0)
        assert len(rung) == 199
        assert all(rung)

    run(scenario())


def test_the_calendar_jumps_and_jumps_back_and_durations_do_not() -> None:
    async def scenario() -> None:
        bench = Bench()
        bench.skew(offset_s=3600.0, duration_s=5.0)
        assert bench.own.wall() - bench.true.wall() == 3600.0
        assert bench.own.now() == bench.true.now()
        await bench.true.sleep(5.0)
        assert bench.own.now() == bench.true.now()
        assert bench.own.wall() == bench.true.wall()

    run(scenario())
