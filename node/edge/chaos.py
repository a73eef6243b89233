"""ChaosService: faults put into a node's table from outside (proto/node/rpc/v1/chaos.proto)."""

from __future__ import annotations

from typing import Any

from node.chaos.table import FaultTable
from node.edge.chaos_messages import injection, seen_message
from node.edge.rpc_errors import errors_told
from node.rpc.v1 import chaos_pb2
from node.seams import Clock, Telemetry


class ChaosService:
    """See the module. ``node`` is the name by which the node finds itself in groups."""

    def __init__(self, node: str, table: FaultTable, clock: Clock, telemetry: Telemetry) -> None:
        self._node = node
        self._table = table
        self._clock = clock
        self._telemetry = telemetry

    async def Inject(self, request: Any, context: Any) -> Any:  # noqa: N802 - the service's own name
        """See chaos.proto."""
        response = chaos_pb2.InjectResponse()
        async with errors_told(context):
            fault = self._table.inject(injection(request, self._node), self._clock.now())
            self._telemetry.tell(
                "fault.injected",
                fault=fault.id,
                planes=",".join(fault.scope.planes),
                direction=fault.scope.direction,
                peers=",".join(fault.scope.peers),
                kind=type(fault.kind).__name__,
                duration_s=request.duration_s,
            )
            response.fault_id = fault.id
        return response

    async def List(self, request: Any, context: Any) -> Any:  # noqa: N802 - the service's own name
        """See chaos.proto."""
        return chaos_pb2.ListResponse(
            faults=[seen_message(seen) for seen in self._table.list(self._clock.now())]
        )

    async def Heal(self, request: Any, context: Any) -> Any:  # noqa: N802 - the service's own name
        """See chaos.proto."""
        now = self._clock.now()
        every = [seen.fault.id for seen in self._table.list(now)]
        healed = self._table.heal(every if request.all else request.fault_ids, now)
        for fault_id in healed:
            self._telemetry.tell("fault.healed", fault=fault_id)
        return chaos_pb2.HealResponse(fault_ids=healed)
