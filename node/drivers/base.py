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
from dataclasses import dataclass
from typing import Protocol

from node.model.network import EndpointRecord, NetworkRecord, NetworkSpec, Scope
from node.stack.sandbox import Sandbox


@dataclass(frozen=True, slots=True)
class Joined:
    """What a join made: the interface inside the sandbox, and the way out through it, if any."""

    interface: str = ""
    gateway: str = ""


class Driver(Protocol):
    """One way of building networks."""

    name: str
    data_scope: Scope
    """"swarm": its networks are the whole swarm's business and are kept in the shared store."""
    gives_gateway: bool
    """Endpoints get the default route through this network."""

    def check(self, spec: NetworkSpec) -> None:
        """Refuse options that make no sense to this driver. Raises NodeError."""

    def check_beside(self, network: NetworkRecord, others: list[NetworkRecord]) -> None:
        """Refuse a network that cannot stand beside the driver's others on this node."""

    def skips_gateway(self, spec: NetworkSpec | NetworkRecord) -> bool:
        """No address is set aside for a gateway that nobody named, and nobody routes through one."""

    def choose_mac(self, address: str, chance: random.Random) -> str:
        """The hardware address of a new endpoint; "" where the driver gives none."""

    async def create(self, network: NetworkRecord) -> None:
        """Agree to a network that is about to be committed. Raises NodeError, leaving nothing behind."""

    async def delete(self, network: NetworkRecord) -> None:
        """Undo create: the network has been removed, or was not committed after all. Never refuses."""

    def open(self, network: NetworkRecord) -> None:
        """Make the network usable on this node."""

    def close(self, network: NetworkRecord) -> None:
        """Undo open; nobody is joined any more."""

    async def join(self, network: NetworkRecord, endpoint: EndpointRecord, sandbox: Sandbox) -> Joined:
        """Put an interface for the endpoint into the sandbox. Raises NodeError, leaving nothing behind."""

    async def leave(self, network: NetworkRecord, endpoint: EndpointRecord, sandbox: Sandbox) -> None:
        """Take it out again. Never refuses."""
