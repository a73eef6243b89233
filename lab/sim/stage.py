"""A simulated world as a stage for scenarios (lab/scenario/stage.py)."""

from __future__ import annotations

from collections.abc import Mapping

from kvstore.store import Transaction
from lab.checkers.history import Operation
from lab.checkers.seen import Seen
from lab.scenario.stage import Outcome, Witness
from lab.sim.clients import Clients
from lab.sim.gate import OUTSIDE
from lab.sim.hosts import SimHosts
from lab.sim.look import Looker
from lab.sim.world import World
from node.agent import Agent

SMALL = 10
"""Nodes of a world that is looked at after every change; a larger one is looked at now and then."""


class SimStage(SimHosts):
    """See the module."""

    world = "simulated"

    def __init__(self, world: World, settings: Mapping[str, str] | None = None) -> None:
        clients = Clients(world)
        super().__init__(world, clients, self._changed)
        self._clients = clients
        self._looker = Looker(world)
        self._witness: Witness | None = None
        self._closely = False
        self._showing = False
        for host in world.hosts.values():
            host.config = host.config.changed(settings or {})
        world.born = self._born

    def begin(self) -> None:
        """See Stage."""
        self._looker.start = self._world.clock.now()

    def now(self) -> float:
        """See Stage."""
        return round(self._world.clock.now() - self._looker.start, 9)

    async def sleep_until(self, at: float) -> None:
        """See Stage."""
        await self._world.clock.sleep(max(0.0, at + self._looker.start - self._world.clock.now()))

    # -- what a user does -------------------------------------------------------------------------

    async def request(self, node: str, method: str, path: str, body: object = None) -> Outcome:
        """See Stage."""
        return await self._clients.request(node, method, path, body)

    async def execute(self, node: str, container: str, command: tuple[str, ...]) -> Outcome:
        """See Stage."""
        return await self._clients.execute(node, container, command)

    # -- looking ----------------------------------------------------------------------------------

    async def look(self) -> Seen:
        """See Stage."""
        return self._looker.look()

    def watch(self, witness: Witness, *, closely: bool) -> None:
        """See Stage."""
        self._witness = witness
        self._closely = closely
        for host in self._world.hosts.values():
            if host.agent is not None:
                self._born(host.config.name, host.agent)

    def _born(self, node: str, agent: Agent) -> None:
        """An agent is about to start, or runs already: hear of what happens in it."""
        if self._witness is None:
            return
        small = len(self._world.hosts) <= SMALL
        if small:
            for ledger in agent.ledgers.values():
                ledger.listeners.append(lambda _: self._changed())
        if self._closely:
            witness, way = self._witness, self._world.hosts[node].way
            agent.switchboard.observer = lambda hop: witness.hop(node, hop)
            if way is not None:
                way.told = lambda begun, transaction, done: self._told(node, begun, transaction, done)

    def _told(self, node: str, begun: float, transaction: Transaction, succeeded: bool | None) -> None:
        assert self._witness is not None
        start = begun - self._looker.start
        self._witness.operation(Operation(node, "swarm", start, self.now(), transaction, succeeded))

    def _changed(self) -> None:
        """Let the witness see, once for all that happens in this round of the loop."""
        if self._witness is not None and not self._showing:
            self._showing = True
            self._world.loop.call_soon(self._show, context=OUTSIDE.context)

    def _show(self) -> None:
        self._showing = False
        if self._witness is not None:
            self._witness.moment(self._looker.look())
