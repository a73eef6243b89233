"""shoal sim and shoal scenario, as a user types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lab.cli import scenario as scenario_verb
from lab.cli import sim

GOOD = """\
title: a short story
nodes: 2
networks: {app: {driver: overlay}}
containers:
  web: {on: node-1, network: app}
  probe: {on: node-2, network: app}
traffic:
  - {from: probe, to: web}
timeline:
  - {at: 1s, do: partition, groups: [[node-1], [node-2]], planes: [data], for: 3s}
  - {at: 2s, do: expect, from: probe, to: web, reachable: false}
"""
BAD = GOOD.replace("reachable: false", "reachable: true")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good.yaml").write_text(GOOD)
    (tmp_path / "bad.yaml").write_text(BAD)
    (tmp_path / "wrong.yaml").write_text(GOOD.replace("node-2, network", "node-9, network"))
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(sim.command, arguments, standalone_mode=False)


def test_a_run_that_passes(here: Path) -> None:
    result = run("good.yaml", "--trace", "trace.txt")
    assert result.return_value == 0
    assert "1.000s  cut node-1 | node-2 (data) for 3s" in result.output
    assert "expect: probe does not reach web: so it is" in result.output
    assert "ping probe -> web every 1s: " in result.output
    assert "PASSED: a short story (simulated, seed 0" in result.output
    assert "fabric sent" in (here / "trace.txt").read_text()


def test_a_run_that_fails_says_why_and_how_to_see_it_again(here: Path) -> None:
    result = run("bad.yaml", "--seed", "5", "--shrink")
    assert result.return_value == 1
    assert "seed 5 failed at" in result.output
    assert "What happened before:" in result.output
    assert "Play it again: shoal sim bad.yaml --seed 5" in result.output
    assert run("bad.smaller.yaml", "--seed", "5").return_value == 1


def test_facts_for_programs(here: Path) -> None:
    result = run("bad.yaml", "--json")
    assert result.return_value == 1
    facts = json.loads(result.stdout)
    assert facts["passed"] is False
    assert facts["failures"][0]["kind"] == "step"
    assert facts["samples"][0]["ok"] is True


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "cannot be read"),
        (GOOD.replace("node-2, network", "node-9, network"), 'line 6, column 11: there is no node "node-9"'),
        (GOOD + "settings: {lease_s: '0'}\n", "lease_s 0"),
        (GOOD + "switches: [forgetful]\n", "unknown field `switches`"),
        (GOOD + "  - {at: 3s, do: store-member-lost, for: 1s}\n", "shoal play"),
    ],
)
def test_what_cannot_be_played_is_told(here: Path, text: str | None, reason: str) -> None:
    if text is not None:
        (here / "x.yaml").write_text(text)
    result = run("x.yaml")
    assert result.return_value == 2
    assert reason in result.output


def test_files_are_checked(here: Path) -> None:
    def check(*files: str) -> Result:
        return CliRunner().invoke(scenario_verb.command, ["check", *files], standalone_mode=False)

    assert check("good.yaml").return_value == 0
    result = check("good.yaml", "wrong.yaml")
    assert result.return_value == 2
    assert "good.yaml: a short story (2 nodes, 2 steps)" in result.output
    assert 'wrong.yaml, line 6, column 11: there is no node "node-9"' in result.output
