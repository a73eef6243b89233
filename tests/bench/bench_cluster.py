"""Real clusters: how soon they are ready, what an agent takes, how soon a network is known everywhere."""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lab.launch.cluster import Cluster, existing
from lab.launch.control import start, stop
from lab.launch.engine import Engine
from lab.launch.plan import Wish
from node.edge.client import NodeClient

NETWORKS = 100
READY_RUNS = 3
SETTLE_S = 0.2


@contextmanager
def cluster(nodes: int, block: int) -> Iterator[tuple[Cluster, float]]:
    """A cluster, and how many seconds it took to be ready."""
    begun = time.perf_counter()
    start(Wish(name="bench", nodes=nodes, block=block), lambda _: None)
    took = time.perf_counter() - begun
    try:
        yield existing("bench"), took
    finally:
        stop("bench")


def memory_mib(pid: int, kind: str) -> float:
    """Resident memory; Pss counts what is shared between agents in part, Rss in full (proc(5))."""
    with open(f"/proc/{pid}/smaps_rollup") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith(f"{kind}:")) / 1024


def ready_s(nodes: int) -> tuple[float, float, float]:
    """Seconds until ready (median; the first start, which fills caches, is not counted); PSS, RSS in MiB."""
    times, shared, full = [], [], []
    for run in range(READY_RUNS + 1):
        with cluster(nodes, 90) as (up, took):
            if run:
                times.append(took)
            for entry in up.nodes:
                assert entry.process is not None
                shared.append(memory_mib(entry.process.pid, "Pss"))
                full.append(memory_mib(entry.process.pid, "Rss"))
    return statistics.median(times), max(shared), max(full)


async def seen_ms(up: Cluster) -> list[float]:
    """For each of many new networks: milliseconds from the request until the last view has it.

    Each node says afterwards for how long its view has been as it is: asking meanwhile would slow it.
    """
    engine = Engine(up.nodes[0].config.socket_path)
    clients = [NodeClient(f"{e.config.underlay_address}:{e.config.control_port}") for e in up.nodes]
    times = []
    try:
        for number in range(NETWORKS):
            begun = time.perf_counter()
            engine.call("POST", "/networks/create", {"Name": f"n{number}", "Driver": "overlay"})
            await asyncio.sleep(SETTLE_S)
            changed = []
            for client in clients:
                status = await client.status()
                changed.append(time.perf_counter() - status.revision_ago_s)
            times.append((max(changed) - begun) * 1000)
    finally:
        for client in clients:
            await client.close()
    return times


def measure() -> dict[str, Any]:
    """See tests/bench/__main__.py."""
    os.environ["SHOAL_HOME"] = tempfile.mkdtemp(prefix="shoal-bench-")
    rows: list[dict[str, Any]] = []

    def row(what: str, value: float, unit: str, limit: float | None) -> None:
        target = None if limit is None else f"at most {limit:g}"
        rows.append(
            {
                "what": what,
                "value": value,
                "unit": unit,
                "target": target,
                "ok": None if limit is None else value <= limit,
                "baseline": None,
                "ratio": None,
            }
        )

    three, _, _ = ready_s(3)
    row("three nodes and etcd are ready", three, "s", 2)
    fifty, shared, full = ready_s(50)
    row("fifty nodes and etcd are ready", fifty, "s", 8)
    row("memory of an agent among fifty, shared pages in part", shared, "MiB", 45)
    row("the same, shared pages in full", full, "MiB", None)
    with cluster(10, 90) as (up, _):
        times = sorted(asyncio.run(seen_ms(up)))
    row("a new overlay is in all views of ten nodes (median)", statistics.median(times), "ms", None)
    row("the same, 99 of 100", times[max(0, round(len(times) * 0.99) - 1)], "ms", 50)
    return {"title": "Real clusters on this machine", "rows": rows}
