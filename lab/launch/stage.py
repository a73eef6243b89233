"""A live cluster as a stage for scenarios (lab/scenario/stage.py): real processes, real time.

It heals the faults that it injected, and no others; it removes the networks and containers that were made
through it, and starts the nodes that it killed: a cluster is left as it was.
"""

from __future__ import annotations

import asyncio
import time
from types import TracebackType
from urllib.parse import quote

import msgspec

from kvstore.etcd import EtcdStore
from lab.checkers.seen import Seen
from lab.launch.cluster import NODES_MAX, ClusterError, existing
from lab.launch.docker import AsyncEngine
from lab.launch.hosts import POLL_S, LiveHosts
from lab.launch.look import LiveLooker
from lab.launch.observe import Observers
from lab.launch.processes import alive, is_paused
from lab.scenario import model
from lab.scenario.stage import Outcome, Witness

REMOVE_TRIES = 40
"""A network goes when the last of its endpoints has gone from the store."""

CREATING = {"/networks/create": "networks", "/containers/create": "containers"}


class LiveStage(LiveHosts):
    """See the module. Use as an async context manager: leaving it tidies up. Raises ClusterError."""

    world = "live"

    def __init__(self, name: str, *, observes: bool = True) -> None:
        """``observes``: packets are watched for the story, which costs nodes a part of their speed."""
        cluster = existing(name)
        super().__init__(cluster)
        self._start = time.monotonic()
        self._store = EtcdStore(cluster.nodes[0].config.store) if cluster.swarm else None
        self._looker = LiveLooker(self._store, self.configs)
        self._engines = {node: AsyncEngine(node, one.socket_path) for node, one in self.configs.items()}
        self._observes = observes
        self._observers = Observers(self)
        self._made: dict[tuple[str, str, str], None] = {}
        """Node, "networks" or "containers", id."""

    async def __aenter__(self) -> LiveStage:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            await self._observers.close()
            problems = [*await self.put_right(), *await self._remove_all()]
        finally:
            await self.close_clients()
            for engine in self._engines.values():
                await engine.close()
            if self._store is not None:
                await self._store.close()
        if problems:
            raise ClusterError(f"the cluster could not be left as it was: {problems[0]}")

    def begin(self) -> None:
        """See Stage."""
        self._start = time.monotonic()

    def now(self) -> float:
        """See Stage."""
        return time.monotonic() - self._start

    def since_start(self, monotonic: float) -> float:
        """A moment of the monotonic clock, which all processes of a machine share."""
        return monotonic - self._start

    async def sleep_until(self, at: float) -> None:
        """See Stage."""
        await asyncio.sleep(max(0.0, at - self.now()))

    # -- what a user does -------------------------------------------------------------------------

    async def request(self, node: str, method: str, path: str, body: object = None) -> Outcome:
        """See Stage."""
        outcome = await self._engines[node].request(method, path, body)
        kind = CREATING.get(path.partition("?")[0])
        if kind is not None and outcome.code == 201:
            self._made[node, kind, str(msgspec.json.decode(outcome.text)["Id"])] = None
        return outcome

    async def execute(self, node: str, container: str, command: tuple[str, ...]) -> Outcome:
        """See Stage."""
        return await self._engines[node].execute(quote(container), command)

    # -- looking ----------------------------------------------------------------------------------

    async def look(self) -> Seen:
        """See Stage."""
        return await self._looker.look(self.now(), dict(self.able()))

    def watch(self, witness: Witness, *, closely: bool) -> None:
        """See Stage. Nothing tells of moments here: whoever wants to see them looks now and then."""
        if closely and self._observes:
            self._observers.show(witness)

    # -- leaving ----------------------------------------------------------------------------------

    async def _remove_all(self) -> list[str]:
        """Remove what was made, containers first; what could not be, in sentences."""
        problems = []
        for kind in ("containers", "networks"):
            for node, made, identity in list(self._made):
                if made == kind and (problem := await self._remove(node, kind, identity)):
                    problems.append(problem)
        return problems

    async def _remove(self, node: str, kind: str, identity: str) -> str:
        outcome = Outcome(0, "")
        for _ in range(REMOVE_TRIES):
            outcome = await self._engines[node].request("DELETE", f"/{kind}/{identity}?force=1")
            if outcome.code in (204, 404):
                return ""
            await asyncio.sleep(POLL_S)
        return f"{node} does not remove {identity[:12]} of its {kind}: {outcome.text.strip()}"


def impossible(scenario: model.Scenario) -> str:
    """Why no live cluster at all can play this scenario, or ""."""
    if scenario.nodes > NODES_MAX:
        return f"{scenario.nodes} nodes are too many for one machine ({NODES_MAX} at most): use shoal sim"
    return ""


def refusal(scenario: model.Scenario, cluster: str) -> str:
    """Why a cluster that is up cannot play this scenario, or ""."""
    entries = existing(cluster).nodes
    for step in scenario.timeline:
        if isinstance(step, model.StoreMemberLostStep) and existing(cluster).etcd_members < 2:
            return 'its store has one member: "shoal up --etcd-members 3" makes three'
    if scenario.settings:
        return f'it has settings of its own, and cluster "{cluster}" is up already: leave --name out'
    if len(entries) < scenario.nodes:
        return f'it needs {scenario.nodes} nodes, and cluster "{cluster}" has {len(entries)}'
    for entry in entries:
        if not alive(entry.process):
            return f'{entry.config.name} is dead: start it with "shoal restart {entry.config.name}"'
        if entry.process is not None and is_paused(entry.process):
            return f'{entry.config.name} is paused: let it go on with "shoal resume {entry.config.name}"'
    return ""
