"""A moment of a node as a protobuf message, and back (proto/node/rpc/v1/inspection.proto)."""

from __future__ import annotations

from typing import Any

from node.control.codec import decode, encode
from node.model.moment import Moment, StoredItem
from node.model.network import EndpointRecord
from node.rpc.v1 import inspection_pb2 as rpc


def moment_message(moment: Moment) -> Any:
    """A MomentResponse."""
    return rpc.MomentResponse(
        revision=moment.revision,
        store_connected=moment.store_connected,
        zones=[
            rpc.Zone(
                network=network,
                names=[rpc.NameRow(name=name, addresses=addresses) for name, addresses in names.items()],
            )
            for network, names in moment.zones.items()
        ],
        running=moment.running,
        endpoints=[encode(endpoint) for endpoint in moment.endpoints],
        taken=[rpc.NodePort(protocol=protocol, number=number) for protocol, number in moment.taken],
        published=[rpc.NodePort(protocol=protocol, number=number) for protocol, number in moment.published],
        unaccounted=moment.unaccounted,
        records=[
            rpc.StoredItem(key=item.key, value=item.value, revision=item.revision) for item in moment.records
        ],
    )


def moment(message: Any) -> Moment:
    """What a MomentResponse says."""
    return Moment(
        revision=message.revision,
        store_connected=message.store_connected,
        zones={
            zone.network: {row.name: tuple(row.addresses) for row in zone.names} for zone in message.zones
        },
        running=tuple(message.running),
        endpoints=tuple(decode(record, EndpointRecord) for record in message.endpoints),
        taken=tuple((port.protocol, port.number) for port in message.taken),
        published=tuple((port.protocol, port.number) for port in message.published),
        unaccounted=message.unaccounted,
        records=tuple(
            StoredItem(key=item.key, value=item.value, revision=item.revision) for item in message.records
        ),
    )
