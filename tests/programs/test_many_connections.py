"""Thousands of connections between two simulated containers, and nothing left of them."""

from __future__ import annotations

import asyncio

from lab.sim.world import World
from node.model.network import NetworkSpec
from node.stack.sandbox import Sandbox
from node.stack.streams import TcpListener, TcpStream
from node.stack.tcp.connection import TIME_WAIT_S
from tests.programs.containers import read_all, sandbox_of
from tests.sim.play import play, start

AT_ONCE = 500
ROUNDS = 4


async def converse(sandbox: Sandbox, address: str, number: int) -> bytes:
    stream = await sandbox.connect_tcp(address, 7)
    try:
        await stream.write(b"%d" % number)
        stream.finish()
        return await read_all(stream)
    finally:
        stream.close()


async def serve(sandbox: Sandbox) -> None:
    listener = sandbox.listen_tcp("0.0.0.0", 7, backlog=AT_ONCE)

    async def answer() -> None:
        stream = await listener.accept()
        await stream.write(b"heard " + await read_all(stream))
        stream.close()

    for _ in range(ROUNDS):
        await asyncio.gather(*(answer() for _ in range(AT_ONCE)))
    listener.close()


def test_thousands_of_connections_leave_nothing_behind() -> None:
    async def scenario(world: World) -> None:
        await world.agent("node-1").controller.create(NetworkSpec(name="mine"))
        address = await start(world, "node-1", "server", "mine")
        await start(world, "node-1", "client", "mine")
        server, client = (sandbox_of(world, "node-1", name) for name in ("server", "client"))
        serving = asyncio.ensure_future(serve(server))
        for turn in range(ROUNDS):
            numbers = range(turn * AT_ONCE, (turn + 1) * AT_ONCE)
            heard = await asyncio.gather(*(converse(client, address, number) for number in numbers))
            assert heard == [b"heard %d" % number for number in numbers]
        await serving
        assert len(list(client.stack.tcp.table)) > AT_ONCE, "TIME_WAIT holds them for a while"
        await world.clock.sleep(TIME_WAIT_S + 1)
        for sandbox in (server, client):
            assert list(sandbox.stack.tcp.table) == []
            assert all(one.is_hidden for one in sandbox.stack.tcp.table.listeners()), "the name server alone"
            assert all(one.local[1] == 53 for one in sandbox._sockets if isinstance(one, TcpListener))
            assert not any(isinstance(one, TcpStream) for one in sandbox._sockets)
            assert sandbox.stack.tcp.wake_at is None

    play(scenario, nodes=1, swarm=False)
