"""The shoal command with real clusters: what it says, what it leaves."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.launch.cluster import directory_of, load
from lab.launch.control import stop
from lab.launch.processes import marked

START_S = 30.0


@pytest.fixture
def shoal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """The command, with a home of its own that is cleared afterwards."""
    monkeypatch.setenv("SHOAL_HOME", str(tmp_path / "h"))

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "lab.cli", *arguments],
            capture_output=True,
            text=True,
            timeout=START_S,
            check=False,
        )

    yield run
    for name in ("one", "two"):
        stop(name)


def up(shoal, name: str, block: int, *more: str):  # type: ignore[no-untyped-def]
    """A cluster of two on addresses that nothing else uses."""
    return shoal("up", "-d", "--hosts", "2", "--name", name, "--block", str(block), *more)


def test_a_cluster_comes_up_and_goes_without_a_trace(shoal) -> None:  # type: ignore[no-untyped-def]
    done = up(shoal, "one", 81)
    assert done.returncode == 0, done.stderr
    assert "2 nodes ready in" in done.stderr
    assert 'Next: eval "$(shoal env node-1 --name one)"' in done.stderr
    status = json.loads(shoal("status", "--name", "one", "--json").stdout)
    assert status["name"] == "one"
    assert [(n["name"], n["state"], n["lan_address"], n["underlay_address"]) for n in status["nodes"]] == [
        ("node-1", "ready", "192.168.65.2", "127.0.81.2"),
        ("node-2", "ready", "192.168.65.3", "127.0.81.3"),
    ]
    again = up(shoal, "one", 81)
    assert again.returncode == 1
    assert 'a cluster "one" is up already' in again.stderr
    directory = directory_of("one")
    assert shoal("down", "--name", "one").returncode == 0
    assert not directory.exists()
    assert list(marked(directory)) == []
    assert "No cluster one is up." in shoal("down", "--name", "one").stderr


def test_two_clusters_stand_side_by_side(shoal) -> None:  # type: ignore[no-untyped-def]
    assert up(shoal, "one", 82).returncode == 0
    assert up(shoal, "two", 83).returncode == 0
    for name in ("one", "two"):
        states = json.loads(shoal("status", "--name", name, "--json").stdout)["nodes"]
        assert [node["state"] for node in states] == ["ready", "ready"]
    assert shoal("down", "--name", "one").returncode == 0
    states = json.loads(shoal("status", "--name", "two", "--json").stdout)["nodes"]
    assert [node["state"] for node in states] == ["ready", "ready"]


def test_a_taken_port_is_named_with_what_to_do(shoal) -> None:  # type: ignore[no-untyped-def]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.84.2", 4789))
        done = up(shoal, "one", 84)
    assert done.returncode == 1
    assert "127.0.84.2 port 4789/udp (node-1's VXLAN) is taken" in done.stderr
    assert "--block" in done.stderr
    assert not directory_of("one").exists()


def test_down_ends_everything_after_the_supervisor_was_killed(shoal) -> None:  # type: ignore[no-untyped-def]
    up(shoal, "one", 85)
    cluster = load("one")
    assert cluster is not None
    assert cluster.supervisor is not None
    os.kill(cluster.supervisor.pid, signal.SIGKILL)
    shoal("pause", "node-2", "--name", "one")
    assert shoal("down", "--name", "one").returncode == 0
    assert list(marked(cluster.directory)) == []


def test_down_ends_everything_when_the_record_is_broken(shoal) -> None:  # type: ignore[no-untyped-def]
    up(shoal, "one", 86)
    cluster = load("one")
    assert cluster is not None
    cluster.record_path.write_text('{"name": "on')
    broken = shoal("status", "--name", "one")
    assert broken.returncode == 1
    assert '"shoal down --name one" clears it away' in broken.stderr
    assert shoal("down", "--name", "one").returncode == 0
    assert list(marked(cluster.directory)) == []


def test_kill_pause_resume_and_restart(shoal) -> None:  # type: ignore[no-untyped-def]
    up(shoal, "one", 87)

    def state() -> str:
        return str(json.loads(shoal("status", "--name", "one", "--json").stdout)["nodes"][1]["state"])

    shoal("pause", "node-2", "--name", "one")
    assert state() == "paused"
    shoal("resume", "node-2", "--name", "one")
    assert state() == "ready"
    shoal("kill", "node-2", "--name", "one")
    assert state() == "dead"
    dead = shoal("kill", "node-2", "--name", "one")
    assert dead.returncode == 1
    assert 'start it again with "shoal restart node-2"' in dead.stderr
    assert shoal("restart", "node-2", "--name", "one").returncode == 0
    assert state() == "ready"


def test_a_partition_is_listed_and_healed(shoal) -> None:  # type: ignore[no-untyped-def]
    up(shoal, "one", 88)
    done = shoal("chaos", "partition", "node-1", "node-2", "--for", "60s", "--name", "one")
    assert done.returncode == 0, done.stderr
    listed = json.loads(shoal("chaos", "list", "--json", "--name", "one").stdout)
    assert [(fault["node"], "cut from node-" in fault["what"]) for fault in listed] == [
        ("node-1", True),
        ("node-2", True),
    ]
    assert len({fault["id"] for fault in listed}) == 1
    assert "Healed 1 fault." in shoal("chaos", "heal", "--name", "one").stderr
    assert json.loads(shoal("chaos", "list", "--json", "--name", "one").stdout) == []


def test_mistakes_are_one_sentence(shoal) -> None:  # type: ignore[no-untyped-def]
    for arguments, code, words in (
        (("status", "--name", "one"), 1, 'no cluster "one" is up: start one with "shoal up -d --name one"'),
        (("up", "-d", "--hosts", "51", "--name", "one"), 1, "between 1 and 50"),
        (("up", "--nosuch"), 2, "No such option"),
        (("env",), 2, "name a node"),
    ):
        done = shoal(*arguments)
        assert done.returncode == code
        assert words in done.stderr


def test_env_answers_quickly(shoal) -> None:  # type: ignore[no-untyped-def]
    up(shoal, "one", 89)
    begun = time.monotonic()
    done = shoal("env", "node-1", "--name", "one")
    assert done.stdout.startswith("export DOCKER_HOST=unix://")
    assert time.monotonic() - begun < 2.0
    assert shoal("env", "--unset").stdout == "unset DOCKER_HOST\n"


def test_completion_is_there_for_every_shell(shoal) -> None:  # type: ignore[no-untyped-def]
    for shell in ("bash", "zsh", "fish"):
        assert "_SHOAL_COMPLETE" in shoal("completion", shell).stdout
