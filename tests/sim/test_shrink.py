"""What fails is made smaller, and fails as before."""

from __future__ import annotations

from lab.scenario.load import parse
from lab.sim.explore import explore
from lab.sim.play import play
from lab.sim.shrink import Shrinker

FAILS = """\
title: far too long
nodes: 4
networks: {app: {driver: overlay}, other: {driver: overlay}}
containers:
  web: {on: node-1, network: app}
  probe: {on: node-2, network: app}
  idle: {on: node-3, network: other}
traffic:
  - {from: probe, to: web}
timeline:
  - {at: 1s, do: delay, delay: 10ms, for: 5s}
  - {at: 1700ms, do: run, name: extra, container: {on: node-4, network: other}}
  - {at: 3300ms, do: partition, groups: [[node-1], [node-2]], planes: [data], for: 40s}
  - {at: 4s, do: expect, from: probe, resolves: web}
  - {at: 5s, do: expect, from: probe, to: web, reachable: true}
  - {at: 9s, do: remove, container: extra}
"""


def test_only_what_is_needed_to_fail_is_left() -> None:
    scenario = parse(FAILS)
    failure = play(scenario, 2).result.failures[0]
    shrunk = Shrinker(2, failure, lambda _: None).shrink(scenario)
    assert [type(step).__name__ for step in shrunk.scenario.timeline] == ["PartitionStep", "ExpectStep"]
    assert shrunk.scenario.nodes == 2
    assert set(shrunk.scenario.containers) == {"web", "probe"}
    assert set(shrunk.scenario.networks) == {"app"}
    cut = shrunk.scenario.timeline[0]
    assert cut.lasts < 10
    assert cut.at == 3.0
    again = play(shrunk.scenario, 2).result.failures[0]
    assert (again.kind, again.name) == (failure.kind, failure.name)


def test_seeds_are_explored_until_one_fails() -> None:
    text = FAILS.replace("reachable: true", "reachable: false")
    passed = list(explore(text, "x.yaml", range(2), processes=2))
    assert sorted(result.seed for result in passed) == [0, 1]
    assert all(result.passed for result in passed)
    *_, last = explore(FAILS, "x.yaml", range(4), processes=1)
    assert not last.passed
    assert last.story, "what failed comes with its story"
