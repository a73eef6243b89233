"""What the bench asks of one node: chaos and inspection, in plain values."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any

from node.chaos.faults import Injection
from node.chaos.table import FaultSeen
from node.edge import chaos_messages, inspection_messages, moment_messages
from node.edge.channels import connect
from node.edge.rpc_errors import errors_raised
from node.model.inspection import DropCount, Hop, NodeStatus, ObserveFilter, SegmentTables
from node.model.moment import Moment
from node.rpc.v1 import chaos_pb2, chaos_pb2_grpc, inspection_pb2, inspection_pb2_grpc
from node.seams import Unreachable

TIMEOUT_S = 3.0


class NodeClient:
    """A connection to the node at "IPv4 address:port"; use as an async context manager.

    Every method raises Unreachable if no answer comes within ``timeout_s``, and what the node says
    otherwise as a NodeError.
    """

    def __init__(self, address: str, timeout_s: float = TIMEOUT_S) -> None:
        self.address = address
        self._timeout_s = timeout_s
        self._channel = connect(address)
        self._chaos = chaos_pb2_grpc.ChaosServiceStub(self._channel)
        self._inspection = inspection_pb2_grpc.InspectionServiceStub(self._channel)

    async def __aenter__(self) -> NodeClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection."""
        await self._channel.close()

    # -- chaos ------------------------------------------------------------------------------------

    async def inject(self, injection: Injection, groups: Sequence[Sequence[str]] = ()) -> str:
        """Put a fault into force and return its id.

        With ``groups``, the node finds itself in one of them and loses the members of the others;
        the scope's own peers are not looked at. Raises InvalidParameter, Conflict, Unavailable.
        """
        request = chaos_messages.injection_message(injection, tuple(tuple(group) for group in groups))
        with errors_raised(self.address):
            response = await self._chaos.Inject(request, timeout=self._timeout_s)
        return str(response.fault_id)

    async def faults(self) -> tuple[FaultSeen, ...]:
        """The faults in force, oldest first."""
        with errors_raised(self.address):
            response = await self._chaos.List(chaos_pb2.ListRequest(), timeout=self._timeout_s)
        return tuple(chaos_messages.seen(fault) for fault in response.faults)

    async def heal(self, ids: Sequence[str]) -> tuple[str, ...]:
        """End these faults; those that were in force come back."""
        return await self._heal(chaos_pb2.HealRequest(fault_ids=ids))

    async def heal_all(self) -> tuple[str, ...]:
        """End all faults; their ids come back."""
        return await self._heal(chaos_pb2.HealRequest(all=True))

    async def _heal(self, request: Any) -> tuple[str, ...]:
        with errors_raised(self.address):
            response = await self._chaos.Heal(request, timeout=self._timeout_s)
        return tuple(response.fault_ids)

    # -- inspection -------------------------------------------------------------------------------

    async def status(self) -> NodeStatus:
        """How the node stands."""
        with errors_raised(self.address):
            response = await self._inspection.Status(inspection_pb2.StatusRequest(), timeout=self._timeout_s)
        return inspection_messages.status(response)

    async def tables(self, segment: str = "") -> tuple[SegmentTables, ...]:
        """What the node's segments forward by, or one of them. Raises NotFound."""
        with errors_raised(self.address):
            response = await self._inspection.Tables(
                inspection_pb2.TablesRequest(segment=segment), timeout=self._timeout_s
            )
        return tuple(inspection_messages.tables(segment) for segment in response.segments)

    async def drops(self) -> tuple[DropCount, ...]:
        """The node's drop counters that are not zero."""
        with errors_raised(self.address):
            response = await self._inspection.Drops(inspection_pb2.DropsRequest(), timeout=self._timeout_s)
        return tuple(inspection_messages.drop(drop) for drop in response.drops)

    async def moment(self) -> Moment:
        """What the node holds at this moment."""
        with errors_raised(self.address):
            response = await self._inspection.Moment(inspection_pb2.MomentRequest(), timeout=self._timeout_s)
        return moment_messages.moment(response)

    @asynccontextmanager
    async def observe(self, wanted: ObserveFilter) -> AsyncIterator[AsyncIterator[Hop]]:
        """Hops that match, for as long as the context is open; entered once the node observes."""
        call = self._inspection.Observe(inspection_messages.filter_message(wanted))
        try:
            await self._standing(call)
            yield self._hops(call)
        finally:
            call.cancel()

    async def _standing(self, call: Any) -> None:
        """Wait until the node has sent its initial metadata, or has refused."""
        try:
            async with asyncio.timeout(self._timeout_s):
                with errors_raised(self.address):
                    await call.wait_for_connection()
        except TimeoutError:
            raise Unreachable(f"no node answers at {self.address} in time") from None

    async def _hops(self, call: Any) -> AsyncIterator[Hop]:
        with errors_raised(self.address):
            async for response in call:
                yield inspection_messages.hop(response.hop)
