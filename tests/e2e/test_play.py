"""Scenarios in both worlds, and what `shoal play` leaves of a cluster."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lab.launch import play as live
from lab.launch.cluster import Cluster, existing, names
from lab.launch.engine import Engine
from lab.launch.processes import send
from lab.scenario.load import load, parse
from lab.scenario.stage import NotHere
from lab.sim import play as simulated

SCENARIOS = sorted((Path(__file__).parent / "scenarios").glob("*.yaml"))


def left(cluster: Cluster) -> tuple[list[str], list[str], list[str]]:
    """Networks, containers and dead nodes of a cluster."""
    networks, containers = [], []
    entries = existing(cluster.name).nodes
    for entry in entries:
        engine = Engine(entry.config.socket_path)
        networks += [one["Name"] for one in engine.call("GET", "/networks")]
        containers += [one["Id"] for one in engine.call("GET", "/containers/json?all=1")]
    return (
        sorted({name for name in networks if name != "docker_gwbridge"}),
        sorted(containers),
        [entry.config.name for entry in entries if entry.state != "ready"],
    )


@pytest.mark.parametrize("file", SCENARIOS, ids=lambda file: file.stem)
def test_a_scenario_passes_in_both_worlds_and_leaves_the_cluster_as_it_was(
    file: Path, cluster: Cluster
) -> None:
    scenario = load(file)
    before = left(cluster)
    played = simulated.play(scenario).result
    assert [failure.text for failure in played.failures] == []
    result = live.play(scenario, cluster.name)
    assert [failure.text for failure in result.failures] == []
    assert (result.world, played.world) == ("live", "simulated")
    assert [step.what for step in result.steps] == [step.what for step in played.steps]
    assert bool(result.samples) is bool(scenario.traffic)
    assert result.moments > 0, "the invariants were checked"
    assert left(cluster) == before


def test_what_fails_is_told_with_its_packets_and_the_cluster_is_as_it_was(cluster: Cluster) -> None:
    scenario = parse(
        """
        title: It expects too much
        networks: {play-app: {}}
        containers:
          play-web: {on: node-1, network: play-app}
          play-client: {on: node-2, network: play-app}
        timeline:
          - {at: 0s, do: partition, groups: [[node-1], [node-2]], planes: [data], for: 4s}
          - {at: 100ms, do: expect, from: play-client, to: play-web, reachable: true, within: 2500ms}
        """
    )
    before = left(cluster)
    result = live.play(scenario, cluster.name)
    assert [failure.kind for failure in result.failures] == ["step"]
    assert "play-client asked play-web for an echo" in result.failures[0].text
    lost = [line for line in result.failures[0].packets if "LOST on the way" in line.what]
    assert lost, "the story shows where the packets ended"
    assert {line.who for line in lost} == {"node-2"}
    assert "ICMP echo request" in lost[-1].what
    assert left(cluster) == before


def test_ctrl_c_heals_and_removes_everything(cluster: Cluster, tmp_path: Path) -> None:
    file = tmp_path / "long.yaml"
    file.write_text(
        """
        title: It takes a long time
        networks: {play-app: {}}
        containers: {play-lone: {on: node-1, network: play-app}}
        timeline:
          - {at: 0s, do: pause, node: node-2, for: 50s}
          - {at: 0s, do: loss, rate: 0.5, on: [node-1], for: 50s}
          - {at: 40s, do: heal}
        """
    )
    before = left(cluster)
    # As in a terminal, also where the tests themselves run without one and ignore the signal.
    program = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from lab.cli.main import main; main()"
    )
    command = [sys.executable, "-u", "-c", program, "play", str(file), "--name", cluster.name]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as playing:
        assert playing.stdout is not None
        for line in playing.stdout:
            if "is lost on node-1" in line:
                break
        playing.send_signal(signal.SIGINT)
        assert playing.wait(30) == 130
    listed = [sys.executable, "-m", "lab.cli", "chaos", "list", "--json", "--name", cluster.name]
    assert json.loads(subprocess.run(listed, capture_output=True, text=True, check=True).stdout) == []
    assert left(cluster) == before, "node-2 answers, too"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("title: a\nnodes: 9", "it needs 9 nodes, and cluster"),
        ("title: a\nsettings: {lease_s: '1'}", "is up already: leave --name out"),
        ("title: a\ntimeline: [{at: 0s, do: store-member-lost, for: 1s}]", "has one member"),
    ],
)
def test_what_cannot_be_played_here_is_refused_before_anything_begins(
    text: str, why: str, cluster: Cluster
) -> None:
    with pytest.raises(NotHere, match="cannot be played here") as refused:
        live.play(parse(text), cluster.name)
    assert why in str(refused.value)
    assert left(cluster)[1] == []


def test_a_cluster_with_a_frozen_node_is_no_stage(cluster: Cluster) -> None:
    process = existing(cluster.name).node("node-2").process
    send(process, signal.SIGSTOP)
    try:
        with pytest.raises(NotHere, match='node-2 is paused: let it go on with "shoal resume node-2"'):
            live.play(parse("title: a"), cluster.name)
    finally:
        send(process, signal.SIGCONT)


def test_what_no_cluster_can_play_starts_none(lab_home: Path) -> None:
    with pytest.raises(NotHere, match=r"too many for one machine .*: use shoal sim"):
        live.play(parse("title: a\nnodes: 51"))
    assert not [name for name in names() if name.startswith("play-")]
