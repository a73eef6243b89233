"""The Control seam over gRPC: NodeService, asked and answered."""

from __future__ import annotations

from typing import Any

import grpc

from node.chaos.control import Unanswered
from node.edge.channels import Channels
from node.rpc.v1 import node_pb2, node_pb2_grpc
from node.seams import Clock, ControlAnswers, Unreachable

NAME_LENGTH_MAX = 63
UNANSWERED_S_MAX = 5.0
"""How long a call is held that a fault keeps from being answered; callers give up sooner."""


class GrpcControl:
    """See node/seams.py. It answers through the NodeService of the node's RpcServer."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.answers: ControlAnswers | None = None
        self._channels = Channels(clock)

    async def probe(self, address: str, *, sender: str, timeout_s: float) -> float:
        """See node/seams.py. The first round trip to an address includes connecting."""
        began = self.clock.now()
        await self._call(address, "Probe", node_pb2.ProbeRequest(sender=sender), timeout_s)
        return self.clock.now() - began

    async def announce(self, address: str, *, sender: str, revision: int, timeout_s: float) -> int:
        """See node/seams.py."""
        request = node_pb2.AnnounceRequest(sender=sender, revision=revision)
        response = await self._call(address, "Announce", request, timeout_s)
        return int(response.revision)

    def serve(self, answers: ControlAnswers) -> None:
        """See node/seams.py."""
        self.answers = answers

    async def close(self) -> None:
        """Close all connections."""
        await self._channels.close()

    async def _call(self, address: str, method: str, request: Any, timeout_s: float) -> Any:
        async with self._channels.use(address) as channel:
            try:
                return await getattr(node_pb2_grpc.NodeServiceStub(channel), method)(
                    request, timeout=timeout_s
                )
            except grpc.aio.AioRpcError as error:
                code = error.code().name.lower().replace("_", " ")
                raise Unreachable(f"no answer from {address}: {code}: {error.details()}") from error


class NodeService:
    """What answers NodeService's calls (proto/node/rpc/v1/node.proto)."""

    def __init__(self, control: GrpcControl) -> None:
        self._control = control

    async def Probe(self, request: Any, context: Any) -> Any:  # noqa: N802 - the service's own name
        """See node.proto."""
        answers = await self._admit(request.sender, context)
        try:
            answers.probed(request.sender)
        except Unreachable as fault:
            await self._refuse(fault, context)
        return node_pb2.ProbeResponse()

    async def Announce(self, request: Any, context: Any) -> Any:  # noqa: N802 - the service's own name
        """See node.proto."""
        answers = await self._admit(request.sender, context)
        revision = 0
        try:
            revision = answers.announced(request.sender, request.revision)
        except Unreachable as fault:
            await self._refuse(fault, context)
        return node_pb2.AnnounceResponse(revision=revision)

    async def _admit(self, sender: str, context: Any) -> ControlAnswers:
        if not 0 < len(sender) <= NAME_LENGTH_MAX:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "the sender's name is missing or too long")
        if self._control.answers is None:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "this node is not ready yet")
        assert self._control.answers is not None
        return self._control.answers

    async def _refuse(self, fault: Unreachable, context: Any) -> None:
        """End the call as a fault wants it: at once, or after the caller has waited in vain."""
        if isinstance(fault, Unanswered):
            remaining_s = context.time_remaining()
            await self._control.clock.sleep(
                UNANSWERED_S_MAX if remaining_s is None else min(remaining_s, UNANSWERED_S_MAX)
            )
        await context.abort(grpc.StatusCode.UNAVAILABLE, str(fault))
