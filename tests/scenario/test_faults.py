"""Fault steps as injections, and when what they broke is over."""

from __future__ import annotations

import pytest

from lab.scenario.endings import end_of, last_end
from lab.scenario.faults import injections
from lab.scenario.load import parse
from lab.scenario.model import FaultStep, Scenario
from node.chaos.faults import Direction
from node.chaos.kinds import Partition

NODES = ("node-1", "node-2", "node-3")


def timeline(*steps: str) -> Scenario:
    return parse("title: t\ntimeline:\n" + "".join(f"  - {{{step}}}\n" for step in steps))


def directions(step: str) -> list[Direction]:
    fault = timeline(step).timeline[0]
    assert isinstance(fault, FaultStep)
    return [injection.scope.direction for _, injection in injections(fault, NODES)]


@pytest.mark.parametrize(
    ("step", "seen"),
    [
        ("at: 0s, do: delay, delay: 50ms, for: 9s", ["outgoing"] * 3),
        ("at: 0s, do: delay, delay: 50ms, for: 9s, on: [node-1]", ["both"]),
        ("at: 0s, do: loss, rate: 0.1, for: 9s, peers: [node-1]", ["both"] * 3),
        ("at: 0s, do: store-slow, delay: 50ms, for: 9s", ["both"] * 3),
        ("at: 0s, do: partition, groups: [[node-1], [node-2]], for: 9s", ["both"] * 2),
    ],
)
def test_what_all_nodes_do_to_each_other_happens_once_to_each_packet(step: str, seen: list[str]) -> None:
    assert directions(step) == seen


def test_a_flapping_cut_is_one_fault_with_a_period() -> None:
    step = timeline("at: 0s, do: partition, on: [node-1], flap: 2s, for: 9s").timeline[0]
    assert isinstance(step, FaultStep)
    ((node, injection),) = injections(step, NODES)
    assert (node, injection.duration_s, injection.kind) == ("node-1", 9.0, Partition(period_s=2.0))


def test_a_fault_is_over_when_it_is_healed() -> None:
    scenario = timeline(
        "at: 0s, do: loss, rate: 0.1, for: 30s, id: one",
        "at: 1s, do: loss, rate: 0.1, for: 5s, id: two",
        "at: 2s, do: pause, node: node-1, for: 7s",
        "at: 3s, do: heal, ids: [two]",
        "at: 10s, do: heal",
    )
    assert [end_of(scenario.timeline, number) for number in range(3)] == [10.0, 3.0, 9.0]
    assert last_end(scenario.timeline) == 10.0
    assert last_end(timeline("at: 4s, do: heal").timeline) == 0.0
