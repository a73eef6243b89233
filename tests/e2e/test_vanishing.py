"""Clients that vanish in the middle of whatever streams leave nothing behind on a real node."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lab.launch.cluster import Cluster
from lab.launch.engine import Engine
from tests.e2e.conftest import Docker

NODE = "node-2"
CONNECTED = "03"
UPGRADE = "Connection: Upgrade\r\nUpgrade: tcp\r\n"
STREAMS = {
    "attach": ("POST /containers/steady/attach?stream=1&stdin=1&stdout=1", UPGRADE),
    "attach without an upgrade": ("POST /containers/steady/attach?stream=1&stdout=1", ""),
    "logs": ("GET /containers/steady/logs?follow=1&stdout=1", ""),
    "events": ("GET /events", ""),
    "wait": ("POST /containers/steady/wait?condition=next-exit", ""),
    "a head that never ends": ("GET /info HTTP/1.1\r\nX: ", ""),
}


@pytest.fixture(scope="module")
def steady(cluster: Cluster, docker_on: Docker) -> Path:
    docker_on(
        NODE, "run", "-d", "-i", "--name", "steady", "alpine", "sh", "-c", "while true; do sleep 1; done"
    )
    return cluster.node(NODE).config.socket_path


def begin(path: Path, request: str, headers: str, body: str = "") -> socket.socket:
    """A connection on which this was asked, and whose answer has begun where one is to come at once."""
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(5.0)
    client.connect(str(path))
    length = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body else ""
    ending = "" if "HTTP" in request else f" HTTP/1.1\r\nHost: x\r\n{headers}{length}\r\n{body}"
    client.sendall(f"{request}{ending}".encode())
    if ending:
        assert client.recv(12).startswith(b"HTTP/1.1 ")
    return client


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10.0
    while not condition():
        assert time.monotonic() < deadline, "it is still not so after ten seconds"
        time.sleep(0.05)


def connections(path: Path) -> int:
    """How many connections the node's socket has (proc(5): /proc/net/unix)."""
    rows = [line.split() for line in Path("/proc/net/unix").read_text().splitlines()[1:]]
    return sum(row[-1] == str(path) and row[5] == CONNECTED for row in rows)


@pytest.mark.parametrize("kind", STREAMS)
def test_who_vanishes_leaves_nothing_open(steady: Path, kind: str) -> None:
    engine = Engine(steady, 20.0)
    listening = engine.call("GET", "/info")["NEventsListener"]
    clients = [begin(steady, *STREAMS[kind]) for _ in range(20)]
    until(lambda: connections(steady) == 20)
    for number, client in enumerate(clients):
        with contextlib.suppress(OSError):
            if number % 2:
                client.shutdown(socket.SHUT_WR)  # half of them say their last first
        client.close()
    until(lambda: engine.call("GET", "/info")["NEventsListener"] == listening)
    until(lambda: connections(steady) == 0)
    assert engine.call("GET", "/containers/steady/json")["State"]["Running"]


def test_who_vanishes_from_an_exec_ends_nothing_else(steady: Path, docker: Docker) -> None:
    engine = Engine(steady, 20.0)
    for _ in range(10):
        body = {"Cmd": ["cat"], "AttachStdin": True, "AttachStdout": True}
        identity = engine.call("POST", "/containers/steady/exec", body)["Id"]
        begin(steady, f"POST /exec/{identity}/start", UPGRADE, '{"Detach": false}').close()
    until(lambda: connections(steady) == 0)
    assert docker(NODE, "exec", "steady", "echo", "still here").out == "still here\n"
