"""Builds the sandbox that a container's network mode asks for, with its files, and takes it down.

none, bridge, a network's name   a sandbox of its own, joined to its networks in order of name
host                             the host's own sandbox
container:x                      x's sandbox, as it stands now
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from node.control.connections import Connections
from node.control.links import DEFAULT_BRIDGE, check_running, links_of
from node.control.publishing import Publishing
from node.control.standing import GATEWAY_BRIDGE, Standing
from node.dns import files
from node.errors import Conflict, Failed, NodeError, NotFound
from node.model.container import ContainerRecord
from node.model.ids import short
from node.model.network import EndpointSpec, NetworkRecord
from node.model.passage import Gate, always_open
from node.model.published import PublishedPort
from node.stack.sandbox import Sandbox

HOST_RESOLV_CONF = "# The host of this simulation knows no name server outside it.\n"
JOINED_PREFIX = "container:"


@dataclass(frozen=True, slots=True)
class Find:
    """How networks and other containers are found by name or id; NotFound."""

    network: Callable[[str], NetworkRecord]
    standing: Callable[[str], tuple[ContainerRecord, Standing | None]]


@dataclass(frozen=True, slots=True)
class Materials:
    """What a sandbox of one's own is made of."""

    sandbox: Callable[[str], Sandbox]
    """A fresh one, by name."""
    questions: Gate = always_open
    """May hold up what containers ask their name servers."""


class Sandboxes:
    """See the module."""

    def __init__(
        self,
        host: Sandbox,
        connections: Connections,
        publishing: Publishing,
        find: Find,
        materials: Materials,
        chance: random.Random,
    ) -> None:
        self._host = host
        self._connections = connections
        self._publishing = publishing
        self._find = find
        self._materials = materials
        self._chance = chance

    async def build(self, container: ContainerRecord) -> Standing:
        """Everything the container's program will stand in. Raises NodeError, leaving nothing behind."""
        mode = container.spec.network_mode
        if mode == "host":
            host = self._host.share(self._host.name)
            standing = Standing(host, container.id, self._chance, shared=True)
        elif mode.startswith(JOINED_PREFIX):
            return self._joined(container, mode.removeprefix(JOINED_PREFIX))
        else:
            sandbox = self._materials.sandbox(short(container.id))
            standing = Standing(
                sandbox,
                container.id,
                self._chance,
                shared=False,
                questions=self._materials.questions,
            )
        try:
            for name in sorted(container.networks):
                network = self._network(name, container)
                await self._connections.connect(standing, container, network, container.networks[name])
            await self._publishing.settle(container, standing)
        except NodeError as error:
            await self.demolish(standing)
            raise type(error)(f"failed to set up container networking: {error}") from None
        try:
            self._furnish(container, standing)
        except NodeError:
            await self.demolish(standing)
            raise
        return standing

    def _furnish(self, container: ContainerRecord, standing: Standing) -> None:
        """Links and files, once the networks are there. Raises NodeError."""
        links = links_of(container, self._find.standing)
        check_running(links)
        for link in links:
            assert link.endpoint is not None, "what is linked runs: that was checked"
            self._connections.link(standing.footholds[DEFAULT_BRIDGE], link.endpoint, link.ports)
        standing.environment = tuple(line for link in links for line in link.environment)
        standing.link_hosts = tuple(link.host for link in links)
        self.write_files(container, standing)

    def _network(self, name: str, container: ContainerRecord) -> NetworkRecord:
        try:
            network = self._find.network(name)
        except NotFound:
            error = unknown_network(name, in_swarm=self._connections.in_swarm)
            if len(container.networks) > 1 and name == container.spec.network_mode:
                error = type(error)(f"could not find a network matching network mode {name}: {error}")
            raise error from None
        if network.scope == "swarm" and not (network.attachable or network.ingress):
            raise not_attachable(network)
        return network

    def _joined(self, container: ContainerRecord, term: str) -> Standing:
        """Another container's sandbox. The engine's texts, which differ from all others here."""
        try:
            other, standing = self._find.standing(term)
        except NotFound:
            raise Failed(f"joining network namespace of container: No such container: {term}") from None
        if other.id == container.id:
            raise Failed("cannot join own network namespace")
        if standing is None:
            raise Conflict(
                f"cannot join network namespace of a non running container: "
                f"container {other.name} is {other.state.status}"
            )
        sandbox = standing.sandbox.share(short(container.id))
        shared = Standing(sandbox, container.id, self._chance, shared=True)
        shared.files = dict(standing.files)
        shared.hostname = standing.hostname
        return shared

    async def demolish(self, standing: Standing) -> None:
        """Give everything back."""
        await self._publishing.withdraw(standing.container)
        await self._connections.disconnect_all(standing)
        standing.close()

    async def connect(
        self, container: ContainerRecord, standing: Standing, network: NetworkRecord, wish: EndpointSpec
    ) -> None:
        """Put a running container into one more network. Raises NodeError, leaving all as it was."""
        if network.scope == "swarm" and not network.attachable:
            raise not_attachable(network)
        await self._connections.connect(standing, container, network, wish)
        try:
            await self._publishing.settle(container, standing)
        except NodeError:
            await self.disconnect(container, standing, network)
            raise
        self.write_files(container, standing)

    async def disconnect(
        self, container: ContainerRecord, standing: Standing, network: NetworkRecord
    ) -> None:
        """Take a running container out of a network. It is out even if this raises NodeError: then its
        ports could not be published through another.
        """
        await self._connections.disconnect(standing, network)
        self.write_files(container, standing)
        await self._connections.settle_gateway(standing)
        await self._publishing.settle(container, standing)

    async def rename(self, container: ContainerRecord, standing: Standing) -> None:
        """A running container has another name: its networks know it by that."""
        await self._connections.rename(standing, container)

    def ports(self, container: ContainerRecord) -> tuple[PublishedPort, ...]:
        """What a container publishes now."""
        return self._publishing.ports(container)

    def write_files(self, container: ContainerRecord, standing: Standing) -> None:
        """/etc/hostname, /etc/hosts and /etc/resolv.conf as they should be now. Raises InvalidParameter."""
        spec = container.spec
        in_host = spec.network_mode == "host"
        hostname = spec.hostname or (self._host.hostname if in_host else short(container.id))
        real = [f for name, f in standing.footholds.items() if name != GATEWAY_BRIDGE]
        addresses = [f.endpoint.address.partition("/")[0] for f in real if f.endpoint.address]
        extra = [*standing.link_hosts]
        extra += [files.parse_extra_host(text, self._host_gateway()) for text in spec.extra_hosts]
        place = files.Place.LEGACY
        if in_host:
            place = files.Place.HOST
        elif any(f.zone is not None for f in real):
            place = files.Place.INTERNAL
        settings = files.DnsSettings(spec.dns, spec.dns_search, spec.dns_options)
        resolver = files.resolver_file(HOST_RESOLV_CONF, place, settings)
        standing.resolver.upstream = resolver.upstream_servers
        standing.resolver.ndots_given = any(option.startswith("ndots:") for option in spec.dns_options)
        hosts = (
            files.host_mode_hosts_file(self._host.files.get("/etc/hosts", ""), extra)
            if in_host
            else files.hosts_file(hostname, spec.domainname, addresses, extra)
        )
        standing.hostname = hostname
        standing.files.update(
            {
                "/etc/hostname": files.hostname_file(hostname),
                "/etc/hosts": hosts,
                "/etc/resolv.conf": resolver.text,
            }
        )

    def _host_gateway(self) -> str:
        """What `host-gateway` stands for on every network: the default bridge's own address."""
        return self._find.network(DEFAULT_BRIDGE).subnets[0].gateway


def not_attachable(network: NetworkRecord) -> Failed:
    """The engine's refusal of a plain container on a swarm network made for services only."""
    return Failed(
        f"Could not attach to network {network.name}: rpc error: code = PermissionDenied "
        f"desc = network {network.name} not manually attachable"
    )


def unknown_network(name: str, *, in_swarm: bool) -> NodeError:
    """A network that is not there when a container starts; a swarm's node asks the manager first."""
    if in_swarm:
        return Failed(
            f"Could not attach to network {name}: rpc error: code = NotFound desc = network {name} not found"
        )
    return NotFound(f"network {name} not found")
