"""The overlay driver: one layer-2 network over many nodes, carried in VXLAN.

    container --- port --+
                         +-- bridge --- vtep ~~~ VXLAN over UDP ~~~ the other nodes' vteps
    container --- port --+      |
                                neighbors: ARP is answered here, never on the wire

An overlay of several subnets has a segment and a VNI for each, and a router between them on every node.
A segment exists on a node from the first local endpoint to the last, as in the engine; what other
nodes have is remembered all the time and written into it when it appears (moby: drivers/overlay,
peerdb.go). Endpoint MACs are 02:42 and the address; the inner MTU leaves room for the headers.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Interface, IPv4Network

from node.datapath.port import Port
from node.datapath.segment import Segment
from node.datapath.vtep import Vtep
from node.drivers.base import Joined, Peer, QuietDriver, Wishes
from node.drivers.machine import Machine
from node.drivers.options import ENCRYPTED_OPTION, mtu
from node.drivers.overlay_router import OverlayRouter
from node.model.address import address_mac, format_mac, parse_cidr, parse_ipv4, parse_mac
from node.model.network import EndpointRecord, NetworkRecord, NetworkSpec, Scope
from node.stack.sandbox import Sandbox
from node.wire.vxlan import OVERHEAD_BYTES

UNDERLAY_MTU_DEFAULT = 1500
ESP_BYTES = 26
"""moby: libnetwork/drivers/overlay/encryption.go, pktExpansion."""


@dataclass(slots=True)
class Subnetwork:
    """One subnet of an open overlay: each has a VNI, so each is a segment of its own."""

    segment: Segment
    vtep: Vtep
    ports: dict[str, Port] = field(default_factory=dict)
    written: dict[str, Peer] = field(default_factory=dict)
    """Peers in its tables, by endpoint."""


class OverlayDriver(QuietDriver):
    """See the module. ``static_peers``: network name to tunnel endpoints that are no nodes."""

    name = "overlay"
    data_scope: Scope = "swarm"

    def __init__(
        self,
        machine: Machine,
        static_peers: Mapping[str, tuple[str, ...]],
        make_sandbox: Callable[[str], Sandbox],
    ) -> None:
        self._machine = machine
        self._static_peers = static_peers
        self._make_sandbox = make_sandbox
        self._routers: dict[str, OverlayRouter] = {}
        """By network id, of overlays with several subnets."""
        self._open: dict[tuple[str, int], Subnetwork] = {}
        self._peers: dict[str, dict[str, tuple[int, Peer]]] = {}
        """Endpoints on other nodes and the index of their subnet, by network and endpoint."""

    def check(self, spec: NetworkSpec) -> None:
        """Refuse an MTU that is none."""
        mtu(spec.options, UNDERLAY_MTU_DEFAULT)

    def choose_mac(self, address: str, chance: random.Random) -> str:
        """A pure function of the address."""
        return format_mac(address_mac(parse_ipv4(address)))

    # -- local endpoints --------------------------------------------------------------------------

    async def join(
        self, network: NetworkRecord, endpoint: EndpointRecord, sandbox: Sandbox, wishes: Wishes
    ) -> Joined:
        """Plug the sandbox's new interface into its subnet's segment, which appears if it is the first."""
        index = _index_of(network, endpoint.address)
        if (network.id, index) not in self._open:
            self._appear(network)
        subnetwork = self._open[network.id, index]
        subnetwork.ports[endpoint.id] = self._machine.attach(
            subnetwork.segment, sandbox, endpoint.interface, endpoint.mac, endpoint.address, _mtu(network)
        )
        for other in network.subnets:
            if other is not network.subnets[index]:
                with contextlib.suppress(FileExistsError):  # another of its networks leads there already
                    sandbox.stack.routes.add(other.subnet, network.subnets[index].gateway, endpoint.interface)
        return Joined(endpoint.interface)

    async def leave(self, network: NetworkRecord, endpoint: EndpointRecord, sandbox: Sandbox) -> None:
        """Unplug it; with the last one all that was made for the network goes."""
        port = self._open[network.id, _index_of(network, endpoint.address)].ports.pop(endpoint.id)
        self._machine.detach(port, sandbox, endpoint.interface)
        keys = [(network.id, index) for index in range(len(network.subnets))]
        if any(self._open[key].ports for key in keys):
            return
        if (router := self._routers.pop(network.id, None)) is not None:
            router.close()
        for key in keys:
            self._machine.switchboard.remove_segment(self._open.pop(key).segment)

    def _appear(self, network: NetworkRecord) -> None:
        """Make a segment for each subnet, and what joins them if there are several."""
        opened = [self._open_subnet(network, index) for index in range(len(network.subnets))]
        if len(opened) > 1:
            sandbox = self._make_sandbox(f"{network.name}/router")
            segments = [subnetwork.segment for subnetwork in opened]
            self._routers[network.id] = OverlayRouter(
                self._machine, sandbox, network, segments, _mtu(network)
            )

    def _open_subnet(self, network: NetworkRecord, index: int) -> Subnetwork:
        vtep = Vtep(network.vnis[index])
        for address in self._static_peers.get(network.name, ()):
            # What stands there is not in our store: it must be found by flooding and learning.
            vtep.flood = vtep.learning = True
            vtep.add_peer(address)
        suffix = f"/{index}" if index else ""
        subnetwork = Subnetwork(Segment(network.id + suffix, network.name + suffix, vtep), vtep)
        self._machine.switchboard.add_segment(subnetwork.segment)
        self._open[network.id, index] = subnetwork
        for subnet, peer in self._peers.get(network.id, {}).values():
            if subnet == index:
                _write(subnetwork, peer)
        return subnetwork

    # -- endpoints on other nodes -----------------------------------------------------------------

    def add_peer(self, network: NetworkRecord, peer: Peer) -> None:
        """An endpoint of the network stands on another node."""
        self.remove_peer(network.id, peer.endpoint)
        index = _index_of(network, peer.address)
        self._peers.setdefault(network.id, {})[peer.endpoint] = (index, peer)
        if (subnetwork := self._open.get((network.id, index))) is not None:
            _write(subnetwork, peer)

    def remove_peer(self, network_id: str, endpoint: str) -> None:
        """It does not stand there any more; without effect if it is not known."""
        peers = self._peers.get(network_id, {})
        index, peer = peers.pop(endpoint, (0, None))
        if not peers:
            self._peers.pop(network_id, None)
        subnetwork = self._open.get((network_id, index))
        if peer is not None and subnetwork is not None:
            _erase(subnetwork, peer)


def _mtu(network: NetworkRecord) -> int:
    """What its endpoints carry: VXLAN's headers need room, too, and ESP's if it is to be encrypted."""
    plain = mtu(network.options, UNDERLAY_MTU_DEFAULT) - OVERHEAD_BYTES
    return (plain - ESP_BYTES) // 4 * 4 if ENCRYPTED_OPTION in network.options else plain


def _write(subnetwork: Subnetwork, peer: Peer) -> None:
    mac = parse_mac(peer.mac)
    subnetwork.segment.neighbors.set(parse_cidr(peer.address)[0], mac)
    subnetwork.vtep.static[mac] = peer.underlay_address
    subnetwork.vtep.add_peer(peer.underlay_address)
    subnetwork.written[peer.endpoint] = peer


def _erase(subnetwork: Subnetwork, peer: Peer) -> None:
    """Take a peer's rows away, unless the address has moved to another endpoint meanwhile."""
    del subnetwork.written[peer.endpoint]
    subnetwork.vtep.remove_peer(peer.underlay_address)
    if any(other.address == peer.address for other in subnetwork.written.values()):
        return
    mac = parse_mac(peer.mac)
    subnetwork.segment.neighbors.remove(parse_cidr(peer.address)[0], mac)
    if subnetwork.vtep.static.get(mac) == peer.underlay_address:
        del subnetwork.vtep.static[mac]


def _index_of(network: NetworkRecord, address: str) -> int:
    """Which of the network's subnets an address with prefix length lies in."""
    if len(network.subnets) == 1:
        return 0
    wanted = IPv4Interface(address).ip
    for index, subnet in enumerate(network.subnets):
        if wanted in IPv4Network(subnet.subnet):
            return index
    raise AssertionError(f"{address} lies in no subnet of network {network.name}")
