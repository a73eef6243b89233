"""The node's own place in the swarm's ingress network: a sandbox that no container owns.

    ingress-sbox --- ingress-endpoint          in the network ingress
                '--- gateway_ingress-sbox      on docker_gwbridge, the first address after its gateway

Every node of the swarm has one (moby: daemon/network.go, setupIngress). It stands as long as the ingress
network is there and the node belongs to the swarm. Its address in the ingress network stays the node's
own across restarts and crashes: what the store still has from before is taken up again.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

from node.control.connections import Connections
from node.control.ledger import Ledger
from node.control.standing import Standing
from node.control.view import Change
from node.errors import NodeError
from node.model.member import NodeRecord
from node.model.network import INGRESS_SANDBOX, EndpointRecord, NetworkRecord
from node.seams import Clock, Telemetry
from node.stack.sandbox import Sandbox

ENDPOINT_NAME = "ingress-endpoint"
RETRY_S = 1.0


class Ingress:
    """See the module."""

    def __init__(
        self,
        node: str,
        swarm: Ledger,
        connections: Connections,
        make_sandbox: Callable[[str], Sandbox],
        chance: random.Random,
    ) -> None:
        self.standing: Standing | None = None
        self.stands = asyncio.Event()
        """Set once it stood for the first time."""
        self._node = node
        self._swarm = swarm
        self._connections = connections
        self._make_sandbox = make_sandbox
        self._chance = chance
        self._news = asyncio.Event()
        swarm.listeners.append(self._changed)

    def _changed(self, changes: tuple[Change, ...]) -> None:
        if any(isinstance(change.before or change.after, NetworkRecord | NodeRecord) for change in changes):
            self._news.set()

    async def run(self, clock: Clock, telemetry: Telemetry) -> None:
        """Stand there whenever one can, for ever."""
        while True:
            self._news.clear()
            try:
                await self._settle()
            except NodeError as error:
                telemetry.tell("ingress.not_settled", node=self._node, reason=str(error))
                await clock.sleep(RETRY_S)
            else:
                await self._news.wait()

    async def _settle(self) -> None:
        network = self._wanted()
        if self.standing is not None and (network is None or network.name not in self.standing.footholds):
            standing, self.standing = self.standing, None
            await self._connections.disconnect_all(standing)
            standing.close()
        if self.standing is None and network is not None:
            sandbox = self._make_sandbox(INGRESS_SANDBOX)
            standing = Standing(sandbox, INGRESS_SANDBOX, self._chance, shared=False)
            try:
                await self._connections.stand(standing, network, ENDPOINT_NAME, self._kept(network))
            except NodeError:
                standing.close()
                raise
            self.standing = standing
            self.stands.set()

    def _wanted(self) -> NetworkRecord | None:
        """The ingress network, if this node is to stand in it."""
        view = self._swarm.view
        if self._node not in view.nodes:
            return None
        return next((network for network in view.networks.values() if network.ingress), None)

    def _kept(self, network: NetworkRecord) -> EndpointRecord | None:
        """The endpoint that this node had in an earlier life."""
        for endpoint in self._swarm.view.endpoints_on(self._node).values():
            if endpoint.network == network.id and endpoint.container == INGRESS_SANDBOX:
                return endpoint
        return None

    def close(self) -> None:
        """The node ends. Its place in the ingress network stays its own."""
        if self.standing is not None:
            self.standing.close()
