"""The table of Docker's error texts, through the real docker command and over plain HTTP."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.launch.cluster import Cluster
from lab.launch.engine import Engine, EngineError
from tests.e2e.conftest import Docker

TABLE = tomllib.loads((Path(__file__).parents[1] / "data" / "docker-errors.toml").read_text())
BY_COMMAND = [row for row in TABLE["mistake"] if "docker" in row]
BY_HTTP = [row for row in TABLE["mistake"] if "http" in row]
NODE = "node-1"
STANDING = (
    "network create --subnet 10.90.0.0/24 errs",
    "network create plain",
    "network create -d overlay closed",
    "network create -d macvlan -o parent=eth0.30 -o macvlan_mode=passthru --subnet 10.94.0.0/24 whole",
    "network create -d macvlan -o parent=eth0.31 --subnet 10.95.0.0/24 shared",
    "run -d --name e-run --network errs alpine sleep 100000",
    "create --name e-stop --network errs alpine sleep 100000",
    "run -d --name e-none --network none alpine sleep 100000",
    "run -d --name e-host --network host alpine sleep 100000",
    "run -d --name e-shared --network container:e-run alpine sleep 100000",
    "run -d --name e-pause --network errs alpine sleep 100000",
    "pause e-pause",
)


@pytest.fixture(scope="module")
def standing(cluster: Cluster, docker_on: Docker) -> Iterator[Engine]:
    """What the file says that stands before each mistake; the node's API."""
    for command in STANDING:
        done = docker_on(NODE, *shlex.split(command))
        assert done.code == 0, (command, done)
    yield Engine(cluster.node(NODE).config.socket_path, 20.0)
    docker_on(NODE, "rm", "-f", "e-run", "e-stop", "e-none", "e-host", "e-shared", "e-pause")
    docker_on(NODE, "network", "rm", "errs", "plain", "closed", "whole", "shared")


@pytest.mark.parametrize("row", BY_COMMAND, ids=lambda row: row["what"])
def test_the_docker_command_says_it(standing: Engine, docker: Docker, row: dict[str, Any]) -> None:
    done = docker(NODE, *shlex.split(row["docker"]))
    assert done.code == row.get("exit", 1), done
    assert re.search(row["says"], done.err), done.err


@pytest.mark.parametrize("row", BY_HTTP, ids=lambda row: row["what"])
def test_the_api_says_it(standing: Engine, row: dict[str, Any]) -> None:
    method, path, body, status = row["http"]
    with pytest.raises(EngineError) as refused:
        standing.call(method, path, json.loads(body) if body else None)
    assert re.fullmatch(row["says"], str(refused.value)), str(refused.value)
    assert refused.value.status == status


def test_what_cannot_occur_here_has_its_reason() -> None:
    assert all(row["what"] and row["why"] for row in TABLE["cannot"])
    assert len({row["what"] for row in TABLE["mistake"]}) == len(TABLE["mistake"])
