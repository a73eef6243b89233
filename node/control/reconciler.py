"""Makes a node's drivers and names agree with what its views say; the only place that does.

    Change (swarm)   own endpoint, the first    -> its network is followed from now on: zone, peers
                     endpoint of a living node  -> its name in the zone, a peer of the overlay
                     member gone                -> all of its endpoints out of both, at once
    Change (own)     network                    -> the driver opens or closes it
    now and then     own records nobody holds, and those of removed nodes   -> released

It runs inside the fold, so that whoever waits for a revision finds its effects in place.
"""

from __future__ import annotations

from collections.abc import Mapping

from node.control import plans, roster
from node.control.connections import Connections
from node.control.ledger import Ledger
from node.control.view import Change
from node.dns.zone import Zone
from node.drivers.base import Driver, Peer, is_spanning
from node.drivers.machine import Machine
from node.errors import Unavailable
from node.model.member import Member
from node.model.network import INGRESS_SANDBOX, EndpointRecord, NetworkRecord
from node.seams import Clock, Telemetry

SWEEP_INTERVAL_S = 1.0
DEFAULT_BRIDGE = "bridge"
"""The one network with addresses but without names."""


class Reconciler:
    """See the module. ``swarm`` is None on a node that belongs to none."""

    def __init__(
        self,
        node: str,
        own: Ledger,
        swarm: Ledger | None,
        drivers: Mapping[str, Driver],
        connections: Connections,
        machine: Machine,
    ) -> None:
        self._node = node
        self._own = own
        self._swarm = swarm
        self._drivers = drivers
        self._connections = connections
        self._machine = machine
        self._followed: dict[str, None] = {}
        """Ids of the swarm's networks in which something of this node stands, or stood once."""
        own.listeners.append(self._own_changed)
        if swarm is not None:
            swarm.listeners.append(self._swarm_changed)

    # -- the node's own networks ------------------------------------------------------------------

    def _own_changed(self, changes: tuple[Change, ...]) -> None:
        for change in changes:
            match change.before, change.after:
                case None, NetworkRecord() as network:
                    self._open_zone(network)
                    self._drivers[network.driver].open(network)
                case NetworkRecord() as network, None:
                    self._drivers[network.driver].close(network)
                    self._connections.zones.pop(network.id, None)
                case EndpointRecord() as endpoint, None:
                    self._unname(endpoint)
                case _, EndpointRecord() as endpoint:
                    self._name(endpoint)

    # -- the swarm's networks ---------------------------------------------------------------------

    def _swarm_changed(self, changes: tuple[Change, ...]) -> None:
        assert self._swarm is not None
        for change in changes:
            match change.before, change.after:
                case None, NetworkRecord() as network:
                    standing = self._swarm.view.endpoints(network.id).values()
                    if any(endpoint.node == self._node for endpoint in standing):
                        self._follow(network.id)  # a snapshot may name them before their network
                case NetworkRecord() as network, None:
                    self._connections.zones.pop(network.id, None)
                    self._followed.pop(network.id, None)
                case EndpointRecord() as endpoint, None:
                    self._forget(endpoint)
                case _, EndpointRecord() as endpoint:
                    self._meet(endpoint)
                case Member() as before, Member() as after:
                    if before.underlay_address != after.underlay_address:
                        self._part_from(before)
                        self._welcome(after)
                case None, Member() as member:
                    self._welcome(member)
                case Member() as member, None:
                    self._part_from(member)

    def _follow(self, network_id: str) -> None:
        """From now on keep names and peers of a network: of others nobody here asks for either."""
        assert self._swarm is not None
        view = self._swarm.view
        if network_id in self._followed or (network := view.networks.get(network_id)) is None:
            return
        self._followed[network_id] = None
        self._open_zone(network)
        for endpoint in view.endpoints(network_id).values():
            self._meet(endpoint)

    def _welcome(self, member: Member) -> None:
        """A node is alive: the LAN reaches it, and so do the overlays."""
        if member.name != self._node:
            self._machine.add_to_lan(member.underlay_address)
        for endpoint in self._endpoints_of(member.name):
            self._meet(endpoint)

    def _part_from(self, member: Member) -> None:
        """A node is silent: nothing is sent to it any more, and its names are gone."""
        if member.name == self._node:
            return
        self._machine.remove_from_lan(member.underlay_address)
        for endpoint in self._endpoints_of(member.name):
            self._forget(endpoint)

    def _endpoints_of(self, node: str) -> list[EndpointRecord]:
        assert self._swarm is not None
        return list(self._swarm.view.endpoints_on(node).values())

    def _meet(self, endpoint: EndpointRecord) -> None:
        """An endpoint that can be reached: this node's own, or a living member's."""
        assert self._swarm is not None
        if endpoint.node == self._node:
            self._follow(endpoint.network)
            self._name(endpoint)
            return
        if endpoint.network not in self._followed:
            return
        member = self._swarm.view.members.get(endpoint.node)
        if member is None:
            return
        self._name(endpoint)
        if endpoint.address:
            network = self._swarm.view.networks.get(endpoint.network)
            if network is not None:
                driver = self._drivers[network.driver]
                if is_spanning(driver):
                    driver.add_peer(network, _peer(endpoint, member.underlay_address))

    def _forget(self, endpoint: EndpointRecord) -> None:
        if endpoint.network not in self._followed:
            return
        self._unname(endpoint)
        if endpoint.node != self._node and endpoint.address:
            for driver in self._drivers.values():
                if is_spanning(driver):
                    driver.remove_peer(endpoint.network, endpoint.id)

    # -- names ------------------------------------------------------------------------------------

    def _open_zone(self, network: NetworkRecord) -> None:
        if network.config_only:
            return
        if network.subnets and not (network.predefined and network.name == DEFAULT_BRIDGE):
            self._connections.zones[network.id] = Zone(network.name)

    def _name(self, endpoint: EndpointRecord) -> None:
        zone = self._connections.zones.get(endpoint.network)
        left_over = endpoint.node == self._node and endpoint.id not in self._connections.held
        if zone is not None and endpoint.address and not left_over:
            zone.add(endpoint.id, endpoint.dns_names, endpoint.address.partition("/")[0])

    def _unname(self, endpoint: EndpointRecord) -> None:
        zone = self._connections.zones.get(endpoint.network)
        if zone is not None:
            zone.remove(endpoint.id)

    # -- left-overs -------------------------------------------------------------------------------

    async def sweep(self, clock: Clock, telemetry: Telemetry) -> None:
        """Release this node's records that nobody holds, again and again, for ever."""
        while True:
            await self.release_left_overs(telemetry)
            await clock.sleep(SWEEP_INTERVAL_S)

    async def release_left_overs(self, telemetry: Telemetry) -> None:
        """One round of it."""
        for ledger in (self._own, self._swarm):
            if ledger is None or not ledger.connected:
                continue
            for endpoint in self._left_over(ledger):
                try:
                    await ledger.change(lambda view, it=endpoint: plans.release_endpoint(view, it))  # type: ignore[misc]
                except Unavailable as error:
                    telemetry.tell("endpoint.not_released", endpoint=endpoint.id, reason=str(error))
                    break
                telemetry.tell("endpoint.released", endpoint=endpoint.id, name=endpoint.name)

    def _left_over(self, ledger: Ledger) -> list[EndpointRecord]:
        """This node's that nobody holds here, and those of nodes that were removed from the swarm."""
        held = self._connections.held
        mine = [e for e in ledger.view.endpoints_on(self._node).values() if e.id not in held]
        if ledger is self._own:
            return mine
        # Its place in the ingress network waits for the node to take it up again (ingress.py).
        unneeded = [endpoint for endpoint in mine if endpoint.container != INGRESS_SANDBOX]
        return [*unneeded, *roster.ownerless(ledger.view)]


def _peer(endpoint: EndpointRecord, underlay_address: str) -> Peer:
    return Peer(endpoint.id, endpoint.address, endpoint.mac, underlay_address)
