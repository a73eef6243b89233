"""A simulated swarm: whole agents on virtual time, from one seed.

    World(seed=7) --> node-1, node-2, node-3 --- fabric (datagrams, calls)
                                             `-- MemoryCluster (the swarm's store)

Everything that a node touches is simulated here and nothing inside a node is: the Agent is the very
one that runs in a real cluster. The same seed gives the same story, event for event.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from kvstore.memory import MemoryCluster, MemoryStore
from lab.sim.chance import Chance
from lab.sim.clock import NodeClock, VirtualClock
from lab.sim.commons import Commons
from lab.sim.fabric import Fabric, FabricUnderlay
from lab.sim.gate import Gate, gate_for
from lab.sim.loop import VirtualLoop
from lab.sim.plugins import SimulatedPlugins
from lab.sim.store import DistantStore
from lab.sim.timing import Timing
from node.agent import Agent, Seams
from node.api.http import Request, Response
from node.config import NodeConfig

Result = TypeVar("Result")

LARGE = 200
"""Nodes of a world from which on news of the store are gathered (store.py)."""
NEWS_GATHER_S = 0.05
STARTED_AT_ONCE = 20
"""Nodes, in a large world: beyond the 253 that find room in the ingress network each waits in vain for it."""

NODES_BESIDE_EACH_OTHER = 250
"""Their addresses differ in the last octet alone."""


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of the story: when, on which node, what."""

    at: float
    node: str
    event: str
    fields: tuple[tuple[str, object], ...]

    def words(self) -> str:
        """What happened, without when and where."""
        details = " ".join(f"{key}={value}" for key, value in self.fields)
        return f"{self.event} {details}".rstrip()

    def __str__(self) -> str:
        return f"{self.at:12.6f} {self.node} {self.words()}"


class Story:
    """The Telemetry of every node of a world, in the order in which things happened."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.happenings: list[Happening] = []
        self._now = now

    def teller(self, node: str) -> Teller:
        """One node's Telemetry seam."""
        return Teller(self, node)

    def tell(self, node: str, event: str, fields: dict[str, object]) -> None:
        """Add a line."""
        self.happenings.append(Happening(self._now(), node, event, tuple(fields.items())))

    def text(self) -> str:
        """The whole story; two runs of one seed give the same bytes."""
        return "".join(f"{happening}\n" for happening in self.happenings)


class Teller:
    """See Story."""

    def __init__(self, story: Story, node: str) -> None:
        self._story = story
        self._node = node

    def tell(self, event: str, **fields: object) -> None:
        """See node/seams.py."""
        self._story.tell(self._node, event, fields)


@dataclass(slots=True)
class Host:
    """One simulated node and what survives its agent: its configuration and its own store."""

    config: NodeConfig
    own: MemoryCluster
    agent: Agent | None = None
    session: MemoryStore | None = None
    way: DistantStore | None = None
    """To the swarm's store."""
    wire: FabricUnderlay | None = None
    gate: Gate | None = None
    lives: int = 0


class World:
    """See the module. Use as an async context manager inside lab.sim.loop.run."""

    def __init__(
        self, seed: int = 0, nodes: int = 3, *, swarm: bool = True, timing: Timing | None = None
    ) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop), "a simulated world runs on virtual time"
        self.loop = loop
        self.born: Callable[[str, Agent], None] | None = None
        """Hears of every agent that is about to start."""
        self.chance = Chance(seed)
        self.timing = timing or Timing()
        self.clock = VirtualClock(loop)
        self.story = Story(self.clock.now)
        self.fabric = Fabric(self.clock, self.chance.stream("fabric"), self.timing.fabric)
        self.plugins = SimulatedPlugins(self.clock)
        self.store = MemoryCluster(self.clock.now)
        self.commons = Commons()
        lan_bits = 24 if nodes < NODES_BESIDE_EACH_OTHER else 20
        self.hosts = {
            f"node-{number}": Host(_config(number, swarm, lan_bits), MemoryCluster(self.clock.now))
            for number in range(1, nodes + 1)
        }

    async def __aenter__(self) -> World:
        at_once = STARTED_AT_ONCE if len(self.hosts) > LARGE else 1
        for first in range(0, len(self.hosts), at_once):
            some = list(self.hosts)[first : first + at_once]
            await asyncio.gather(*(self.start(name) for name in some))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for name, host in reversed(self.hosts.items()):
            if host.agent is not None:
                await self.stop(name)

    async def end(self) -> None:
        """End all nodes at once. In order, each would still tell all others that it goes."""
        for name, host in self.hosts.items():
            if host.agent is not None:
                await self.kill(name)

    def agent(self, name: str) -> Agent:
        """A node's running agent."""
        agent = self.hosts[name].agent
        assert agent is not None, f"{name} is down"
        return agent

    async def start(self, name: str) -> Agent:
        """Start a node's agent, for the first time or again."""
        host = self.hosts[name]
        assert host.agent is None, f"{name} is up already"
        host.lives += 1
        host.gate = gate_for(name)
        self.fabric.connect(host.config.underlay_address, host.gate.context)
        seams = self._seams(name, host, host.gate)
        host.agent = Agent(host.config, seams, self.chance.stream(f"{name}/{host.lives}"))
        if (ledger := host.agent.swarm_ledger) is not None:
            ledger.fold = self.commons.fold
        if self.born is not None:
            self.born(name, host.agent)
        await self.inside(name, host.agent.start())
        return host.agent

    def _seams(self, name: str, host: Host, gate: Gate) -> Seams:
        address, timing = host.config.underlay_address, self.timing
        clock = NodeClock(self.loop, gate)
        host.session = self.store.session(name)
        chance = self.chance.stream(f"{name}/{host.lives}/store")
        gather_s = NEWS_GATHER_S if len(self.hosts) > LARGE else 0.0
        host.way = DistantStore(host.session, clock, chance, timing.store, timing.news, gather_s)
        host.wire = self.fabric.underlay(address)
        return Seams(
            clock=clock,
            underlay=host.wire,
            control=self.fabric.control(address),
            store=host.way if host.config.store else None,
            own=host.own.session(name),
            telemetry=self.story.teller(name),
            plugins=self.plugins,
        )

    def inside(self, name: str, work: Coroutine[Any, Any, Result]) -> asyncio.Task[Result]:
        """Something that happens in a node, as its own work: it stops when the node is frozen."""
        gate = self.hosts[name].gate
        assert gate is not None, f"{name} was never started"
        return gate.context.run(self.loop.create_task, work)

    async def stop(self, name: str) -> None:
        """End a node's agent in order."""
        host = self.hosts[name]
        agent = self.agent(name)
        self.thaw(name)
        host.agent = None
        await self.inside(name, agent.stop())
        self.fabric.disconnect(host.config.underlay_address)

    async def kill(self, name: str) -> None:
        """End a node's agent as SIGKILL does: nothing is said to anybody, nothing is tidied."""
        host = self.hosts[name]
        agent = self.agent(name)
        assert host.session is not None
        assert host.wire is not None
        host.session.cut("was killed")
        host.wire.fall_silent()
        self.thaw(name)
        host.agent = None
        self.fabric.disconnect(host.config.underlay_address)
        await self.inside(name, agent.stop(graceful=False))

    # -- standing still ---------------------------------------------------------------------------

    def freeze(self, name: str) -> None:
        """As SIGSTOP does: nothing in the node goes on, its sockets fill, its lease runs out."""
        host = self.hosts[name]
        assert host.gate is not None
        assert host.agent is not None, f"{name} is down"
        self.loop.freeze(host.gate)
        self.fabric.freeze(host.config.underlay_address)

    def thaw(self, name: str) -> None:
        """As SIGCONT does: what waits in its sockets is read, timers that are over ring."""
        host = self.hosts[name]
        if self.is_frozen(name):
            assert host.gate is not None
            self.loop.thaw(host.gate)
            self.fabric.thaw(host.config.underlay_address)

    def is_frozen(self, name: str) -> bool:
        """It lives, and stands still."""
        host = self.hosts[name]
        return host.agent is not None and host.gate is not None and self.loop.is_frozen(host.gate)

    # -- looking ----------------------------------------------------------------------------------

    async def request(self, name: str, method: str, path: str, body: object = None) -> Response:
        """One request to a node's Engine API, as a client would make it."""
        content = b"" if body is None else json.dumps(body).encode()
        headers = {"content-type": "application/json"} if content else {}
        answer = await self.agent(name).app.handle(Request.of(method, path, headers, content))
        assert isinstance(answer, Response), f"{method} {path} streams"
        return answer


def _config(number: int, swarm: bool, lan_bits: int) -> NodeConfig:
    third, rest = divmod(number, NODES_BESIDE_EACH_OTHER)
    octet = rest + 1
    return NodeConfig(
        name=f"node-{number}",
        cluster="sim",
        directory=Path("/nonexistent"),
        underlay_address=f"10.99.{third}.{octet}",
        lan_address=f"192.168.{65 + third}.{octet}/{lan_bits}",
        role="manager" if number <= 3 else "worker",
        store=("simulated",) if swarm else (),
        seed=number,
    )
