"""The simulated hardware of a node, on which the drivers build.

                     host sandbox (routes, forwards)
        docker0 ---+      |          +--- br-1a2b3c...
                   |    eth0         |
       containers =+      |          += containers
                         LAN  ~~~ cable (UDP) ~~~ the other hosts

The host sandbox is the host's own network namespace: `lo`, `eth0` on the LAN, and one interface for
each bridge, which is its containers' gateway. The cable carries VLANs too: a segment for each that
this host has an interface in, beside the LAN's own.
"""

from __future__ import annotations

import random

from node.datapath.macvlan import Role
from node.datapath.port import Port
from node.datapath.segment import Segment
from node.datapath.switchboard import Switchboard
from node.datapath.vtep import Vtep
from node.drivers.firewall import Firewall
from node.model.address import format_mac, parse_mac, random_mac
from node.seams import Channel
from node.stack.sandbox import Sandbox

LAN_VNI = 1
"""The LAN's frames carry it; the cable has a UDP port of its own, so it clashes with no overlay."""
LAN_INTERFACE = "eth0"
LAN_MTU = 1500


class Machine:
    """See the module. ``lan_address`` has its prefix length.

    ``lan_hairpin``: the LAN's switch sends a frame back to the host that it came from, if it must.
    """

    def __init__(
        self,
        switchboard: Switchboard,
        host: Sandbox,
        lan_address: str,
        lan_gateway: str,
        chance: random.Random,
        *,
        lan_hairpin: bool = False,
    ) -> None:
        self.switchboard = switchboard
        self.host = host
        self.chance = chance
        self.lan = Segment("lan", "lan", Vtep(LAN_VNI, flood=True, learning=True), Channel.CABLE)
        self.lan.hairpin = lan_hairpin
        self.lan.vlans = {}
        switchboard.add_segment(self.lan)
        mac = format_mac(random_mac(chance))
        self.lan_port = self.attach(self.lan, host, LAN_INTERFACE, mac, lan_address)
        self.lan_port.macvlan = Role.PARENT
        host.set_default_route(lan_gateway, LAN_INTERFACE)
        host.stack.forwarding = True
        self.firewall = Firewall(host, LAN_INTERFACE)

    def attach(
        self, segment: Segment, sandbox: Sandbox, interface: str, mac: str, address: str, mtu: int = LAN_MTU
    ) -> Port:
        """Plug an interface of a sandbox into a segment; ``address`` has its prefix length, or is empty."""
        port = Port(f"{sandbox.name}/{interface}", parse_mac(mac), sandbox.receiver(interface), mtu)
        transmit = self.switchboard.transmit
        sandbox.attach(interface, mac, mtu, lambda frame, now: transmit(port, frame, now), address)
        self.switchboard.plug(segment, port)
        return port

    def detach(self, port: Port, sandbox: Sandbox, interface: str) -> None:
        """Undo attach."""
        self.switchboard.unplug(port)
        sandbox.detach(interface)

    def add_vlan(self, number: int) -> Segment:
        """A VLAN of the LAN, which this host has no interface in yet."""
        assert self.lan.vtep is not None
        vtep = Vtep(LAN_VNI, flood=True, learning=True, vlan_number=number)
        vtep.peers = dict(self.lan.vtep.peers)
        segment = Segment(f"lan.{number}", f"lan.{number}", vtep, Channel.CABLE)
        segment.hairpin = self.lan.hairpin
        self.switchboard.add_segment(segment)
        return segment

    def add_to_lan(self, underlay_address: str) -> None:
        """Another host is plugged into the LAN."""
        for vtep in self._lan_vteps():
            vtep.add_peer(underlay_address)

    def remove_from_lan(self, underlay_address: str) -> None:
        """It is not any more."""
        for vtep in self._lan_vteps():
            vtep.remove_peer(underlay_address)

    def _lan_vteps(self) -> list[Vtep]:
        vlans = self.lan.vlans or {}
        return [one.vtep for one in (self.lan, *vlans.values()) if one.vtep is not None]
