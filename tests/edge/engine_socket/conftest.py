"""The Engine API's server under test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from node.edge.http import HttpServer
from tests.edge.engine_socket.bench import Bench


@pytest.fixture
def bench() -> Bench:
    """What the server answers."""
    return Bench()


@pytest.fixture
async def path(bench: Bench, tmp_path: Path) -> AsyncIterator[Path]:
    """The socket of a running server."""
    server = HttpServer(bench, tmp_path / "api.sock")
    await server.start()
    yield tmp_path / "api.sock"
    await server.stop()
