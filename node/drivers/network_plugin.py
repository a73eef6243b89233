"""What a network plugin is asked, in the engine's order and words, and what its answers may be.

Before each request the call that undoes it is written down (node/control/debts.py). A refusal ("Err")
strikes it out again: the plugin holds nothing. After any other failure nobody knows, so it stays, and
whoever undoes pays it (moby: libnetwork/drivers/remote/driver.go, docs/remote.md).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from node.drivers import endpoint_options
from node.drivers.base import Wishes
from node.drivers.endpoint_options import LABEL
from node.drivers.plugin import NETWORK_DRIVER, Debts, Plugin, PluginLacks, PluginRefused, Response
from node.drivers.remote_messages import (
    Allocated,
    Capabilities,
    EndpointCreated,
    EndpointJoined,
    GatewayCheck,
)
from node.errors import Failed
from node.model.debt import Call
from node.model.ids import short
from node.model.network import EndpointRecord, NetworkRecord, NetworkSpec, Subnet
from node.model.published import PublishedPort

LOCAL_SPACE, GLOBAL_SPACE = "LocalDefault", "GlobalDefault"
"""Names of the engine's own address spaces."""

Answer = TypeVar("Answer", bound=msgspec.Struct)


class Nonsense(Failed):
    """The plugin did what it was asked, but its answer cannot be accepted."""


class NetworkPlugin:
    """See the module. Everything raises Failed."""

    def __init__(self, plugin: Plugin, debts: Debts) -> None:
        self.plugin = plugin
        self._debts = debts

    async def capabilities(self) -> Capabilities:
        """What it can do, with both scopes "local" or "global"."""
        unusable = Failed(f"could not resolve driver {self.plugin.name} in registry")
        try:
            can = await self._ask("GetCapabilities", None, Capabilities)
        except Failed:
            raise unusable from None
        can = msgspec.structs.replace(can, ConnectivityScope=can.ConnectivityScope or can.Scope)
        if not {can.Scope, can.ConnectivityScope} <= {"local", "global"}:
            raise unusable
        return can

    async def skips_gateway(self, spec: NetworkSpec | NetworkRecord) -> bool:
        """Whether it wants no address for a gateway, unless the user names one."""
        answer = await self._ask("GwAllocCheck", {"Options": _options(spec)}, GatewayCheck)
        return bool(answer.SkipIPv4)

    async def allocate(self, network: NetworkRecord) -> dict[str, str]:
        """Whatever a network takes of the whole swarm; its options for every node come back."""
        await self._owe(network.id, "FreeNetwork", {"NetworkID": network.id}, network.scope)
        body = {**_addresses(network), "Options": network.options}
        try:
            return (await self._ask("AllocateNetwork", body, Allocated)).Options or {}
        except PluginRefused:
            await self._debts.forgive(network.id, f"{NETWORK_DRIVER}.FreeNetwork")
            raise

    async def create_network(self, network: NetworkRecord, holder: str) -> None:
        """The network on this node, until ``holder`` goes."""
        scope = network.scope if holder == network.id else ""
        await self._owe(holder, "DeleteNetwork", {"NetworkID": network.id}, scope)
        body = {**_addresses(network), "Options": _options(network)}
        try:
            await self._ask("CreateNetwork", body, Response)
        except PluginRefused:
            await self._debts.forgive(holder, f"{NETWORK_DRIVER}.DeleteNetwork")
            raise

    async def create_endpoint(
        self, network: NetworkRecord, endpoint: EndpointRecord, wishes: Wishes
    ) -> EndpointRecord:
        """The endpoint, with what the plugin has filled in."""
        names = _names(endpoint)
        given = {"Address": endpoint.address, "AddressIPv6": "", "MacAddress": endpoint.mac}
        await self._owe(endpoint.id, "DeleteEndpoint", names)
        body = {**names, "Interface": given, "Options": endpoint_options.of_endpoint(network, wishes)}
        where = f"failed to create endpoint {endpoint.name} on network {network.name}"
        try:
            answer = await self._ask("CreateEndpoint", body, EndpointCreated)
            filled = answer.Interface
            if filled is None:
                return endpoint
            _check(lambda: filled.check(endpoint.address, endpoint.mac))
        except PluginRefused as error:
            await self._debts.forgive(endpoint.id, f"{NETWORK_DRIVER}.DeleteEndpoint")
            raise PluginRefused(f"{where}: {error}") from None
        except Failed as error:
            raise type(error)(f"{where}: {error}") from None
        return msgspec.structs.replace(
            endpoint,
            address=filled.Address or endpoint.address,
            mac=(filled.MacAddress or endpoint.mac).lower(),
        )

    async def join(self, endpoint: EndpointRecord, wishes: Wishes) -> EndpointJoined:
        """What the container of an endpoint gets."""
        names = _names(endpoint)
        await self._owe(endpoint.id, "Leave", names)
        key = f"/var/run/docker/netns/{short(endpoint.container)}"
        body = {**names, "SandboxKey": key, "Options": endpoint_options.of_container(wishes)}
        try:
            joined = await self._ask("Join", body, EndpointJoined)
        except PluginRefused:
            await self._debts.forgive(endpoint.id, f"{NETWORK_DRIVER}.Leave")
            raise
        _check(joined.check)
        return joined

    async def expose(self, endpoint: EndpointRecord, ports: Sequence[PublishedPort]) -> None:
        """The endpoint is its container's gateway now, with these ports."""
        names = _names(endpoint)
        await self._owe(endpoint.id, "RevokeExternalConnectivity", names)
        body = {**names, "Options": endpoint_options.of_published(ports)}
        try:
            await self._ask("ProgramExternalConnectivity", body, Response)
        except PluginLacks:
            await self._debts.forgive(endpoint.id, f"{NETWORK_DRIVER}.RevokeExternalConnectivity")

    async def discovered(self, method: str, address: str, *, is_self: bool) -> None:
        """A node has come ("DiscoverNew") or gone ("DiscoverDelete")."""
        data = {"Address": address, "BindAddress": address, "Self": is_self}
        await self._ask(method, {"DiscoveryType": 1, "DiscoveryData": data}, Response)

    async def _ask(self, method: str, body: Mapping[str, Any] | None, answer: type[Answer]) -> Answer:
        return await self.plugin.ask(f"{NETWORK_DRIVER}.{method}", body, answer)

    async def _owe(self, holder: str, method: str, body: dict[str, Any], network_scope: str = "") -> None:
        call = Call(plugin=self.plugin.name, method=f"{NETWORK_DRIVER}.{method}", body=body)
        await self._debts.owe(holder, call, network_scope)


def _check(check: Callable[[], None]) -> None:
    try:
        check()
    except ValueError as error:
        raise Nonsense(str(error)) from None


def _names(endpoint: EndpointRecord) -> dict[str, Any]:
    return {"NetworkID": endpoint.network, "EndpointID": endpoint.id}


def _options(network: NetworkSpec | NetworkRecord) -> dict[str, Any]:
    """The user's `-o` options and what else the engine says of a network (moby: libnetwork/netlabel)."""
    options: dict[str, Any] = {
        LABEL + "enable_ipv4": network.enable_ipv4,
        LABEL + "enable_ipv6": network.enable_ipv6,
        LABEL + "generic": {**network.options, **getattr(network, "driver_state", {})},
    }
    if network.internal:
        options[LABEL + "internal"] = True
    return options


def _addresses(network: NetworkRecord) -> dict[str, Any]:
    space = GLOBAL_SPACE if network.scope == "swarm" else LOCAL_SPACE
    return {
        "NetworkID": network.id,
        "IPv4Data": [_subnet(subnet, subnet.address_space or space) for subnet in network.subnets],
        "IPv6Data": [],
    }


def _subnet(subnet: Subnet, space: str) -> dict[str, Any]:
    length = subnet.subnet.partition("/")[2]
    data: dict[str, Any] = {"AddressSpace": space, "Pool": subnet.subnet}
    if subnet.gateway:
        data["Gateway"] = f"{subnet.gateway}/{length}"
    if subnet.auxiliary:
        data["AuxAddresses"] = {name: f"{text}/{length}" for name, text in subnet.auxiliary.items()}
    return data
