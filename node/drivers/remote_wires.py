"""The wires of plugins' networks, which are ours: on each node one segment for each such network.

    container --- port --+                                   a plugin decides (addresses, gateway,
                         +-- segment ~~~ VXLAN ~~~ the         routes, names); its interface SrcName
    container --- port --+      |        other nodes           stands for a port of this segment
                                |
                  host: br-..., the gateway's address

A segment appears with the first endpoint on the node and goes with the last. VXLAN joins the nodes if
the plugin's scopes are global; there the segment floods and learns, as any switch would, since ARP is
the plugin's business. The host has an interface on the segment if the network is of this node alone and
the plugin sends containers to the network's own gateway.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Network

from node.datapath.port import Port
from node.datapath.segment import Segment
from node.datapath.vtep import Vtep
from node.drivers.base import Peer
from node.drivers.firewall import BridgeRules
from node.drivers.machine import LAN_MTU, Machine
from node.model.address import format_mac, random_mac
from node.model.ids import short
from node.model.network import EndpointRecord, NetworkRecord
from node.stack.sandbox import Sandbox
from node.wire.vxlan import OVERHEAD_BYTES


@dataclass(slots=True)
class Wired:
    """One network on this node."""

    segment: Segment
    mtu: int
    ports: dict[str, tuple[Port, str]] = field(default_factory=dict)
    """By endpoint: its port, and the interface's name in the container."""
    gateway: Port | None = None
    interface: str = ""
    """The host's, if it has one."""


class Wires:
    """See the module."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._open: dict[str, Wired] = {}
        self._peers: dict[str, dict[str, str]] = {}
        """Underlay addresses of endpoints on other nodes, by network and endpoint."""

    def plug(
        self, network: NetworkRecord, endpoint: EndpointRecord, sandbox: Sandbox, *, spans: bool
    ) -> None:
        """Put the endpoint's interface into the sandbox and its other end on the segment."""
        wired = self._open.get(network.id)
        if wired is None:
            wired = self._open[network.id] = self._appear(network, spans=spans)
        if endpoint.gateway and not spans:
            self._add_host(network, wired, endpoint.gateway)
        port = self._machine.attach(
            wired.segment, sandbox, endpoint.interface, endpoint.mac, endpoint.address, wired.mtu
        )
        wired.ports[endpoint.id] = port, endpoint.interface
        sandbox.announce(endpoint.interface)

    def unplug(self, network_id: str, endpoint_id: str, sandbox: Sandbox) -> None:
        """Undo plug; without effect where nothing is plugged in."""
        wired = self._open.get(network_id)
        if wired is None or endpoint_id not in wired.ports:
            return
        port, interface = wired.ports.pop(endpoint_id)
        self._machine.detach(port, sandbox, interface)
        if not wired.ports:
            if wired.gateway is not None:
                del self._machine.firewall.bridges[wired.interface]
                self._machine.detach(wired.gateway, self._machine.host, wired.interface)
            self._machine.switchboard.remove_segment(wired.segment)
            del self._open[network_id]

    def _appear(self, network: NetworkRecord, *, spans: bool) -> Wired:
        vtep = Vtep(network.vnis[0], flood=True, learning=True) if spans else None
        segment = Segment(network.id, network.name, vtep)
        self._machine.switchboard.add_segment(segment)
        if vtep is not None:
            for underlay_address in self._peers.get(network.id, {}).values():
                vtep.add_peer(underlay_address)
        return Wired(segment, LAN_MTU - OVERHEAD_BYTES if spans else LAN_MTU)

    def _add_host(self, network: NetworkRecord, wired: Wired, gateway: str) -> None:
        """The host is the gateway, if the address that the plugin named is the network's own."""
        own = next((subnet for subnet in network.subnets if subnet.gateway == gateway), None)
        if own is None or wired.gateway is not None:
            return
        wired.interface = f"br-{short(network.id)}"
        wired.gateway = self._machine.attach(
            wired.segment,
            self._machine.host,
            wired.interface,
            format_mac(random_mac(self._machine.chance)),
            f"{gateway}/{IPv4Network(own.subnet).prefixlen}",
        )
        self._machine.firewall.bridges[wired.interface] = BridgeRules(internal=network.internal)

    # -- endpoints on other nodes -----------------------------------------------------------------

    def add_peer(self, network_id: str, peer: Peer) -> None:
        """An endpoint of the network stands on another node."""
        self.remove_peer(network_id, peer.endpoint)
        self._peers.setdefault(network_id, {})[peer.endpoint] = peer.underlay_address
        self._with_vtep(network_id, lambda vtep: vtep.add_peer(peer.underlay_address))

    def remove_peer(self, network_id: str, endpoint: str) -> None:
        """It does not stand there any more; without effect if it is not known."""
        peers = self._peers.get(network_id, {})
        underlay_address = peers.pop(endpoint, None)
        if not peers:
            self._peers.pop(network_id, None)
        if underlay_address is not None:
            self._with_vtep(network_id, lambda vtep: vtep.remove_peer(underlay_address))

    def _with_vtep(self, network_id: str, change: Callable[[Vtep], None]) -> None:
        wired = self._open.get(network_id)
        if wired is not None and wired.segment.vtep is not None:
            change(wired.segment.vtep)
