"""Nodes on a unix socket for real clients: the in-memory backend, a whole agent, or one that runs already."""

from __future__ import annotations

import os
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from kvstore.memory import MemoryCluster
from lab.sim.fabric import Fabric
from node.agent import Agent, Seams
from node.api.app import App
from node.config import NodeConfig
from node.edge.clock import SystemClock
from node.edge.http import HttpServer
from tests.api.memory import Node
from tests.api.memory_backend import memory_backend

GIVEN_HOST = os.environ.get("SHOAL_TEST_DOCKER_HOST", "")
"""A node that is to be tested instead of those that are made here: unix:///.../docker.sock."""
HOSTS: Sequence[str] = ("given",) if GIVEN_HOST else ("memory", "agent")


class Silence:
    """Telemetry that nobody reads (node/seams.py)."""

    def tell(self, event: str, **fields: object) -> None: ...


@asynccontextmanager
async def docker_host(kind: str, directory: Path) -> AsyncIterator[str]:
    """What DOCKER_HOST is to be."""
    if kind == "given":
        yield GIVEN_HOST
        return
    async with (
        memory_app() if kind == "memory" else agent_app(directory) as app,
        served(app, directory) as path,
    ):
        yield f"unix://{path}"


@asynccontextmanager
async def served(app: App, directory: Path) -> AsyncIterator[Path]:
    """A socket on which the app answers."""
    server = HttpServer(app, directory / "docker.sock")
    await server.start()
    try:
        yield directory / "docker.sock"
    finally:
        await server.stop()


@asynccontextmanager
async def memory_app() -> AsyncIterator[App]:
    """The API over the in-memory backend."""
    node = Node(SystemClock())
    try:
        yield App(memory_backend(node), node.clock)
    finally:
        await node.close()


@asynccontextmanager
async def agent_app(directory: Path) -> AsyncIterator[App]:
    """A whole node without a swarm, on real time."""
    clock = SystemClock()
    fabric, own = Fabric(clock, random.Random(1)), MemoryCluster(clock.now)
    address = "10.99.0.1"
    config = NodeConfig(name="node-1", directory=directory, underlay_address=address, seed=1)
    seams = Seams(
        clock=clock,
        underlay=fabric.underlay(address),
        control=fabric.control(address),
        store=None,
        own=own.session("node-1"),
        telemetry=Silence(),
    )
    agent = Agent(config, seams, random.Random(1))
    await agent.start()
    try:
        yield agent.app
    finally:
        await agent.stop()
