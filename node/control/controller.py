"""The networks of a node as its user sees them: both scopes behind one set of verbs.

The scope is decided before anything runs: a driver whose data scope is the swarm keeps its networks
in the shared store, every other in the node's own. From there both take the same walk.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import TypeAlias

from node import errors
from node.control import plans
from node.control.events import Events
from node.control.making import Making
from node.control.plugging import Plugging
from node.control.standing import GATEWAY_BRIDGE
from node.control.validate_container import check_endpoint
from node.control.validate_network import validate_network
from node.drivers.base import Driver
from node.drivers.options import ENCRYPTED_OPTION
from node.errors import Conflict, Forbidden, InvalidParameter, NotFound, Unavailable
from node.model.ids import local_id, short, swarm_id
from node.model.network import EndpointRecord, EndpointSpec, NetworkRecord, NetworkSpec, Scope
from node.model.times import rfc3339
from node.seams import Clock

PREDEFINED_NAMES = ("bridge", "host", "none", "default")
NOT_ENCRYPTED = "Encryption is not simulated: the network's frames travel in the clear"
NO_SWARM = (
    'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" '
    "to connect this node to swarm and try again."
)
"""moby: daemon/cluster/errors.go."""
WORKER = (
    "Cannot create a multi-host network from a worker node. Please create the network from a manager node."
)
NOT_A_MANAGER = (
    "This node is not a swarm manager. Worker nodes can't be used to view or modify cluster state. "
    "Please run this command on a manager node or promote the current node to a manager."
)

Networks: TypeAlias = list[NetworkRecord]
Endpoints: TypeAlias = list[EndpointRecord]


class Controller:
    """See the module."""

    def __init__(
        self,
        node: str,
        making: Making,
        events: Events,
        clock: Clock,
        chance: random.Random,
    ) -> None:
        self._node = node
        self._ledgers = making.ledgers
        self._drivers = making.drivers
        self._events = events
        self._clock = clock
        self._chance = chance
        self.making = making
        self.manages: Callable[[], bool] = lambda: False
        """This node may change the swarm's networks; the agent says so."""
        self.plugging: Plugging | None = None
        """Set once there are containers: they need networks, and networks are connected to them."""

    # -- looking ----------------------------------------------------------------------------------

    def list(self) -> Sequence[NetworkRecord]:
        """Networks that this node shows, the swarm's first (moby: network_routes.go getNetworksList).

        A worker knows a network of the swarm only while a container of its own stands in it.
        """
        found: Networks = []
        if (swarm := self._ledgers.get("swarm")) is not None:
            found += [
                n for n in swarm.view.networks.values() if self.manages() or n.ingress or self.attached(n)
            ]
        return [*found, *self._ledgers["local"].view.networks.values()]

    def find(self, term: str, scope: str = "") -> NetworkRecord:
        """By full id, then full name, then the beginning of an id. Raises NotFound, InvalidParameter."""
        views = [ledger.view for name, ledger in self._ledgers.items() if scope in ("", name)]
        for view in views:
            if (network := view.networks.get(term)) is not None:
                return network
        named = [network for view in views if (network := view.network_named(term)) is not None]
        if len(named) == 1:
            return named[0]
        if len(named) > 1:
            raise InvalidParameter(f"network {term} is ambiguous ({len(named)} matches found on name)")
        begun = [
            view.networks[key] for view in views for key in view.networks if term and key.startswith(term)
        ]
        if len(begun) > 1:
            raise InvalidParameter(
                f"network {term} is ambiguous ({len(begun)} matches found based on ID prefix)"
            )
        if not begun:
            raise NotFound(f"network {term} not found")
        return begun[0]

    def endpoints(self, network: NetworkRecord) -> Sequence[EndpointRecord]:
        """All endpoints of a network, on whichever node."""
        return [*self._ledgers[network.scope].view.endpoints(network.id).values()]

    def attached(self, network: NetworkRecord) -> Sequence[EndpointRecord]:
        """Endpoints of a network on this node, in the order in which they came."""
        return [e for e in self.endpoints(network) if e.node == self._node]

    def peers(self, network: NetworkRecord) -> Sequence[tuple[str, str]]:
        """Name, with the beginning of its id, and LAN address of every living node in an overlay."""
        swarm = self._ledgers.get("swarm")
        if network.driver != "overlay" or swarm is None:
            return []
        taking_part = dict.fromkeys(endpoint.node for endpoint in self.endpoints(network))
        members = swarm.view.members
        return [
            (f"{name}-{short(members[name].id)}", members[name].lan_address)
            for name in taking_part
            if name in members
        ]

    # -- changing ---------------------------------------------------------------------------------

    async def create(self, spec: NetworkSpec) -> tuple[str, str]:
        """Make a network: its id, and a warning or "". The checks stand in the engine's order."""
        driver = await self._check(spec)
        scope = self._scope(spec, driver)
        identity = swarm_id(self._chance) if scope == "swarm" else local_id(self._chance)
        whole = plans.configured(self._ledgers["local"].view, spec)
        draft = plans.Draft(
            identity, rfc3339(self._clock.wall()), scope, skips_gateway=await driver.skips_gateway(whole)
        )
        await self.making.make(spec, draft)
        self._tell("create", identity, spec.name, plans.driver_of(spec), scope)
        encrypted = plans.driver_of(spec) == "overlay" and ENCRYPTED_OPTION in spec.options
        return identity, NOT_ENCRYPTED if encrypted else ""

    async def _check(self, spec: NetworkSpec) -> Driver:
        if spec.name in PREDEFINED_NAMES:
            raise Forbidden(f"operation is not permitted on predefined {spec.name} network")
        if any(ledger.view.network_named(spec.name) for ledger in self._ledgers.values()):
            raise Conflict(f"network with name {spec.name} already exists")
        validate_network(spec)
        driver = await self._drivers.resolve(plans.driver_of(spec))
        if not spec.config_only:
            driver.check(plans.configured(self._ledgers["local"].view, spec))
        return driver

    def _scope(self, spec: NetworkSpec, driver: Driver) -> Scope:
        if driver.data_scope == "local":
            if spec.scope == "swarm" and "swarm" not in self._ledgers:
                raise Forbidden("cannot create a swarm scoped network when swarm is not active")
            if spec.ingress:
                raise Forbidden("Ingress network can only be global scope network")
            if spec.scope == "swarm":
                raise errors.NotImplemented(
                    f"a swarm network of the driver {spec.driver} is for services, which are not simulated: "
                    "leave --scope out, and create the network on each host"
                )
            return "local"
        if spec.scope == "local":
            raise Forbidden(f"cannot downgrade network scope for {spec.driver} networks")
        if "swarm" not in self._ledgers:
            raise Forbidden(NO_SWARM)
        if not self.manages():
            raise Forbidden(WORKER)
        return "swarm"

    async def remove(self, term: str) -> None:
        """Remove a network that nobody stands in."""
        network = self.find(term)
        if network.predefined:
            raise Forbidden(f"{network.name} is a pre-defined network and cannot be removed")
        if network.name == GATEWAY_BRIDGE:
            raise Forbidden(
                f"{network.name} leads this node's overlay networks outside and cannot be removed"
            )
        if network.scope == "swarm" and not self.manages():
            raise Unavailable(NOT_A_MANAGER)
        await self.making.remove(network)
        if network.config_only:
            return  # the engine keeps silent here
        self._tell(
            "destroy" if network.scope == "local" else "remove",
            network.id,
            network.name,
            network.driver,
            network.scope,
        )

    async def connect(self, term: str, container: str, spec: EndpointSpec) -> None:
        """Put a container into a network."""
        network = self.find(term)
        check_endpoint(network, network.name, spec)
        assert self.plugging is not None
        await self.plugging.connect(network, container, spec)

    async def disconnect(self, term: str, container: str, *, force: bool) -> None:
        """Take a container out of a network."""
        assert self.plugging is not None
        await self.plugging.disconnect(self.find(term), container, force=force)

    async def prune(self, wanted: Callable[[NetworkRecord], bool]) -> Sequence[str]:
        """Remove every unused network that the caller wants removed; their names."""
        removed = []
        for network in self.list():
            kept = network.predefined or network.ingress or network.config_only
            kept = kept or network.name == GATEWAY_BRIDGE
            if kept or self.endpoints(network) or not wanted(network):
                continue
            try:
                await self.remove(network.id)
            except (Forbidden, NotFound):
                continue  # somebody was quicker, and that is as good
            removed.append(network.name)
        self._events.tell("network", "prune", "", {"reclaimed": "0"})
        return removed

    def _tell(self, action: str, identity: str, name: str, driver: str, scope: str) -> None:
        self._events.tell("network", action, identity, {"name": name, "type": driver}, scope)
