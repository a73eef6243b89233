"""The node itself, its swarm, and the whole backend, in memory."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import structs

from node.api.backend import Backend
from node.control import roster
from node.errors import Unavailable
from node.model.facts import NodeFacts, NodeSeen, SwarmFacts
from node.model.member import NodeWish
from tests.api.memory import MemoryNetworks, Node
from tests.api.memory_containers import MemoryContainers, MemoryExecs, MemoryImages, MemoryPrograms


class MemorySystem:
    """See node/api/backend.py: System."""

    def facts(self) -> NodeFacts:
        return NodeFacts(
            id="8a3c3e6c-memory",
            name="memory",
            cpus=2,
            memory_bytes=4 * 1024**3,
            kernel="0.0.0-shoal",
            operating_system="Shoal in memory",
            architecture="x86_64",
            directory="/nowhere",
            network_drivers=("bridge", "host", "macvlan", "null", "overlay"),
        )


class MemorySwarm:
    """See node/api/backend.py: Swarm."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def facts(self) -> SwarmFacts:
        return self._node.swarm

    def nodes(self) -> Sequence[NodeSeen]:
        if not self._node.swarm.manager:
            raise Unavailable(
                'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect '
                "this node to swarm and try again."
            )
        return self._node.nodes

    async def remove(self, identity: str, *, force: bool) -> None:
        seen = self._seen(identity)
        roster.check_removal(seen, force=force)
        self._node.nodes.remove(seen)

    async def update(self, identity: str, version: int, wish: NodeWish) -> None:
        seen = self._seen(identity)
        roster.check_update(self._node.nodes, seen, version, wish)
        fields = {"role": wish.role, "availability": wish.availability, "labels": wish.labels}
        after = structs.replace(seen, record=structs.replace(seen.record, **fields), version=version + 1)
        self._node.nodes[self._node.nodes.index(seen)] = after

    def _seen(self, identity: str) -> NodeSeen:
        return next(seen for seen in self.nodes() if seen.record.id == identity)


def memory_backend(node: Node) -> Backend:
    """All parts over one state."""
    networks, images = MemoryNetworks(node), MemoryImages()
    return Backend(
        networks=networks,
        containers=MemoryContainers(node, networks, images),
        programs=MemoryPrograms(node),
        execs=MemoryExecs(node),
        images=images,
        system=MemorySystem(),
        swarm=MemorySwarm(node),
        events=node.events,
    )
