"""The swarm as this node knows it, for `docker info` and `docker node`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from kvstore.store import Transaction
from node.config import NodeConfig
from node.control import keys, plans, roster
from node.control.controller import NO_SWARM, NOT_A_MANAGER
from node.control.ledger import Ledger
from node.control.membership import Membership
from node.control.view import View
from node.errors import NotFound, Unavailable
from node.model.facts import NodeSeen, SwarmFacts
from node.model.member import NodeRecord, NodeWish
from node.model.network import NetworkRecord

REMOVED = "a manager has removed this node from the swarm: it joins again when it is started again"


class Swarm:
    """See the module. ``ledger`` and ``membership`` are None on a node that belongs to none."""

    def __init__(self, config: NodeConfig, ledger: Ledger | None, membership: Membership | None) -> None:
        self._config = config
        self._ledger = ledger
        self._membership = membership

    def facts(self) -> SwarmFacts:
        """How this node stands in its swarm."""
        ledger, membership = self._ledger, self._membership
        if ledger is None or membership is None:
            return SwarmFacts()
        if membership.removed:
            return SwarmFacts(state="error", error=REMOVED)
        me = membership.record
        ingress = self._ingress()
        managers = [record for record in self._records() if record.role == "manager"]
        return SwarmFacts(
            state="active" if ledger.view.revision else "pending",
            node_id=me.id,
            node_address=me.lan_address,
            manager=me.role == "manager",
            managers=tuple((r.id, f"{r.lan_address}:{self._config.control_port}") for r in managers),
            address_pools=self._config.default_addr_pool,
            subnet_size=self._config.default_addr_pool_mask_length,
            data_port=self._config.data_port,
            nodes=len(ledger.view.nodes),
            # The swarm has no record of its own: its first network began with it and is never removed.
            cluster_id=ingress.id if ingress is not None else "",
            created=ingress.created if ingress is not None else me.created,
            version=ledger.view.modified(keys.NETWORKS_GUARD),
        )

    def nodes(self) -> Sequence[NodeSeen]:
        """Every node that belongs to the swarm, by name. Raises Unavailable where this is no manager."""
        ledger, membership = self._ledger, self._membership
        if ledger is None or membership is None or membership.removed:
            raise Unavailable(NO_SWARM)
        if membership.record.role != "manager":
            raise Unavailable(NOT_A_MANAGER)
        members = ledger.view.members
        managers = [r for r in self._records() if r.role == "manager" and r.name in members]
        # Nobody leads here, etcd does; the first living manager is shown, as a user expects one.
        leader = managers[0] if managers else None
        return [
            NodeSeen(
                record=record,
                member=members.get(record.name),
                leader=record is leader,
                version=ledger.view.modified(keys.node(record.name)),
            )
            for record in self._records()
        ]

    async def remove(self, identity: str, *, force: bool) -> None:
        """A node that is down, or any by force; what it owned goes free. Raises NodeError."""
        seen = self._seen(identity)
        ledger, name = self._ledger, seen.record.name
        assert ledger is not None

        def plan(view: View) -> Transaction:
            roster.check_removal(self._seen(identity), force=force)
            return roster.removal(view, name)

        await ledger.change(plan)
        for endpoint in list(ledger.view.endpoints_on(name).values()):
            await ledger.change(partial(plans.release_endpoint, endpoint=endpoint))

    async def update(self, identity: str, version: int, wish: NodeWish) -> None:
        """A node's role, availability and labels. Raises NodeError."""
        ledger = self._ledger

        def plan(view: View) -> Transaction:
            seen = self._seen(identity)
            roster.check_update(self.nodes(), seen, version, wish)
            return roster.update(view, seen.record.name, wish)

        self._seen(identity)
        assert ledger is not None
        await ledger.change(plan)

    def _seen(self, identity: str) -> NodeSeen:
        """Raises NotFound, Unavailable."""
        for seen in self.nodes():
            if seen.record.id == identity:
                return seen
        raise NotFound(f"node {identity} not found")

    def _records(self) -> list[NodeRecord]:
        assert self._ledger is not None
        return sorted(self._ledger.view.nodes.values(), key=lambda record: (len(record.name), record.name))

    def _ingress(self) -> NetworkRecord | None:
        assert self._ledger is not None
        return next((n for n in self._ledger.view.networks.values() if n.ingress), None)
