"""The swarm as this node knows it, for `docker info` and `docker node`."""

from __future__ import annotations

from collections.abc import Sequence

from node.config import NodeConfig
from node.control import keys
from node.control.controller import NO_SWARM, NOT_A_MANAGER
from node.control.ledger import Ledger
from node.control.membership import Membership
from node.errors import Unavailable
from node.model.facts import NodeSeen, SwarmFacts
from node.model.member import NodeRecord
from node.model.network import NetworkRecord


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
        if ledger is None or membership is None:
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

    def _records(self) -> list[NodeRecord]:
        assert self._ledger is not None
        return sorted(self._ledger.view.nodes.values(), key=lambda record: (len(record.name), record.name))

    def _ingress(self) -> NetworkRecord | None:
        assert self._ledger is not None
        return next((n for n in self._ledger.view.networks.values() if n.ingress), None)
