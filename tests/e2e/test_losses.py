"""Real losses: etcd killed and back, a node killed and back, and nothing leaked in the end."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lab.launch.cluster import Cluster, existing
from lab.launch.control import restart, start, stop
from lab.launch.engine import Engine, EngineError
from lab.launch.etcd import EtcdMember, EtcdProcess, find_binary
from lab.launch.plan import Wish, etcd_address
from lab.launch.processes import wait_gone

NAME = "losses"


@pytest.fixture
def lossy(lab_home: Path) -> Iterator[Cluster]:
    """Three nodes that may be broken."""
    start(Wish(name=NAME, block=78), lambda _: None)
    yield existing(NAME)
    stop(NAME)


def engine(node: str) -> Engine:
    return Engine(existing(NAME).node(node).config.socket_path, 20.0)


def until(condition: Callable[[], bool], timeout_s: float) -> float:
    """Seconds until the condition held."""
    begun = time.monotonic()
    while time.monotonic() - begun < timeout_s:
        if condition():
            return time.monotonic() - begun
        time.sleep(0.05)
    raise AssertionError(f"it did not come true within {timeout_s} s")


def run_in(network: str, node: str, name: str) -> None:
    identity = engine(node).create("alpine", ["sleep", "100000"], network=network, name=name)
    engine(node).call("POST", f"/containers/{identity}/start")


def reaches(node: str, container: str, target: str) -> bool:
    return engine(node).execute(container, ["ping", "-c", "1", "-W", "1", target])[0] == 0


def keys(cluster: Cluster) -> list[str]:
    done = subprocess.run(
        [
            str(find_binary().with_name("etcdctl")),
            "--endpoints",
            cluster.nodes[0].config.store[0],
            "get",
            "--prefix",
            "--keys-only",
            "/",
        ],
        capture_output=True,
        text=True,
        check=True,
        env={"ETCDCTL_API": "3"},
    )
    return [line for line in done.stdout.splitlines() if line]


def overlay(name: str) -> None:
    body = {"Name": name, "Driver": "overlay", "Attachable": True}
    engine("node-1").call("POST", "/networks/create", body)


def test_etcd_is_killed_and_comes_back(lossy: Cluster) -> None:
    overlay("app")
    run_in("app", "node-1", "web-1")
    run_in("app", "node-2", "web-2")
    (etcd,) = lossy.etcd
    assert etcd is not None
    os.kill(etcd.pid, signal.SIGKILL)
    wait_gone([etcd], 5.0)
    begun = time.monotonic()
    with pytest.raises(EngineError, match="cannot be reached") as refused:
        overlay("more")  # the first to notice may have sent its question already, and says so
    assert refused.value.status == 503
    with pytest.raises(EngineError, match="cannot be reached, so nothing was changed"):
        overlay("more")
    assert time.monotonic() - begun < 5.0
    assert reaches("node-2", "web-2", "web-1"), "running containers keep talking, names and all"
    engine("node-1").call("POST", "/networks/create", {"Name": "mine"})
    run_in("mine", "node-1", "local")
    member = EtcdMember(
        name="store",
        directory=lossy.directory / "etcd",
        client_port=2379,
        peer_port=2380,
        address=etcd_address(lossy.block),
    )
    again = EtcdProcess(member)
    again.start()
    try:
        until(lambda: _works(lambda: overlay("more")), 10.0)
        until(lambda: "more" in [n["Name"] for n in engine("node-3").call("GET", "/networks")], 5.0)
        assert reaches("node-2", "web-2", "web-1")
        states = [node["Status"]["State"] for node in engine("node-2").call("GET", "/nodes")]
        assert states == ["ready"] * 3
    finally:
        again.kill()


def _works(act: Callable[[], None]) -> bool:
    try:
        act()
    except EngineError:
        return False
    return True


def test_a_node_is_killed_and_comes_back_and_nothing_leaks(lossy: Cluster) -> None:
    before = keys(lossy)
    overlay("app")
    for node in ("node-1", "node-2", "node-3"):
        run_in("app", node, f"web-{node[-1]}")
    assert reaches("node-1", "web-1", "web-3")
    process = lossy.node("node-3").process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    took = until(lambda: not _resolves("node-1", "web-1", "web-3"), 6.0)
    assert took < 4.5, "the lease is three seconds"
    assert reaches("node-1", "web-1", "web-2")
    restart(NAME, "node-3")
    until(lambda: not any("web-3" in line for line in _endpoint_names(lossy)), 5.0)
    for node in ("node-1", "node-2", "node-3"):
        for container in engine(node).call("GET", "/containers/json", all=1):
            engine(node).call("DELETE", f"/containers/{container['Id']}", force=1)
    assert engine("node-1").call("POST", "/networks/prune")["NetworksDeleted"] == ["app"]
    assert keys(lossy) == before


def _resolves(node: str, container: str, name: str) -> bool:
    return engine(node).execute(container, ["nslookup", name])[0] == 0


def _endpoint_names(cluster: Cluster) -> list[str]:
    done = subprocess.run(
        [
            str(find_binary().with_name("etcdctl")),
            "--endpoints",
            cluster.nodes[0].config.store[0],
            "get",
            "--prefix",
            "--print-value-only",
            "/shoal/v1/endpoints/",
        ],
        capture_output=True,
        text=True,
        check=True,
        env={"ETCDCTL_API": "3"},
    )
    return done.stdout.splitlines()
