"""Published ports: taken when a container starts, through the network with its gateway, until it stops.

    wishes --> allocator --> proxy on the host --> firewall (from the LAN) --> the real world
               "already allocated"   "address already in use"

What fails half-way is undone (moby: libnetwork/drivers/bridge/port_mapping_linux.go).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import msgspec

from node.control.port_wishes import wanted
from node.control.portallocator import PortAllocator
from node.control.standing import Foothold, Standing
from node.drivers.base import Driver, Exposing
from node.drivers.bridge import BINDING_OPTION, MODE_OPTION
from node.drivers.firewall import PROTOCOLS, ROUTED
from node.drivers.machine import Machine
from node.drivers.proxy import Datagrams, Proxy, TcpProxy, UdpProxy
from node.errors import Failed
from node.model.address import parse_ipv4
from node.model.container import ContainerRecord
from node.model.published import ANY_IPV4, ANY_IPV6, PortWish, PublishedPort
from node.seams import Clock, Conversation, Outside
from node.stack.sandbox import Sandbox
from node.stack.sockets import TextAddress
from node.tasks import TaskScope

TRIES_MAX = 10
"""With a port that any other could stand in for."""


@dataclass(frozen=True, slots=True)
class Held:
    """One published port and what holds it."""

    port: PublishedPort
    """Its host port is 0 where nothing is translated."""
    shadow: int
    """The number that IPv6 shows, if it stands open on all addresses."""
    undo: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Outlet:
    """What a container publishes, and through which of its networks."""

    through: Foothold
    held: list[Held] = field(default_factory=list)


class Publishing:
    """See the module."""

    def __init__(
        self,
        machine: Machine,
        outside: Outside,
        drivers: Mapping[str, Driver],
        clock: Clock,
        tasks: TaskScope,
    ) -> None:
        self._machine = machine
        self._outside = outside
        self._clock = clock
        self._tasks = tasks
        self._allocator = PortAllocator()
        self._drivers = drivers
        self._held: dict[str, Outlet] = {}
        """By container."""

    @property
    def taken(self) -> tuple[tuple[str, str, int], ...]:
        """Address, protocol and port of all that is taken on this node."""
        return self._allocator.taken

    def ports(self, container: ContainerRecord) -> tuple[PublishedPort, ...]:
        """What a container publishes now."""
        outlet = self._held.get(container.id)
        shown = []
        for one in outlet.held if outlet is not None else ():
            shown.append(one.port)
            if one.port.host_address == ANY_IPV4:
                shown.append(PublishedPort(one.port.container_port, one.port.protocol, ANY_IPV6, one.shadow))
        return tuple(shown)

    async def settle(self, container: ContainerRecord, standing: Standing) -> None:
        """Publish through the network that now has the gateway. Raises Failed, with nothing published."""
        chosen = standing.gateway()
        outlet = self._held.get(container.id)
        if chosen is not None and outlet is not None and outlet.through.endpoint.id == chosen.endpoint.id:
            return
        await self.withdraw(container.id)
        if chosen is None:
            return
        driver = self._drivers[chosen.network.driver]
        wishes = wanted(container.spec, _default(chosen)) if _host_is_gateway(chosen, driver) else ()
        outlet = self._held[container.id] = Outlet(chosen)
        try:
            for wish in wishes:
                outlet.held.append(await self._publish(wish, chosen))
            if isinstance(driver, Exposing):
                await driver.expose(chosen.endpoint, [one.port for one in outlet.held])
        except Failed as error:
            await self.withdraw(container.id)
            raise Failed(
                f"driver failed programming external connectivity on endpoint {container.name} "
                f"({chosen.endpoint.id}): {error}"
            ) from None

    async def withdraw(self, container: str) -> None:
        """Give back all that a container publishes."""
        outlet = self._held.pop(container, None)
        if outlet is None:
            return
        driver = self._drivers[outlet.through.network.driver]
        if isinstance(driver, Exposing):
            await driver.hide(outlet.through.endpoint)
        for one in outlet.held:
            one.undo()

    async def _publish(self, wish: PortWish, through: Foothold) -> Held:
        if wish.protocol not in PROTOCOLS:
            port = f"{wish.container_port}/{wish.protocol}"
            raise Failed(f"port {port} cannot be published: only TCP and UDP are simulated here")
        serving = through.endpoint.address.partition("/")[0], wish.container_port
        if through.network.options.get(MODE_OPTION) == ROUTED:
            return self._let_through(wish, serving)
        for attempt in range(TRIES_MAX):
            number = self._allocator.take(wish)
            listen = wish.host_address, number
            try:
                return await self._open(wish, listen, serving)
            except OSError as error:
                self._allocator.release(wish.host_address, wish.protocol, number)
                if wish.first == wish.last != 0 or attempt == TRIES_MAX - 1:
                    reason = os.strerror(error.errno or 0).lower()
                    raise Failed(
                        f"failed to bind host port for {listen[0]}:{number}:"
                        f"{serving[0]}:{serving[1]}/{wish.protocol}: {reason}"
                    ) from None
        raise AssertionError("the last try returns or raises")

    def _let_through(self, wish: PortWish, serving: TextAddress) -> Held:
        """Packets may go to the container's own address; none of the host's stands for it.

        The engine decides for IPv4 and IPv6 apart: the other half of "all addresses" is taken as ever.
        """
        firewall, end = self._machine.firewall, (parse_ipv4(serving[0]), serving[1])
        everywhere = wish.host_address == ANY_IPV4
        shadow = (
            self._allocator.take(msgspec.structs.replace(wish, host_address=ANY_IPV6)) if everywhere else 0
        )
        firewall.let_through(wish.protocol, end)

        def undo() -> None:
            firewall.stop_letting_through(wish.protocol, end)
            if everywhere:
                self._allocator.release(ANY_IPV6, wish.protocol, shadow)

        return Held(PublishedPort(serving[1], wish.protocol, wish.host_address, 0), shadow, undo)

    async def _open(self, wish: PortWish, listen: TextAddress, serving: TextAddress) -> Held:
        """Raises OSError."""
        host, tasks = self._machine.host, self._tasks
        proxy: Proxy
        if wish.protocol == "tcp":
            proxy = TcpProxy(host, listen, serving, tasks)
        else:
            proxy = UdpProxy(host, listen, serving, tasks, self._clock)
        try:
            opened = None
            if not self._stands_open(wish.protocol, listen[1]):
                opened = await self._outside.open(
                    wish.protocol, listen[1], lambda: _connect(host, wish.protocol, serving)
                )
        except BaseException:
            proxy.close()
            raise
        firewall, host_end = self._machine.firewall, (parse_ipv4(listen[0]), listen[1])
        firewall.publish(wish.protocol, host_end, (parse_ipv4(serving[0]), serving[1]))

        def undo() -> None:
            firewall.unpublish(wish.protocol, host_end)
            proxy.close()
            if opened is not None:
                opened.close()
            self._allocator.release(wish.host_address, wish.protocol, listen[1])

        return Held(PublishedPort(serving[1], wish.protocol, *listen), listen[1], undo)

    def _stands_open(self, protocol: str, number: int) -> bool:
        """The real world has one address for all of the host's: it sees who publishes a number first."""
        held = (one for outlet in self._held.values() for one in outlet.held)
        return any((one.port.protocol, one.port.host_port) == (protocol, number) for one in held)


async def _connect(host: Sandbox, protocol: str, serving: TextAddress) -> Conversation:
    """Somebody real has come: talk to the container for them."""
    return await host.connect_tcp(*serving) if protocol == "tcp" else Datagrams(host, serving)


def _default(through: Foothold) -> str:
    """The host's address for ports that name none."""
    return through.network.options.get(BINDING_OPTION, "") or ANY_IPV4


def _host_is_gateway(through: Foothold, driver: Driver) -> bool:
    """Only there publishing has an effect: a container that a macvlan leads outside is there already."""
    network, gateway = through.network, through.endpoint.gateway
    if isinstance(driver, Exposing):
        return network.scope == "local" and gateway in (subnet.gateway for subnet in network.subnets)
    return network.driver == "bridge"
