"""What a network driver is, after the Container Network Model (moby: libnetwork/driverapi).

    create(network)                    may it exist? asked before anybody sees it
      open(network)                      it appears on this node
        join(network, endpoint, sandbox)   an endpoint's interface stands in a sandbox   -> Joined
        leave(network, endpoint)
      close(network)
    delete(network)                    it is no more, or never came to be

What can be refused is awaited, because a driver may have to ask somebody else; what only follows what
the store says (open, close) is not, and cannot fail. A driver returns what it did and calls nobody
back; drivers do not know each other. What all of them build upon is the Machine (machine.py).
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Protocol, TypeGuard, runtime_checkable

from node.model.network import EndpointRecord, NetworkRecord, NetworkSpec, Scope
from node.model.published import PortWish, PublishedPort
from node.stack.sandbox import Sandbox


@dataclass(frozen=True, slots=True)
class Joined:
    """What a join made: the interface inside the sandbox, and the way out through it, if any."""

    interface: str = ""
    gateway: str = ""
    mac: str = ""
    """Empty, as is the address: what the endpoint had before."""
    address: str = ""
    gateway_service: bool = True
    """If no network of the container leads outside, the gateway bridge shall."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the user said of an endpoint and of its container, for a driver that passes it on."""

    driver_options: Mapping[str, str] = field(default_factory=dict)
    mac: str = ""
    dns_servers: tuple[str, ...] = ()
    exposed_ports: tuple[tuple[int, str], ...] = ()
    """Number and protocol."""
    ports: tuple[PortWish, ...] = ()
    """To be published; the host address is empty where none was named."""
    published_elsewhere: bool = False
    """Another network of the container does that already."""


NO_WISHES = Wishes()


@dataclass(frozen=True, slots=True)
class Peer:
    """An endpoint on another node: its address (with prefix), MAC, and that node's underlay address."""

    endpoint: str
    address: str
    mac: str
    underlay_address: str


class Driver(Protocol):
    """One way of building networks."""

    name: str
    data_scope: Scope
    """"swarm": its networks are the whole swarm's business and are kept in the shared store."""
    gives_gateway: bool
    """Endpoints get the default route through this network."""
    active: bool
    """It can be used now."""

    def check(self, spec: NetworkSpec) -> None:
        """Refuse options that make no sense to this driver. Raises NodeError."""

    def check_beside(self, network: NetworkRecord, others: list[NetworkRecord]) -> None:
        """Refuse a network that cannot stand beside the driver's others on this node."""

    async def skips_gateway(self, spec: NetworkSpec | NetworkRecord) -> bool:
        """No address is set aside for a gateway that nobody named, and nobody routes through one.

        Raises NodeError.
        """

    def choose_mac(self, address: str, chance: random.Random) -> str:
        """The hardware address of a new endpoint; "" where the driver gives none.

        ``address`` is empty where the endpoint has none.
        """

    async def ready(self) -> None:
        """Be there: nothing but this and ``name`` may be used before. Raises NotFound, Failed."""

    async def create(self, network: NetworkRecord) -> Mapping[str, str]:
        """Agree to a network that is about to be committed; what every node's driver must know of it.

        Raises NodeError; ``delete`` is called then too.
        """

    async def delete(self, network: NetworkRecord) -> None:
        """Undo create: the network has been removed, or was not committed after all. Never refuses."""

    def open(self, network: NetworkRecord) -> None:
        """Make the network usable on this node."""

    def close(self, network: NetworkRecord) -> None:
        """Undo open; nobody is joined any more."""

    async def join(
        self, network: NetworkRecord, endpoint: EndpointRecord, sandbox: Sandbox, wishes: Wishes
    ) -> Joined:
        """Put an interface for the endpoint into the sandbox. Raises NodeError, leaving nothing behind."""

    async def leave(self, network: NetworkRecord, endpoint: EndpointRecord, sandbox: Sandbox) -> None:
        """Take it out again. Never refuses."""


@runtime_checkable
class Spanning(Protocol):
    """A driver whose networks of the swarm reach from node to node."""

    def add_peer(self, network: NetworkRecord, peer: Peer) -> None:
        """An endpoint of the network stands on another node."""

    def remove_peer(self, network_id: str, endpoint: str) -> None:
        """It does not stand there any more; without effect if it is not known."""


def is_spanning(driver: object) -> TypeGuard[Spanning]:
    """Whether a driver is told of endpoints on other nodes."""
    return _spans(type(driver))  # type: ignore[arg-type] # mypy does not see that classes are hashable


@cache
def _spans(kind: type) -> bool:
    # Asking a protocol takes long, and every node asks for every endpoint of the swarm.
    return issubclass(kind, Spanning)


@runtime_checkable
class Exposing(Protocol):
    """A driver that wants to know which endpoint its container is reached through from outside."""

    async def expose(self, endpoint: EndpointRecord, ports: Sequence[PublishedPort]) -> None:
        """It is this one now, with these published ports. Raises Failed."""

    async def hide(self, endpoint: EndpointRecord) -> None:
        """It is not any more. Never refuses."""


class QuietDriver:
    """What a driver does that asks nobody, refuses nothing, and has nothing to build for a network."""

    gives_gateway = False
    active = True

    async def ready(self) -> None:
        """It always is."""

    def check(self, spec: NetworkSpec) -> None:
        """Every option is good."""

    def check_beside(self, network: NetworkRecord, others: list[NetworkRecord]) -> None:
        """Nothing can clash."""

    async def skips_gateway(self, spec: NetworkSpec | NetworkRecord) -> bool:
        """Every subnet has a gateway."""
        return False

    async def create(self, network: NetworkRecord) -> Mapping[str, str]:
        """Nobody else is asked."""
        return {}

    async def delete(self, network: NetworkRecord) -> None:
        """Nobody else is told."""

    def open(self, network: NetworkRecord) -> None:
        """Nothing to make."""

    def close(self, network: NetworkRecord) -> None:
        """Nothing to undo."""
