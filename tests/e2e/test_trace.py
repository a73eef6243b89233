"""shoal trace: what a ping meets, from a command."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from lab.cli.trace import Walk, story, trace
from lab.launch.cluster import Cluster
from tests.e2e.conftest import Docker


def shoal(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command."""
    return subprocess.run(
        [sys.executable, "-m", "lab.cli", *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.fixture
def far(cluster: Cluster, docker: Docker) -> Iterator[str]:
    """Two containers on two nodes; the address of the second."""
    docker("node-1", "network", "create", "-d", "overlay", "--attachable", "walk")
    assert docker("node-1", "run", "-d", "--name", "walker", "--network", "walk", "nginx").code == 0
    assert docker("node-2", "run", "-d", "--name", "goal", "--network", "walk", "nginx").code == 0
    template = "{{.NetworkSettings.Networks.walk.IPAddress}}"
    yield docker("node-2", "inspect", "-f", template, "goal").out.strip()
    docker("node-1", "rm", "-f", "walker")
    docker("node-2", "rm", "-f", "goal")
    docker("node-1", "network", "rm", "walk")


def test_an_answered_ping_is_followed_there_and_back(cluster: Cluster, far: str) -> None:
    done = shoal("trace", "node-1/walker", "goal", "--name", cluster.name, "--json")
    assert done.returncode == 0, done.stderr
    hops = json.loads(done.stdout)
    echoes = [hop for hop in hops if len(hop["frame"]) > 100]
    assert [(hop["node"], hop["stage"]) for hop in echoes] == [
        ("node-1", "transmit"),
        ("node-1", "encapsulate"),
        ("node-2", "receive"),
        ("node-2", "deliver"),
        ("node-2", "transmit"),
        ("node-2", "encapsulate"),
        ("node-1", "receive"),
        ("node-1", "deliver"),
    ]
    assert echoes[1]["outer"]["source"] == cluster.nodes[0].config.underlay_address


def test_a_ping_that_a_fault_swallows_names_the_fault(cluster: Cluster, far: str) -> None:
    cut = shoal("chaos", "partition", "node-1", "node-2", "--plane", "data", "--name", cluster.name)
    assert cut.returncode == 0, cut.stderr
    identity = cut.stderr.partition("(fault ")[2].partition(")")[0]
    try:
        walk = trace(cluster, cluster.nodes[0], "walker", far)
        assert not walk.answered
        assert {(node, seen.fault.id) for node, seen in walk.culprits} == {("node-1", identity)}
        assert f"LOST   fault {identity} on node-1: cut from node-2 (data)" in "\n".join(story(walk))
    finally:
        assert shoal("chaos", "heal", identity, "--name", cluster.name).returncode == 0


def test_nothing_seen_is_an_empty_story() -> None:
    assert story(Walk((), answered=False, culprits=())) == []
