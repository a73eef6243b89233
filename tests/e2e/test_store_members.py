"""A store of three members that loses one, by command and in a scenario."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from lab.cli.main import shoal
from lab.launch import play
from lab.launch.cluster import Cluster, ClusterError, existing
from lab.launch.control import order, start, stop
from lab.launch.engine import Engine, EngineError
from lab.launch.plan import Wish
from lab.launch.processes import alive
from lab.scenario.load import parse

PATIENCE_S = 20.0


@pytest.fixture
def three(lab_home: Path) -> Iterator[Cluster]:
    yield start(Wish(name="members", nodes=1, block=92, etcd_members=3), lambda _: None)
    stop("members")


def until(condition, patience_s: float = PATIENCE_S) -> None:  # type: ignore[no-untyped-def]
    deadline = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline, "it does not come true"
        time.sleep(0.05)


def test_one_member_of_three_is_lost_and_comes_back_and_changes_go_on(three: Cluster) -> None:
    engine = Engine(three.nodes[0].config.socket_path, 10.0)
    leader_or_not = three.etcd[0]
    done = CliRunner().invoke(shoal, ["chaos", "store", "lose", "1", "--for", "30s", "--name", "members"])
    assert done.exit_code == 0, done.exception
    assert "Member 1 of the store is lost for 30 s." in done.stderr
    assert not alive(leader_or_not)

    def can_change() -> bool:
        try:
            name = f"n{time.monotonic_ns()}"
            engine.call("POST", "/networks/create", {"Name": name, "Driver": "overlay"})
        except EngineError:
            return False
        return True

    until(can_change)
    assert (
        "Member 1 of the store is lost for"
        in CliRunner().invoke(shoal, ["chaos", "list", "--name", "members"]).stderr
    )
    healed = CliRunner().invoke(shoal, ["chaos", "heal", "--name", "members"])
    assert "Members 1 of the store are back." in healed.stderr
    until(lambda: all(alive(member) for member in existing("members").etcd))
    assert existing("members").lost_members == {}
    order(three, order="lose-store-member", member="2", duration_s="0.2")
    until(lambda: existing("members").lost_members == {})
    until(can_change)


def test_a_scenario_loses_a_member_of_a_cluster_of_its_own(lab_home: Path) -> None:
    scenario = parse(
        """
        title: One member of three
        nodes: 1
        timeline:
          - {at: 0s, do: store-member-lost, member: 2, for: 1s}
          - {at: 1500ms, do: create-network, on: node-1, name: play-late}
          - {at: 2s, do: expect, converged: true, within: 15s}
        """
    )
    assert [failure.text for failure in play.play(scenario).failures] == []


def test_the_only_member_is_not_lost_and_strange_numbers_are_refused(cluster: Cluster) -> None:
    with pytest.raises(
        ClusterError, match=r'has one member.*start a cluster with "shoal up --etcd-members 3"'
    ):
        order(cluster, order="lose-store-member", member="1", duration_s="5")
    done = CliRunner().invoke(shoal, ["up", "-d", "--etcd-members", "2", "--name", "two"])
    assert "2 members of the store: it has 1, 3 or 5" in str(done.exception)


def test_down_ends_every_member(three: Cluster) -> None:
    assert three.supervisor is not None
    os.kill(three.supervisor.pid, signal.SIGKILL)
    stop("members")
    assert not any(alive(member) for member in three.etcd)
