"""A live cluster as a stage for scenarios (lab/scenario/stage.py): real processes, real time.

It heals the faults that it injected, and no others; it removes the networks and containers that were made
through it, and starts the nodes that it killed: a cluster is left as it was.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Iterator
from types import TracebackType
from urllib.parse import quote

import msgspec

from kvstore.etcd import EtcdStore
from lab.checkers.seen import Seen
from lab.launch import control
from lab.launch.cluster import ClusterError, NodeEntry, existing
from lab.launch.docker import AsyncEngine
from lab.launch.look import LiveLooker
from lab.launch.processes import alive, send, wait_gone
from lab.scenario import model
from lab.scenario.stage import NotHere, Outcome, Witness
from node.chaos.faults import Injection
from node.edge.client import NodeClient
from node.errors import NodeError, Unavailable
from node.seams import Unreachable

GONE_S = 5.0
ANSWER_S = 10.0
"""How long a started node may take to answer calls."""
POLL_S = 0.05
REMOVE_TRIES = 40
"""A network goes when the last of its endpoints has gone from the store."""

CREATING = {"/networks/create": "networks", "/containers/create": "containers"}


class LiveStage:
    """See the module. Use as an async context manager: leaving it tidies up. Raises ClusterError."""

    world = "live"

    def __init__(self, name: str) -> None:
        cluster = existing(name)
        self._name = name
        self._start = time.monotonic()
        self._swarm = cluster.swarm
        self._configs = {entry.config.name: entry.config for entry in cluster.nodes}
        self._store = EtcdStore(next(iter(self._configs.values())).store) if cluster.swarm else None
        self._looker = LiveLooker(self._store, self._configs)
        self._clients = {node: self._client(node) for node in self._configs}
        self._engines = {
            node: AsyncEngine(node, config.socket_path) for node, config in self._configs.items()
        }
        self._killed: dict[str, None] = {}
        self._paused: dict[str, None] = {}
        self._faults: dict[str, None] = {}
        self._lost_members = False
        self._made: dict[tuple[str, str, str], None] = {}
        """Node, "networks" or "containers", id."""

    async def __aenter__(self) -> LiveStage:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            await self._tidy()
        finally:
            for client in self._clients.values():
                await client.close()
            for engine in self._engines.values():
                await engine.close()
            if self._store is not None:
                await self._store.close()

    def begin(self) -> None:
        """See Stage."""
        self._start = time.monotonic()

    def now(self) -> float:
        """See Stage."""
        return time.monotonic() - self._start

    async def sleep_until(self, at: float) -> None:
        """See Stage."""
        await asyncio.sleep(max(0.0, at - self.now()))

    # -- nodes ------------------------------------------------------------------------------------

    def nodes(self) -> tuple[str, ...]:
        """See Stage: all of the cluster's."""
        return tuple(self._configs)

    async def kill(self, node: str) -> None:
        """See Stage."""
        process = self._entry(node).process
        self._killed[node] = None
        self._paused.pop(node, None)
        if process is not None and send(process, signal.SIGKILL):
            await asyncio.to_thread(wait_gone, [process], GONE_S)

    async def start(self, node: str) -> None:
        """See Stage. Raises Unavailable."""
        try:
            await asyncio.to_thread(control.restart, self._name, node)
        except ClusterError as error:
            raise Unavailable(str(error)) from None
        self._killed.pop(node, None)
        self._paused.pop(node, None)
        await self._clients[node].close()
        self._clients[node] = self._client(node)
        await self._answering(node)

    async def restart(self, node: str) -> None:
        """See Stage."""
        await self.start(node)

    async def pause(self, node: str) -> None:
        """See Stage."""
        self._paused[node] = None
        send(self._entry(node).process, signal.SIGSTOP)

    async def resume(self, node: str) -> None:
        """See Stage."""
        self._paused.pop(node, None)
        send(self._entry(node).process, signal.SIGCONT)

    def _entry(self, node: str) -> NodeEntry:
        return existing(self._name).node(node)

    def _client(self, node: str) -> NodeClient:
        config = self._configs[node]
        return NodeClient(f"{config.underlay_address}:{config.control_port}")

    async def _answering(self, node: str) -> None:
        deadline = time.monotonic() + ANSWER_S
        while True:
            try:
                await self._clients[node].status()
            except (Unreachable, NodeError):
                if time.monotonic() > deadline:
                    raise Unavailable(f"{node} was started, and does not answer") from None
                await asyncio.sleep(POLL_S)
            else:
                return

    def _able(self) -> Iterator[tuple[str, NodeClient]]:
        """Nodes that can be asked."""
        for node, client in self._clients.items():
            if node not in self._killed and node not in self._paused:
                yield node, client

    # -- faults -----------------------------------------------------------------------------------

    async def inject(self, node: str, injection: Injection) -> None:
        """See Stage. Raises NodeError."""
        if node in self._killed:
            return
        try:
            self._faults[await self._clients[node].inject(injection)] = None
        except Unreachable as error:
            raise Unavailable(f"{node} cannot be given a fault: {error}") from None

    async def heal(self, ids: tuple[str, ...] = ()) -> None:
        """See Stage: of its own faults all, or those named."""
        healed = [identity for identity in self._faults if not ids or identity in ids]
        if healed:
            await asyncio.gather(*(client.heal(healed) for _, client in self._able()), return_exceptions=True)
        for identity in healed:
            del self._faults[identity]

    async def lose_store_member(self, member: int, duration_s: float) -> None:
        """See Stage. Raises NotHere."""
        words = {"order": "lose-store-member", "member": str(member), "duration_s": f"{duration_s:g}"}
        try:
            await asyncio.to_thread(control.order, existing(self._name), **words)
        except ClusterError as error:
            raise NotHere(str(error)) from None
        self._lost_members = True

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
        return await self._looker.look(self.now(), dict(self._able()))

    def watch(self, witness: Witness, *, closely: bool) -> None:
        """See Stage. Nothing tells of moments here: whoever wants to see them looks now and then."""

    # -- leaving ----------------------------------------------------------------------------------

    async def _tidy(self) -> None:
        """Undo what is left of all that was done here."""
        if self._lost_members:
            await asyncio.to_thread(control.order, existing(self._name), order="restore-store-members")
        for node in list(self._paused):
            await self.resume(node)
        for node in list(self._killed):
            await self.start(node)
        await self.heal()
        for kind in ("containers", "networks"):
            for node, made, identity in list(self._made):
                if made == kind and alive(self._entry(node).process):
                    await self._remove(node, kind, identity)

    async def _remove(self, node: str, kind: str, identity: str) -> None:
        for _ in range(REMOVE_TRIES):
            path = f"/{kind}/{identity}?force=1"
            outcome = await self._engines[node].request("DELETE", path)
            if outcome.code in (204, 404):
                return
            await asyncio.sleep(POLL_S)


def refusal(scenario: model.Scenario, cluster: str, *, own: bool) -> str:
    """Why a live cluster cannot play this scenario, or "". ``own``: it was started for the scenario."""
    entries = existing(cluster).nodes
    for step in scenario.timeline:
        if isinstance(step, model.StoreMemberLostStep) and existing(cluster).etcd_members < 2:
            return 'its store has one member: "shoal up --etcd-members 3" makes three'
    if scenario.switches:
        return "deliberate defects exist in the simulated world only: use shoal sim"
    if scenario.settings and not own:
        return (
            f'it sets {", ".join(scenario.settings)}, and cluster "{cluster}" is up already: leave --name out'
        )
    if len(entries) < scenario.nodes:
        return f'it needs {scenario.nodes} nodes, and cluster "{cluster}" has {len(entries)}'
    for entry in entries:
        if not alive(entry.process):
            return f'{entry.config.name} is dead: start it with "shoal restart {entry.config.name}"'
    return ""
