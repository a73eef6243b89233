"""A moment of a live cluster as checkers see it, asked over gRPC and etcd.

    etcd: all records ---> every node: moment, tables, drops, faults ---> etcd: still the same revision?
            ^                                                                   | yes: at once
            '------------------------------ no, again (a few times) ------------'

A real cluster cannot be stopped for a look: what changed meanwhile is looked at again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from kvstore.errors import StoreError
from kvstore.etcd import EtcdStore
from kvstore.store import Listing
from lab.checkers.records import endpoint_seen, fault_seen, network_seen, place_of
from lab.checkers.seen import EndpointSeen, FaultSeen, NetworkSeen, NodeSeen, Seen, TablesSeen
from node.config import NodeConfig
from node.control import keys
from node.control.codec import decode
from node.control.inspection import TUNNEL
from node.edge.client import NodeClient
from node.errors import NodeError
from node.model.inspection import DropCount, SegmentTables
from node.model.moment import Moment, StoredItem
from node.model.network import EndpointRecord, NetworkRecord
from node.seams import Unreachable

TRIES = 3
SWARM = "swarm"
EMPTY = Listing(0, ())


class LiveLooker:
    """Looks again and again. ``store`` is None without a swarm."""

    def __init__(self, store: EtcdStore | None, configs: Mapping[str, NodeConfig]) -> None:
        self._store = store
        self._configs = configs
        self._last = EMPTY

    async def look(self, at: float, clients: Mapping[str, NodeClient]) -> Seen:
        """What is so, as the nodes with these clients say; ``at`` is what time it is."""
        for _ in range(TRIES):
            before, reached = await self._listing()
            shown = await asyncio.gather(*(self._node(name, client) for name, client in clients.items()))
            after, _ = await self._listing()
            if before.revision == after.revision:
                break
        same = reached and before.revision == after.revision
        return self._seen(at, before, [one for one in shown if one is not None], at_once=same)

    async def _listing(self) -> tuple[Listing, bool]:
        """The swarm's store, or how it was last if it does not answer."""
        if self._store is None:
            return EMPTY, True
        try:
            self._last = await self._store.list(keys.ROOT)
        except StoreError:
            return self._last, False
        return self._last, True

    async def _node(self, name: str, client: NodeClient) -> Shown | None:
        try:
            moment, tables, drops, faults = await asyncio.gather(
                client.moment(), client.tables(), client.drops(), client.faults()
            )
        except (Unreachable, NodeError):
            return None
        node = _node_seen(self._configs[name], moment, tables, drops)
        return node, moment.records, tuple(fault_seen(name, fault) for fault in faults)

    def _seen(self, at: float, listing: Listing, shown: list[Shown], *, at_once: bool) -> Seen:
        records = Records()
        for stored in listing.items:
            records.take(stored.key, stored.value, SWARM)
        for node, own, _ in shown:
            for item in own:
                records.take(item.key, item.value, node.name)
        return Seen(
            at=at,
            revision=listing.revision,
            members=tuple(records.members),
            networks=tuple(records.networks),
            endpoints=tuple(records.endpoints),
            addresses=records.addresses,
            nodes={node.name: node for node, _, _ in shown},
            faults=tuple(fault for _, _, faults in shown for fault in faults),
            at_once=at_once,
            keys={item.key: item.modified for item in listing.items} if listing.revision else None,
            lease_s=max(config.lease_s for config in self._configs.values()),
        )


Shown = tuple[NodeSeen, tuple[StoredItem, ...], tuple[FaultSeen, ...]]


class Records:
    """What stores hold, decoded. Its own decoding: a node's view may be what is wrong."""

    def __init__(self) -> None:
        self.members: list[str] = []
        self.networks: list[NetworkSeen] = []
        self.endpoints: list[EndpointSeen] = []
        self.addresses: dict[tuple[str, str], str] = {}

    def take(self, key: str, value: bytes, scope: str) -> None:
        """One more; ``scope`` as in NetworkSeen."""
        if key.startswith(keys.NETWORKS):
            self.networks.append(network_seen(decode(value, NetworkRecord), scope))
        elif key.startswith(keys.ENDPOINTS):
            self.endpoints.append(endpoint_seen(decode(value, EndpointRecord)))
        elif key.startswith(keys.ADDRESSES):
            self.addresses[place_of(key)] = value.decode()
        elif key.startswith(keys.MEMBERS):
            self.members.append(key.removeprefix(keys.MEMBERS))


def _node_seen(
    config: NodeConfig, moment: Moment, tables: tuple[SegmentTables, ...], counts: tuple[DropCount, ...]
) -> NodeSeen:
    drops: dict[str, int] = {}
    for count in counts:
        drops[count.name] = drops.get(count.name, 0) + count.count
    return NodeSeen(
        name=config.name,
        underlay_address=config.underlay_address,
        revision=moment.revision,
        connected=moment.store_connected,
        tables=tuple(_tables_seen(segment) for segment in tables),
        names=moment.zones,
        running=moment.running,
        endpoints=tuple(endpoint_seen(endpoint) for endpoint in moment.endpoints),
        ports=moment.taken,
        published=moment.published,
        drops=drops,
        unaccounted=moment.unaccounted,
    )


def _tables_seen(segment: SegmentTables) -> TablesSeen:
    told = [row for row in segment.forwarding if row.age_s is None]
    return TablesSeen(
        network=segment.segment,
        vni=segment.vni or 0,
        local=tuple(row.mac for row in told if row.port != TUNNEL),
        remote={row.mac: row.vtep for row in told if row.port == TUNNEL},
        neighbors={row.address: row.mac for row in segment.neighbors},
    )
