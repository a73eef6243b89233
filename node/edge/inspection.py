"""InspectionService: what a node lets others see of itself (proto/node/rpc/v1/inspection.proto)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, Protocol

import grpc
import msgspec

from kvstore.errors import StoreError
from node.chaos.table import FaultTable
from node.edge import inspection_messages as messages
from node.edge.chaos_messages import seen_message
from node.edge.moment_messages import moment_message
from node.edge.rpc_errors import errors_told
from node.errors import Unavailable
from node.model.inspection import DropCount, Hop, NodeStatus, ObserveFilter, SegmentTables
from node.model.moment import Moment
from node.rpc.v1 import inspection_pb2 as rpc
from node.seams import Clock

OBSERVERS_MAX = 16
HOPS_WAITING_MAX = 4096
"""Hops kept for an observer that does not keep up; what comes on top is left out, and numbered."""

OVERRUN = "underlay_overrun"
"""The name of what the kernel dropped because the node did not fetch it in time."""


class Inspection(Protocol):
    """What the agent has to show. ``memory_bytes`` of the status is filled in here."""

    def status(self) -> NodeStatus:
        """How the node stands."""

    def tables(self, segment: str) -> tuple[SegmentTables, ...]:
        """What one segment forwards by, or with "" all of them. Raises NotFound."""

    def drops(self) -> tuple[DropCount, ...]:
        """The drop counters that are not zero."""

    def observe(self, wanted: ObserveFilter, hear: Callable[[Hop], None]) -> Callable[[], None]:
        """Tell every hop that matches from now on; what is returned ends it. Sequences are given here."""


class InspectionService:
    """See the module."""

    def __init__(
        self,
        inspection: Inspection,
        moment: Callable[[], Awaitable[Moment]],
        faults: FaultTable,
        clock: Clock,
        overrun: Callable[[], int],
    ) -> None:
        """``overrun()`` counts the datagrams that the kernel dropped before the node saw them."""
        self._inspection = inspection
        self._moment = moment
        self._faults = faults
        self._clock = clock
        self._overrun = overrun
        self._observers = 0

    async def Status(self, request: Any, context: Any) -> Any:  # noqa: N802 - the service's own name
        """See inspection.proto."""
        status = msgspec.structs.replace(self._inspection.status(), memory_bytes=resident_bytes())
        return messages.status_message(status)

    async def Tables(self, request: Any, context: Any) -> Any:  # noqa: N802 - the service's own name
        """See inspection.proto."""
        response = rpc.TablesResponse()
        async with errors_told(context):
            segments = self._inspection.tables(request.segment)
            response.segments.extend(messages.tables_message(segment) for segment in segments)
        return response

    async def Drops(self, request: Any, context: Any) -> Any:  # noqa: N802 - the service's own name
        """See inspection.proto."""
        drops = [*self._inspection.drops()]
        if overrun := self._overrun():
            drops.append(DropCount(name=OVERRUN, count=overrun))
        return rpc.DropsResponse(drops=[messages.drop_message(drop) for drop in drops])

    async def Moment(self, request: Any, context: Any) -> Any:  # noqa: N802 - the service's own name
        """See inspection.proto."""
        try:
            return moment_message(await self._moment())
        except StoreError as error:
            await context.abort(grpc.StatusCode.UNAVAILABLE, str(error))

    async def Faults(self, request: Any, context: Any) -> Any:  # noqa: N802 - the service's own name
        """See inspection.proto."""
        return rpc.FaultsResponse(
            faults=[seen_message(seen) for seen in self._faults.list(self._clock.now())]
        )

    async def Observe(self, request: Any, context: Any) -> AsyncIterator[Any]:  # noqa: N802
        """See inspection.proto."""
        async with errors_told(context):
            if self._observers >= OBSERVERS_MAX:
                raise Unavailable(f"{OBSERVERS_MAX} observers look at this node already: end one first")
            observer = Observer()
            stop = self._inspection.observe(messages.observe_filter(request), observer.hear)
        self._observers += 1
        try:
            await context.send_initial_metadata(())
            while True:
                yield rpc.ObserveResponse(hop=messages.hop_message(await observer.next()))
        finally:
            self._observers -= 1
            stop()


class Observer:
    """A bounded queue of hops, each numbered as it is heard, so that gaps show what was left out."""

    def __init__(self) -> None:
        self._heard = 0
        self._waiting: asyncio.Queue[Hop] = asyncio.Queue(HOPS_WAITING_MAX)

    def hear(self, hop: Hop) -> None:
        """Keep a hop if there is room; never waits."""
        self._heard += 1
        if not self._waiting.full():
            self._waiting.put_nowait(msgspec.structs.replace(hop, sequence=self._heard))

    async def next(self) -> Hop:
        """The next hop, as soon as there is one."""
        return await self._waiting.get()


def resident_bytes() -> int:
    """What this process takes of the machine's memory, shared pages in part (PSS, proc(5)).

    Forked nodes share most of their pages: counted whole in each, they would add up to nonsense.
    """
    for line in Path("/proc/self/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("smaps_rollup without Pss")
