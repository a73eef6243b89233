"""Where the nodes of a swarm disagree with its store, in sentences; none: they have converged.

Views as new as the store, members that are the living nodes, tables and names as the records want them.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network

from lab.checkers.seen import EndpointSeen, NetworkSeen, NodeSeen, Seen, TablesSeen


def disagreements(seen: Seen, living: tuple[str, ...]) -> Iterator[str]:
    """``living``: the nodes that are to be there at this moment."""
    yield from unsettled(seen, living)
    yield from misnamed(seen)


def unsettled(seen: Seen, living: tuple[str, ...]) -> Iterator[str]:
    """Where members, views and forwarding tables disagree with the store."""
    silent = [node for node in living if node not in seen.nodes]
    if silent:
        yield f"{silent[0]} does not answer"
    if sorted(seen.members) != sorted(living):
        strange = sorted(set(living) ^ set(seen.members))
        yield f"the store counts {strange[0]} as {'alive' if strange[0] in seen.members else 'dead'}"
    for node in seen.nodes.values():
        if not node.connected:
            yield f"{node.name} does not hear the store"
        elif node.revision != seen.revision:
            yield f"{node.name} knows revision {node.revision} of the store, which stands at {seen.revision}"
    overlays = _overlays(seen)
    standing = {
        identity: [_inside(subnet, endpoints) for subnet in overlays[identity].subnets]
        for identity, endpoints in _by_network(seen, overlays).items()
    }
    for node in seen.nodes.values():
        yield from _tables(seen, node, overlays, standing)


def misnamed(seen: Seen) -> Iterator[str]:
    """Where name servers disagree with it."""
    overlays = _overlays(seen)
    standing = _by_network(seen, overlays)
    for node in seen.nodes.values():
        yield from _names(node, overlays, standing)


def _overlays(seen: Seen) -> dict[str, NetworkSeen]:
    return {n.id: n for n in seen.networks if n.scope == "swarm" and n.driver == "overlay"}


def _by_network(seen: Seen, overlays: dict[str, NetworkSeen]) -> dict[str, list[EndpointSeen]]:
    """Endpoints of living members, by network."""
    members = set(seen.members)
    found: dict[str, list[EndpointSeen]] = {identity: [] for identity in overlays}
    for endpoint in seen.endpoints:
        if endpoint.network in found and endpoint.node in members:
            found[endpoint.network].append(endpoint)
    return found


def _inside(subnet: str, endpoints: list[EndpointSeen]) -> list[EndpointSeen]:
    block = IPv4Network(subnet)
    return [endpoint for endpoint in endpoints if endpoint.address and IPv4Address(endpoint.address) in block]


def _tables(
    seen: Seen,
    node: NodeSeen,
    overlays: dict[str, NetworkSeen],
    standing: dict[str, list[list[EndpointSeen]]],
) -> Iterator[str]:
    tables = {table.network: table for table in node.tables}
    for identity, network in overlays.items():
        for number, inside in enumerate(standing[identity]):
            table = tables.get(f"{network.name}/{number}" if number else network.name)
            yield from _table(seen, node, network, inside, table)


def _table(
    seen: Seen, node: NodeSeen, network: NetworkSeen, endpoints: list[EndpointSeen], table: TablesSeen | None
) -> Iterator[str]:
    own = [endpoint for endpoint in endpoints if endpoint.node == node.name]
    if table is None:
        if own:
            yield f"{node.name} has no segment for {network.name}, where {own[0].name} stands"
        return
    for endpoint in endpoints:
        if endpoint.node == node.name:
            if endpoint.mac not in table.local:
                yield f"{node.name} has no port for its own {endpoint.name} in {network.name}"
            continue
        there = seen.nodes.get(endpoint.node)
        if there is not None and table.remote.get(endpoint.mac) != there.underlay_address:
            yield f"{node.name} does not know the way to {endpoint.name} in {network.name}"
        elif table.neighbors.get(endpoint.address) != endpoint.mac:
            yield f"{node.name} does not answer ARP for {endpoint.name} in {network.name}"
    macs = {endpoint.mac for endpoint in endpoints}
    for mac in table.remote:
        if mac not in macs:
            yield f"{node.name} still knows a way to {mac} in {network.name}, which nobody has any more"


def _names(
    node: NodeSeen, overlays: dict[str, NetworkSeen], standing: dict[str, list[EndpointSeen]]
) -> Iterator[str]:
    stands_in = {endpoint.network for endpoint in node.endpoints}
    for identity, network in overlays.items():
        if identity not in node.names and identity not in stands_in:
            continue  # nobody there asks for its names
        wanted: dict[str, set[str]] = {}
        for endpoint in standing[identity]:
            for name in endpoint.names:
                if endpoint.address:
                    wanted.setdefault(name, set()).add(endpoint.address)
        known = node.names.get(identity, {})
        for name, addresses in wanted.items():
            if set(known.get(name, ())) != addresses:
                yield f"the name server of {node.name} does not know {name} in {network.name} as it should"
        for name in known:
            if name not in wanted:
                yield f"the name server of {node.name} still knows {name} in {network.name}"
