"""A moment of a simulated world as checkers see it, read straight from the stores and the agents.

    stores  --(records that changed)--> Records --.
    agents  --(tables that changed)---> Tables ----+--> Seen

It is done after every change, also in worlds of a hundred nodes: what has not changed since the last
look is the same value again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from kvstore.memory import MemoryCluster
from lab.checkers.records import endpoint_seen, fault_seen, network_seen, place_of
from lab.checkers.seen import EndpointSeen, FaultSeen, NetworkSeen, NodeSeen, Seen, TablesSeen
from lab.sim.world import Host, World
from node.agent import Agent
from node.control import keys, moments
from node.control.codec import decode
from node.datapath.drops import Drop
from node.datapath.segment import Segment
from node.dns.zone import Zone
from node.model.address import format_ipv4, format_mac
from node.model.network import EndpointRecord, NetworkRecord

SWARM = "swarm"

_mac = lru_cache(65_536)(format_mac)
_ipv4 = lru_cache(65_536)(format_ipv4)


class Looker:
    """Looks at one world, again and again. ``start`` is the moment that counts as 0."""

    def __init__(self, world: World, start: float = 0.0) -> None:
        self.start = start
        self._world = world
        self._swarm = Records(world.store, SWARM)
        self._own = {name: Records(host.own, name) for name, host in world.hosts.items()}
        self._tables: dict[tuple[str, str], Tables] = {}
        self._recorded: Recorded | None = None
        self._names: dict[tuple[str, str], tuple[Zone, int, dict[str, tuple[str, ...]]]] = {}

    def look(self) -> Seen:
        """What is so now."""
        world = self._world
        records = self._records()
        alive = [
            (name, host.agent)
            for name, host in world.hosts.items()
            if host.agent is not None and not world.is_frozen(name)
        ]
        return Seen(
            at=world.clock.now() - self.start,
            revision=self._swarm.revision,
            members=self._swarm.members,
            networks=records.networks,
            endpoints=records.endpoints,
            addresses=records.addresses,
            nodes={name: self._node(world.hosts[name], agent) for name, agent in alive},
            frozen=tuple(name for name in world.hosts if world.is_frozen(name)),
            faults=tuple(fault for name, agent in alive for fault in _faults(name, agent)),
            keys=self._swarm.keys,
            lost_between=world.fabric.unaccounted,
            lease_s=max(host.config.lease_s for host in world.hosts.values()),
            leases=world.store.leases,
        )

    def _records(self) -> Recorded:
        """What stands in all stores; the very same value as long as nothing has changed."""
        stores = [self._swarm, *self._own.values()]
        for one in stores:
            one.refresh()
        revisions = tuple(one.revision for one in stores)
        if self._recorded is None or self._recorded.revisions != revisions:
            self._recorded = Recorded(
                revisions,
                tuple(network for one in stores for network in one.networks.values()),
                tuple(endpoint for one in stores for endpoint in one.endpoints.values()),
                {place: holder for one in stores for place, holder in one.addresses.items()},
            )
        return self._recorded

    def _node(self, host: Host, agent: Agent) -> NodeSeen:
        name, ledger = agent.config.name, agent.swarm_ledger
        bodies = [(key, body) for key, body in agent.lives.bodies.items() if body.running]
        containers = [agent.registry.get(key) for key, _ in bodies]
        standing = [body.standing for _, body in bodies]
        if agent.ingress is not None:
            standing.append(agent.ingress.standing)
        footholds = [foothold for one in standing if one for foothold in one.footholds.values()]
        drops: dict[str, int] = {}
        for (_, drop), count in agent.counters.drops.items():
            drops[drop.value] = drops.get(drop.value, 0) + count
        return NodeSeen(
            name=name,
            underlay_address=agent.config.underlay_address,
            revision=ledger.view.revision if ledger is not None else 0,
            connected=ledger is not None and ledger.connected,
            tables=tuple(self._segments(name, agent)),
            names=dict(self._zones(name, agent)),
            running=tuple(key for key, _ in bodies),
            endpoints=tuple(endpoint_seen(foothold.endpoint) for foothold in footholds),
            ports=tuple(sorted({(protocol, port) for _, protocol, port in agent.publishing.taken})),
            published=tuple(
                sorted({(port.protocol, port.host_port) for c in containers if c for port in c.state.ports})
            ),
            drops=drops,
            unaccounted=unaccounted(host, agent),
            stray=tuple(stray(agent, [container.name for container in containers if container])),
            keys=ledger.view.revisions if ledger is not None else None,
        )

    def _segments(self, name: str, agent: Agent) -> Iterator[TablesSeen]:
        for identity, segment in agent.switchboard.segments.items():
            place = name, identity
            known = self._tables.get(place)
            if known is None or known.differs(segment):
                known = self._tables[place] = Tables(segment)
            yield known.seen

    def _zones(self, name: str, agent: Agent) -> Iterator[tuple[str, dict[str, tuple[str, ...]]]]:
        for identity, zone in agent.connections.zones.items():
            known = self._names.get((name, identity))
            if known is None or known[0] is not zone or known[1] != zone.changes:
                known = self._names[name, identity] = (zone, zone.changes, zone.table())
            yield identity, known[2]


@dataclass(frozen=True, slots=True)
class Recorded:
    """What all stores hold together, as of these revisions."""

    revisions: tuple[int, ...]
    networks: tuple[NetworkSeen, ...]
    endpoints: tuple[EndpointSeen, ...]
    addresses: dict[tuple[str, str], str]


class Tables:
    """What one segment forwards by, and what it was made of."""

    def __init__(self, segment: Segment) -> None:
        self._made_of = _rows(segment)
        local, remote, neighbors = self._made_of
        self.seen = TablesSeen(
            network=segment.name,
            vni=segment.vtep.vni if segment.vtep is not None else 0,
            local=tuple(_mac(mac) for mac in local),
            remote={_mac(mac): endpoint for mac, endpoint in remote.items()},
            neighbors={_ipv4(address): _mac(mac) for address, mac in neighbors.items()},
        )

    def differs(self, segment: Segment) -> bool:
        """Whether the segment forwards by something else by now."""
        local, remote, neighbors = self._made_of
        vtep = segment.vtep
        return (
            segment.neighbors.entries != neighbors
            or (vtep is not None and vtep.static != remote)
            or tuple(segment.bridge.static) != local
        )


def _rows(segment: Segment) -> tuple[tuple[bytes, ...], dict[bytes, str], dict[bytes, bytes]]:
    remote = dict(segment.vtep.static) if segment.vtep is not None else {}
    return tuple(segment.bridge.static), remote, dict(segment.neighbors.entries)


class Records:
    """What one store holds, decoded as it changes. Its own decoding: a node's view may be what is wrong."""

    def __init__(self, store: MemoryCluster, scope: str) -> None:
        self.revision = 0
        self.keys: dict[str, int] = {}
        self.members: tuple[str, ...] = ()
        self.networks: dict[str, NetworkSeen] = {}
        self.endpoints: dict[str, EndpointSeen] = {}
        self.addresses: dict[tuple[str, str], str] = {}
        self._store = store
        self._scope = scope

    def refresh(self) -> None:
        """Take in what has changed."""
        if self._store.revision == self.revision:
            return
        listing = self._store.listing(keys.ROOT)
        before, self.keys = self.keys, {item.key: item.modified for item in listing.items}
        self.revision = listing.revision
        for item in listing.items:
            if before.get(item.key) != item.modified:
                self._take(item.key, item.value)
        for key in before.keys() - self.keys.keys():
            self._forget(key)
        self.members = tuple(
            key.removeprefix(keys.MEMBERS) for key in self.keys if key.startswith(keys.MEMBERS)
        )

    def _take(self, key: str, value: bytes) -> None:
        if key.startswith(keys.NETWORKS):
            self.networks[key] = network_seen(decode(value, NetworkRecord), self._scope)
        elif key.startswith(keys.ENDPOINTS):
            self.endpoints[key] = endpoint_seen(decode(value, EndpointRecord))
        elif key.startswith(keys.ADDRESSES):
            self.addresses[place_of(key)] = value.decode()

    def _forget(self, key: str) -> None:
        self.networks.pop(key, None)
        self.endpoints.pop(key, None)
        if key.startswith(keys.ADDRESSES):
            self.addresses.pop(place_of(key), None)


def stray(agent: Agent, running: Sequence[str]) -> Iterator[str]:
    """Names of background tasks that watch a container that does not run, or serve a port not published."""
    needed = {f"container {name}" for name in running}
    for address, protocol, port in agent.publishing.taken:
        needed.add(f"proxy {address}:{port}" + ("" if protocol == "tcp" else f"/{protocol}"))
    seen: set[str] = set()
    for name in agent.tasks.names:
        if not name.startswith(("container ", "proxy ")) or name.startswith("proxy for "):
            continue
        if name not in needed or name in seen:
            yield name
        seen.add(name)


def _faults(node: str, agent: Agent) -> Iterator[FaultSeen]:
    for listed in agent.faults.list(agent.seams.clock.now()):
        yield fault_seen(node, listed)


def unaccounted(host: Host, agent: Agent) -> int:
    """Frames of which a node does not know what became: the sum of what is missing in its two laws.

    The switchboard's is in node/datapath/drops.py, that of the faults before the wire in
    node/chaos/underlay.py.
    """
    counters, faulty, wire = agent.counters, agent.underlay, host.wire
    inside = moments.unaccounted(counters)
    if wire is None:
        return inside
    lost = counters.dropped(Drop.UNDERLAY_FAULT)
    gone = wire.sent + counters.received + lost + faulty.held
    outside = counters.encapsulated + wire.arrived + faulty.copied - gone
    return inside + abs(outside)
