"""The example plugin as a program of its own, and the docker command on two hosts."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lab.launch.cluster import Cluster
from tests.e2e.conftest import Docker
from tests.patience import PATIENCE_S

EXAMPLE = Path(__file__).parents[2] / "deploy" / "plugins" / "example.py"
NAME = "e2e-wires"


class Program:
    """The plugin, which can be killed and started again."""

    def __init__(self, directory: Path, log: Path) -> None:
        self.socket = directory / f"{NAME}.sock"
        self.log = log
        self._command = [sys.executable, str(EXAMPLE), "--directory", str(directory), "--name", NAME]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen([*self._command, "--scope", "global"], stdout=log, stderr=log)
        before = self.log.read_text().count("listens at")
        wait(lambda: self.log.read_text().count("listens at") > before or self.socket.exists())

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._process = None

    def close(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()


def wait(condition: Callable[[], bool]) -> None:
    """Until it is so."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "it never became so"
        time.sleep(0.02)


@pytest.fixture
def plugin(cluster: Cluster, tmp_path: Path) -> Iterator[Program]:
    """It runs where all nodes of the cluster look for plugins."""
    program = Program(cluster.directory / "plugins", tmp_path / "plugin.log")
    program.start()
    yield program
    program.close()


def test_it_carries_containers_of_two_hosts_dies_and_comes_back(docker: Docker, plugin: Program) -> None:
    made = docker("node-1", "network", "create", "-d", NAME, "--ipam-driver", NAME, "--attachable", "wired")
    assert made.code == 0, made
    try:
        shape = "{{.Driver}} {{.IPAM.Driver}} {{.Scope}}"
        shown = docker("node-2", "network", "inspect", "wired", "-f", shape).out
        assert shown.strip() == f"{NAME} {NAME} swarm"
        assert NAME in docker("node-1", "info", "-f", "{{.Plugins.Network}}").out
        assert docker("node-1", "run", "-d", "--name", "p-web", "--network", "wired", "nginx").code == 0
        seen = docker("node-2", "run", "--rm", "--network", "wired", "alpine", "wget", "-qO-", "http://p-web")
        assert "Server address: 10.200." in seen.out, seen
        shown = docker("node-1", "exec", "p-web", "ip", "addr").out
        assert "ex0" in shown
        assert "link/ether 02:70:0a:c8:" in shown

        plugin.kill()
        failed = docker("node-2", "run", "--name", "p-late", "--network", "wired", "alpine", "true")
        assert failed.code == 125
        assert (
            "failed to set up container networking: "
            'Post "http://plugin.moby.localhost/IpamDriver.RequestAddress": '
            f"dial unix {plugin.socket.resolve()}: connect: connection refused"
        ) in failed.err, failed
        assert docker("node-1", "rm", "-f", "p-web").code == 0, "what runs can be ended without its plugin"

        plugin.start()
        wait(lambda: "NetworkDriver.DeleteEndpoint" in plugin.log.read_text().rpartition("listens at")[2])
        again = docker("node-2", "start", "-a", "p-late")
        assert again.code == 0, again
    finally:
        docker("node-2", "rm", "-f", "p-late")
        docker("node-1", "rm", "-f", "p-web")
        removed = docker("node-1", "network", "rm", "wired")
    assert removed.code == 0, removed
    state = plugin.socket.with_suffix(".state")
    wait(lambda: '"networks": {}' in state.read_text() and '"pools": {}' in state.read_text())
    assert '"endpoints": {}' in state.read_text()
