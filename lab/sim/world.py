"""A simulated swarm: whole agents on virtual time, from one seed.

    World(seed=7) --> node-1, node-2, node-3 --- fabric (datagrams, calls)
                                             `-- MemoryCluster (the swarm's store)

Everything that a node touches is simulated here and nothing inside a node is: the Agent is the very
one that runs in a real cluster. The same seed gives the same story, event for event.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from kvstore.memory import MemoryCluster, MemoryStore
from lab.sim.chance import Chance
from lab.sim.clock import VirtualClock
from lab.sim.fabric import Fabric, FabricUnderlay, Latency
from node.agent import Agent, Seams
from node.api.http import Request, Response
from node.config import NodeConfig

STORE_LATENCY_S = 0.001
"""What one operation on the swarm's store takes."""


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of the story: when, on which node, what."""

    at: float
    node: str
    event: str
    fields: tuple[tuple[str, object], ...]

    def __str__(self) -> str:
        details = " ".join(f"{key}={value}" for key, value in self.fields)
        return f"{self.at:12.6f} {self.node} {self.event} {details}".rstrip()


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
    wire: FabricUnderlay | None = None
    lives: int = 0


class World:
    """See the module. Use as an async context manager inside lab.sim.loop.run."""

    def __init__(
        self, seed: int = 0, nodes: int = 3, *, swarm: bool = True, latency: Latency | None = None
    ) -> None:
        self.chance = Chance(seed)
        self.clock = VirtualClock(asyncio.get_running_loop())
        self.story = Story(self.clock.now)
        self.fabric = Fabric(self.clock, self.chance.stream("fabric"), latency)
        self.store = MemoryCluster(self.clock.now)
        self.hosts = {
            f"node-{number}": Host(_config(number, swarm), MemoryCluster(self.clock.now))
            for number in range(1, nodes + 1)
        }

    async def __aenter__(self) -> World:
        for name in self.hosts:
            await self.start(name)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for name, host in reversed(self.hosts.items()):
            if host.agent is not None:
                await self.stop(name)

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
        address = host.config.underlay_address
        host.session = self.store.session(name, lambda: self.clock.sleep(STORE_LATENCY_S))
        host.wire = self.fabric.underlay(address)
        seams = Seams(
            clock=self.clock,
            underlay=host.wire,
            control=self.fabric.control(address),
            store=host.session if host.config.store else None,
            own=host.own.session(name),
            telemetry=self.story.teller(name),
        )
        host.agent = Agent(host.config, seams, self.chance.stream(f"{name}/{host.lives}"))
        await host.agent.start()
        return host.agent

    async def stop(self, name: str) -> None:
        """End a node's agent in order."""
        host = self.hosts[name]
        agent, host.agent = self.agent(name), None
        await agent.stop()
        self.fabric.disconnect(host.config.underlay_address)

    async def kill(self, name: str) -> None:
        """End a node's agent as SIGKILL does: nothing is said to anybody, nothing is tidied."""
        host = self.hosts[name]
        agent, host.agent = self.agent(name), None
        self.fabric.disconnect(host.config.underlay_address)
        assert host.session is not None
        host.session.cut("was killed")
        await agent.stop(graceful=False)

    async def request(self, name: str, method: str, path: str, body: object = None) -> Response:
        """One request to a node's Engine API, as a client would make it."""
        content = b"" if body is None else json.dumps(body).encode()
        headers = {"content-type": "application/json"} if content else {}
        answer = await self.agent(name).app.handle(Request.of(method, path, headers, content))
        assert isinstance(answer, Response), f"{method} {path} streams"
        return answer


def _config(number: int, swarm: bool) -> NodeConfig:
    octet = number % 250 + 1
    third = number // 250
    return NodeConfig(
        name=f"node-{number}",
        cluster="sim",
        directory=Path("/nonexistent"),
        underlay_address=f"10.99.{third}.{octet}",
        lan_address=f"192.168.{65 + third}.{octet}/24",
        role="manager" if number <= 3 else "worker",
        store=("simulated",) if swarm else (),
        seed=number,
    )
