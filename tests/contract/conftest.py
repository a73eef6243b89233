"""The store under test: every test that asks for a bench runs on all kinds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lab.launch.etcd import EtcdProcess
from tests.store_benches import Bench, open_bench


@pytest.fixture(params=["memory", "sqlite", "etcd"])
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    """Two clients of an empty store."""
    process: EtcdProcess | None = None
    if request.param == "etcd":
        process = request.getfixturevalue("shared_etcd")
    async with open_bench(request.param, tmp_path, process) as opened:
        yield opened
