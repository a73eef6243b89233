"""The commands of an incident's page, typed as they stand on a real cluster."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from lab.incidents.incident import Command, incident
from lab.launch.cluster import Cluster

Type = Callable[[Command], str]
"""Types a command, and gives what it said."""
SHOAL = Path(__file__).parents[2] / ".venv" / "bin"


@pytest.fixture
def typed(cluster: Cluster, docker_cli: str, tmp_path: Path) -> Type:
    """A shell of its own for each command, as `shoal env` points it."""
    path = f"{SHOAL}:{Path(docker_cli).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "SHOAL_CLUSTER": cluster.name, "HOME": str(tmp_path)}

    def run(command: Command) -> str:
        line = f'eval "$(shoal env {command.on})"; {command.run}' if command.on else command.run
        done = subprocess.run(
            ["bash", "-c", line], capture_output=True, text=True, timeout=30, env=environment, check=False
        )
        said = done.stdout + done.stderr
        assert (done.returncode != 0) == command.fails, f"{command.run}: exit code {done.returncode}: {said}"
        return said

    return run


def test_the_blocked_data_port_can_be_made_diagnosed_and_mended(typed: Type) -> None:
    page = incident("blocked-data-port").page
    try:
        for command in page.reproduce:
            typed(command)
        seen = "".join(typed(command) for command in page.diagnosis)
        assert "underlay_fault" in seen
        assert "cut from node-2 (data)" in seen
        assert "1 packets received" in "".join(typed(command) for command in page.mend)
    finally:
        typed(Command(run="shoal chaos heal"))
        typed(Command(on="node-2", run="docker rm -f web2"))
        typed(Command(on="node-1", run="docker rm -f web1; docker network rm web"))
