"""A node as a process: it says when it is ready, why it is not, and ends when told."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import stat
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from node.edge.client import NodeClient
from tests.edge_places import free_port, some_address
from tests.patience import PATIENCE_S, until

ROOT = Path(__file__).parents[2]
STOP_S = 5.0


@dataclass
class Place:
    """Where a node is to run."""

    settings: dict[str, Any]
    directory: Path

    @property
    def control_address(self) -> str:
        return f"{self.settings['underlay_address']}:{self.settings['control_port']}"

    @property
    def socket(self) -> Path:
        return self.directory / "docker.sock"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    address = some_address()
    return Place(
        {
            "name": "node-1",
            "directory": str(tmp_path / "node-1"),
            "underlay_address": address,
            "data_port": free_port(address, socket.SOCK_DGRAM),
            "cable_port": free_port(address, socket.SOCK_DGRAM),
            "control_port": free_port(address, socket.SOCK_STREAM),
        },
        tmp_path / "node-1",
    )


@pytest.fixture
async def started() -> AsyncIterator[list[asyncio.subprocess.Process]]:
    """Processes that are killed at the end if they have not ended."""
    processes: list[asyncio.subprocess.Process] = []
    yield processes
    for process in processes:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def start(place: Place, started: list[asyncio.subprocess.Process]) -> asyncio.subprocess.Process:
    file = place.directory.with_suffix(".json")
    file.write_text(json.dumps(place.settings))
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "node", "--config", str(file)),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    started.append(process)
    return process


async def ready(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE_S):
        return (await process.stdout.readline()).decode().strip()


async def ended(process: asyncio.subprocess.Process) -> tuple[int | None, str]:
    async with asyncio.timeout(PATIENCE_S):
        _, said = await process.communicate()
    return process.returncode, said.decode().strip()


async def ping(path: Path) -> str:
    """The first line of the Engine API's answer."""
    reader, writer = await asyncio.open_unix_connection(str(path))
    writer.write(b"GET /_ping HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n")
    line = await reader.readline()
    writer.close()
    return line.decode().strip()


async def test_a_node_answers_on_all_sides_once_it_says_so_and_ends_in_order(
    place: Place, started: list[asyncio.subprocess.Process]
) -> None:
    process = await start(place, started)
    assert await ready(process) == f"node-1 answers at unix://{place.socket}"
    assert await ping(place.socket) == "HTTP/1.1 200 OK"
    assert stat.S_IMODE(place.socket.stat().st_mode) == 0o600
    async with NodeClient(place.control_address) as client:
        status = await client.status()
        assert (status.name, status.store_connected) == ("node-1", False)
        assert any(tables.segment for tables in await client.tables())
    began = asyncio.get_running_loop().time()
    process.send_signal(signal.SIGTERM)
    assert await ended(process) == (0, "")
    assert asyncio.get_running_loop().time() - began < STOP_S
    events = [line.split()[1] for line in (place.directory / "node.log").read_text().splitlines()]
    assert [event for event in events if event.startswith("node.")] == ["node.ready", "node.stopping"]


async def test_a_node_that_was_killed_starts_again(
    place: Place, started: list[asyncio.subprocess.Process]
) -> None:
    first = await start(place, started)
    await ready(first)
    first.kill()
    await ended(first)
    second = await start(place, started)
    await ready(second)
    assert await ping(place.socket) == "HTTP/1.1 200 OK"
    second.send_signal(signal.SIGINT)
    assert await ended(second) == (0, "")


async def test_a_signal_while_it_starts_ends_it_too(
    place: Place, started: list[asyncio.subprocess.Process]
) -> None:
    address = place.settings["underlay_address"]
    place.settings["store"] = [f"{address}:{free_port(address, socket.SOCK_STREAM)}"]  # nobody is there
    process = await start(place, started)
    log = place.directory / "node.log"
    await until(lambda: log.exists())
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGTERM)
    assert await ended(process) == (0, "")


async def test_a_node_whose_port_is_taken_says_so_in_a_sentence(
    place: Place, started: list[asyncio.subprocess.Process]
) -> None:
    address, port = place.settings["underlay_address"], place.settings["control_port"]
    with socket.socket() as taken:
        taken.bind((address, port))
        taken.listen()
        code, said = await ended(await start(place, started))
    assert code == 1
    assert said.startswith(f"node node-1 cannot start: TCP port {port} of {address} is in use")
    assert "\n" not in said
    assert "node.failed_to_start" in (place.directory / "node.log").read_text()


async def test_a_wrong_setting_is_a_wrong_use(
    place: Place, started: list[asyncio.subprocess.Process]
) -> None:
    place.settings["role"] = "king"
    code, said = await ended(await start(place, started))
    assert code == 2
    assert said == 'the node\'s configuration is wrong: role "king": it is "manager" or "worker"'
    assert not place.directory.exists()
