"""What a node tells about itself as protobuf messages, and back (proto/node/rpc/v1/inspection.proto).

The records of node/model/inspection.py and the messages have the same names for the same fields, so
that two functions carry all of them; only what is nested is spelled out.
"""

from __future__ import annotations

from ipaddress import AddressValueError, IPv4Address
from typing import Any, TypeVar

import msgspec

from node.errors import InvalidParameter
from node.model.inspection import (
    DropCount,
    ForwardingRow,
    Hop,
    MemberSeen,
    NeighborRow,
    NodeStatus,
    ObserveFilter,
    Outer,
    PortRow,
    SegmentTables,
)
from node.rpc.v1 import inspection_pb2 as rpc

FRAME_BYTES_MAX = 65_535

Record = TypeVar("Record", bound=msgspec.Struct)


def status_message(status: NodeStatus) -> Any:
    """A StatusResponse."""
    return _message(
        rpc.StatusResponse, status, members=[_message(rpc.MemberSeen, member) for member in status.members]
    )


def status(message: Any) -> NodeStatus:
    """What a StatusResponse says."""
    return _record(
        NodeStatus, message, members=tuple(_record(MemberSeen, member) for member in message.members)
    )


def tables_message(tables: SegmentTables) -> Any:
    """A SegmentTables message."""
    return _message(
        rpc.SegmentTables,
        tables,
        forwarding=[_message(rpc.ForwardingRow, row) for row in tables.forwarding],
        neighbors=[_message(rpc.NeighborRow, row) for row in tables.neighbors],
        ports=[_message(rpc.PortRow, row) for row in tables.ports],
    )


def tables(message: Any) -> SegmentTables:
    """What a SegmentTables message says."""
    return _record(
        SegmentTables,
        message,
        forwarding=tuple(_record(ForwardingRow, row) for row in message.forwarding),
        neighbors=tuple(_record(NeighborRow, row) for row in message.neighbors),
        ports=tuple(_record(PortRow, row) for row in message.ports),
    )


def drop_message(drop: DropCount) -> Any:
    """A DropCount message."""
    return _message(rpc.DropCount, drop)


def drop(message: Any) -> DropCount:
    """What a DropCount message says."""
    return _record(DropCount, message)


def filter_message(wanted: ObserveFilter) -> Any:
    """An ObserveRequest."""
    return _message(rpc.ObserveRequest, wanted)


def observe_filter(message: Any) -> ObserveFilter:
    """What an ObserveRequest asks for. Raises InvalidParameter."""
    if message.frame_bytes_max > FRAME_BYTES_MAX:
        raise InvalidParameter(f"frame_bytes_max {message.frame_bytes_max}: at most {FRAME_BYTES_MAX}")
    if message.address:
        try:
            IPv4Address(message.address)
        except AddressValueError:
            raise InvalidParameter(f'address "{message.address}" to observe: not an IPv4 address') from None
    wanted = _record(ObserveFilter, message)
    if not wanted.frame_bytes_max:
        return msgspec.structs.replace(wanted, frame_bytes_max=ObserveFilter().frame_bytes_max)
    return wanted


def hop_message(hop: Hop) -> Any:
    """A Hop message."""
    return _message(rpc.Hop, hop, outer=_message(rpc.Outer, hop.outer) if hop.outer else None)


def hop(message: Any) -> Hop:
    """What a Hop message says."""
    return _record(Hop, message, outer=_record(Outer, message.outer) if message.HasField("outer") else None)


def _message(kind: Any, record: msgspec.Struct, **nested: Any) -> Any:
    """The record's fields as a message of this kind; None leaves a field out."""
    return kind(**(msgspec.structs.asdict(record) | nested))


def _record(kind: type[Record], message: Any, **nested: Any) -> Record:
    """The message's fields as a record; one that is absent keeps the record's default."""
    fields = message.DESCRIPTOR.fields_by_name
    plain = {
        name: getattr(message, name)
        for name in kind.__struct_fields__
        if name not in nested and (not fields[name].has_presence or message.HasField(name))
    }
    return kind(**plain, **nested)
