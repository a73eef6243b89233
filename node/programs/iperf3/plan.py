"""What is to be measured, and what was: as values, and as the JSON that both ends exchange."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from node.programs.iperf3.control import VERSION, Failed

TCP_BLOCK_BYTES = 131_072
BLOCK_BYTES_MAX = 1_048_576
UDP_BLOCK_BYTES_MAX = 65_507
UDP_BLOCK_BYTES_MIN = 16
UDP_RATE_BITS_PER_S = 1_048_576
STREAMS_MAX = 128
DURATION_S_MAX = 86_400

Record = TypeVar("Record")


class Plan(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Field names are the protocol's. ``num`` and ``blockcount`` end a test where they are not 0."""

    tcp: bool = False
    udp: bool = False
    omit: int = 0
    time: Annotated[int, Meta(ge=0, le=DURATION_S_MAX)] = -1
    num: Annotated[int, Meta(ge=0)] = -1
    blockcount: Annotated[int, Meta(ge=0)] = -1
    parallel: Annotated[int, Meta(ge=1, le=STREAMS_MAX)] = 0
    reverse: bool = False
    bidirectional: bool = False
    len: Annotated[int, Meta(ge=1, le=BLOCK_BYTES_MAX)] = 0
    bandwidth: Annotated[int, Meta(ge=0)] = 0
    """Bits a second of each stream; 0 for as much as goes."""
    udp_counters_64bit: bool | int = False
    client_version: str = ""

    def wire(self) -> bytes:
        """As it goes to the server."""
        return msgspec.json.encode(self)


class StreamResult(msgspec.Struct, frozen=True, kw_only=True):
    """What one end has counted of one stream; times in seconds since its beginning."""

    id: int
    bytes: int
    retransmits: int = -1
    jitter: float = 0.0
    errors: int = 0
    omitted_errors: int = 0
    packets: int = 0
    omitted_packets: int = 0
    start_time: float = 0.0
    end_time: float = 0.0

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.end_time - self.start_time


class Results(msgspec.Struct, frozen=True, kw_only=True):
    """What one end has counted."""

    cpu_util_total: float = 0.0
    cpu_util_user: float = 0.0
    cpu_util_system: float = 0.0
    sender_has_retransmits: int = -1
    congestion_used: str = "reno"
    streams: Annotated[tuple[StreamResult, ...], Meta(max_length=STREAMS_MAX)] = ()

    def wire(self) -> bytes:
        """As it goes to the other end."""
        return msgspec.json.encode(self)


def read_plan(data: bytes) -> Plan:
    """Raises Failed."""
    plan = _decode(data, Plan, "unable to receive parameters from client")
    if plan.tcp == plan.udp or plan.bidirectional or plan.parallel < 1 or plan.len < 1:
        raise Failed("unable to receive parameters from client: this test is not simulated")
    if plan.udp and not UDP_BLOCK_BYTES_MIN <= plan.len <= UDP_BLOCK_BYTES_MAX:
        raise Failed("unable to receive parameters from client: no length of a datagram")
    return plan


def read_results(data: bytes) -> Results:
    """Raises Failed."""
    return _decode(data, Results, "unable to receive results")


def _decode(data: bytes, kind: type[Record], problem: str) -> Record:
    try:
        return msgspec.json.decode(data.rstrip(b"\0"), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Failed(f"{problem}: {error}") from None


def new_plan(**fields: Any) -> Plan:
    """A client's."""
    return Plan(client_version=VERSION, **fields)
