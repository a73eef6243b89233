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
from lab.launch.control import start, stop
from lab.launch.engine import Engine, EngineError
from lab.launch.plan import Wish
from tests.e2e.conftest import Docker

TABLE = tomllib.loads((Path(__file__).parents[1] / "data" / "docker-errors.toml").read_text())
BY_COMMAND = [row for row in TABLE["mistake"] if "docker" in row]
BY_HTTP = [row for row in TABLE["mistake"] if "http" in row]
NODE = "node-1"
POOLS_FREE = 29
"""Of the 31 default pools; the default bridge has one, and the LAN lies in another."""
STANDING = (
    "network create --subnet 10.90.0.0/24 -o com.docker.network.bridge.name=br-errs errs",
    "network create plain",
    "network create -d overlay closed",
    "network create -d macvlan -o parent=eth0.30 -o macvlan_mode=passthru --subnet 10.94.0.0/24 whole",
    "network create -d macvlan -o parent=eth0.31 --subnet 10.95.0.0/24 shared",
    "network create -d overlay e-twice",
    "network create --config-only --subnet 10.89.0.0/24 e-config",
    "network create --config-from e-config e-using",
    "network create --subnet 10.88.0.0/30 e-tiny",
    "create --name e-self --network container:e-self alpine",
    "run -d --name e-only --network e-tiny alpine sleep 100000",
    "run -d --name e-run --network errs alpine sleep 100000",
    "create --name e-stop --network errs alpine sleep 100000",
    "run -d --name e-none --network none alpine sleep 100000",
    "run -d --name e-host --network host alpine sleep 100000",
    "run -d --name e-shared --network container:e-run alpine sleep 100000",
    "run -d --name e-pause --network errs alpine sleep 100000",
    "pause e-pause",
)


Nodes = dict[str, Path]
"""Where each of the table's nodes listens."""


@pytest.fixture(scope="module")
def others(lab_home: Path) -> Iterator[Nodes]:
    """A manager and a worker, and a node that belongs to no swarm and has no address pool left."""
    pair = start(Wish(name="e2e-pair", nodes=2, managers=1, block=78), lambda _: None)
    single = start(Wish(name="e2e-alone", nodes=1, swarm=False, block=79), lambda _: None)
    alone = single.node("node-1").config.socket_path
    engine = Engine(alone, 20.0)
    for number in range(POOLS_FREE):
        engine.call("POST", "/networks/create", {"Name": f"e-many{number}"})
    manager, worker = (pair.node(name).config.socket_path for name in ("node-1", "node-2"))
    yield {"manager": manager, "worker": worker, "alone": alone}
    stop("e2e-alone")
    stop("e2e-pair")


@pytest.fixture(scope="module")
def standing(cluster: Cluster, docker_on: Docker, others: Nodes) -> Iterator[Nodes]:
    """What the file says that stands before each mistake."""
    assert docker_on("node-2", "network", "create", "e-twice").code == 0
    dead = cluster.directory / "plugins" / "e-dead.spec"
    dead.parent.mkdir(exist_ok=True)
    dead.write_text("tcp://127.0.0.1:1")
    for command in STANDING:
        done = docker_on(NODE, *shlex.split(command))
        assert done.code == 0, (command, done)
    yield {**others, **{entry.config.name: entry.config.socket_path for entry in cluster.nodes}}
    docker_on(NODE, "rm", "-f", *(words[words.index("--name") + 1] for words in _split("--name")))
    docker_on(NODE, "network", "rm", *(words[-1] for words in reversed(_split("network", "create"))))
    left = docker_on("node-2", "network", "ls", "-q", "--filter", "name=e-twice").out
    docker_on("node-2", "network", "rm", left.strip())


def _split(*wanted: str) -> list[list[str]]:
    """The commands of STANDING that have all of these words."""
    commands = [shlex.split(command) for command in STANDING]
    return [words for words in commands if all(word in words for word in wanted)]


@pytest.mark.parametrize("row", BY_COMMAND, ids=lambda row: row["what"])
def test_the_docker_command_says_it(standing: Nodes, docker_at: Docker, row: dict[str, Any]) -> None:
    done = docker_at(standing[row.get("node", NODE)], *shlex.split(row["docker"]))
    assert done.code == row.get("exit", 1), done
    stream = done.out if row.get("stream") == "stdout" else done.err
    assert re.search(row["says"], stream), done


@pytest.mark.parametrize("row", BY_HTTP, ids=lambda row: row["what"])
def test_the_api_says_it(standing: Nodes, row: dict[str, Any]) -> None:
    method, path, body, status = row["http"]
    with pytest.raises(EngineError) as refused:
        Engine(standing[row.get("node", NODE)], 20.0).call(method, path, json.loads(body) if body else None)
    assert re.fullmatch(row["says"], str(refused.value)), str(refused.value)
    assert refused.value.status == status


def test_a_beginning_of_two_ids_is_ambiguous(others: Nodes) -> None:
    engine = Engine(others["alone"], 20.0)
    begun: dict[str, int] = {}
    for network in engine.call("GET", "/networks"):
        begun[network["Id"][0]] = begun.get(network["Id"][0], 0) + 1
    prefix, matches = max(begun.items(), key=lambda item: item[1])  # of 31 networks two begin alike
    said = rf"network {prefix} is ambiguous \({matches} matches found based on ID prefix\)"
    with pytest.raises(EngineError, match=said):
        engine.call("GET", f"/networks/{prefix}")


def test_what_cannot_occur_here_has_its_reason() -> None:
    assert all(row["what"] and row["why"] for row in TABLE["cannot"])
    assert len({row["what"] for row in TABLE["mistake"]}) == len(TABLE["mistake"])
