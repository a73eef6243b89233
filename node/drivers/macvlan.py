"""The macvlan driver: containers on the hosts' own LAN, with hardware addresses of their own.

    container eth0 --- port --+                              +-- port --- container eth0
    container eth0 --- port --+-- segment ~~~ cable ~~~ segment
    host eth0 -------- port --+   (LAN or VLAN)              +-- port --- host eth0

Every host gives addresses by itself, and the gateway is a router out there that no host makes. Who
hears whom on one host is decided in node/datapath/macvlan.py, which interfaces there are in parents.py.
Source: moby libnetwork/drivers/macvlan.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from node.datapath.macvlan import Role
from node.datapath.port import Port
from node.drivers.base import Joined, QuietDriver, Wishes
from node.drivers.machine import LAN_MTU, Machine
from node.drivers.parents import DUMMY_PREFIX, Parent, Parents
from node.errors import Failed
from node.model.address import address_mac, format_mac, parse_ipv4, parse_mac, random_mac
from node.model.ids import short
from node.model.network import EndpointRecord, NetworkRecord, NetworkSpec, Scope
from node.stack.sandbox import Sandbox

PARENT_OPTION = "parent"
MODE_OPTION = "macvlan_mode"
MODES = (Role.BRIDGE, Role.PRIVATE, Role.VEPA, Role.PASSTHRU)


@dataclass(slots=True)
class Macvlan:
    """One open network: its parent, and who hangs there, by endpoint."""

    parent: Parent
    role: Role
    ports: dict[str, Port] = field(default_factory=dict)


class MacvlanDriver(QuietDriver):
    """See node/drivers/base.py."""

    name = "macvlan"
    data_scope: Scope = "local"
    gives_gateway = True
    """A router that somebody else has put onto the LAN."""

    def __init__(self, machine: Machine, *, macs_from_addresses: bool = False) -> None:
        """``macs_from_addresses``: as engines before 28 gave them, instead of by chance."""
        self._machine = machine
        self._macs_from_addresses = macs_from_addresses
        self._parents = Parents(machine)
        self._open: dict[str, Macvlan] = {}

    def check(self, spec: NetworkSpec) -> None:
        """Refuse a mode that is none, and the loopback."""
        mode = spec.options.get(MODE_OPTION) or Role.BRIDGE
        if mode not in MODES:
            raise Failed(
                f"requested macvlan mode '{mode}' is not valid, 'bridge' mode is the macvlan driver default"
            )
        if spec.options.get(PARENT_OPTION) == "lo":
            raise Failed("loopback interface is not a valid macvlan parent link")

    def check_beside(self, network: NetworkRecord, others: list[NetworkRecord]) -> None:
        """One network in passthru mode has its parent alone; the parent must be there, or be made."""
        parent = parent_of(network)
        for other in others:
            if parent_of(other) != parent:
                continue
            if _role(network) is Role.PASSTHRU:
                raise Failed(
                    f"cannot use mode passthru, macvlan network {other.id} "
                    f"is already using parent interface {parent}"
                )
            if _role(other) is Role.PASSTHRU:
                raise Failed(
                    f"macvlan network {other.id} is already using parent interface {parent} in mode passthru"
                )
        if network.options.get(PARENT_OPTION):
            self._parents.check(parent)

    async def skips_gateway(self, spec: NetworkSpec | NetworkRecord) -> bool:
        """Without a parent, a network is as internal as one that is said to be."""
        return spec.internal or not spec.options.get(PARENT_OPTION)

    def choose_mac(self, address: str, chance: random.Random) -> str:
        """Random and locally administered, as since engine 28, or as before."""
        if self._macs_from_addresses and address:
            return format_mac(address_mac(parse_ipv4(address)))
        return format_mac(random_mac(chance))

    def open(self, network: NetworkRecord) -> None:
        """Have the parent ready."""
        parent = self._parents.acquire(parent_of(network), network.id)
        parent.segment.networks[network.name] = None
        self._open[network.id] = Macvlan(parent, _role(network))

    def close(self, network: NetworkRecord) -> None:
        """Do without it."""
        del self._open.pop(network.id).parent.segment.networks[network.name]
        self._parents.release(parent_of(network), network.id)

    async def join(
        self, network: NetworkRecord, endpoint: EndpointRecord, sandbox: Sandbox, wishes: Wishes
    ) -> Joined:
        """Hang the sandbox's new interface from the parent. Raises Failed."""
        macvlan = self._open[network.id]
        if macvlan.role is Role.PASSTHRU and macvlan.ports:
            raise Failed("failed to create the macvlan port: invalid argument")
        if parse_mac(endpoint.mac) in macvlan.parent.segment.bridge.static:
            device = f"veth{self._machine.chance.getrandbits(28):07x}"
            raise Failed(
                f'failed to add interface {device} to sandbox: error setting interface "{device}" '
                f'MAC to "{endpoint.mac}": address already in use'
            )
        port = self._machine.attach(
            macvlan.parent.segment, sandbox, endpoint.interface, endpoint.mac, endpoint.address, LAN_MTU
        )
        port.macvlan = macvlan.role
        macvlan.ports[endpoint.id] = port
        if macvlan.role is Role.PASSTHRU:
            macvlan.parent.port.up = False  # the host itself hears nothing through it any more
        sandbox.announce(endpoint.interface)
        return Joined(endpoint.interface, endpoint.gateway, gateway_service=False)

    async def leave(self, network: NetworkRecord, endpoint: EndpointRecord, sandbox: Sandbox) -> None:
        """Take it off again."""
        macvlan = self._open[network.id]
        self._machine.detach(macvlan.ports.pop(endpoint.id), sandbox, endpoint.interface)
        if macvlan.role is Role.PASSTHRU:
            macvlan.parent.port.up = True


def parent_of(network: NetworkRecord) -> str:
    """The parent's name: what the option says, or that of a dummy."""
    return network.options.get(PARENT_OPTION) or f"{DUMMY_PREFIX}{short(network.id)}"


def _role(network: NetworkRecord) -> Role:
    return Role(network.options.get(MODE_OPTION) or Role.BRIDGE)
