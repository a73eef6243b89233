"""The real Compose brings an application of three services up on a simulated host, and takes it down."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from lab.launch.cluster import Cluster
from tests.e2e.conftest import Docker

APPLICATION = """
services:
  web:
    image: nginx
    ports: ["18090:80"]
    networks: [front, back]
    depends_on: [api]
  api:
    image: traefik/whoami
    networks:
      back:
        aliases: [backend]
  probe:
    image: alpine
    command: sleep 100000
    networks: [back]
networks:
  front: {}
  back: {}
"""
TIMEOUT_S = 60

Compose = Callable[..., str]
"""compose("up", "-d"): what it printed on stdout; it must succeed."""


@pytest.fixture
def compose(cluster: Cluster, tmp_path: Path) -> Iterator[Compose]:
    """Compose against node-1, with the application of three services."""
    (tmp_path / "compose.yaml").write_text(APPLICATION)
    socket = cluster.nodes[0].config.socket_path
    binary = Path(sys.executable).with_name("docker-compose")
    environment = {
        "DOCKER_HOST": f"unix://{socket}",
        "HOME": str(tmp_path),
        "COMPOSE_PROJECT_NAME": "shop",
        "PATH": os.environ["PATH"],
    }

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [str(binary), *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    yield run
    run("down", "--timeout", "0")


def test_an_application_comes_up_is_used_scaled_and_goes(
    cluster: Cluster, compose: Compose, docker: Docker
) -> None:
    compose("up", "-d")
    shown = [json.loads(line) for line in compose("ps", "--format", "json").splitlines()]
    assert {row["Service"]: row["State"] for row in shown} == {
        "web": "running",
        "api": "running",
        "probe": "running",
    }
    with urlopen(f"http://{cluster.nodes[0].config.underlay_address}:18090/", timeout=5) as answer:
        assert b"GET / HTTP/1.1" in answer.read()
    assert "Name:\tbackend" in compose("exec", "-T", "probe", "nslookup", "backend")

    compose("up", "-d", "--scale", "api=3")
    answers = compose("exec", "-T", "probe", "nslookup", "api")
    assert answers.count("Name:\tapi") == 3, "each of the three answers to the service's name"
    logged = compose("logs", "api")
    assert {line.partition(" ")[0] for line in logged.splitlines()} == {"api-1", "api-2", "api-3"}

    compose("down", "--timeout", "0")
    assert docker("node-1", "ps", "-aq", "--filter", "label=com.docker.compose.project=shop").out == ""
    assert "shop_" not in docker("node-1", "network", "ls", "--format", "{{.Name}}").out
