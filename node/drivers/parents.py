"""The interfaces of a host that macvlan containers hang from, each for as long as a network wants it.

eth0             the LAN, untagged: always there
eth0.10          VLAN 10 of it (802.1Q): made for the first network, gone with the last
dm-1a2b3c4d5e6f  a dummy, for a network without a parent: it leads nowhere
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field

from node.datapath.macvlan import Role
from node.datapath.port import Port
from node.datapath.segment import Segment
from node.drivers.machine import LAN_INTERFACE, LAN_MTU, Machine
from node.errors import Failed
from node.model.address import format_mac, random_mac
from node.wire import vlan

DUMMY_PREFIX = "dm-"


@dataclass(slots=True)
class Parent:
    """One of them: the host's port on its segment, and the networks that use it, by id."""

    segment: Segment
    port: Port
    networks: dict[str, None] = field(default_factory=dict)


class Parents:
    """See the module."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._parents: dict[str, Parent] = {}

    def check(self, name: str) -> None:
        """Refuse what is no interface of the host and cannot become one. Raises Failed.

        The engine's texts and order (moby: libnetwork/drivers/macvlan/macvlan_setup.go).
        """
        if name == LAN_INTERFACE or name in self._parents:
            return
        interfaces = self._machine.host.stack.interfaces
        if name in interfaces:
            raise _not_here(name)
        if "." not in name:
            raise Failed(f"invalid subinterface vlan name {name}, example formatting is eth0.10")
        if _vlan_number(name, interfaces) in (self._machine.lan.vlans or {}):
            raise Failed(f"failed to create {name} vlan link: file exists")

    def acquire(self, name: str, network: str) -> Parent:
        """The parent of this name, made if it is not there; it stays until the network releases it."""
        parent = self._parents.get(name)
        if parent is None:
            parent = self._parents[name] = self._make(name)
        parent.networks[network] = None
        return parent

    def release(self, name: str, network: str) -> None:
        """A network is gone; with the last one goes what was made for it."""
        parent = self._parents[name]
        del parent.networks[network]
        if parent.networks:
            return
        del self._parents[name]
        if name != LAN_INTERFACE:
            self._machine.detach(parent.port, self._machine.host, name)
            self._machine.switchboard.remove_segment(parent.segment)

    def _make(self, name: str) -> Parent:
        machine = self._machine
        if name == LAN_INTERFACE:
            return Parent(machine.lan, machine.lan_port)
        if name.startswith(DUMMY_PREFIX):
            segment = Segment(name, name)
            machine.switchboard.add_segment(segment)
            mac = format_mac(random_mac(machine.chance))
        else:
            segment = machine.add_vlan(int(name.partition(".")[2]))
            mac = format_mac(machine.lan_port.mac)  # a VLAN's interface has the hardware address of its own
        port = machine.attach(segment, machine.host, name, mac, "", LAN_MTU)
        port.macvlan = Role.PARENT
        if segment.vtep is not None:
            machine.host.stack.interfaces[name].beneath = LAN_INTERFACE
        return Parent(segment, port)


def _vlan_number(name: str, interfaces: Collection[str]) -> int:
    """The VLAN of an interface that could be made, 10 for "eth0.10". Raises Failed."""
    parts = name.split(".")
    if len(parts) != 2:
        raise Failed(
            "required interface name format is: name.vlan_id, ex. eth0.10 for vlan 10, "
            f"instead received {name}"
        )
    link, text = parts
    if not re.fullmatch(r"[+-]?[0-9]{1,18}", text):
        raise Failed(f"unable to parse a valid vlan id from: {text} (ex. eth0.10 for vlan 10)")
    if link not in interfaces:
        raise Failed(f"-o parent interface was not found on the host: {link}")
    number = int(text)
    if not vlan.NUMBER_MIN <= number <= vlan.NUMBER_MAX:
        raise Failed(f"vlan id must be between 1-4094, received: {number}")
    if link != LAN_INTERFACE:
        raise _not_here(link)
    return number


def _not_here(name: str) -> Failed:
    return Failed(
        f"{name} is the device of another network: a macvlan parent is {LAN_INTERFACE} here, "
        f"or a VLAN of it such as {LAN_INTERFACE}.10"
    )
