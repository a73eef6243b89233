"""TCP between two containers on two nodes: their sandboxes, segments and tunnels, in a process each."""

from __future__ import annotations

import asyncio
import random
import statistics
import subprocess
import sys
import time
from typing import Any

from node.datapath.drops import Counters
from node.datapath.port import Port
from node.datapath.segment import Segment
from node.datapath.switchboard import Switchboard
from node.datapath.vtep import Vtep
from node.edge.clock import SystemClock
from node.edge.underlay import UdpUnderlay
from node.model.address import address_mac, format_mac, parse_ipv4, parse_mac
from node.seams import Channel
from node.stack.sandbox import Sandbox

VNI = 4097
MTU = 1450
TARGET_MBIT = 200
SECONDS = 3.0
RUNS = 3
PIECE = bytes(65_536)
TCP_PORT = 5201


class Node:
    """One host with one container in an overlay of two."""

    def __init__(self, number: int) -> None:
        other = 3 - number
        clock, counters, chance = SystemClock(), Counters(), random.Random(number)
        ports = {Channel.DATA: 47_890, Channel.CABLE: 47_891}
        self.underlay = UdpUnderlay(f"127.0.92.{number}", ports)
        board = Switchboard(self.underlay.send, counters)
        self.underlay.listen(lambda channel, source, data: board.receive(channel, source, data, clock.now()))
        vtep = Vtep(VNI)
        segment = Segment("app", "app", vtep, Channel.DATA)
        board.add_segment(segment)
        self.sandbox = Sandbox("container", clock, chance, counters)
        mac = format_mac(address_mac(parse_ipv4(address(number))))
        port = Port("container/eth0", parse_mac(mac), self.sandbox.receiver("eth0"), MTU)
        self.sandbox.attach(
            "eth0", mac, MTU, lambda frame, now: board.transmit(port, frame, now), f"{address(number)}/24"
        )
        board.plug(segment, port)
        far = address_mac(parse_ipv4(address(other)))
        vtep.add_peer(f"127.0.92.{other}")
        vtep.static[far] = f"127.0.92.{other}"
        segment.neighbors.set(parse_ipv4(address(other)), far)
        self.counters = counters


def address(number: int) -> str:
    """The container's address on a node."""
    return f"10.0.1.{number + 1}"


async def serve() -> None:
    """Take whatever comes, and say how much it was once the other end has ended."""
    node = Node(2)
    listener = node.sandbox.listen_tcp("0.0.0.0", TCP_PORT)
    print("ready", flush=True)
    while True:
        stream = await listener.accept()
        total = 0
        while data := await stream.read():
            total += len(data)
        await stream.write(str(total).encode())
        stream.close()


async def send() -> float:
    """Megabits a second."""
    node = Node(1)
    stream = await node.sandbox.connect_tcp(address(2), TCP_PORT)
    begun = time.perf_counter()
    sent = 0
    while time.perf_counter() - begun < SECONDS:
        await stream.write(PIECE)
        sent += len(PIECE)
    stream.finish()
    assert int(await stream.read()) == sent
    took = time.perf_counter() - begun
    stream.close()
    node.underlay.close()
    return sent * 8 / took / 1e6


async def bare() -> float:
    """The same through the machine's own TCP, between two asyncio programs."""

    ended = asyncio.Event()

    async def sink(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65_536):
            pass
        writer.close()
        ended.set()

    server = await asyncio.start_server(sink, "127.0.0.1", 0)
    _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    begun, sent = time.perf_counter(), 0
    while time.perf_counter() - begun < 1.0:
        writer.write(PIECE)
        await writer.drain()
        sent += len(PIECE)
    took = time.perf_counter() - begun
    writer.close()
    await ended.wait()
    server.close()
    return sent * 8 / took / 1e6


def measure() -> dict[str, Any]:
    """See tests/bench/__main__.py."""
    command = [sys.executable, "-m", "tests.bench.bench_tcp", "serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == "ready\n"
        try:
            rates = [asyncio.run(send()) for _ in range(RUNS)]
        finally:
            server.kill()
    value, baseline = statistics.median(rates), asyncio.run(bare())
    row = {
        "what": "TCP between containers on two nodes",
        "value": value,
        "unit": "Mbit/s",
        "target": f"at least {TARGET_MBIT}",
        "ok": value >= TARGET_MBIT,
        "baseline": baseline,
        "ratio": value / baseline,
    }
    return {"title": "Streams (beside: the kernel's TCP between two asyncio programs)", "rows": [row]}


if __name__ == "__main__":
    asyncio.run(serve())
