"""Moments of a node: its tables, names, endpoints and ports as they are, for whoever checks them."""

from __future__ import annotations

from dataclasses import dataclass

from node.control import keys
from node.control.connections import Connections
from node.control.ingress import Ingress
from node.control.ledger import Ledger
from node.control.lives import Lives
from node.control.publishing import Publishing
from node.control.registry import Registry
from node.datapath.drops import ON_THE_WAY, Counters
from node.model.moment import Moment, StoredItem


@dataclass(frozen=True, slots=True)
class Moments:
    """The parts that are looked at."""

    own: Ledger
    swarm: Ledger | None
    registry: Registry
    lives: Lives
    connections: Connections
    publishing: Publishing
    counters: Counters
    ingress: Ingress | None

    async def take(self) -> Moment:
        """Everything as it is now; the own store is read first, and nothing is waited for after that.

        Raises StoreError.
        """
        listing = await self.own.store.list(keys.ROOT)
        bodies = {key: body for key, body in self.lives.bodies.items() if body.running}
        containers = [container for key in bodies if (container := self.registry.get(key)) is not None]
        standing = [body.standing for body in bodies.values() if body.standing is not None]
        if self.ingress is not None and self.ingress.standing is not None:
            standing.append(self.ingress.standing)
        swarm = self.swarm
        return Moment(
            revision=swarm.view.revision if swarm is not None else 0,
            store_connected=swarm is not None and swarm.connected,
            zones={identity: zone.table() for identity, zone in self.connections.zones.items()},
            running=tuple(bodies),
            endpoints=tuple(foothold.endpoint for one in standing for foothold in one.footholds.values()),
            taken=tuple(sorted({(protocol, port) for _, protocol, port in self.publishing.taken})),
            published=tuple(sorted({(p.protocol, p.host_port) for c in containers for p in c.state.ports})),
            unaccounted=unaccounted(self.counters),
            records=tuple(
                StoredItem(key=item.key, value=item.value, revision=item.modified) for item in listing.items
            ),
        )


def unaccounted(counters: Counters) -> int:
    """What is missing in the law of node/datapath/drops.py."""
    dropped = sum(counters.dropped(name) for name in ON_THE_WAY)
    moved = counters.delivered + counters.encapsulated + counters.answered + dropped
    return abs(counters.transmitted + counters.received + counters.copies - moved)
