"""Simulated worlds: how much faster than real time, how many seeds a minute, and how large.

A large world is measured in a process of its own, so that its memory is its own too.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from lab.scenario.load import load, parse
from lab.scenario.model import ContainerWish, NetworkWish, Scenario, Seconds, TrafficWish
from lab.sim.explore import explore
from lab.sim.play import play

PARTITION = Path(__file__).parents[2] / "examples" / "partition.yaml"
SEEDS = 60
LONG_S = 300
LARGE_LIMIT_S = 330

PINGS = """\
title: three nodes, pings every second
networks: {app: {driver: overlay}}
containers:
  one: {on: node-1, network: app}
  two: {on: node-2, network: app}
  three: {on: node-3, network: app}
traffic:
  - {from: one, to: two}
  - {from: two, to: three}
  - {from: three, to: one}
lasts: %ds
"""


def measure() -> dict[str, Any]:
    """See tests/bench/__main__.py."""
    rows = [_speed(), _seeds()]
    rows += _large(100, 1_000, 10, limit_s=60, limit_gib=0)
    rows += _large(1_000, 10_000, 0, limit_s=300, limit_gib=4)
    return {"title": "Simulated worlds", "rows": rows}


def _speed() -> dict[str, Any]:
    begun = time.process_time()
    result = play(parse(PINGS % LONG_S)).result
    assert result.passed
    times = LONG_S / (time.process_time() - begun)
    what = "virtual time, three nodes with pings every second"
    return _row(what, times, "x real time", times >= 100, "at least 100")


def _seeds() -> dict[str, Any]:
    assert load(PARTITION)
    begun = time.perf_counter()
    results = list(explore(PARTITION.read_text(), str(PARTITION), range(SEEDS)))
    assert all(result.passed for result in results)
    a_minute = 60 * SEEDS / (time.perf_counter() - begun)
    what = f"seeds of the partition example, on {len(os.sched_getaffinity(0))} cores"
    return _row(what, a_minute, "a minute", a_minute >= 200, "at least 200")


def _large(nodes: int, containers: int, minutes: int, limit_s: int, limit_gib: int) -> list[dict[str, Any]]:
    """``minutes`` of virtual time with probes in the background, after it has formed and converged."""
    what = f"{nodes} nodes, {containers} containers" + (f", {minutes} virtual minutes" if minutes else "")
    command = [sys.executable, "-m", "tests.bench.bench_sim", str(nodes), str(containers), str(minutes)]
    try:
        done = subprocess.run(command, check=True, capture_output=True, timeout=LARGE_LIMIT_S)
    except subprocess.TimeoutExpired:
        return [_row(f"{what} (given up)", LARGE_LIMIT_S, "s", False, f"at most {limit_s}")]
    told = json.loads(done.stdout)
    rows = [_row(what, told["seconds"], "s", told["seconds"] <= limit_s, f"at most {limit_s}")]
    if limit_gib:
        rows.append(_row(what, told["gib"], "GiB", told["gib"] <= limit_gib, f"at most {limit_gib}"))
    return rows


def _row(what: str, value: float, unit: str, ok: bool, target: str) -> dict[str, Any]:
    return {"what": what, "value": value, "unit": unit, "target": target, "ok": ok}


def large(nodes: int, containers: int, minutes: int) -> Scenario:
    """Containers spread over all nodes, in overlay networks of a hundred each."""
    networks = max(1, containers // 100)
    places = {
        f"c-{number}": ContainerWish(on=f"node-{number % nodes + 1}", network=f"net-{number % networks}")
        for number in range(containers)
    }
    probes = tuple(
        TrafficWish(source=f"c-{number}", to=f"c-{number + networks}", every=Seconds(10.0))
        for number in range(min(networks, 20) if minutes else 0)
    )
    return Scenario(
        title="large",
        nodes=nodes,
        networks={f"net-{number}": NetworkWish() for number in range(networks)},
        containers=places,
        traffic=probes,
        lasts=Seconds(60.0 * minutes),
        invariants=("views",),
    )


def main() -> None:
    """One large world, in this process: NODES CONTAINERS MINUTES."""
    begun = time.process_time()
    result = play(large(*(int(text) for text in sys.argv[1:4]))).result
    assert result.passed, result.failures
    gib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)
    print(json.dumps({"seconds": time.process_time() - begun, "gib": gib}))


if __name__ == "__main__":
    main()
