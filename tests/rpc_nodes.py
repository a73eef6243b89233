"""The gRPC side of a node without the rest of it."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from node.chaos.table import FaultTable
from node.edge.chaos import ChaosService
from node.edge.client import NodeClient
from node.edge.clock import SystemClock
from node.edge.control import GrpcControl, NodeService
from node.edge.inspection import InspectionService
from node.edge.rpc_server import RpcServer
from node.errors import NotFound
from node.model.inspection import DropCount, Hop, NodeStatus, ObserveFilter, SegmentTables
from node.model.moment import Moment

NAME = "node-1"
STATUS = NodeStatus(name=NAME, id="x" * 25, role="manager", started="2026-01-01T00:00:00Z")


@dataclass
class Told:
    """Telemetry that remembers."""

    events: list[tuple[str, dict[str, object]]] = field(default_factory=list)

    def tell(self, event: str, **fields: object) -> None:
        self.events.append((event, fields))


@dataclass
class Shown:
    """What a node has to show, as the test sets it."""

    node_status: NodeStatus = STATUS
    segments: tuple[SegmentTables, ...] = ()
    counted: tuple[DropCount, ...] = ()
    overrun: int = 0
    unreadable: Exception | None = None
    shown_moment: Moment = field(default_factory=Moment)
    observers: list[tuple[ObserveFilter, Callable[[Hop], None]]] = field(default_factory=list)

    def status(self) -> NodeStatus:
        return self.node_status

    def tables(self, segment: str) -> tuple[SegmentTables, ...]:
        found = tuple(tables for tables in self.segments if segment in ("", tables.segment))
        if segment and not found:
            raise NotFound(f"segment {segment} not found")
        return found

    def drops(self) -> tuple[DropCount, ...]:
        return self.counted

    async def moment(self) -> Moment:
        if self.unreadable is not None:
            raise self.unreadable
        return self.shown_moment

    def observe(self, wanted: ObserveFilter, hear: Callable[[Hop], None]) -> Callable[[], None]:
        entry = (wanted, hear)
        self.observers.append(entry)
        return lambda: self.observers.remove(entry)


@asynccontextmanager
async def serving(
    address: str,
    port: int,
    control: GrpcControl,
    faults: FaultTable | None = None,
    shown: Shown | None = None,
) -> AsyncIterator[RpcServer]:
    """A started server; it is stopped at the end if it is not already."""
    clock = SystemClock()
    bench = shown or Shown()
    table = faults if faults is not None else FaultTable(random.Random(1))
    server = RpcServer(
        address,
        port,
        NodeService(control),
        ChaosService(NAME, table, clock, Told()),
        InspectionService(bench, bench.moment, table, clock, lambda: bench.overrun),
    )
    await server.start()
    try:
        yield server
    finally:
        await server.stop(0)


@dataclass
class Bench:
    """A served node, and a client of it."""

    address: str
    server: RpcServer
    control: GrpcControl
    faults: FaultTable
    shown: Shown
    client: NodeClient
