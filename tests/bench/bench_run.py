"""`docker run -d` of a simulated container: the real command, one by one and twenty at once."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from lab.launch.control import start, stop
from lab.launch.plan import Wish

COUNT = 20
TARGET_MS = 60


def measure() -> dict[str, Any]:
    """See tests/bench/__main__.py."""
    docker = shutil.which("docker")
    assert docker is not None, "install the package docker-cli"
    os.environ["SHOAL_HOME"] = tempfile.mkdtemp(prefix="shoal-bench-")
    up = start(Wish(name="bench", nodes=1, block=93), lambda _: None)
    os.environ["DOCKER_HOST"] = f"unix://{up.nodes[0].config.socket_path}"

    def timed(*arguments: str) -> float:
        begun = time.perf_counter()
        subprocess.run([docker, *arguments], check=True, capture_output=True)
        return (time.perf_counter() - begun) * 1000

    def run(name: str) -> float:
        return timed("run", "-d", "--name", name, "alpine", "sleep", "1000")

    try:
        alone = statistics.median(run(f"alone-{number}") for number in range(COUNT))
        baseline = statistics.median(timed("version") for _ in range(COUNT))
        with ThreadPoolExecutor(COUNT) as pool:
            together = max(pool.map(run, (f"together-{number}" for number in range(COUNT))))
    finally:
        stop("bench")
    rows = [
        {
            "what": "docker run -d (median)",
            "value": alone,
            "unit": "ms",
            "target": f"at most {TARGET_MS}",
            "ok": alone <= TARGET_MS,
            "baseline": baseline,
            "ratio": alone / baseline,
        },
        {
            "what": f"the slowest of {COUNT} at once",
            "value": together,
            "unit": "ms",
            "target": None,
            "ok": None,
        },
    ]
    return {"title": "Starting containers (beside: docker version)", "rows": rows}
