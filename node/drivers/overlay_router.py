"""What joins the subnets of one overlay on a node, as the engine's namespace of that overlay does.

    subnet 0 --- gateway 10.1.0.1 --+
                                    router (forwards)
    subnet 1 --- gateway 10.2.0.1 --+

Every node with an endpoint in the overlay has one of its own, and each answers to the same addresses:
ARP never leaves a node (moby: drivers/overlay/ov_network.go, joinleave.go).
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network

from node.datapath.port import Port
from node.datapath.segment import Segment
from node.drivers.machine import Machine
from node.model.address import format_mac, random_mac
from node.model.network import NetworkRecord
from node.stack.sandbox import Sandbox


class OverlayRouter:
    """See the module. ``segments``: one for each subnet of the network, in the same order."""

    def __init__(
        self,
        machine: Machine,
        sandbox: Sandbox,
        network: NetworkRecord,
        segments: Sequence[Segment],
        mtu: int,
    ) -> None:
        self._machine = machine
        self._sandbox = sandbox
        self._ports: dict[str, Port] = {}
        sandbox.stack.forwarding = True
        for number, (subnet, segment) in enumerate(zip(network.subnets, segments, strict=True)):
            length = IPv4Network(subnet.subnet).prefixlen
            # Its own on every node: an address of 02:42 would be heard of from the others, too.
            mac = format_mac(random_mac(machine.chance))
            interface = f"br{number}"
            address = f"{subnet.gateway}/{length}"
            self._ports[interface] = machine.attach(segment, sandbox, interface, mac, address, mtu)

    def close(self) -> None:
        """Nobody needs it any more."""
        for interface, port in self._ports.items():
            self._machine.detach(port, self._sandbox, interface)
        self._sandbox.close()
