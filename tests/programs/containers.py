"""What tests of network programs do to containers: take their sockets, read their logs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from lab.sim.world import World
from node.model.output import LogSpec
from node.stack.sandbox import Sandbox
from node.stack.streams import TcpStream


def sandbox_of(world: World, node: str, name: str) -> Sandbox:
    """A running container's sandbox."""
    agent = world.agent(node)
    standing = agent.lives.body(agent.registry.find(name)).standing
    assert standing is not None, f"{name} does not run"
    return standing.sandbox


async def log_of(world: World, node: str, name: str) -> str:
    """`docker logs`"""
    outputs = world.agent(node).programs.logs(name, LogSpec())
    return b"".join([output.data async for output in outputs]).decode()


async def read_all(stream: TcpStream) -> bytes:
    """Everything up to the end."""
    parts = []
    while part := await stream.read():
        parts.append(part)
    return b"".join(parts)


@asynccontextmanager
async def called(sandbox: Sandbox, address: str, tcp_port: int) -> AsyncIterator[TcpStream]:
    """A connection that is closed in the end."""
    stream = await sandbox.connect_tcp(address, tcp_port)
    try:
        yield stream
    finally:
        stream.close()
