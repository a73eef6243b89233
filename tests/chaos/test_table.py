"""Faults are judged by plane, direction and peer, and end by themselves."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.chaos.faults import FAULT_S_MAX, PEERS_MAX, Direction, Injection, Scope, Traffic, cut_from
from node.chaos.kinds import BETWEEN_NODES, Mode, Partition, Plane
from node.chaos.table import FAULTS_MAX, FaultTable
from node.errors import Conflict, InvalidParameter, Unavailable

NODES = [f"node-{number}" for number in range(1, 6)]
WAYS = (Direction.OUTGOING, Direction.INCOMING)

scopes = st.builds(
    Scope,
    peers=st.lists(st.sampled_from(NODES), unique=True).map(tuple),
    direction=st.sampled_from(Direction),
    planes=st.lists(st.sampled_from(Partition.planes), unique=True, min_size=1).map(tuple),
)
injections = st.builds(
    Injection,
    kind=st.builds(Partition, st.sampled_from(Mode)),
    scope=scopes,
    duration_s=st.floats(0.001, FAULT_S_MAX),
)


def table() -> FaultTable:
    return FaultTable(random.Random(1))


def partition(*peers: str, duration_s: float = 10.0, identity: str = "", **scope: object) -> Injection:
    return Injection(Partition(), Scope(peers, **scope), duration_s, identity)  # type: ignore[arg-type]


# -- what a fault applies to ----------------------------------------------------------------------


def test_without_faults_everything_gets_through() -> None:
    faults = table()
    assert all(
        faults.judge(Traffic(plane, way, peer), 0.0).mode is None
        for plane in Plane
        for way in WAYS
        for peer in NODES
    )


def test_a_partition_cuts_off_its_peers_both_ways_and_leaves_the_rest_and_the_store() -> None:
    faults = table()
    faults.inject(partition("node-2"), 0.0)
    for way in WAYS:
        for plane in BETWEEN_NODES:
            assert faults.judge(Traffic(plane, way, "node-2"), 1.0).mode is Mode.DROP
            assert faults.judge(Traffic(plane, way, "node-3"), 1.0).mode is None
        assert faults.judge(Traffic(Plane.STORE, way, ""), 1.0).mode is None


def test_a_partition_without_peers_cuts_off_everybody_also_those_without_a_name() -> None:
    faults = table()
    faults.inject(partition(planes=(Plane.DATA,)), 0.0)
    for peer in (*NODES, ""):
        assert faults.judge(Traffic(Plane.DATA, Direction.OUTGOING, peer), 1.0).mode is Mode.DROP
    assert faults.judge(Traffic(Plane.CABLE, Direction.OUTGOING, "node-2"), 1.0).mode is None


def test_the_store_is_cut_off_when_named_whoever_the_peers_are() -> None:
    faults = table()
    faults.inject(partition("node-2", planes=(Plane.STORE,)), 0.0)
    assert faults.judge(Traffic(Plane.STORE, Direction.OUTGOING, ""), 1.0).mode is Mode.DROP
    assert faults.judge(Traffic(Plane.DATA, Direction.OUTGOING, "node-2"), 1.0).mode is None


def test_one_way_is_one_way() -> None:
    faults = table()
    faults.inject(partition("node-2", direction=Direction.INCOMING), 0.0)
    assert faults.judge(Traffic(Plane.DATA, Direction.OUTGOING, "node-2"), 1.0).mode is None
    assert faults.judge(Traffic(Plane.DATA, Direction.INCOMING, "node-2"), 1.0).mode is Mode.DROP


@given(st.permutations(list(Mode)))
def test_dropping_beats_rejecting_whichever_came_first(modes: list[Mode]) -> None:
    faults = table()
    for mode in modes:
        faults.inject(Injection(Partition(mode), Scope(), 10.0), 0.0)
    assert faults.judge(Traffic(Plane.DATA, Direction.OUTGOING, "node-2"), 1.0).mode is Mode.DROP


@given(
    st.lists(injections, max_size=8), st.sampled_from(Plane), st.sampled_from(WAYS), st.sampled_from(NODES)
)
def test_something_is_stopped_exactly_when_a_fault_covers_it(
    asked: list[Injection], plane: Plane, way: Direction, peer: str
) -> None:
    faults = table()
    for injection in asked:
        faults.inject(injection, 0.0)
    traffic = Traffic(plane, way, peer)
    covered = [injection.kind.mode for injection in asked if injection.scope.covers(traffic)]
    expected = Mode.DROP if Mode.DROP in covered else Mode.REJECT if covered else None
    assert faults.judge(Traffic(plane, way, peer), 0.0).mode is expected


# -- groups ---------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 2), min_size=len(NODES), max_size=len(NODES)))
def test_groups_part_every_pair_of_different_groups_on_both_sides_and_no_other(member_of: list[int]) -> None:
    groups = [
        [name for name, group in zip(NODES, member_of, strict=True) if group == each] for each in range(3)
    ]
    if sum(map(bool, groups)) < 2:
        return
    tables = {}
    for name in NODES:
        tables[name] = table()
        tables[name].inject(partition(*cut_from(name, groups)), 0.0)
    for here, group in zip(NODES, member_of, strict=True):
        for there, other in zip(NODES, member_of, strict=True):
            for way in WAYS:
                stopped = tables[here].judge(Traffic(Plane.DATA, way, there), 1.0).mode is not None
                assert stopped == (group != other)


def test_groups_that_make_no_sense_are_refused_in_words() -> None:
    with pytest.raises(InvalidParameter, match="node-2 is in more than one group"):
        cut_from("node-1", [["node-1", "node-2"], ["node-2"]])
    with pytest.raises(InvalidParameter, match="node-9 is in none of the groups"):
        cut_from("node-9", [["node-1"], ["node-2"]])
    with pytest.raises(InvalidParameter, match="name a second group"):
        cut_from("node-1", [["node-1", "node-2"]])


# -- their end ------------------------------------------------------------------------------------


@given(st.lists(injections, min_size=1, max_size=8), st.floats(0, 2 * FAULT_S_MAX))
def test_every_fault_ends_by_itself_at_its_end(asked: list[Injection], later: float) -> None:
    faults = table()
    for injection in asked:
        faults.inject(injection, 0.0)
    standing = [injection for injection in asked if later < injection.duration_s]
    assert [seen.fault.scope for seen in faults.list(later)] == [injection.scope for injection in standing]
    assert all(seen.remaining_s > 0 for seen in faults.list(later))
    assert faults.list(FAULT_S_MAX) == ()
    assert faults.empty


def test_a_fault_ends_without_anybody_looking() -> None:
    faults = table()
    faults.inject(partition("node-2", duration_s=5.0), 100.0)
    assert faults.judge(Traffic(Plane.DATA, Direction.OUTGOING, "node-2"), 104.999).mode is Mode.DROP
    assert faults.judge(Traffic(Plane.DATA, Direction.OUTGOING, "node-2"), 105.0).mode is None
    assert faults.empty


def test_a_fault_can_be_healed_before_its_end_and_healing_twice_is_no_error() -> None:
    faults = table()
    first = faults.inject(partition("node-2"), 0.0)
    second = faults.inject(partition("node-3"), 0.0)
    assert faults.heal([first.id, "unknown", first.id], 1.0) == (first.id,)
    assert faults.heal([first.id], 1.0) == ()
    assert [seen.fault for seen in faults.list(1.0)] == [second]


def test_a_list_tells_what_is_left_and_what_each_fault_has_stopped() -> None:
    faults = table()
    faults.inject(partition("node-2", identity="cut", duration_s=5.0), 0.0)
    for _ in range(3):
        faults.judge(Traffic(Plane.DATA, Direction.OUTGOING, "node-2"), 1.0)
    faults.judge(Traffic(Plane.DATA, Direction.OUTGOING, "node-3"), 1.0)
    (seen,) = faults.list(2.0)
    assert (seen.fault.id, seen.remaining_s, seen.hits) == ("cut", 3.0, 3)


def test_listeners_hear_of_every_injection() -> None:
    faults = table()
    heard: list[int] = []
    faults.listeners.append(lambda: heard.append(len(faults.list(0.0))))
    faults.inject(partition(), 0.0)
    faults.inject(partition(), 0.0)
    assert heard == [1, 2]


# -- bounds ---------------------------------------------------------------------------------------


def test_the_table_is_bounded_and_has_room_again_when_faults_have_ended() -> None:
    faults = table()
    for number in range(FAULTS_MAX):
        faults.inject(partition(duration_s=1.0 + number), 0.0)
    assert len({seen.fault.id for seen in faults.list(0.0)}) == FAULTS_MAX
    with pytest.raises(Unavailable, match="heal some first"):
        faults.inject(partition(), 0.5)
    faults.inject(partition(), 1.0)


def test_an_id_is_taken_only_once_at_a_time() -> None:
    faults = table()
    faults.inject(partition(identity="cut", duration_s=1.0), 0.0)
    with pytest.raises(Conflict, match="fault cut is in force already"):
        faults.inject(partition(identity="cut"), 0.5)
    faults.inject(partition(identity="cut"), 1.0)


@pytest.mark.parametrize("duration_s", [0.0, -1.0, FAULT_S_MAX + 1, math.inf, math.nan])
def test_every_fault_has_an_end_within_the_hour(duration_s: float) -> None:
    with pytest.raises(InvalidParameter, match="at most 3600 seconds"):
        partition(duration_s=duration_s)


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(InvalidParameter, match="fault id"):
        partition(identity="no spaces")
    with pytest.raises(InvalidParameter, match="needs a plane"):
        partition(planes=())
    with pytest.raises(InvalidParameter, match="without a name"):
        partition("")
    with pytest.raises(InvalidParameter, match=f"at most {PEERS_MAX} nodes"):
        partition(*(f"n{number}" for number in range(PEERS_MAX + 1)))
