"""Pings between containers on two agent processes, beside a bare asyncio UDP echo between two processes."""

from __future__ import annotations

import asyncio
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any

from lab.launch.control import start, stop
from lab.launch.engine import Engine
from lab.launch.plan import Wish

COUNT = 400
INTERVAL_S = 0.01
TARGET = 3.0

ECHO = """
import asyncio
class Echo(asyncio.DatagramProtocol):
    def connection_made(self, transport): self.transport = transport
    def datagram_received(self, data, address): self.transport.sendto(data, address)
async def main():
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(Echo, local_addr=("127.0.0.1", 0))
    print(transport.get_extra_info("sockname")[1], flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


class Waiter(asyncio.DatagramProtocol):
    """Hears the echo."""

    def __init__(self) -> None:
        self.heard: asyncio.Future[None] | None = None

    def datagram_received(self, data: bytes, address: object) -> None:
        """It is back."""
        if self.heard is not None and not self.heard.done():
            self.heard.set_result(None)


async def echo_ms(udp_port: int) -> float:
    """The median round trip of a 98-byte datagram, at the same pace as the pings."""
    loop = asyncio.get_running_loop()
    waiter = Waiter()
    transport, _ = await loop.create_datagram_endpoint(lambda: waiter, remote_addr=("127.0.0.1", udp_port))
    times = []
    for _ in range(COUNT):
        waiter.heard = loop.create_future()
        begun = time.perf_counter()
        transport.sendto(bytes(98))
        await waiter.heard
        times.append((time.perf_counter() - begun) * 1000)
        await asyncio.sleep(INTERVAL_S)
    transport.close()
    return statistics.median(times)


def ping_ms() -> float:
    """The median of what ping prints."""
    up = start(Wish(name="bench", nodes=2, block=91), lambda _: None)
    try:
        one, two = (Engine(entry.config.socket_path, 30.0) for entry in up.nodes)
        one.call("POST", "/networks/create", {"Name": "app", "Driver": "overlay", "Attachable": True})
        for engine, name in ((one, "one"), (two, "two")):
            identity = engine.create("alpine", ["sleep", "1000"], network="app", name=name)
            engine.call("POST", f"/containers/{identity}/start")
        _, text = one.execute("one", ["ping", "-c", str(COUNT), "-i", str(INTERVAL_S), "two"])
        times = [float(found) for found in re.findall(r"time=([\d.]+) ms", text)]
        assert len(times) == COUNT, f"{COUNT - len(times)} pings were lost"
        return statistics.median(times)
    finally:
        stop("bench")


def measure() -> dict[str, Any]:
    """See tests/bench/__main__.py."""
    os.environ["SHOAL_HOME"] = tempfile.mkdtemp(prefix="shoal-bench-")
    with subprocess.Popen([sys.executable, "-c", ECHO], stdout=subprocess.PIPE, text=True) as echo:
        assert echo.stdout is not None
        udp_port = int(echo.stdout.readline())
        try:
            before = asyncio.run(echo_ms(udp_port))
            ping = ping_ms()
            after = asyncio.run(echo_ms(udp_port))
        finally:
            echo.kill()
    baseline = (before + after) / 2
    row = {
        "what": "ping between containers on two nodes (median)",
        "value": ping,
        "unit": "ms",
        "target": f"at most {TARGET:g} x",
        "ok": ping <= TARGET * baseline,
        "baseline": baseline,
        "ratio": ping / baseline,
    }
    return {"title": "Round trips (beside: a bare asyncio UDP echo)", "rows": [row]}
