"""What stores and fault tables hold, as checkers see it: both worlds look through the same glasses."""

from __future__ import annotations

from lab.checkers.seen import EndpointSeen, FaultSeen, NetworkSeen
from node.chaos.faults import Direction
from node.chaos.kinds import Flows, Partition
from node.chaos.table import FaultSeen as FaultListed
from node.control import keys
from node.drivers.bridge import ICC_OPTION
from node.model.network import EndpointRecord, NetworkRecord


def place_of(key: str) -> tuple[str, str]:
    """The network and the address of a key below addresses/."""
    network, _, address = key.removeprefix(keys.ADDRESSES).partition("/")
    return network, address


def endpoint_seen(record: EndpointRecord) -> EndpointSeen:
    """A record as checkers see it."""
    return EndpointSeen(
        id=record.id,
        network=record.network,
        node=record.node,
        name=record.name,
        address=record.address.partition("/")[0],
        mac=record.mac,
        names=tuple(name.lower() for name in record.dns_names),
        container=record.container,
    )


def network_seen(record: NetworkRecord, scope: str) -> NetworkSeen:
    """A record as checkers see it; ``scope`` as in NetworkSeen."""
    return NetworkSeen(
        id=record.id,
        name=record.name,
        driver=record.driver,
        scope=scope,
        vnis=record.vnis,
        subnets=tuple(subnet.subnet for subnet in record.subnets),
        reserved=tuple(
            address
            for subnet in record.subnets
            for address in (subnet.gateway, *subnet.auxiliary.values())
            if address
        ),
        internal=record.internal,
        lets_talk=record.options.get(ICC_OPTION, "true") == "true",
        lan=record.options.get("parent", "") if record.driver == "macvlan" else "",
    )


def fault_seen(node: str, listed: FaultListed) -> FaultSeen:
    """A fault in force as checkers see it."""
    kind, scope = listed.fault.kind, listed.fault.scope
    return FaultSeen(
        node=node,
        id=listed.fault.id,
        kind=type(kind).__name__,
        peers=scope.peers,
        incoming=scope.direction is not Direction.OUTGOING,
        planes=tuple(plane.value for plane in scope.planes),
        networks=scope.networks,
        whole=isinstance(kind, Partition) and kind.flows is Flows.ALL and not kind.period_s,
    )
