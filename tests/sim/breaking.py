"""What tests of faults do again and again: break, mend, and see what still works."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from lab.sim.world import World
from node.chaos.faults import Injection, Scope
from node.chaos.kinds import (
    Kind,
    Plane,
    default_planes,
)
from node.stack.sandbox import Sandbox
from tests.sim.play import Outcome, overlay, run, start


def fault(world: World, node: str, kind: Kind, *planes: Plane, for_s: float = 60.0, **scope: object) -> None:
    """Put a fault into a node's table."""
    where = Scope(planes=planes or default_planes(kind), **scope)  # type: ignore[arg-type]
    world.agent(node).faults.inject(Injection(kind, where, for_s), world.clock.now())


def heal(world: World, node: str) -> None:
    faults, now = world.agent(node).faults, world.clock.now()
    faults.heal([seen.fault.id for seen in faults.list(now)], now)


def sandbox(world: World, node: str, name: str) -> Sandbox:
    agent = world.agent(node)
    standing = agent.lives.body(agent.registry.find(name)).standing
    assert standing is not None
    return standing.sandbox


def members(world: World, node: str) -> list[str]:
    """Whom a node counts as alive."""
    ledger = world.agent(node).swarm_ledger
    assert ledger is not None
    return list(ledger.view.members)


async def two(world: World) -> tuple[str, str]:
    """web-1 on node-1 and web-2 on node-2 in one overlay; their addresses."""
    await overlay(world, "app")
    return await start(world, "node-1", "web-1", "app"), await start(world, "node-2", "web-2", "app")


async def lookup(world: World, node: str = "node-1", name: str = "web-2") -> Outcome:
    return await run(world, node, "app", "nslookup", name)


@contextlib.asynccontextmanager
async def serving(server: Sandbox, content: bytes = b"welcome") -> AsyncIterator[None]:
    """Everybody who connects gets the content."""
    listener = server.listen_tcp("0.0.0.0", 80)

    async def one() -> None:
        while True:
            stream = await listener.accept()
            with contextlib.suppress(OSError):
                await stream.write(content)
            stream.finish()

    task = asyncio.ensure_future(one())
    try:
        yield
    finally:
        task.cancel()
        listener.close()


async def fetch(caller: Sandbox, address: str, tcp_port: int = 80, within_s: float = 3.0) -> str:
    """What comes: the first bytes, or how it fails."""
    try:
        async with asyncio.timeout(within_s):
            stream = await caller.connect_tcp(address, tcp_port)
            said = await stream.read()
            stream.close()
            return said.decode()
    except TimeoutError:
        return "nothing"
    except ConnectionRefusedError:
        return "refused"
