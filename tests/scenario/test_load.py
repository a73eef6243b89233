"""Scenario files: what is right is read, what is wrong is told with its line and column."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lab.scenario.load import ScenarioError, load, parse, schema
from lab.scenario.model import ExpectStep, PartitionStep, TrafficWish

GOOD = """\
title: Two hosts part
nodes: 3
networks:
  app: {driver: overlay, subnet: 10.5.0.0/24}
containers:
  web:   {on: node-1, network: app, image: nginx}
  probe: {on: node-3, network: app}
traffic:
  - {from: probe, to: web, every: 500ms}
timeline:
  - at: 5s
    do: partition
    groups: [[node-1, node-2], [node-3]]
    planes: [data]
    for: 1m
  - {at: 6s, do: expect, from: probe, to: web, reachable: false}
"""


def test_a_good_file_is_read() -> None:
    scenario = parse(GOOD)
    assert scenario.containers["web"].image == "nginx"
    assert scenario.traffic == (TrafficWish(source="probe", to="web", every=0.5),)  # type: ignore[arg-type]
    cut, look = scenario.timeline
    assert isinstance(cut, PartitionStep)
    assert cut.lasts == 60.0
    assert isinstance(look, ExpectStep)
    assert look.reachable is False


@pytest.mark.parametrize(
    ("old", "new", "place", "reason"),
    [
        ("title: Two hosts part\n", "", (1, 1), "title"),
        ("nodes: 3", "nodes: three", (2, 1), "int"),
        ("nodes: 3", "nodes: 0", (2, 1), "1 to 1000 nodes"),
        ("nodes: 3", "nodes: 3\nnodes: 4", (3, 1), '"nodes" stands here twice'),
        ("driver: overlay", "drivers: overlay", (4, 9), "unknown field `drivers`"),
        ("on: node-1", "on: node-9", (6, 11), 'no node "node-9"'),
        ("network: app, image", "network: apx, image", (6, 23), 'no network "apx"'),
        ("every: 500ms", "every: 500", (9, 28), '"500" is no time'),
        ("every: 500ms", "every: 0s", (9, 28), "traffic comes every"),
        ("do: partition", "do: partitoin", (12, 5), "partitoin"),
        ("at: 5s", "at: -5s", (11, 5), "nothing happens before the start"),
        ("at: 5s", "at: 7s", (16, 6), "the timeline goes forward"),
        ("[node-3]]", "[node-2]]", (11, 5), "more than one group"),
        ("[node-3]]", "[node-4]]", (13, 33), 'no node "node-4"'),
        ("planes: [data]", "planes: [clock]", (11, 5), "makes no sense on the clock plane"),
        ("planes: [data]", "planes: [dta]", (14, 14), "dta"),
        ("for: 1m", "for: 2h", (11, 5), "at most 3600 seconds"),
        ("from: probe, to: web, reachable: false", "from: probe, to: web", (16, 5), "expects nothing"),
        ("to: web, reachable", "reachable", (16, 5), "add to"),
        ("reachable: false}", "reachable: false", (17, 1), "this is no YAML"),
        ("title: Two", "title: !!python/object:os.system Two", (1, 8), "cannot be read"),
    ],
)
def test_a_wrong_file_is_told_with_its_place(old: str, new: str, place: tuple[int, int], reason: str) -> None:
    assert old in GOOD
    with pytest.raises(ScenarioError) as told:
        parse(GOOD.replace(old, new, 1), "x.yaml")
    assert reason in str(told.value)
    line, column = place
    assert str(told.value).startswith(f"x.yaml, line {line}, "), str(told.value)
    if column > 1:
        assert f"column {column}:" in str(told.value), str(told.value)


@pytest.mark.parametrize(
    "text", ["", "[]", "- a", "42", "a: &x [*x]", "\x00", "a: " + "[" * 50, "? [a]\n: b"]
)
def test_what_is_no_scenario_is_refused(text: str) -> None:
    with pytest.raises(ScenarioError):
        parse(text)


def test_a_file_that_is_not_there_or_too_big_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="cannot be read"):
        load(tmp_path / "none.yaml")
    (tmp_path / "big.yaml").write_text("#" * (2 << 20))
    with pytest.raises(ScenarioError, match="at most"):
        load(tmp_path / "big.yaml")


def test_killing_the_dead_and_starting_the_living_are_contradictions() -> None:
    for steps, reason in (
        ("  - {at: 7s, do: kill, node: node-2}\n  - {at: 8s, do: kill, node: node-2}\n", "is down"),
        ("  - {at: 7s, do: start, node: node-2}\n", "is not down"),
        (
            "  - {at: 7s, do: pause, node: node-2, for: 5s}\n  - {at: 8s, do: kill, node: node-2}\n",
            "is frozen until 12 s",
        ),
    ):
        with pytest.raises(ScenarioError, match=reason):
            parse(GOOD + steps)


def test_there_is_a_json_schema() -> None:
    text = json.dumps(schema())
    assert "partition" in text
    assert "250ms" in text
