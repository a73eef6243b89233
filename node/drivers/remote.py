"""The driver of networks that a plugin builds: what every other driver decides, it asks the plugin.

    create:    AllocateNetwork (global scope, once) or CreateNetwork (local scope)
      join:      CreateNetwork (global scope, first endpoint here) -> CreateEndpoint -> Join -> the wires
      leave:     the wires -> Leave -> DeleteEndpoint -> DeleteNetwork (global scope, last endpoint here)
    delete:    FreeNetwork or DeleteNetwork

Undoing is always the same: pay what is owed to the plugin (network_plugin.py, node/control/debts.py).
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address, IPv4Interface

import msgspec

from node.drivers.base import Joined, Peer, QuietDriver, Wishes
from node.drivers.machine import Machine
from node.drivers.network_plugin import NetworkPlugin, Nonsense
from node.drivers.plugin import NETWORK_DRIVER, Debts, Plugin
from node.drivers.remote_messages import ROUTE_CONNECTED, StaticRoute
from node.drivers.remote_wires import Wires
from node.errors import Failed, NodeError
from node.model.address import format_mac, random_mac
from node.model.network import EndpointRecord, NetworkRecord, NetworkSpec, Scope
from node.model.published import PublishedPort
from node.stack.sandbox import Sandbox


class RemoteDriver(QuietDriver):
    """See the module and node/drivers/base.py. It knows its scope once it is ``ready``."""

    def __init__(self, plugin: Plugin, debts: Debts, machine: Machine, chance: random.Random) -> None:
        self.name = plugin.name
        self.data_scope: Scope = "local"
        self.spans = False
        """Its networks connect nodes, and it hears of nodes that come and go."""
        self.active = False
        self.plugin = NetworkPlugin(plugin, debts)
        self._debts = debts
        self._wires = Wires(machine)
        self._chance = chance
        self._checks_gateway = False
        self._users: dict[str, set[str]] = {}
        """Endpoints on this node of each network of the swarm, from before they join."""
        self._made: set[str] = set()
        """Networks of the swarm that the plugin has made on this node."""
        self._making = asyncio.Lock()

    async def ready(self) -> None:
        """Find and activate the plugin, and ask what it can do. Raises NotFound, Failed."""
        if self.active:
            return
        await self.plugin.plugin.activate(NETWORK_DRIVER)
        can = await self.plugin.capabilities()
        self.data_scope = "swarm" if can.Scope == "global" else "local"
        self.spans = can.ConnectivityScope == "global"
        self._checks_gateway = bool(can.GwAllocChecker)
        self.active = True

    def choose_mac(self, address: str, chance: random.Random) -> str:
        """The plugin may choose one; see join."""
        return ""

    # -- networks ---------------------------------------------------------------------------------

    async def skips_gateway(self, spec: NetworkSpec | NetworkRecord) -> bool:
        """Whether the plugin wants no address for a gateway. Raises Failed."""
        return self._checks_gateway and await self.plugin.skips_gateway(spec)

    async def create(self, network: NetworkRecord) -> Mapping[str, str]:
        """Ask for the network. Raises Failed; what is owed by then is the caller's to pay, by ``delete``."""
        if network.scope == "swarm":
            return await self.plugin.allocate(network)
        await self.plugin.create_network(network, network.id)
        return {}

    async def delete(self, network: NetworkRecord) -> None:
        """Say so; a plugin that is away hears of it later."""
        await self._debts.pay(network.id, NETWORK_DRIVER)

    async def _begin_here(self, network: NetworkRecord, endpoint: EndpointRecord) -> None:
        """With its first endpoint on this node, the plugin here makes a network of the swarm."""
        if network.scope == "local":
            return
        self._users.setdefault(network.id, set()).add(endpoint.id)
        async with self._making:
            if network.id not in self._made:
                self._debts.held[_here(network)] = None
                await self.plugin.create_network(network, _here(network))
                self._made.add(network.id)

    async def _end_here(self, network: NetworkRecord, endpoint: EndpointRecord) -> None:
        """With its last one, it takes it down."""
        users = self._users.get(network.id)
        if users is None:
            return
        users.discard(endpoint.id)
        async with self._making:
            if self._users.get(network.id) == set():
                del self._users[network.id]
                self._made.discard(network.id)
                self._debts.held.pop(_here(network), None)
                await self._debts.pay(_here(network))

    # -- endpoints --------------------------------------------------------------------------------

    async def join(
        self, network: NetworkRecord, endpoint: EndpointRecord, sandbox: Sandbox, wishes: Wishes
    ) -> Joined:
        """Ask for the endpoint, then for what its container gets, and wire it. Raises NodeError."""
        try:
            await self.ready()
            await self._begin_here(network, endpoint)
            endpoint = await self.plugin.create_endpoint(network, endpoint, wishes)
            joined = await self.plugin.join(endpoint, wishes)
            endpoint = msgspec.structs.replace(
                endpoint,
                mac=endpoint.mac or format_mac(random_mac(self._chance)),
                interface=_free_name(sandbox, joined.prefix),
                gateway=joined.Gateway or "",
            )
            if joined.prefix:
                _check_gateway(endpoint, joined.StaticRoutes or ())
                spans = self.spans and network.scope == "swarm"
                self._wires.plug(network, endpoint, sandbox, spans=spans)
                _add_routes(sandbox, endpoint.interface, joined.StaticRoutes or ())
        except NodeError as error:
            self._wires.unplug(network.id, endpoint.id, sandbox)
            paid = await self._debts.pay(endpoint.id, NETWORK_DRIVER)
            await self._end_here(network, endpoint)
            if isinstance(error, Nonsense):
                raise Failed(f"{error}; rolled back" if paid else f"failed to roll back: {error}") from None
            raise
        return Joined(
            endpoint.interface,
            endpoint.gateway,
            endpoint.mac,
            endpoint.address,
            gateway_service=not joined.DisableGatewayService,
        )

    async def leave(self, network: NetworkRecord, endpoint: EndpointRecord, sandbox: Sandbox) -> None:
        """Unwire it and say so; a plugin that is away hears of it later."""
        self._wires.unplug(network.id, endpoint.id, sandbox)
        await self._debts.pay(endpoint.id, NETWORK_DRIVER)
        await self._end_here(network, endpoint)

    def add_peer(self, network: NetworkRecord, peer: Peer) -> None:
        """See Spanning in node/drivers/base.py."""
        self._wires.add_peer(network.id, peer)

    def remove_peer(self, network_id: str, endpoint: str) -> None:
        """See Spanning in node/drivers/base.py."""
        self._wires.remove_peer(network_id, endpoint)

    # -- the way outside --------------------------------------------------------------------------

    async def expose(self, endpoint: EndpointRecord, ports: Sequence[PublishedPort]) -> None:
        """See Exposing in node/drivers/base.py."""
        try:
            await self.plugin.expose(endpoint, ports)
        except Failed:
            await self.hide(endpoint)
            raise

    async def hide(self, endpoint: EndpointRecord) -> None:
        """See Exposing in node/drivers/base.py."""
        await self._debts.pay(endpoint.id, f"{NETWORK_DRIVER}.RevokeExternalConnectivity")


def _here(network: NetworkRecord) -> str:
    """Who holds a network of the swarm on this node, as long as it has endpoints here."""
    return f"{network.id} here"


def _free_name(sandbox: Sandbox, prefix: str) -> str:
    """The prefix and the lowest number that makes a new name; "" without a prefix."""
    number = 0
    while f"{prefix}{number}" in sandbox.stack.interfaces:
        number += 1
    return f"{prefix}{number}" if prefix else ""


def _check_gateway(endpoint: EndpointRecord, routes: Sequence[StaticRoute]) -> None:
    """The gateway must be a neighbour of the interface. Raises Nonsense."""
    connected = [route.Destination or "" for route in routes if route.RouteType == ROUTE_CONNECTED]
    near = [IPv4Interface(text).network for text in (endpoint.address, *connected) if text]
    if endpoint.gateway and not any(IPv4Address(endpoint.gateway) in network for network in near):
        raise Nonsense("failed to set gateway while updating gateway: network is unreachable")


def _add_routes(sandbox: Sandbox, interface: str, routes: Sequence[StaticRoute]) -> None:
    for route in routes:
        gateway = None if route.RouteType == ROUTE_CONNECTED else route.NextHop
        try:
            sandbox.stack.routes.add(route.Destination or "", gateway, interface)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise Nonsense(f"failed to set static route: {route.Destination}: {reason}") from None
