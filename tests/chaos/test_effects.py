"""What each kind of fault does to traffic, in numbers that a user would check."""

from __future__ import annotations

import random
from itertools import groupby, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.chaos.faults import Direction, Injection, Scope, Traffic
from node.chaos.kinds import (
    Bandwidth,
    ClockSkew,
    Corrupt,
    Delay,
    Duplicate,
    Flows,
    Kind,
    Loss,
    Mode,
    MtuLimit,
    Partition,
    Plane,
    Reorder,
    StalledWatch,
    default_planes,
)
from node.chaos.table import FaultTable, Verdict
from node.errors import InvalidParameter

MANY = 20_000


def table(*kinds: Kind, **scope: object) -> FaultTable:
    faults = FaultTable(random.Random(7))
    for kind in kinds:
        faults.inject(Injection(kind, Scope(planes=default_planes(kind), **scope), 3600.0), 0.0)  # type: ignore[arg-type]
    return faults


def datagram(size: int = 1000, peer: str = "node-2", **more: object) -> Traffic:
    return Traffic(Plane.DATA, Direction.OUTGOING, peer, size, **more)  # type: ignore[arg-type]


def verdicts(faults: FaultTable, count: int = MANY, gap_s: float = 0.001, size: int = 1000) -> list[Verdict]:
    return [faults.judge(datagram(size), number * gap_s) for number in range(count)]


# -- lost -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [0.01, 0.1, 0.5])
@pytest.mark.parametrize("burst", [1.0, 5.0])
def test_so_much_is_lost_as_was_asked_for(rate: float, burst: float) -> None:
    lost = [v.mode is Mode.DROP for v in verdicts(table(Loss(rate, burst)))]
    assert sum(lost) / MANY == pytest.approx(rate, rel=0.25)


def test_losses_come_in_runs_of_the_mean_length_asked_for() -> None:
    lost = [v.mode is Mode.DROP for v in verdicts(table(Loss(0.1, burst=8.0)))]
    runs = [len(list(run)) for bad, run in groupby(lost) if bad]
    assert sum(runs) / len(runs) == pytest.approx(8.0, rel=0.15)


def test_what_is_longer_than_the_mtu_vanishes_and_nothing_else() -> None:
    faults = table(MtuLimit(1400))
    assert faults.judge(datagram(1400), 0.0).mode is None
    assert faults.judge(datagram(1401), 0.0).mode is Mode.DROP


def test_a_partition_of_established_flows_lets_new_ones_through_and_the_other_way_round() -> None:
    for flows, cut in ((Flows.ESTABLISHED, True), (Flows.NEW, False)):
        faults = table(Partition(flows=flows))
        assert (faults.judge(datagram(established=True), 0.0).mode is Mode.DROP) is cut
        assert (faults.judge(datagram(established=False), 0.0).mode is Mode.DROP) is not cut


def test_a_fault_of_one_network_leaves_the_others_alone() -> None:
    for named in ("web", "4097"):
        faults = table(Partition(), networks=(named,))
        assert faults.judge(datagram(network="web", vni=4097), 0.0).mode is Mode.DROP
        assert faults.judge(datagram(network="db", vni=4098), 0.0).mode is None
        assert faults.judge(Traffic(Plane.CONTROL, Direction.OUTGOING, "node-2"), 0.0).mode is None


# -- late -----------------------------------------------------------------------------------------


def test_a_delay_with_jitter_stays_within_it_and_keeps_the_order() -> None:
    seen = verdicts(table(Delay(0.05, 0.02)), 2000)
    assert all(0.03 - 1e-9 <= v.delay_s <= 0.07 + 1e-9 for v in seen)
    arrivals = [number * 0.001 + v.delay_s for number, v in enumerate(seen)]
    assert all(one <= other + 1e-9 for one, other in pairwise(arrivals))
    assert len({round(v.delay_s, 6) for v in seen}) > 100


def test_reordering_lets_a_fraction_be_overtaken() -> None:
    seen = verdicts(table(Reorder(0.2, hold_s=0.0035)), 2000)
    arrivals = [number * 0.001 + v.delay_s for number, v in enumerate(seen)]
    overtaken = sum(one > other for one, other in pairwise(arrivals))
    assert overtaken / len(seen) == pytest.approx(0.16, abs=0.05)


@given(st.floats(1e5, 1e8), st.integers(100, 1500))
def test_no_more_gets_through_than_the_bandwidth(bits_per_s: float, size: int) -> None:
    faults = table(Bandwidth(bits_per_s, queue_bytes=100_000))
    gap_s = size * 8 / bits_per_s / 2  # twice as fast as the link
    seen = verdicts(faults, 3000, gap_s, size)
    through = [number * gap_s + v.delay_s for number, v in enumerate(seen) if v.mode is None]
    assert len(through) * size * 8 / max(through) <= bits_per_s * 1.001
    assert max(v.delay_s for v in seen) <= (100_000 + size) * 8 / bits_per_s + 1e-6
    assert any(v.mode is Mode.DROP for v in seen), "the queue overflows"


def test_each_peer_has_a_link_of_its_own() -> None:
    faults = table(Bandwidth(8000.0, queue_bytes=2000))
    assert faults.judge(datagram(1000, "node-2"), 0.0).delay_s == pytest.approx(1.0)
    assert faults.judge(datagram(1000, "node-3"), 0.0).delay_s == pytest.approx(1.0)
    assert faults.judge(datagram(1000, "node-2"), 0.0).delay_s == pytest.approx(2.0)


# -- changed --------------------------------------------------------------------------------------


def test_a_fraction_is_doubled_or_spoilt() -> None:
    seen = verdicts(table(Duplicate(0.25), Corrupt(0.1)))
    assert sum(v.copies == 2 for v in seen) / MANY == pytest.approx(0.25, rel=0.1)
    assert sum(v.flipped_bit is not None for v in seen) / MANY == pytest.approx(0.1, rel=0.1)


def test_faults_add_up_and_what_is_lost_is_not_delayed() -> None:
    faults = table(Delay(0.1), Delay(0.2), MtuLimit(500))
    assert faults.judge(datagram(400), 0.0).delay_s == pytest.approx(0.3)
    assert faults.judge(datagram(600), 0.0) == Verdict(Mode.DROP)
    assert [seen.hits for seen in faults.list(0.0)] == [1, 1, 1]


def test_the_same_seed_judges_the_same() -> None:
    kinds = (Loss(0.1, 3.0), Delay(0.01, 0.01), Reorder(0.1), Duplicate(0.1), Corrupt(0.1))
    assert verdicts(table(*kinds), 500) == verdicts(table(*kinds), 500)


# -- refused --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "make",
    [
        lambda: Loss(0.0),
        lambda: Loss(1.5),
        lambda: Loss(float("nan")),
        lambda: Loss(1.0, burst=3.0),
        lambda: Loss(0.1, burst=0.5),
        lambda: Delay(0.0),
        lambda: Delay(61.0),
        lambda: Delay(0.1, 0.2),
        lambda: Reorder(0.5, 0.0),
        lambda: Duplicate(2.0),
        lambda: Corrupt(-1.0),
        lambda: Bandwidth(1.0),
        lambda: Bandwidth(1e6, 0),
        lambda: MtuLimit(10),
        lambda: ClockSkew(0.0),
        lambda: ClockSkew(offset_s=1e9),
        lambda: Injection(Corrupt(0.1), Scope(planes=(Plane.CONTROL,)), 5.0),
        lambda: Injection(StalledWatch(), Scope(), 5.0),
        lambda: Injection(Loss(0.1), Scope(planes=(Plane.CLOCK,)), 5.0),
    ],
)
def test_impossible_faults_are_refused_with_a_sentence(make) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InvalidParameter, match=r"\w+ .*\w+ .*(not|above|applies|at most|below)"):
        make()
