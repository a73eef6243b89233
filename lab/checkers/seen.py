"""What checkers look at: the store's truth and what every node makes of it, at one moment.

The same values come from a simulated world, read straight from its agents, and from a live cluster,
asked over gRPC and etcd. What only one of them can know is None or empty in the other, and checkers
that need it say nothing then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class EndpointSeen:
    """An endpoint as the store records it; addresses without prefix."""

    id: str
    network: str
    """The network's id."""
    node: str
    name: str
    address: str
    mac: str
    names: tuple[str, ...] = ()
    """What the name servers of its network call it."""
    container: str = ""
    """Its container's id; "" for one of the node itself."""


@dataclass(frozen=True, slots=True)
class NetworkSeen:
    """A network as a store records it. ``scope`` is "swarm", or the name of the node that it is local to."""

    id: str
    name: str
    driver: str
    scope: str
    vnis: tuple[int, ...] = ()
    subnets: tuple[str, ...] = ()
    reserved: tuple[str, ...] = ()
    """Addresses that no endpoint gets: gateways, and what its user set aside."""
    internal: bool = False
    lets_talk: bool = True
    """Its containers may talk to each other (inter-container communication is not off)."""
    lan: str = ""
    """The interface of the hosts' LAN, such as eth0 or eth0.10, that its containers stand on directly."""


@dataclass(frozen=True, slots=True)
class TablesSeen:
    """What one segment of one node forwards by."""

    network: str
    """The network's name; with "/1" and so on for its further subnets."""
    vni: int
    local: tuple[str, ...]
    """Hardware addresses of its own ports."""
    remote: Mapping[str, str]
    """Hardware address -> underlay address of the node behind which it is written to be."""
    neighbors: Mapping[str, str]
    """Address -> hardware address that ARP is answered with."""


@dataclass(frozen=True, slots=True)
class FaultSeen:
    """A fault in force: in whose table, what it does, and to which traffic."""

    node: str
    id: str
    kind: str
    """As in node/chaos/kinds.py: "partition", "loss", ..."""
    peers: tuple[str, ...] = ()
    """None: everybody."""
    incoming: bool = True
    planes: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    whole: bool = True
    """It applies to all of that traffic, not only to some of it."""


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
    names: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    """Network id -> name -> addresses, in order of their text: what its name server would say."""
    running: tuple[str, ...] = ()
    """Containers that run, by id."""
    endpoints: tuple[EndpointSeen, ...] = ()
    """Endpoints that its running containers stand in, and the node itself in the ingress network."""
    ports: tuple[tuple[str, int], ...] = ()
    """Published ports that are taken: protocol and number."""
    published: tuple[tuple[str, int], ...] = ()
    """Those that its running containers say they publish."""
    drops: Mapping[str, int] = field(default_factory=dict)
    unaccounted: int = 0
    """Frames that were neither delivered nor dropped by name: always 0, or something is lost in silence."""
    stray: tuple[str, ...] = ()
    """Background tasks of containers and ports that it has not, or a second one for the same, by name."""
    keys: Mapping[str, int] | None = None
    """What its view of the swarm's store holds: key -> revision of its last change."""


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
    addresses: Mapping[tuple[str, str], str]
    """(network id, address) -> holder, as recorded."""
    nodes: Mapping[str, NodeSeen]
    """Those that live and answer."""
    frozen: tuple[str, ...] = ()
    """Nodes that live and stand still: what they have begun may end later."""
    faults: tuple[FaultSeen, ...] = ()
    """In force."""
    at_once: bool = True
    """All of it was so at one moment; False if something changed while a live cluster was looked at."""
    keys: Mapping[str, int] | None = None
    """What the swarm's store holds: key -> revision of its last change."""
    lost_between: int = 0
    """Datagrams that one node sent and that neither came to another nor were lost by name: always 0."""
    lease_s: float = 3.0
    """How long a silent node counts as alive."""
    leases: int | None = None
    """Leases that live in the swarm's store."""
