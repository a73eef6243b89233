"""The nodes of a simulated world as a stage has them (Hosts in lab/scenario/stage.py)."""

from __future__ import annotations

from collections.abc import Callable

from lab.scenario.stage import NotHere
from lab.sim.clients import Clients
from lab.sim.world import World
from node.agent import Agent
from node.chaos.faults import Injection


class SimHosts:
    """See the module. ``changed`` is called after whatever was done to a node."""

    def __init__(self, world: World, clients: Clients, changed: Callable[[], None]) -> None:
        self._world = world
        self._clients = clients
        self._acted = changed

    def nodes(self) -> tuple[str, ...]:
        """See Stage."""
        return tuple(self._world.hosts)

    async def kill(self, node: str) -> None:
        """See Stage."""
        await self._world.kill(node)
        self._clients.hang_up(node)
        self._acted()

    async def start(self, node: str) -> None:
        """See Stage."""
        await self._world.start(node)

    async def restart(self, node: str) -> None:
        """See Stage."""
        await self._world.stop(node)
        self._clients.hang_up(node)
        self._acted()
        await self._world.start(node)

    async def pause(self, node: str) -> None:
        """See Stage."""
        self._world.freeze(node)
        self._acted()

    async def resume(self, node: str) -> None:
        """See Stage. A node that was killed meanwhile has nothing to go on with."""
        self._world.thaw(node)
        self._acted()

    def _agent(self, node: str) -> Agent | None:
        return self._world.hosts[node].agent

    # -- faults -----------------------------------------------------------------------------------

    async def inject(self, node: str, injection: Injection) -> None:
        """See Stage."""
        agent = self._agent(node)
        if agent is not None:
            agent.faults.inject(injection, self._world.clock.now())
        self._acted()

    async def heal(self, ids: tuple[str, ...] = ()) -> None:
        """See Stage."""
        now = self._world.clock.now()
        for host in self._world.hosts.values():
            if host.agent is not None:
                faults = host.agent.faults
                faults.heal(ids or [seen.fault.id for seen in faults.list(now)], now)
        self._acted()

    async def lose_store_member(self, member: int, duration_s: float) -> None:
        """See Stage."""
        raise NotHere(
            "the simulated store is one and has no members to lose: play this on a live cluster (shoal play)"
        )
