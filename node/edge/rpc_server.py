"""The gRPC server of a node: NodeService for its peers, chaos and inspection for the bench."""

from __future__ import annotations

import errno
import socket
from typing import Any

import grpc

from node.edge.chaos import ChaosService
from node.edge.control import NodeService
from node.edge.inspection import InspectionService
from node.errors import Unavailable
from node.rpc.v1 import chaos_pb2_grpc, inspection_pb2_grpc, node_pb2_grpc

REQUEST_BYTES_MAX = 64 * 1024
CALLS_MAX = 256
"""Calls under way at one time; more are refused with RESOURCE_EXHAUSTED."""
STREAMS_PER_CONNECTION_MAX = 64

OPTIONS = (
    ("grpc.so_reuseport", 0),  # two nodes on one port would take each other's calls: an error instead
    ("grpc.max_receive_message_length", REQUEST_BYTES_MAX),
    ("grpc.max_send_message_length", -1),  # bounded by the tables that answers are made of
    ("grpc.max_concurrent_streams", STREAMS_PER_CONNECTION_MAX),
    ("grpc.max_metadata_size", 8 * 1024),
    # A caller that is gone without a word; and callers may ask the same of this node.
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 5_000),
)


class RpcServer:
    """See the module."""

    def __init__(
        self, address: str, port: int, node: NodeService, chaos: ChaosService, inspection: InspectionService
    ) -> None:
        self._address = address
        self._port = port
        self._node = node
        self._chaos = chaos
        self._inspection = inspection
        self._server: Any = None

    async def start(self) -> None:
        """Answer calls from now on. Raises Unavailable, with what to do, if the port is not to be had."""
        server = grpc.aio.server(options=OPTIONS, maximum_concurrent_rpcs=CALLS_MAX)
        node_pb2_grpc.add_NodeServiceServicer_to_server(self._node, server)
        chaos_pb2_grpc.add_ChaosServiceServicer_to_server(self._chaos, server)
        inspection_pb2_grpc.add_InspectionServiceServicer_to_server(self._inspection, server)
        try:
            server.add_insecure_port(f"{self._address}:{self._port}")
        except RuntimeError as error:
            raise Unavailable(_explain(self._address, self._port)) from error
        await server.start()
        self._server = server

    async def stop(self, grace_s: float) -> None:
        """Take no more calls, and give those under way so many seconds."""
        if self._server is not None:
            server, self._server = self._server, None
            await server.stop(grace_s)


def _explain(address: str, port: int) -> str:
    """gRPC does not say why it could not bind: try once more to find out."""
    with socket.socket() as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind((address, port))
            attempt.listen()
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return (
                    f"TCP port {port} of {address} is in use: stop what uses it"
                    f" (see `ss -ltnp src {address}`), or give the node another underlay_address"
                )
            return f"cannot open TCP port {port} of {address}: {error.strerror}"
    return f"cannot open TCP port {port} of {address}: try again"
