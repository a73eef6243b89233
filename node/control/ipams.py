"""Who gives a network its subnets and addresses: the node's own IPAM, none at all, or a plugin.

default   chosen inside the transaction that takes it (ipam.py, plans.py)
null      0.0.0.0/0 and no address: a network driver may give one (moby: libnetwork/ipams/null)
others    a plugin of that name, asked before the transaction (ipam_plugin.py)
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Network

import msgspec

from node.control.ipam_plugin import MAC_LABEL, Holder, IpamPlugin
from node.control.ledger import Ledger
from node.control.plans import Draft
from node.drivers.plugin import Debts, PluginTable
from node.errors import InvalidParameter, NodeError
from node.model.address import format_mac, random_mac
from node.model.network import (
    ANY_SUBNET,
    DEFAULT_IPAM,
    NULL_IPAM,
    EndpointRecord,
    NetworkRecord,
    NetworkSpec,
    Subnet,
)
from node.seams import Telemetry

WITHOUT_ADDRESSES = ("host", "null")
"""Network drivers that have no subnets."""


class Ipams:
    """See the module."""

    def __init__(
        self,
        plugins: PluginTable,
        debts: Debts,
        ledgers: Mapping[str, Ledger],
        telemetry: Telemetry,
        chance: random.Random,
    ) -> None:
        self._plugins = plugins
        self._debts = debts
        self._ledgers = ledgers
        self._telemetry = telemetry
        self._chance = chance
        self._known: dict[str, IpamPlugin] = {}

    async def pools(self, spec: NetworkSpec, draft: Draft) -> NetworkSpec:
        """The spec with the subnets that its IPAM gives; unchanged for the default one. Raises NodeError."""
        if spec.ipam_driver == DEFAULT_IPAM or spec.driver in WITHOUT_ADDRESSES or spec.config_only:
            return spec
        asked = tuple(subnet for subnet in spec.subnets if subnet.subnet)
        if spec.ipam_driver == NULL_IPAM:
            if asked:
                raise InvalidParameter("null ipam driver does not handle specific address pool requests")
            if spec.driver in ("bridge", "overlay"):
                raise InvalidParameter(
                    f"the {spec.driver} driver needs addresses, and the null ipam driver gives none"
                )
            return msgspec.structs.replace(spec, subnets=(Subnet(subnet=ANY_SUBNET, gateway_given=True),))
        plugin = await self._ready(spec.ipam_driver)
        holder = Holder(draft.id, draft.scope, draft.skips_gateway)
        space = await plugin.space(draft.scope)
        taken = {s.pool for n in self._networks(spec.ipam_driver) for s in n.subnets}
        given: list[Subnet] = []
        for wish in asked or (Subnet(subnet=""),):
            placed = msgspec.structs.replace(wish, address_space=space)
            given.append(await plugin.request_pool(placed, spec, holder, taken))
            taken.add(given[-1].pool)
        return msgspec.structs.replace(spec, subnets=tuple(given))

    async def address(self, network: NetworkRecord, draft: EndpointRecord, pinned: str) -> EndpointRecord:
        """The draft of an endpoint with the address that a plugin gives, if the network has one to ask."""
        if network.ipam_driver in (DEFAULT_IPAM, NULL_IPAM) or not network.subnets:
            return draft
        plugin = await self._ready(network.ipam_driver)
        options = {}
        if plugin.can is not None and plugin.can.RequiresMACAddress:
            draft = msgspec.structs.replace(draft, mac=draft.mac or format_mac(random_mac(self._chance)))
            options[MAC_LABEL] = draft.mac
        subnet = _subnet_for(network, pinned)
        taken = set(self._ledgers[network.scope].view.addresses(network.id))
        given = await plugin.request_address(subnet, Holder(draft.id), pinned, options, taken)
        return msgspec.structs.replace(draft, address=given)

    async def recall(self, name: str) -> None:
        """Find a plugin that networks of this node had before it started. Raises NodeError."""
        if name not in (DEFAULT_IPAM, NULL_IPAM):
            await self._ready(name)

    async def _ready(self, name: str) -> IpamPlugin:
        plugin = self._known.get(name)
        if plugin is None:
            plugin = IpamPlugin(self._plugins[name], self._debts)
        if await plugin.ready():
            await self._replay(plugin)
        self._known[name] = plugin
        return plugin

    async def _replay(self, plugin: IpamPlugin) -> None:
        for network in self._networks(plugin.name):
            endpoints = self._ledgers[network.scope].view.endpoints(network.id).values()
            held = [e.address.partition("/")[0] for e in endpoints if e.address and e.id in self._debts.held]
            try:
                await plugin.replay(network, [(_subnet_for(network, text), text) for text in held])
            except NodeError as error:
                self._telemetry.tell(
                    "plugin.not_replayed", plugin=plugin.name, network=network.name, reason=str(error)
                )

    def _networks(self, ipam_driver: str) -> list[NetworkRecord]:
        return [
            network
            for ledger in self._ledgers.values()
            for network in ledger.view.networks.values()
            if network.ipam_driver == ipam_driver
        ]


def _subnet_for(network: NetworkRecord, pinned: str) -> Subnet:
    """The subnet of a pinned address, or the first. Raises InvalidParameter."""
    for subnet in network.subnets:
        if not pinned or IPv4Address(pinned) in IPv4Network(subnet.subnet):
            return subnet
    raise InvalidParameter(f"invalid address {pinned}: It does not belong to any of this network's subnets")
