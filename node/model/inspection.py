"""What a node tells about itself: its state, its tables, its drops, and the hops of frames on their way.

Times called ``..._ago_s`` and ``age_s`` are seconds before the answer was made, so that they mean
the same to a reader whose clock stands elsewhere.
"""

from __future__ import annotations

import msgspec


class MemberSeen(msgspec.Struct, frozen=True, kw_only=True):
    """Another member of the swarm, as this node sees it."""

    name: str
    lan_address: str
    underlay_address: str
    control_address: str
    round_trip_s: float | None = None
    """Of the last probe; None if it was not answered, or none was made yet."""
    answered_ago_s: float | None = None
    failures: int = 0
    """Probes in a row without an answer."""


class NodeStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How a node stands. Without a swarm, ``revision`` and what concerns the store are zero."""

    name: str
    id: str
    role: str
    started: str
    """RFC 3339."""
    revision: int = 0
    """Of its view of the swarm's store."""
    revision_ago_s: float = 0.0
    """How long its view has been as of it."""
    newest_announced: int = 0
    """The newest revision that any member said it had committed."""
    store_connected: bool = False
    store_since_ago_s: float = 0.0
    """How long it has been connected, or away."""
    store_reason: str = ""
    """Why it is away."""
    members: tuple[MemberSeen, ...] = ()
    containers: int = 0
    containers_running: int = 0
    memory_bytes: int = 0
    """Resident memory of the process that the node runs in; what it shares with others counts in part."""


class ForwardingRow(msgspec.Struct, frozen=True, kw_only=True):
    """Where frames for a hardware address leave a segment."""

    mac: str
    port: str
    vtep: str = ""
    """The peer's underlay address, if it is reached through the tunnel."""
    age_s: float | None = None
    """Since it was last seen as a source; None for a row that does not age."""


class NeighborRow(msgspec.Struct, frozen=True, kw_only=True):
    """An address that a segment answers ARP for."""

    address: str
    mac: str
    vtep: str = ""


class PortRow(msgspec.Struct, frozen=True, kw_only=True):
    """A port of a segment."""

    name: str
    mac: str
    mtu: int


class SegmentTables(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that one segment forwards by."""

    segment: str
    vni: int | None = None
    forwarding: tuple[ForwardingRow, ...] = ()
    neighbors: tuple[NeighborRow, ...] = ()
    ports: tuple[PortRow, ...] = ()


class DropCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many frames or datagrams were not delivered for one named reason."""

    name: str
    segment: str = ""
    """Empty for what was dropped outside any segment."""
    count: int


class Outer(msgspec.Struct, frozen=True, kw_only=True):
    """The headers around a frame between two nodes."""

    source: str
    destination: str
    vni: int
    udp_port: int = 0
    """Where the datagram goes to; 0: unknown."""
    vlan: int = 0
    """The VLAN that the frame is tagged with there; 0: none. The frame is shown without the tag."""


class Hop(msgspec.Struct, frozen=True, kw_only=True):
    """One station of one frame on its way through a node."""

    sequence: int = 0
    """Counts up by one for every hop that matched: a gap says how many the reader was too slow for.

    Given where the hop leaves the node, to each observer from 1."""
    monotonic_ns: int
    wall_ns: int
    """Since 1970 UTC."""
    stage: str
    segment: str
    port: str = ""
    frame: bytes = b""
    """The Ethernet frame from its first byte, cut off after the filter's ``frame_bytes_max``."""
    outer: Outer | None = None
    verdict: str = ""
    """What became of it here: where it went on, or the name of the drop."""


class ObserveFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which hops an observer wants. An empty text matches everything."""

    segment: str = ""
    port: str = ""
    address: str = ""
    """An IPv4 address that is the inner packet's source or destination, or is asked for by ARP."""
    frame_bytes_max: int = 256
