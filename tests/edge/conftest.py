"""A node's gRPC side, served, and a client of it."""

from __future__ import annotations

import random
import socket
from collections.abc import AsyncIterator

import pytest

from node.chaos.table import FaultTable
from node.edge.client import NodeClient
from node.edge.clock import SystemClock
from node.edge.control import GrpcControl
from tests.edge_places import free_port, some_address
from tests.patience import PATIENCE_S
from tests.rpc_nodes import Bench, Shown, serving


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    host = some_address()
    port = free_port(host, socket.SOCK_STREAM)
    control, faults, shown = GrpcControl(SystemClock()), FaultTable(random.Random(1)), Shown()
    address = f"{host}:{port}"
    async with (
        serving(host, port, control, faults, shown) as server,
        NodeClient(address, timeout_s=PATIENCE_S) as client,
    ):
        yield Bench(address, server, control, faults, shown, client)
    await control.close()
