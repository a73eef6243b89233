"""What a node tells about itself and its swarm to `docker info`, `docker version` and `docker node`."""

from __future__ import annotations

import msgspec

from node.model.member import Member, NodeRecord


class NodeFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What does not change while a node runs."""

    id: str
    """Of the engine, not of the swarm's node: a UUID in text."""
    name: str
    cpus: int
    memory_bytes: int
    kernel: str
    """ "6.1.0-18-amd64"."""
    operating_system: str
    """As people read it, "Debian GNU/Linux 12 (bookworm)"."""
    architecture: str
    """As the kernel says it, "x86_64"."""
    directory: str
    """Where the node keeps what is its own."""
    network_drivers: tuple[str, ...]
    labels: tuple[str, ...] = ()
    """"key=value"."""
    address_pools: tuple[tuple[str, int], ...] = ()
    """Base and size of the pools that its own networks come from, where its settings name them."""


class SwarmFacts(msgspec.Struct, frozen=True, kw_only=True):
    """How a node stands in its swarm. A node without one has ``state`` "inactive" and nothing else."""

    state: str = "inactive"
    """"inactive", "pending", "active" or "error"."""
    error: str = ""
    """Why it is in state "error", in a sentence."""
    node_id: str = ""
    node_address: str = ""
    """Its LAN address."""
    manager: bool = False
    managers: tuple[tuple[str, str], ...] = ()
    """Node id and "address:port" of every manager."""
    nodes: int = 0
    cluster_id: str = ""
    created: str = "0001-01-01T00:00:00Z"
    address_pools: tuple[str, ...] = ("10.0.0.0/8",)
    """Where overlay networks come from."""
    subnet_size: int = 24
    """The prefix length of each."""
    data_port: int = 4789
    """UDP port of VXLAN."""
    version: int = 0
    """The revision at which the swarm's own record last changed."""


class NodeSeen(msgspec.Struct, frozen=True, kw_only=True):
    """A node of the swarm as a manager sees it now."""

    record: NodeRecord
    member: Member | None
    """None: it is down."""
    leader: bool = False
    version: int = 0
    """The revision at which its record last changed."""
