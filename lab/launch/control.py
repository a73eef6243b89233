"""What a user can do with a cluster as a whole: start it, give orders, end it without a trace."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from lab.launch import plan as plans
from lab.launch.cluster import Cluster, ClusterError, directory_of, load, make_directory
from lab.launch.processes import MARKER, Known, alive, marked, send, wait_gone

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 15.0
KILL_TIMEOUT_S = 5.0
ORDER_TIMEOUT_S = 15.0
POLL_S = 0.02
LOG_LINES = 5

Progress = Callable[[Cluster], None]

_supervisors: list[subprocess.Popen[bytes]] = []
"""Children of this very process: it has to take note of their end."""


def start(wish: plans.Wish, progress: Progress) -> Cluster:
    """Start a cluster and return when all its nodes are ready. Raises ClusterError, leaving nothing."""
    standing = load(wish.name)
    if standing is not None:
        if alive(standing.supervisor) or any(alive(entry.process) for entry in standing.nodes):
            raise ClusterError(
                f'a cluster "{wish.name}" is up already: see "shoal status", end it with "shoal down", '
                "or start another with --name"
            )
        stop(wish.name)
    cluster = plans.plan(wish)
    make_directory(cluster.directory.parent)
    make_directory(cluster.directory)
    cluster.save()
    supervisor = _spawn(cluster)
    _supervisors.append(supervisor)
    try:
        return _wait_ready(cluster.name, supervisor, progress)
    except BaseException:
        stop(wish.name)
        raise


def _spawn(cluster: Cluster) -> subprocess.Popen[bytes]:
    log = cluster.directory / "supervisor.log"
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603 - our own module, and a checked name
            [sys.executable, "-m", "lab.launch.supervisor", cluster.name],
            env={**os.environ, MARKER: str(cluster.directory), "PYTHONPATH": os.pathsep.join(sys.path)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def _wait_ready(name: str, supervisor: subprocess.Popen[bytes], progress: Progress) -> Cluster:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        cluster = load(name)
        assert cluster is not None, "the record was written before the supervisor was started"
        progress(cluster)
        if all(entry.state == "ready" for entry in cluster.nodes):
            return cluster
        if dead := [entry for entry in cluster.nodes if entry.state == "dead"]:
            config = dead[0].config
            raise ClusterError(f"{config.name} did not start: {_end_of(config.directory / 'output.log')}")
        if supervisor.poll() is not None:
            raise ClusterError(f"the cluster did not start: {_end_of(cluster.directory / 'supervisor.log')}")
        time.sleep(POLL_S)
    raise ClusterError(f"the cluster was not ready after {START_TIMEOUT_S:g} s and was ended again")


def _end_of(log: Path) -> str:
    try:
        lines = log.read_text(errors="replace").strip().splitlines()
    except OSError:
        lines = []
    return " / ".join(lines[-LOG_LINES:]) or "it left no word"


def order(cluster: Cluster, **words: str) -> None:
    """Tell the supervisor to do something. Raises ClusterError."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(ORDER_TIMEOUT_S)
        try:
            connection.connect(str(cluster.order_path))
            connection.sendall(json.dumps(words).encode())
            answer = json.loads(connection.recv(65536) or b"{}")
        except (OSError, ValueError) as error:
            raise ClusterError(
                f'the supervisor of cluster "{cluster.name}" does not answer ({error}): '
                '"shoal down" ends everything, and "shoal up" starts afresh'
            ) from None
    if "error" in answer:
        raise ClusterError(answer["error"])


def restart(name: str, node: str) -> None:
    """Start a node again, and return when it is ready. Raises ClusterError."""
    cluster = load(name)
    assert cluster is not None
    cluster.node(node)
    order(cluster, order="restart", node=node)
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        now = load(name)
        assert now is not None
        entry = now.node(node)
        if entry.state == "ready":
            return
        if entry.state == "dead":
            raise ClusterError(f"{node} did not start: {_end_of(entry.config.directory / 'output.log')}")
        time.sleep(POLL_S)
    raise ClusterError(f"{node} was not ready after {START_TIMEOUT_S:g} s")


def stop(name: str) -> bool:
    """End everything that a cluster started, whatever state it is in; False if there was nothing."""
    directory = directory_of(name)
    try:
        cluster = load(name)
    except ClusterError:
        cluster = None  # unreadable: its processes are found by their environment
    found = directory.exists()
    if cluster is not None and alive(cluster.supervisor) and cluster.supervisor is not None:
        send(cluster.supervisor, signal.SIGCONT)
        send(cluster.supervisor, signal.SIGTERM)
        wait_gone([cluster.supervisor], STOP_TIMEOUT_S)
    left = _left(cluster, directory)
    for process in left:
        send(process, signal.SIGKILL)
    if remaining := wait_gone(left, KILL_TIMEOUT_S):
        numbers = ", ".join(str(process.pid) for process in remaining)
        raise ClusterError(f"these processes would not end: {numbers}")
    for child in list(_supervisors):
        if child.poll() is not None:
            _supervisors.remove(child)
    shutil.rmtree(directory, ignore_errors=True)
    return found or bool(left)


def _left(cluster: Cluster | None, directory: Path) -> list[Known]:
    """What still runs: by the record, and by the marker."""
    recorded = (
        [] if cluster is None else [*(e.process for e in cluster.nodes), *cluster.etcd, cluster.supervisor]
    )
    everything = {process.pid: process for process in recorded if process is not None and alive(process)}
    everything |= {process.pid: process for process in marked(directory)}
    return list(everything.values())
