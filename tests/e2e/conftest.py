"""A real cluster for end-to-end tests: etcd, three agents as processes, and the docker CLI beside them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab.launch.cluster import Cluster, existing
from lab.launch.control import start, stop
from lab.launch.engine import Engine
from lab.launch.plan import Wish

TIMEOUT_S = "20"


@dataclass(frozen=True)
class Done:
    """What a command came to."""

    code: int
    out: str
    err: str


Docker = Callable[..., Done]
"""docker(node, "run", "-d", ..., stdin=b"")."""


@pytest.fixture(scope="session")
def lab_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home for the clusters of this run only."""
    home = tmp_path_factory.mktemp("lab")
    before = os.environ.get("SHOAL_HOME")
    os.environ["SHOAL_HOME"] = str(home)
    yield home
    if before is None:
        del os.environ["SHOAL_HOME"]
    else:
        os.environ["SHOAL_HOME"] = before


@pytest.fixture(scope="session")
def cluster(lab_home: Path) -> Iterator[Cluster]:
    """Three nodes, shared by the tests of the run: each test uses names of its own."""
    started = start(Wish(name="e2e", block=77, plugin_patience_s=2.0), lambda _: None)
    yield started
    stop("e2e")


@pytest.fixture
def engine(cluster: Cluster) -> Callable[[str], Engine]:
    """A node's Engine API, by the lab's own client."""
    return lambda node: Engine(existing(cluster.name).node(node).config.socket_path, 20.0)


@pytest.fixture(scope="session")
def docker_at(docker_cli: Path, tmp_path_factory: pytest.TempPathFactory) -> Docker:
    """The real docker CLI against whatever listens on a socket: docker(path, "run", ...)."""
    home = tmp_path_factory.mktemp("docker")

    def run(socket: Path, *arguments: str, stdin: bytes = b"") -> Done:
        # The CLI forwards SIGTERM to the container, so only SIGKILL surely ends one that hangs.
        command = ["timeout", "-k", "2", TIMEOUT_S, str(docker_cli), *arguments]
        environment = {"DOCKER_HOST": f"unix://{socket}", "PATH": os.environ["PATH"], "HOME": str(home)}
        done = subprocess.run(command, input=stdin, capture_output=True, env=environment, check=False)
        return Done(done.returncode, done.stdout.decode(), done.stderr.decode())

    return run


@pytest.fixture(scope="session")
def docker_on(cluster: Cluster, docker_at: Docker) -> Docker:
    """The real docker CLI against one of the nodes."""

    def run(node: str, *arguments: str, stdin: bytes = b"") -> Done:
        return docker_at(existing(cluster.name).node(node).config.socket_path, *arguments, stdin=stdin)

    return run


@pytest.fixture
def docker(docker_on: Docker) -> Docker:
    """The same, by its short name."""
    return docker_on
