"""Where one running container stands: its sandbox, its endpoints, its gateway and its name server."""

from __future__ import annotations

import random
from dataclasses import dataclass

from node.control.nameserver import NameServer
from node.dns.resolver import Attachment, Resolver
from node.dns.zone import Zone
from node.model.network import EndpointRecord, EndpointSpec, NetworkRecord
from node.model.passage import Gate, always_open
from node.stack.sandbox import Sandbox

GATEWAY_BRIDGE = "docker_gwbridge"
"""The bridge that gives containers of overlay networks a way out (moby: libnetwork/default_gateway.go)."""


@dataclass(frozen=True, slots=True)
class Foothold:
    """One network that the container stands in."""

    network: NetworkRecord
    endpoint: EndpointRecord
    wish: EndpointSpec
    zone: Zone | None
    """Its names; None on the default bridge, which has none."""
    gateway_service: bool = True
    """If nothing else leads outside, the gateway bridge shall."""


class Standing:
    """See the module. ``shared``: the sandbox is the host's or another container's, not its own.

    ``questions`` may hold up what is asked of the name server.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        container: str,
        chance: random.Random,
        *,
        shared: bool,
        questions: Gate = always_open,
    ) -> None:
        self.sandbox = sandbox
        self.container = container
        self.shared = shared
        self.footholds: dict[str, Foothold] = {}
        self.resolver = Resolver(chance)
        self.hostname = ""
        self.files: dict[str, str] = {}
        """What the container finds under /etc: text by path."""
        self.environment: tuple[str, ...] = ()
        """Variables that links add to its program's own."""
        self.link_hosts: tuple[tuple[str, str], ...] = ()
        """Names and address of each linked container."""
        self._questions = questions
        self._nameserver: NameServer | None = None

    @property
    def interfaces(self) -> set[str]:
        """The names that its endpoints' interfaces have."""
        return {foothold.endpoint.interface for foothold in self.footholds.values()}

    def free_interface(self, prefix: str = "eth") -> str:
        """The lowest name that no interface of the sandbox has, eth0 first."""
        used, number = self.interfaces, 0
        while f"{prefix}{number}" in used:
            number += 1
        return f"{prefix}{number}"

    def add(self, foothold: Foothold) -> None:
        """The container stands in one more network."""
        self.footholds[foothold.network.name] = foothold
        self._settle()

    def remove(self, network: NetworkRecord) -> Foothold:
        """It stands there no more; its former foothold comes back."""
        foothold = self.footholds.pop(network.name)
        self._settle()
        return foothold

    def gateway(self) -> Foothold | None:
        """The network that has the default route: the first rule that differs wins.

        Higher priority; a real network before the gateway bridge; the network's name
        (moby: libnetwork/sandbox.go, Endpoint.Less).
        """
        offers = [foothold for foothold in self.footholds.values() if foothold.endpoint.gateway]
        return min(
            offers,
            key=lambda f: (-f.wish.gateway_priority, f.network.name == GATEWAY_BRIDGE, f.network.name),
            default=None,
        )

    @property
    def needs_gateway_bridge(self) -> bool:
        """It stands in a network that is to lead outside, and nothing offers a way there.

        (moby: libnetwork/default_gateway.go, needDefaultGW.)
        """
        real = [f for name, f in self.footholds.items() if name != GATEWAY_BRIDGE]
        outward = any(
            f.network.driver not in ("host", "null") and not f.network.internal and f.gateway_service
            for f in real
        )
        return outward and not any(f.endpoint.gateway for f in real)

    def _settle(self) -> None:
        """Bring the default route and the name server in line with the footholds.

        What belongs to another is left as it is.
        """
        if self.shared:
            return
        chosen = self.gateway()
        if chosen is None:
            self.sandbox.clear_default_route()
        else:
            self.sandbox.set_default_route(chosen.endpoint.gateway, chosen.endpoint.interface)
        named = sorted((f for f in self.footholds.values() if f.zone is not None), key=_naming_order)
        self.resolver.attachments = tuple(_attachment(foothold) for foothold in named)
        if named and self._nameserver is None:
            self._nameserver = NameServer(self.sandbox, self.resolver, self._questions)

    def close(self) -> None:
        """Nobody stands here any more."""
        if self._nameserver is not None:
            self._nameserver.close()
        self.sandbox.close()


def _naming_order(foothold: Foothold) -> tuple[int, int, bool, bool, str]:
    """Which network is asked first for a name: a user's overlay, the ingress, then those of the node.

    Among those as for gateways (moby: libnetwork/sandbox.go, ResolveName and Endpoint.Less).
    """
    network = foothold.network
    kind = 2 if network.scope == "local" else int(network.ingress)
    leads_nowhere = network.internal, not foothold.endpoint.gateway
    return kind, -foothold.wish.gateway_priority, *leads_nowhere, network.name


def _attachment(foothold: Foothold) -> Attachment:
    assert foothold.zone is not None, "only networks with names are attached"
    links = dict(_link(text) for text in foothold.wish.links)
    return Attachment(foothold.zone, links)


def _link(text: str) -> tuple[str, str]:
    """ "container:alias" to (alias, container)."""
    container, _, alias = text.partition(":")
    return alias or container, container
