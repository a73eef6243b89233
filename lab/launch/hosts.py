"""The nodes of a live cluster as a stage has them: processes that are killed, frozen and started, and faults.

What is done to them here is undone by put_right(): a cluster is left as it was.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Iterator

from lab.launch import control
from lab.launch.cluster import Cluster, ClusterError, NodeEntry, existing
from lab.launch.processes import send, wait_gone
from lab.scenario.stage import NotHere
from node.chaos.faults import Injection
from node.edge.client import NodeClient
from node.errors import NodeError, Unavailable
from node.seams import Unreachable

GONE_S = 5.0
ANSWER_S = 10.0
"""How long a started node may take to answer calls."""
POLL_S = 0.05


class LiveHosts:
    """See the module, and Hosts in lab/scenario/stage.py."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster.name
        self.configs = {entry.config.name: entry.config for entry in cluster.nodes}
        self._clients = {node: self._client(node) for node in self.configs}
        self._retired: list[NodeClient] = []
        self._killed: dict[str, None] = {}
        self._paused: dict[str, None] = {}
        self._faults: dict[str, None] = {}
        """By id: its own, and no others'."""
        self._lost_members = False

    def nodes(self) -> tuple[str, ...]:
        """See Hosts: all of the cluster's."""
        return tuple(self.configs)

    def able(self) -> Iterator[tuple[str, NodeClient]]:
        """Nodes that can be asked, and how."""
        for node, client in self._clients.items():
            if node not in self._killed and node not in self._paused:
                yield node, client

    def entry(self, node: str) -> NodeEntry:
        """A node as the record has it now."""
        return existing(self._cluster).node(node)

    # -- lives ------------------------------------------------------------------------------------

    async def kill(self, node: str) -> None:
        """See Hosts."""
        process = self.entry(node).process
        self._killed[node] = None
        self._paused.pop(node, None)
        if process is not None and send(process, signal.SIGKILL):
            await asyncio.to_thread(wait_gone, [process], GONE_S)

    async def start(self, node: str) -> None:
        """See Hosts. Raises Unavailable."""
        try:
            await asyncio.to_thread(control.restart, self._cluster, node)
        except ClusterError as error:
            raise Unavailable(str(error)) from None
        self._killed.pop(node, None)
        self._paused.pop(node, None)
        self._retired.append(self._clients[node])  # somebody may be asking by it just now
        self._clients[node] = self._client(node)
        await self._answering(node)

    async def restart(self, node: str) -> None:
        """See Hosts."""
        await self.start(node)

    async def pause(self, node: str) -> None:
        """See Hosts."""
        self._paused[node] = None
        send(self.entry(node).process, signal.SIGSTOP)

    async def resume(self, node: str) -> None:
        """See Hosts."""
        self._paused.pop(node, None)
        send(self.entry(node).process, signal.SIGCONT)

    def _client(self, node: str) -> NodeClient:
        config = self.configs[node]
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

    # -- faults -----------------------------------------------------------------------------------

    async def inject(self, node: str, injection: Injection) -> None:
        """See Hosts. Raises NodeError."""
        if node in self._killed:
            return
        try:
            self._faults[await self._clients[node].inject(injection)] = None
        except Unreachable as error:
            raise Unavailable(f"{node} cannot be given a fault: {error}") from None

    async def heal(self, ids: tuple[str, ...] = ()) -> None:
        """See Hosts: of its own faults all, or those named. A node that does not answer heals by itself."""
        healed = [identity for identity in self._faults if not ids or identity in ids]
        if healed:
            calls = (client.heal(healed) for _, client in self.able())
            await asyncio.gather(*calls, return_exceptions=True)
        for identity in healed:
            del self._faults[identity]

    async def lose_store_member(self, member: int, duration_s: float) -> None:
        """See Hosts."""
        words = {"order": "lose-store-member", "member": str(member), "duration_s": f"{duration_s:g}"}
        try:
            await asyncio.to_thread(control.order, existing(self._cluster), **words)
        except ClusterError as error:
            raise NotHere(str(error)) from None
        self._lost_members = True

    # -- leaving ----------------------------------------------------------------------------------

    async def put_right(self) -> list[str]:
        """Undo all that was done; what could not be, in sentences."""
        problems = []
        for node in list(self._paused):
            await self.resume(node)
        await self.heal()
        if self._lost_members:
            try:
                await asyncio.to_thread(control.order, existing(self._cluster), order="restore-store-members")
            except ClusterError as error:
                problems.append(str(error))
        for node in list(self._killed):
            try:
                await self.start(node)
            except Unavailable as error:
                problems.append(str(error))
        return problems

    async def close_clients(self) -> None:
        """Close all connections."""
        for client in (*self._clients.values(), *self._retired):
            await client.close()
