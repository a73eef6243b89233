"""Answers of one container's name server, asked by a program of the container through its own stack."""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from typing import Any

import dns.message

from node.control.nameserver import ADDRESS, PORT, NameServer
from node.datapath.drops import Counters
from node.dns.resolver import Attachment, Resolver
from node.dns.zone import Zone
from node.edge.clock import SystemClock
from node.model.passage import OPEN
from node.stack.sandbox import Sandbox

TARGET = 5000
SECONDS = 1.0
RUNS = 3
CONTAINERS = 200


async def rate(kind: str) -> float:
    """Answers a second, one question after the other."""
    zone = Zone("app")
    for number in range(CONTAINERS):
        zone.add(f"endpoint-{number}", (f"web-{number}",), f"10.0.1.{number + 2}")
    chance = random.Random(1)
    resolver = Resolver(chance, (Attachment(zone),))
    sandbox = Sandbox("container", SystemClock(), chance, Counters())
    server = NameServer(sandbox, resolver, lambda: OPEN)
    socket = sandbox.udp_socket()
    socket.connect(ADDRESS, PORT)
    names = [
        f"web-{number}" if kind == "A" else f"{number + 2}.1.0.10.in-addr.arpa"
        for number in range(CONTAINERS)
    ]
    queries = [dns.message.make_query(name, kind).to_wire() for name in names]
    count, begun = 0, time.perf_counter()
    while time.perf_counter() - begun < SECONDS:
        for query in queries:
            socket.send(query)
            answer, _ = await socket.receive()
            assert answer[7] == 1, "one record"
        count += len(queries)
    took = time.perf_counter() - begun
    server.close()
    sandbox.close()
    return count / took


def measure() -> dict[str, Any]:
    """See tests/bench/__main__.py."""
    rows = []
    for kind, what in (("A", "addresses of names"), ("PTR", "names of addresses")):
        value = statistics.median(asyncio.run(rate(kind)) for _ in range(RUNS))
        rows.append(
            {
                "what": what,
                "value": value,
                "unit": "answers/s",
                "target": f"at least {TARGET}",
                "ok": value >= TARGET,
            }
        )
    return {"title": "DNS on one node (question and answer in one process)", "rows": rows}
