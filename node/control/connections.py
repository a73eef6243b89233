"""Endpoints of this node: made, joined to a sandbox, and taken away again, whole or not at all.

    connect:     hold -> (IPAM plugin: address) -> record, with its address, one transaction
                      -> driver.join -> record again, if the driver filled something in -> gateway, names
    disconnect:  gateway, names <- driver.leave <- let go -> release the record -> (IPAM plugin)

What fails half-way is undone in reverse. An endpoint is **held** from before its record can exist
until it is let go; a record of this node's that nobody holds is a left-over, and the reconciler
releases it. So a container can always be stopped, even while the store is away. What plugins hold for an
endpoint is owed to them in its name (debts.py), and due as soon as nobody holds it.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace

import msgspec

from kvstore.store import Transaction
from node.control import plans
from node.control.debts import DebtBook
from node.control.events import Events
from node.control.ipams import Ipams
from node.control.ledger import Ledger
from node.control.port_wishes import exposed, wanted
from node.control.standing import GATEWAY_BRIDGE, Foothold, Standing
from node.control.validate_container import INTERFACE_OPTION
from node.control.view import View
from node.dns.zone import Zone
from node.drivers.base import NO_WISHES, Driver, Joined, Wishes
from node.drivers.bridge import BridgeDriver
from node.errors import Failed, Forbidden, NodeError, Unavailable
from node.model.container import ContainerRecord, dns_names
from node.model.ids import local_id, short
from node.model.network import INGRESS_SANDBOX, EndpointRecord, EndpointSpec, NetworkRecord


@dataclass(frozen=True, slots=True)
class Allocation:
    """Who gives addresses, and what is owed to those of them that are plugins."""

    ipams: Ipams
    debts: DebtBook


PREFIX_OPTION = "com.docker.network.container_iface_prefix"
"""Of a network: what its interfaces are called instead of eth (moby: libnetwork/netlabel/labels.go)."""
PREFIXED_DRIVERS = ("bridge", "macvlan")


class Connections:
    """See the module."""

    def __init__(
        self,
        node: str,
        drivers: Mapping[str, Driver],
        ledgers: Mapping[str, Ledger],
        events: Events,
        allocation: Allocation,
        chance: random.Random,
    ) -> None:
        self.held = allocation.debts.held
        self.zones: dict[str, Zone] = {}
        """By network id, kept by the reconciler; the default bridge has none."""
        self._node = node
        self._drivers = drivers
        self._ledgers = ledgers
        self._events = events
        self._ipams = allocation.ipams
        self._debts = allocation.debts
        self._chance = chance

    @property
    def in_swarm(self) -> bool:
        """The node belongs to a swarm."""
        return "swarm" in self._ledgers

    async def connect(
        self, standing: Standing, container: ContainerRecord, network: NetworkRecord, wish: EndpointSpec
    ) -> EndpointRecord:
        """Give a container an endpoint in a network. Raises NodeError, leaving nothing behind."""
        if network.config_only:
            raise Forbidden("cannot create endpoint on configuration-only network")
        if network.name in standing.footholds:
            raise Forbidden(f"endpoint with name {container.name} already exists in network {network.name}")
        draft = EndpointRecord(
            id=local_id(self._chance),
            network=network.id,
            node=self._node,
            name=container.name,
            container=container.id,
            mac=wish.mac,
            dns_names=dns_names(container, wish),
            interface=_interface(standing, network, wish),
        )
        endpoint = await self._join(standing, draft, network, wish, _wishes(standing, container, wish))
        try:
            await self.settle_gateway(standing)
        except NodeError:
            await self.disconnect(standing, network)
            raise
        return endpoint

    async def stand(
        self, standing: Standing, network: NetworkRecord, name: str, kept: EndpointRecord | None
    ) -> None:
        """Give a sandbox of the node's own an endpoint without names, or again the one that it had before.

        Raises NodeError, leaving nothing behind.
        """
        if kept is None:
            draft = EndpointRecord(
                id=local_id(self._chance),
                network=network.id,
                node=self._node,
                name=name,
                container=standing.container,
                interface=standing.free_interface(),
            )
            await self._join(standing, draft, network, EndpointSpec())
        else:
            self.held[kept.id] = None
            await self._enter(standing, kept, network, EndpointSpec())
        try:
            await self.settle_gateway(standing)
        except NodeError:
            await self.disconnect(standing, network)
            raise

    async def _join(
        self,
        standing: Standing,
        draft: EndpointRecord,
        network: NetworkRecord,
        wish: EndpointSpec,
        wishes: Wishes = NO_WISHES,
    ) -> EndpointRecord:
        driver = self._drivers[network.driver]
        endpoint = await self._record(network, draft, wish.address, driver)
        return await self._enter(standing, endpoint, network, wish, wishes)

    async def _enter(
        self,
        standing: Standing,
        endpoint: EndpointRecord,
        network: NetworkRecord,
        wish: EndpointSpec,
        wishes: Wishes = NO_WISHES,
    ) -> EndpointRecord:
        driver = self._drivers[network.driver]
        try:
            joined = await driver.join(network, endpoint, standing.sandbox, wishes)
        except NodeError:
            await self._release(network, endpoint)
            raise
        try:
            endpoint = await self._settle(network, endpoint, joined)
        except NodeError:
            await driver.leave(network, endpoint, standing.sandbox)
            await self._release(network, endpoint)
            raise
        zone = self.zones.get(network.id)
        standing.add(Foothold(network, endpoint, wish, zone, joined.gateway_service))
        self._tell("connect", network, endpoint.container)
        return endpoint

    async def _settle(
        self, network: NetworkRecord, endpoint: EndpointRecord, joined: Joined
    ) -> EndpointRecord:
        """Keep what the driver has filled in."""
        settled = msgspec.structs.replace(
            endpoint,
            interface=joined.interface,
            gateway=joined.gateway,
            mac=joined.mac or endpoint.mac,
            address=joined.address or endpoint.address,
        )
        if settled != endpoint:
            ledger = self._ledgers[network.scope]
            await ledger.change(lambda view: plans.settle_endpoint(view, endpoint, settled))
        return settled

    async def _record(
        self, network: NetworkRecord, draft: EndpointRecord, pinned: str, driver: Driver
    ) -> EndpointRecord:
        has_gateway = driver.gives_gateway and not network.internal
        place = plans.Place(
            pinned=pinned,
            gives_gateway=has_gateway and not await driver.skips_gateway(network),
            choose_mac=lambda address: driver.choose_mac(address, self._chance),
        )
        self.held[draft.id] = None
        try:
            draft = await self._ipams.address(network, draft, pinned)
        except NodeError:
            del self.held[draft.id]
            await self._debts.pay(draft.id)
            raise
        made = draft

        def plan(view: View) -> Transaction:
            nonlocal made
            made, transaction = plans.create_endpoint(view, network, draft, place)
            return transaction

        try:
            await self._ledgers[network.scope].change(plan)
        except Unavailable:
            del self.held[draft.id]
            raise  # it may have happened or not: the reconciler and the collector look
        except NodeError:
            del self.held[draft.id]
            await self._debts.pay(draft.id)
            raise
        return made

    async def settle_gateway(self, standing: Standing) -> None:
        """An overlay leads nowhere by itself: the gateway bridge is the way out, while there is no other."""
        if not standing.needs_gateway_bridge:
            await self._remove_gateway(standing)
        elif GATEWAY_BRIDGE not in standing.footholds:
            await self._add_gateway(standing)

    async def _add_gateway(self, standing: Standing) -> None:
        bridge = self._ledgers["local"].view.network_named(GATEWAY_BRIDGE)
        if bridge is None:
            return
        draft = EndpointRecord(
            id=local_id(self._chance),
            network=bridge.id,
            node=self._node,
            name=f"gateway_{short(standing.container)}",
            container=standing.container,
            interface=standing.free_interface(),
        )
        await self._join(standing, draft, bridge, EndpointSpec())

    async def _remove_gateway(self, standing: Standing) -> None:
        if (foothold := standing.footholds.get(GATEWAY_BRIDGE)) is not None:
            await self.disconnect(standing, foothold.network)

    def link(self, foothold: Foothold, target: EndpointRecord, ports: tuple[tuple[int, str], ...]) -> None:
        """Let a container reach another one's exposed ports, where the bridge keeps containers apart."""
        driver = self._drivers[foothold.network.driver]
        assert isinstance(driver, BridgeDriver), "links are the default bridge's"
        driver.link(foothold.endpoint, target, ports)

    async def rename(self, standing: Standing, container: ContainerRecord) -> None:
        """The container's endpoints get its new name, and so does every name server. Raises Unavailable."""
        for name, foothold in list(standing.footholds.items()):
            if name == GATEWAY_BRIDGE:
                continue
            names = dns_names(container, foothold.wish)
            renamed = msgspec.structs.replace(foothold.endpoint, name=container.name, dns_names=names)
            ledger = self._ledgers[foothold.network.scope]
            await ledger.change(lambda view, it=renamed: plans.update_endpoint(view, it))  # type: ignore[misc]
            standing.footholds[name] = replace(foothold, endpoint=renamed)

    async def disconnect(self, standing: Standing, network: NetworkRecord) -> None:
        """Take a container's endpoint out of a network; its record goes when the store answers."""
        foothold = standing.remove(network)
        await self._drivers[network.driver].leave(network, foothold.endpoint, standing.sandbox)
        await self._release(network, foothold.endpoint)
        self._tell("disconnect", network, foothold.endpoint.container)
        if network.name != GATEWAY_BRIDGE and not standing.needs_gateway_bridge:
            await self._remove_gateway(standing)

    async def disconnect_all(self, standing: Standing) -> None:
        """Take every endpoint away, the last that came first."""
        for foothold in reversed(list(standing.footholds.values())):
            if foothold.network.name in standing.footholds:
                await self.disconnect(standing, foothold.network)

    async def _release(self, network: NetworkRecord, endpoint: EndpointRecord) -> None:
        self.held.pop(endpoint.id, None)
        ledger = self._ledgers[network.scope]
        if not ledger.connected:
            return  # the reconciler releases it when the store is back
        try:
            await ledger.change(lambda view: plans.release_endpoint(view, endpoint))
        except Unavailable:
            return  # likewise
        await self._debts.pay(endpoint.id)

    def _tell(self, action: str, network: NetworkRecord, container: str) -> None:
        if container == INGRESS_SANDBOX:
            return  # users hear of containers alone
        self._events.tell(
            "network",
            action,
            network.id,
            {"container": container, "name": network.name, "type": network.driver},
        )


def _wishes(standing: Standing, container: ContainerRecord, wish: EndpointSpec) -> Wishes:
    """What a plugin is told of a new endpoint. Raises Failed."""
    outward = standing.gateway()
    return Wishes(
        driver_options=wish.driver_options,
        mac=wish.mac,
        dns_servers=container.spec.dns,
        exposed_ports=exposed(container.spec),
        ports=wanted(container.spec),
        published_elsewhere=outward is not None and outward.network.driver == "bridge",
    )


def _interface(standing: Standing, network: NetworkRecord, wish: EndpointSpec) -> str:
    """What the endpoint's interface is called inside; "" where it has none. Raises Failed."""
    if not network.subnets:
        return ""
    chosen = wish.driver_options.get(INTERFACE_OPTION, "")
    if chosen and chosen in standing.interfaces:
        raise Failed(f"error renaming interface to {chosen}: file exists")
    prefix = network.options.get(PREFIX_OPTION, "") if network.driver in PREFIXED_DRIVERS else ""
    return chosen or standing.free_interface(prefix or "eth")
