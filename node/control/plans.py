"""Every change of networks and endpoints as one transaction, planned purely from a view.

A plan compares what it relied on, so that it is applied whole or made again:

    create network     the guard          (names, subnets and VNIs of all networks)
    remove network     the guard, and the network's last_address   (nobody joined meanwhile)
    create endpoint    the network's record, the node's in a swarm, and that the address is absent
    release endpoint   the endpoint's record
"""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass, field
from ipaddress import IPv4Network

import msgspec

from kvstore.store import Compare, Delete, Put, Transaction, absent
from node.control import ipam, keys, vni
from node.control.codec import encode
from node.control.view import View
from node.errors import Conflict, Forbidden, NotFound, Unavailable
from node.model.ids import short
from node.model.network import (
    ANY_SUBNET,
    INGRESS_SANDBOX,
    NULL_IPAM,
    EndpointRecord,
    NetworkRecord,
    NetworkSpec,
    Scope,
    Subnet,
)

GATEWAY_HOLDER = "gateway"
AUXILIARY_HOLDER = "auxiliary"


@dataclass(frozen=True, slots=True)
class Draft:
    """What of a new network is decided before its plan is made."""

    id: str
    created: str
    scope: Scope
    predefined: bool = False
    skips_gateway: bool = False
    """Its driver needs no gateway: only one that the user names is set aside."""
    driver_state: dict[str, str] = field(default_factory=dict)


def create_network(
    view: View, spec: NetworkSpec, draft: Draft, pools: ipam.DefaultPools
) -> tuple[NetworkRecord, Transaction]:
    """A network with its name, subnets and VNIs. Raises Conflict, Forbidden, InvalidParameter."""
    if view.network_named(spec.name) is not None:
        raise Conflict(f"network with name {spec.name} already exists")
    subnets = spec.subnets
    if not spec.config_only:
        wishes = _wishes(spec, lambda: pools.choose(draft.scope, view.index.pools))
        subnets = _reserved(view, wishes, draft)
    record = NetworkRecord(
        id=draft.id,
        name=spec.name,
        driver=driver_of(spec),
        scope=draft.scope,
        created=draft.created,
        subnets=subnets,
        vnis=_vnis(view, spec, subnets) if draft.scope == "swarm" else (),
        ipam_driver=spec.ipam_driver,
        ipam_options=spec.ipam_options,
        internal=spec.internal,
        attachable=spec.attachable,
        ingress=spec.ingress,
        enable_ipv4=spec.enable_ipv4,
        enable_ipv6=spec.enable_ipv6,
        options=spec.options,
        driver_state=draft.driver_state,
        labels=spec.labels,
        predefined=draft.predefined,
        config_only=spec.config_only,
        config_from=spec.config_from,
    )
    last_vni = record.vnis[-1] if record.vnis else view.last_vni()
    operations: list[Put | Delete] = [
        Put(keys.network(record.id), encode(record)),
        Put(keys.NETWORKS_GUARD, str(last_vni).encode()),
    ]
    if not spec.config_only:
        operations += _reservations(record)
    compares = [
        Compare(keys.NETWORKS_GUARD, view.modified(keys.NETWORKS_GUARD)),
        absent(keys.network(record.id)),
    ]
    for other in view.index.sharing(record):
        # Whoever is about to take an address there plans again, and sees what this network has reserved.
        key = keys.network(other)
        compares.append(Compare(key, view.modified(key)))
        operations.append(Put(key, encode(view.networks[other])))
    return record, Transaction(tuple(compares), tuple(operations))


def _reservations(network: NetworkRecord) -> list[Put]:
    """What no endpoint gets: gateways, and what the user said that others have."""
    puts = []
    for subnet in network.subnets:
        if subnet.gateway:
            puts.append(Put(keys.address(network.id, subnet.gateway), GATEWAY_HOLDER.encode()))
        for name, address in subnet.auxiliary.items():
            puts.append(Put(keys.address(network.id, address), f"{AUXILIARY_HOLDER} {name}".encode()))
    return puts


def driver_of(spec: NetworkSpec) -> str:
    """A configuration network is given to the driver that builds nothing (moby: NewNetwork)."""
    return "null" if spec.config_only else spec.driver


def configured(view: View, spec: NetworkSpec) -> NetworkSpec:
    """What is asked for, completed by the configuration network that it names. Raises NotFound."""
    if not spec.config_from:
        return spec
    source = view.network_named(spec.config_from)
    if source is None or not source.config_only:
        raise NotFound(f'configuration network "{spec.config_from}" does not exist')
    return msgspec.structs.replace(
        spec,
        subnets=source.subnets,
        ipam_driver=source.ipam_driver,
        ipam_options=source.ipam_options or {},
        enable_ipv4=source.enable_ipv4,
        enable_ipv6=source.enable_ipv6,
        options=source.options,
        labels=source.labels,
    )


def _wishes(spec: NetworkSpec, choose: Callable[[], IPv4Network]) -> tuple[Subnet, ...]:
    """The subnets asked for, or one chosen; none for drivers without addresses."""
    if spec.driver in ("host", "null"):
        return ()
    asked = tuple(subnet for subnet in spec.subnets if subnet.subnet)
    if asked:
        return asked
    return (Subnet(subnet=str(choose()), gateway_given=True),)


def _reserved(view: View, wishes: tuple[Subnet, ...], draft: Draft) -> tuple[Subnet, ...]:
    """The subnets, free and with their gateways, if they are to have any; what another IPAM gave stays.

    Raises Forbidden, Failed.
    """
    chosen: list[Subnet] = []
    for wish in wishes:
        if wish.pool or wish.subnet == ANY_SUBNET:
            chosen.append(wish)
            continue
        if wish.given:
            ipam.check_overlap(wish, view.index)
            if any(IPv4Network(wish.subnet).overlaps(IPv4Network(other.subnet)) for other in chosen):
                raise Forbidden(ipam.OVERLAP)
        users = view.index.users(wish.subnet)
        chosen.append(ipam.reserve(wish, _taken(view, users), needs_gateway=not draft.skips_gateway))
    return tuple(chosen)


def _vnis(view: View, spec: NetworkSpec, subnets: tuple[Subnet, ...]) -> tuple[int, ...]:
    """One identifier a subnet: those the user listed first, then the next free ones."""
    taken = dict(view.index.vnis)
    listed = [text for text in spec.options.get(vni.VNI_OPTION, "").split(",") if text]
    chosen: list[int] = []
    last = view.last_vni()
    for index, subnet in enumerate(subnets):
        if index < len(listed):
            number = vni.given(listed[index], subnet.subnet, taken)
        else:
            number = last = vni.choose(taken, last)
        taken[number] = None
        chosen.append(number)
    return tuple(chosen)


def remove_network(view: View, network: NetworkRecord) -> Transaction:
    """Everything of a network that nobody stands in. Raises Forbidden, NotFound."""
    if network.id not in view.networks:
        raise NotFound(f"network {network.name} not found")
    if network.config_only and any(other.config_from == network.name for other in view.networks.values()):
        raise Forbidden(f'error while removing network: configuration network "{network.name}" is in use')
    standing = view.endpoints(network.id).values()
    if holders := [endpoint for endpoint in standing if endpoint.container != INGRESS_SANDBOX]:
        names = ", ".join(f'name:"{holder.name}" id:"{short(holder.id)}"' for holder in holders)
        raise Forbidden(
            f"error while removing network: network {network.name} has active endpoints ({names})"
        )
    cursor = keys.last_address(network.id)
    compares = (
        Compare(keys.NETWORKS_GUARD, view.modified(keys.NETWORKS_GUARD)),
        Compare(cursor, view.modified(cursor)),
    )
    operations: list[Put | Delete] = [
        Delete(keys.network(network.id)),
        Delete(cursor),
        Put(keys.NETWORKS_GUARD, str(view.last_vni()).encode()),
    ]
    operations += [Delete(keys.endpoint(network.id, endpoint.id)) for endpoint in standing]
    operations += [Delete(keys.address(network.id, text)) for text in view.addresses(network.id)]
    return Transaction(compares, tuple(operations))


@dataclass(frozen=True, slots=True)
class Place:
    """How a driver wants an endpoint placed, and the address that the user named, if any."""

    pinned: str
    gives_gateway: bool
    choose_mac: Callable[[str], str]


def create_endpoint(
    view: View, network: NetworkRecord, wish: EndpointRecord, place: Place
) -> tuple[EndpointRecord, Transaction]:
    """A place in a network, with its address where the network gives any.

    The swarm gives addresses serially, a node its lowest free one.
    Raises NotFound, Forbidden, InvalidParameter, Failed.
    """
    key = keys.network(network.id)
    if not view.modified(key):
        raise NotFound(f"network {network.name} not found")
    compares = [Compare(key, view.modified(key))]
    if network.scope == "swarm":
        compares.append(_belongs(view, wish.node))
    cursor = keys.last_address(network.id)
    last = view.last_address(network.id)
    record = wish
    operations: list[Put | Delete] = []
    if network.subnets and network.ipam_driver != NULL_IPAM:
        pools = [network.id, *view.index.sharing(network)]
        taken = _taken(view, pools)
        serial = network.scope == "swarm"
        if wish.address:
            address = ipam.check_free(wish.address.partition("/")[0], taken)
        elif place.pinned:
            address = ipam.check_pinned(network, place.pinned, taken)
        else:
            address = ipam.choose_address(network, taken, last, serial=serial)
            last = ipam.moved(network, last, address)
        subnet = ipam.subnet_of(network, address)
        assert subnet is not None, "an address was chosen outside all subnets"
        record = msgspec.structs.replace(
            wish,
            address=ipam.with_prefix(address, subnet.subnet),
            mac=wish.mac or place.choose_mac(address),
            gateway=subnet.gateway if place.gives_gateway else "",
        )
        compares += [absent(keys.address(pool, address)) for pool in pools]
        operations.append(Put(keys.address(network.id, address), record.id.encode()))
    elif network.subnets:
        record = msgspec.structs.replace(wish, mac=wish.mac or place.choose_mac(""))
    operations += [Put(keys.endpoint(network.id, record.id), encode(record)), Put(cursor, last.encode())]
    return record, Transaction(tuple(compares), tuple(operations))


def _belongs(view: View, node: str) -> Compare:
    """That the node is recorded in the swarm: who was removed gets nothing more. Raises Unavailable."""
    if node not in view.nodes:
        raise Unavailable(f"node {node} does not belong to the swarm: start it again, and it joins")
    return Compare(keys.node(node), view.modified(keys.node(node)))


def update_endpoint(view: View, endpoint: EndpointRecord) -> Transaction:
    """The same endpoint with other names; nothing to do when it has gone."""
    key = keys.endpoint(endpoint.network, endpoint.id)
    if not view.modified(key):
        return Transaction()
    return Transaction((Compare(key, view.modified(key)),), (Put(key, encode(endpoint)),))


def _taken(view: View, pools: list[str]) -> Container[str]:
    """The addresses that networks of one pool have given out."""
    if len(pools) == 1:
        return view.addresses(pools[0])
    return {address for pool in pools for address in view.addresses(pool)}


def settle_endpoint(view: View, before: EndpointRecord, after: EndpointRecord) -> Transaction:
    """What a driver has made of an endpoint. Raises NotFound, Forbidden, InvalidParameter."""
    key = keys.endpoint(after.network, after.id)
    if not view.modified(key):
        raise NotFound(f"endpoint {after.name} has gone")
    compares = [Compare(key, view.modified(key))]
    operations: list[Put | Delete] = [Put(key, encode(after))]
    if after.address != before.address:
        network = view.networks[after.network]
        address = after.address.partition("/")[0]
        ipam.check_free(address, view.addresses(network.id))
        if ipam.subnet_of(network, address) is None:
            raise ipam.outside(address)
        compares.append(absent(keys.address(network.id, address)))
        operations.append(Put(keys.address(network.id, address), after.id.encode()))
    return Transaction(tuple(compares), tuple(operations))


def release_endpoint(view: View, endpoint: EndpointRecord) -> Transaction:
    """Give back an endpoint and its address; nothing to do when it has gone."""
    key = keys.endpoint(endpoint.network, endpoint.id)
    if not view.modified(key):
        return Transaction()
    operations: list[Put | Delete] = [Delete(key)]
    address = endpoint.address.partition("/")[0]
    if address and view.addresses(endpoint.network).get(address) == endpoint.id:
        operations.append(Delete(keys.address(endpoint.network, address)))
    return Transaction((Compare(key, view.modified(key)),), tuple(operations))
