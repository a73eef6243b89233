"""The bridge driver: a segment on one node, with the host's own interface as its gateway.

    container eth0 --- port --+
                              +-- bridge --- port --- host sandbox: docker0, 172.17.0.1/16
    container eth0 --- port --+

Options are the engine's labels (moby: libnetwork/drivers/bridge/labels.go).
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from ipaddress import IPv4Network

from node.datapath.port import Port
from node.datapath.segment import Segment
from node.drivers.base import Joined
from node.drivers.machine import BridgeRules, Machine
from node.drivers.options import boolean, mtu
from node.errors import Forbidden
from node.model.address import format_mac, random_mac
from node.model.ids import short
from node.model.network import EndpointRecord, NetworkRecord, NetworkSpec, Scope
from node.stack.sandbox import Sandbox

NAME_OPTION = "com.docker.network.bridge.name"
ICC_OPTION = "com.docker.network.bridge.enable_icc"
MTU_DEFAULT = 1500


@dataclass(slots=True)
class Bridge:
    """One open network: its segment, the host's interface on it, and who is plugged in."""

    segment: Segment
    interface: str
    gateway: Port
    isolated: bool
    mtu: int
    ports: dict[str, Port] = field(default_factory=dict)


class BridgeDriver:
    """See node/drivers/base.py."""

    name = "bridge"
    data_scope: Scope = "local"
    gives_gateway = True

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._open: dict[str, Bridge] = {}

    def check(self, spec: NetworkSpec) -> None:
        """Refuse what the engine refuses."""
        if len([subnet for subnet in spec.subnets if subnet.subnet]) > 1:
            raise Forbidden("bridge driver doesn't support multiple subnets")
        boolean(spec.options, ICC_OPTION, default=True)
        mtu(spec.options, MTU_DEFAULT)

    def check_beside(self, network: NetworkRecord, others: list[NetworkRecord]) -> None:
        """Neither the device's name nor the addresses may be another bridge's."""
        for other in others:
            clash = ""
            if bridge_name(other) == bridge_name(network):
                clash = "networks have same bridge name"
            elif _overlap(network, other):
                clash = "networks have overlapping IPv4"
            if clash:
                raise Forbidden(
                    f"cannot create network {network.id} ({bridge_name(network)}): "
                    f"conflicts with network {other.id} ({bridge_name(other)}): {clash}"
                )

    def choose_mac(self, address: str, chance: random.Random) -> str:
        """Random and locally administered, as since engine 28."""
        return format_mac(random_mac(chance))

    def open(self, network: NetworkRecord) -> None:
        """Make the segment and put the host's interface on it."""
        segment = Segment(network.id, network.name)
        self._machine.switchboard.add_segment(segment)
        interface = bridge_name(network)
        size = mtu(network.options, MTU_DEFAULT)
        subnet = network.subnets[0]
        length = IPv4Network(subnet.subnet).prefixlen
        mac = format_mac(random_mac(self._machine.chance))
        address = f"{subnet.gateway}/{length}"
        gateway = self._machine.attach(segment, self._machine.host, interface, mac, address, size)
        isolated = not boolean(network.options, ICC_OPTION, default=True)
        self._machine.bridges[interface] = BridgeRules(internal=network.internal)
        self._open[network.id] = Bridge(segment, interface, gateway, isolated, size)

    def close(self, network: NetworkRecord) -> None:
        """Take the segment and the host's interface away."""
        bridge = self._open.pop(network.id)
        del self._machine.bridges[bridge.interface]
        self._machine.detach(bridge.gateway, self._machine.host, bridge.interface)
        self._machine.switchboard.remove_segment(bridge.segment)

    def join(self, network: NetworkRecord, endpoint: EndpointRecord, sandbox: Sandbox) -> Joined:
        """Plug the sandbox's new interface into the bridge."""
        bridge = self._open[network.id]
        port = self._machine.attach(
            bridge.segment, sandbox, endpoint.interface, endpoint.mac, endpoint.address, bridge.mtu
        )
        port.isolated = bridge.isolated
        bridge.ports[endpoint.id] = port
        # The address may have been another container's a moment ago: whoever remembers that one forgets it.
        sandbox.announce(endpoint.interface)
        return Joined(endpoint.interface, endpoint.gateway)

    def leave(self, network: NetworkRecord, endpoint: EndpointRecord, sandbox: Sandbox) -> None:
        """Unplug it."""
        port = self._open[network.id].ports.pop(endpoint.id)
        self._machine.detach(port, sandbox, endpoint.interface)


def bridge_name(network: NetworkRecord) -> str:
    """The device's name: what the option says, or br- and the short id."""
    return network.options.get(NAME_OPTION) or f"br-{short(network.id)}"


def _overlap(one: NetworkRecord, other: NetworkRecord) -> bool:
    return any(
        IPv4Network(mine.subnet).overlaps(IPv4Network(theirs.subnet))
        for mine in one.subnets
        for theirs in other.subnets
    )
