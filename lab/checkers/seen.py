"""What checkers look at: the store's truth and what every node makes of it, at one moment.

The same values come from a simulated world, read straight from its agents, and from a live cluster,
asked over gRPC and etcd.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class EndpointSeen:
    """An endpoint as the store records it; addresses without prefix."""

    id: str
    network: str
    node: str
    name: str
    address: str
    mac: str


@dataclass(frozen=True, slots=True)
class NetworkSeen:
    """A network as a store records it. ``scope`` is "swarm", or the name of the node that it is local to."""

    id: str
    name: str
    driver: str
    scope: str
    vnis: tuple[int, ...] = ()
    subnets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TablesSeen:
    """What one segment of one node forwards by."""

    network: str
    """The network's name."""
    vni: int
    local: tuple[str, ...]
    """Hardware addresses of its own ports."""
    remote: dict[str, str]
    """Hardware address -> underlay address of the node behind which it is written to be."""
    neighbors: dict[str, str]
    """Address -> hardware address that ARP is answered with."""


@dataclass(frozen=True, slots=True)
class NodeSeen:
    """One living node."""

    name: str
    underlay_address: str
    revision: int
    """Of its view of the swarm's store."""
    connected: bool
    """It hears the store."""
    tables: tuple[TablesSeen, ...] = ()
    names: dict[str, dict[str, tuple[str, ...]]] = field(default_factory=dict)
    """Network name -> name -> addresses: what its name server would say."""
    running: tuple[str, ...] = ()
    """Containers that run, by id."""
    endpoints: tuple[EndpointSeen, ...] = ()
    """Endpoints that its running containers stand in."""
    ports: tuple[tuple[str, int], ...] = ()
    """Published ports that are taken: protocol and number."""
    drops: dict[str, int] = field(default_factory=dict)
    unaccounted: int = 0
    """Frames that were neither delivered nor dropped by name: always 0, or something is lost in silence."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One moment of a whole swarm. ``at`` in seconds since the start."""

    at: float
    revision: int
    """Of the swarm's store."""
    members: tuple[str, ...]
    """Nodes that the store counts as alive."""
    networks: tuple[NetworkSeen, ...]
    endpoints: tuple[EndpointSeen, ...]
    """Of the swarm's store, and of the nodes' own."""
    addresses: dict[tuple[str, str], str]
    """(network id, address) -> holder, as recorded."""
    nodes: dict[str, NodeSeen]
    """Those that live and answer."""
    faults: tuple[tuple[str, str], ...] = ()
    """In force: node and fault id."""
