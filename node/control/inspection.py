"""What a node tells of its inside: its state, its tables, its drops, and frames on their way."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from node.config import NodeConfig
from node.control.ledger import Ledger
from node.control.membership import Health, Membership
from node.control.registry import Registry
from node.datapath.segment import Segment
from node.datapath.switchboard import Hop as MovedHop
from node.datapath.switchboard import Switchboard
from node.errors import NotFound
from node.model.address import format_ipv4, format_mac, parse_ipv4
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
from node.seams import Channel, Clock
from node.wire import ethernet

NANOSECONDS = 1_000_000_000
TUNNEL = "tunnel"
"""The port of a forwarding row that leads to other nodes."""


class Inspection:
    """See the module."""

    def __init__(
        self,
        config: NodeConfig,
        switchboard: Switchboard,
        swarm: Ledger | None,
        membership: Membership | None,
        registry: Registry,
        clock: Clock,
    ) -> None:
        self.identity = ""
        self.started = ""
        self._config = config
        self._switchboard = switchboard
        self._swarm = swarm
        self._membership = membership
        self._registry = registry
        self._clock = clock
        self._observers: dict[int, tuple[ObserveFilter, Callable[[Hop], None]]] = {}
        self._next = 0

    def status(self) -> NodeStatus:
        """How the node stands."""
        containers = self._registry.all()
        status = NodeStatus(
            name=self._config.name,
            id=self.identity,
            role=self._config.role,
            started=self.started,
            containers=len(containers),
            containers_running=sum(c.state.status in ("running", "paused") for c in containers),
        )
        if self._swarm is None or self._membership is None:
            return status
        return _with_swarm(status, self._swarm, self._membership, self._clock.now())

    def tables(self, segment: str) -> tuple[SegmentTables, ...]:
        """Everything that segments forward by; of one segment, by name, or of all. Raises NotFound."""
        chosen = [s for s in self._switchboard.segments.values() if segment in ("", s.name, *s.networks)]
        if segment and not chosen:
            raise NotFound(
                f"node {self._config.name} has no segment {segment}: no endpoint of that network is here"
            )
        return tuple(_tables(one, self._clock.now()) for one in chosen)

    def drops(self) -> tuple[DropCount, ...]:
        """Every named drop counted so far, by segment and name."""
        counted = sorted(self._switchboard.counters.drops.items())
        return tuple(DropCount(name=drop.value, segment=name, count=count) for (name, drop), count in counted)

    # -- frames on their way ----------------------------------------------------------------------

    def observe(self, wanted: ObserveFilter, hear: Callable[[Hop], None]) -> Callable[[], None]:
        """Let somebody hear of the hops that match, from now on until the returned call."""
        number, self._next = self._next, self._next + 1
        self._observers[number] = (wanted, hear)
        self._switchboard.observer = self._moved

        def stop() -> None:
            self._observers.pop(number, None)
            if not self._observers:
                self._switchboard.observer = None

        return stop

    def _moved(self, moved: MovedHop) -> None:
        for wanted, hear in list(self._observers.values()):
            if _matches(wanted, moved):
                hear(self._hop(moved, wanted.frame_bytes_max))

    def _hop(self, moved: MovedHop, bytes_max: int) -> Hop:
        config = self._config
        outer = None
        if moved.peer:
            ends = config.underlay_address, moved.peer
            source, destination = ends if moved.stage == "encapsulate" else reversed(ends)
            udp_port = config.data_port if moved.channel is Channel.DATA else config.cable_port
            outer = Outer(
                source=source, destination=destination, vni=moved.vni, udp_port=udp_port, vlan=moved.vlan
            )
        return Hop(
            monotonic_ns=round(self._clock.now() * NANOSECONDS),
            wall_ns=round(self._clock.wall() * NANOSECONDS),
            stage=moved.stage,
            segment=moved.segment,
            port=moved.port,
            frame=moved.frame[:bytes_max],
            outer=outer,
            verdict=moved.drop.value if moved.drop is not None else "",
        )


def _with_swarm(status: NodeStatus, swarm: Ledger, membership: Membership, now: float) -> NodeStatus:
    seen = [
        _member(member.name, membership.health.get(member.name, Health()), swarm, now)
        for member in swarm.view.members.values()
        if member.name != status.name
    ]
    return msgspec.structs.replace(
        status,
        revision=swarm.view.revision,
        revision_ago_s=max(0.0, now - swarm.folded_at),
        newest_announced=membership.newest_announced,
        store_connected=swarm.connected,
        store_since_ago_s=max(0.0, now - swarm.since),
        store_reason=swarm.reason,
        members=tuple(seen),
    )


def _member(name: str, health: Health, swarm: Ledger, now: float) -> MemberSeen:
    member = swarm.view.members[name]
    return MemberSeen(
        name=name,
        lan_address=member.lan_address,
        underlay_address=member.underlay_address,
        control_address=member.control_address,
        round_trip_s=health.round_trip_s,
        answered_ago_s=None if health.answered_at is None else now - health.answered_at,
        failures=health.failures,
    )


def _tables(segment: Segment, now: float) -> SegmentTables:
    bridge, vtep = segment.bridge, segment.vtep
    rows = [ForwardingRow(mac=format_mac(mac), port=port.name) for mac, port in bridge.static.items()]
    rows += [
        ForwardingRow(mac=format_mac(mac), port=entry.port.name, age_s=now - entry.seen)
        for mac, entry in bridge.learned.items()
    ]
    if vtep is not None:
        rows += [
            ForwardingRow(mac=format_mac(mac), port=TUNNEL, vtep=endpoint)
            for mac, endpoint in vtep.static.items()
        ]
        rows += [
            ForwardingRow(mac=format_mac(mac), port=TUNNEL, vtep=entry.endpoint, age_s=now - entry.seen)
            for mac, entry in vtep.learned.items()
        ]
    neighbors = tuple(
        NeighborRow(
            address=format_ipv4(address),
            mac=format_mac(mac),
            vtep=vtep.static.get(mac, "") if vtep is not None else "",
        )
        for address, mac in segment.neighbors.entries.items()
    )
    ports = tuple(PortRow(name=p.name, mac=format_mac(p.mac), mtu=p.mtu) for p in bridge.ports.values())
    return SegmentTables(
        segment=segment.name,
        vni=vtep.vni if vtep is not None else None,
        forwarding=tuple(rows),
        neighbors=neighbors,
        ports=ports,
    )


def _matches(wanted: ObserveFilter, moved: MovedHop) -> bool:
    if wanted.segment and moved.segment != wanted.segment:
        return False
    if wanted.port and moved.port != wanted.port:
        return False
    if not wanted.address:
        return True
    address = parse_ipv4(wanted.address)
    frame = moved.frame
    if frame[12:14] == ethernet.IPV4:
        return address in (frame[26:30], frame[30:34])
    # ARP: the sender's and the target's address (node/wire/arp.py has the picture).
    return frame[12:14] == ethernet.ARP and address in (frame[28:32], frame[38:42])
