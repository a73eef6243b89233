"""What an IPAM plugin is asked, in the engine's order and words, and what it may answer.

    GetCapabilities -> GetDefaultAddressSpaces -> RequestPool -> RequestAddress ...
                                                  ReleasePool <- ReleaseAddress ...

A plugin chooses the names itself, so what undoes a request is written down right after its answer
(node/control/debts.py), and only then the answer is judged: what cannot be accepted is given back. A
pool or an address that somebody here has already is not: giving it back would take it from them.
(moby: libnetwork/ipams/remote/remote.go, network.go ipamAllocateVersion, docs/ipam.md.)
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Interface, IPv4Network
from typing import Any

import msgspec

from node.drivers.plugin import IPAM_DRIVER, Debts, Plugin
from node.drivers.remote_messages import check_cidr
from node.errors import Failed, InvalidParameter, NodeError, Unavailable
from node.model.debt import Call
from node.model.network import NetworkRecord, NetworkSpec, Scope, Subnet

GATEWAY_LABEL = "com.docker.network.gateway"
MAC_LABEL = "com.docker.network.endpoint.macaddress"
ADDRESS_TYPE = "RequestAddressType"


class Capabilities(msgspec.Struct, frozen=True):
    """To IpamDriver.GetCapabilities."""

    RequiresMACAddress: bool | None = None
    RequiresRequestReplay: bool | None = None


class Spaces(msgspec.Struct, frozen=True):
    """To IpamDriver.GetDefaultAddressSpaces."""

    LocalDefaultAddressSpace: str | None = None
    GlobalDefaultAddressSpace: str | None = None


class Pool(msgspec.Struct, frozen=True):
    """To IpamDriver.RequestPool."""

    PoolID: str
    Pool: str
    Data: dict[str, str] | None = None


class Address(msgspec.Struct, frozen=True):
    """To IpamDriver.RequestAddress."""

    Address: str | None = None
    Data: dict[str, str] | None = None


class IpamPlugin:
    """See the module. All that asks raises NodeError."""

    def __init__(self, plugin: Plugin, debts: Debts) -> None:
        self.name = plugin.name
        self.can: Capabilities | None = None
        """What it can do, once it has been asked."""
        self._plugin = plugin
        self._debts = debts

    async def ready(self) -> bool:
        """Be there; whether everything that it gave is to be asked for again now. Raises NotFound, Failed."""
        if self.can is not None:
            return False
        await self._plugin.activate(IPAM_DRIVER)
        try:
            self.can = await self._ask("GetCapabilities", None, Capabilities)
        except Failed:
            self.can = Capabilities()  # a plugin may be without any
        return bool(self.can.RequiresRequestReplay)

    async def space(self, scope: Scope) -> str:
        """The address space that networks of a scope come from."""
        spaces = await self._ask("GetDefaultAddressSpaces", None, Spaces)
        local, everywhere = spaces.LocalDefaultAddressSpace, spaces.GlobalDefaultAddressSpace
        return (everywhere if scope == "swarm" else local) or ""

    async def request_pool(self, wish: Subnet, spec: NetworkSpec, holder: Holder, taken: set[str]) -> Subnet:
        """A subnet with a gateway and the auxiliary addresses. ``taken``: pools of other networks."""
        pool = await self._ask("RequestPool", _pool_request(wish, spec.ipam_options), Pool)
        if pool.PoolID in taken:
            raise Failed(f"IPAM plugin {self.name} gave pool {pool.PoolID[:200]} twice")
        await self._owe(holder, "ReleasePool", {"PoolID": pool.PoolID})
        try:
            block = IPv4Network(pool.Pool)
        except ValueError:
            raise Failed(f'netip.ParsePrefix("{pool.Pool[:80]}"): it is no IPv4 network') from None
        if "/" not in pool.Pool:
            raise Failed(f"netip.ParsePrefix(\"{pool.Pool[:80]}\"): no '/'")
        told = (pool.Data or {}).get(GATEWAY_LABEL, "") if not wish.gateway else ""
        subnet = msgspec.structs.replace(
            wish,
            subnet=str(block),
            pool=pool.PoolID,
            gateway=wish.gateway or _gateway(told),
            gateway_given=bool(wish.gateway) or not wish.subnet,
        )
        if not told and (wish.gateway or not holder.skips_gateway):
            try:
                address = await self.request_address(
                    subnet, holder, wish.gateway, {ADDRESS_TYPE: GATEWAY_LABEL}, set()
                )
            except NodeError as error:
                shown = wish.gateway or "<nil>"
                raise Failed(f"failed to allocate gateway ({shown}): {error}") from None
            subnet = msgspec.structs.replace(subnet, gateway=address.partition("/")[0])
        for name, text in wish.auxiliary.items():
            try:
                await self.request_address(subnet, holder, text, {}, {subnet.gateway})
            except NodeError as error:
                raise Failed(f"failed to allocate secondary ip address ({name}:{text}): {error}") from None
        return subnet

    async def request_address(
        self, subnet: Subnet, holder: Holder, wanted: str, options: Mapping[str, str], taken: set[str]
    ) -> str:
        """An address with prefix length; ``wanted`` is empty for any. ``taken``: given out already."""
        body = {"PoolID": subnet.pool, "Address": wanted, "Options": options}
        given = (await self._ask("RequestAddress", body, Address)).Address or ""
        if not given:
            raise Unavailable("no address returned")
        try:
            check_cidr(given)
        except ValueError as error:
            raise Failed(str(error)) from None
        address = str(IPv4Interface(given).ip)
        if address in taken:
            raise Failed(f"IPAM plugin {self.name} gave address {address} twice")
        await self._owe(holder, "ReleaseAddress", {"PoolID": subnet.pool, "Address": address})
        if IPv4Interface(given).ip not in IPv4Network(subnet.subnet):
            raise InvalidParameter(
                f"invalid address {address}: It does not belong to any of this network's subnets"
            )
        if wanted and address != wanted:
            raise Failed(f"IPAM plugin {self.name} gave address {address} where {wanted} was asked for")
        return f"{address}/{IPv4Network(subnet.subnet).prefixlen}"

    async def replay(self, network: NetworkRecord, addresses: list[tuple[Subnet, str]]) -> None:
        """Ask again for what a network has: the plugin has forgotten it."""
        for subnet in network.subnets:
            await self._ask("RequestPool", _pool_request(subnet, network.ipam_options or {}), Pool)
            if subnet.gateway:
                options = {ADDRESS_TYPE: GATEWAY_LABEL}
                body = {"PoolID": subnet.pool, "Address": subnet.gateway, "Options": options}
                await self._ask("RequestAddress", body, Address)
            for text in subnet.auxiliary.values():
                await self._ask(
                    "RequestAddress", {"PoolID": subnet.pool, "Address": text, "Options": {}}, Address
                )
        for subnet, text in addresses:
            await self._ask(
                "RequestAddress", {"PoolID": subnet.pool, "Address": text, "Options": {}}, Address
            )

    async def _ask(self, method: str, body: Mapping[str, Any] | None, answer: type[Any]) -> Any:
        return await self._plugin.ask(f"{IPAM_DRIVER}.{method}", body, answer)

    async def _owe(self, holder: Holder, method: str, body: dict[str, Any]) -> None:
        call = Call(plugin=self.name, method=f"{IPAM_DRIVER}.{method}", body=body)
        await self._debts.owe(holder.id, call, holder.network_scope)


class Holder(msgspec.Struct, frozen=True):
    """Whom something is asked for: a network, with its scope, or an endpoint."""

    id: str
    network_scope: str = ""
    skips_gateway: bool = False


def _pool_request(wish: Subnet, options: Mapping[str, str]) -> dict[str, Any]:
    return {
        "AddressSpace": wish.address_space,
        "Pool": wish.subnet,
        "SubPool": wish.range,
        "Options": options,
        "V6": False,
    }


def _gateway(text: str) -> str:
    """A gateway that came along with a pool. Raises InvalidParameter."""
    if not text:
        return ""
    try:
        check_cidr(text)
    except ValueError as error:
        raise InvalidParameter(
            f"failed to parse gateway address ({text[:80]}) returned by ipam driver: {error}"
        ) from None
    return str(IPv4Interface(text).ip)
