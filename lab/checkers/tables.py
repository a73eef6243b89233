"""What nodes forward by is what the store says of the endpoints of living nodes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network

from lab.checkers.checker import SETTLE_S, Checker, Violation, undisturbed
from lab.checkers.seen import NodeSeen, Seen, TablesSeen


@dataclass(slots=True)
class Truth:
    """One subnet of an overlay: its endpoints on living nodes, by node."""

    hardware: dict[str, dict[str, str]] = field(default_factory=dict)
    """Node -> hardware address -> address."""
    routed: bool = False
    """Its network has several subnets, and so a router on every node, which is recorded nowhere."""


class Tables(Checker):
    """An overlay's rows are written from the store, so that they follow it."""

    name = "tables"
    sentence = (
        "Forwarding and neighbor tables have a row for every endpoint of a living node, "
        f"and no other, within {SETTLE_S:g} s."
    )
    within_s = SETTLE_S

    def __init__(self) -> None:
        super().__init__()
        self._made_of: tuple[object, object, object] = (None, None, None)
        self._truths: dict[int, Truth] = {}
        self._agreed: dict[tuple[str, str], tuple[TablesSeen, Truth]] = {}
        """What agreed at the last look: the very same values agree still."""

    def check(self, seen: Seen) -> Iterable[Violation]:
        """See Checker."""
        truths = self._expected(seen)
        underlay = {name: node.underlay_address for name, node in seen.nodes.items()}
        problems: dict[str, str] = {}
        for node in undisturbed(seen):
            standing = {_network(tables) for tables in node.tables if tables.local}
            for tables in node.tables:
                if tables.vni in truths and _network(tables) not in standing:
                    problems[f"{node.name} {tables.network}"] = (
                        f"{node.name} has a segment of {tables.network}, where nobody stands any more"
                    )
                truth = truths.get(tables.vni)
                place = node.name, tables.network
                agreed = self._agreed.get(place)
                if truth is None or (agreed is not None and agreed[0] is tables and agreed[1] is truth):
                    continue
                wrong = dict(_differences(node, tables, truth, underlay))
                if not wrong:
                    self._agreed[place] = tables, truth
                for row, text in wrong.items():
                    problems[f"{node.name} {tables.network} {row}"] = (
                        f"{node.name}, network {tables.network}: {text}"
                    )
        return self.standing(seen.at, problems)

    def _expected(self, seen: Seen) -> dict[int, Truth]:
        made_of = seen.networks, seen.endpoints, seen.members
        if any(now is not before for now, before in zip(made_of, self._made_of, strict=True)):
            self._made_of, self._truths = made_of, _truths(seen)
        return self._truths


@lru_cache(4096)
def block_of(subnet: str) -> IPv4Network:
    """An address block from text."""
    return IPv4Network(subnet)


def _network(tables: TablesSeen) -> str:
    return tables.network.partition("/")[0]


def _truths(seen: Seen) -> dict[int, Truth]:
    """By VNI: each subnet of an overlay has one."""
    by_network: dict[str, list[tuple[IPv4Network, Truth]]] = {}
    truths: dict[int, Truth] = {}
    for network in seen.networks:
        for vni, subnet in zip(network.vnis, network.subnets, strict=False):
            truths[vni] = Truth(routed=len(network.subnets) > 1)
            by_network.setdefault(network.id, []).append((block_of(subnet), truths[vni]))
    members = set(seen.members)
    for endpoint in seen.endpoints:
        subnets = by_network.get(endpoint.network)
        if subnets is None or endpoint.node not in members or not endpoint.address:
            continue
        for block, truth in subnets:
            if len(subnets) == 1 or IPv4Address(endpoint.address) in block:
                truth.hardware.setdefault(endpoint.node, {})[endpoint.mac] = endpoint.address
    return truths


def _differences(
    node: NodeSeen, tables: TablesSeen, truth: Truth, underlay: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """What is wrong with one segment's tables: the row, and a sentence about it."""
    remote = dict(tables.remote)
    neighbors = dict(tables.neighbors)
    for owner, hardware in truth.hardware.items():
        if owner == node.name:
            continue
        for mac, address in hardware.items():
            behind = remote.pop(mac, None)
            if behind is None:
                yield mac, f"no forwarding row for {mac} ({address} on {owner})"
            elif owner in underlay and behind != underlay[owner]:
                yield mac, f"{mac} is written to be behind {behind}; it is on {owner}, {underlay[owner]}"
            if (answered := neighbors.pop(address, None)) != mac:
                yield (
                    address,
                    f"ARP for {address} on {owner} is answered with {answered or 'nothing'}, not {mac}",
                )
    for mac, behind in remote.items():
        yield mac, f"a forwarding row for {mac} behind {behind}, where no endpoint of a living node is"
    for address, mac in neighbors.items():
        yield address, f"ARP for {address} is answered with {mac}, where no endpoint of a living node is"
    mine = truth.hardware.get(node.name, {})
    for mac, address in mine.items():
        if mac not in tables.local:
            yield mac, f"no port for {mac} ({address}), which stands here"
    for mac in tables.local:
        if mac not in mine and not truth.routed:
            yield mac, f"a port for {mac}, of which the store knows nothing"
