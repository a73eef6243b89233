"""The bridge driver: a segment on one node, with the host's own interface as its gateway.

    container eth0 --- port --+
                              +-- bridge --- port --- host sandbox: docker0, 172.17.0.1/16
    container eth0 --- port --+

Options are the engine's labels (moby: libnetwork/drivers/bridge/labels.go).
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network

from node.datapath.port import Port
from node.datapath.segment import Segment
from node.drivers.base import Joined, QuietDriver, Wishes
from node.drivers.firewall import ISOLATED, NAT, NAT_UNPROTECTED, PROTOCOLS, ROUTED, BridgeRules
from node.drivers.machine import Machine
from node.drivers.options import boolean, mtu
from node.errors import Failed, Forbidden, InvalidParameter
from node.model.address import address_mac, format_mac, parse_ipv4, random_mac
from node.model.ids import short
from node.model.network import EndpointRecord, NetworkRecord, NetworkSpec, Scope
from node.stack.sandbox import Sandbox

NAME_OPTION = "com.docker.network.bridge.name"
ICC_OPTION = "com.docker.network.bridge.enable_icc"
MASQUERADE_OPTION = "com.docker.network.bridge.enable_ip_masquerade"
BINDING_OPTION = "com.docker.network.bridge.host_binding_ipv4"
INHIBIT_OPTION = "com.docker.network.bridge.inhibit_ipv4"
MODE_OPTION = "com.docker.network.bridge.gateway_mode_ipv4"
TRUSTED_OPTION = "com.docker.network.bridge.trusted_host_interfaces"
SOURCE_OPTION = "com.docker.network.host_ipv4"
MODES = (NAT, NAT_UNPROTECTED, ROUTED, ISOLATED)
MTU_DEFAULT = 1500
DEVICE_NAME_MAX = 15
"""Characters (Linux: IFNAMSIZ, with the zero at its end)."""
PREFIX_OPTION = "com.docker.network.container_iface_prefix"
PREFIX_MAX = 11
BRIDGES_MAX = 16_000
"""On one host, each with an interface and a route of the host's stack."""


@dataclass(slots=True)
class Bridge:
    """One open network: its segment, the host's interface on it, and who is plugged in."""

    segment: Segment
    interface: str
    gateway: Port
    isolated: bool
    mtu: int
    ports: dict[str, Port] = field(default_factory=dict)


class BridgeDriver(QuietDriver):
    """See node/drivers/base.py."""

    name = "bridge"
    data_scope: Scope = "local"
    gives_gateway = True

    def __init__(self, machine: Machine, *, macs_from_addresses: bool = False) -> None:
        """``macs_from_addresses``: as engines before 28 gave them, instead of by chance."""
        self._machine = machine
        self._macs_from_addresses = macs_from_addresses
        self._open: dict[str, Bridge] = {}

    def check(self, spec: NetworkSpec) -> None:
        """Refuse what the engine refuses."""
        if len([subnet for subnet in spec.subnets if subnet.subnet]) > 1:
            raise Forbidden("bridge driver doesn't support multiple subnets")
        for key, default in ((ICC_OPTION, True), (MASQUERADE_OPTION, True), (INHIBIT_OPTION, False)):
            boolean(spec.options, key, default=default)
        mtu(spec.options, MTU_DEFAULT)
        if len(prefix := spec.options.get(PREFIX_OPTION, "")) > PREFIX_MAX or not prefix.isprintable():
            raise InvalidParameter(f"{PREFIX_OPTION}: at most {PREFIX_MAX} characters, a number follows them")
        for key in (BINDING_OPTION, SOURCE_OPTION):
            _address(spec.options, key)
        _check_device_name(spec.options.get(NAME_OPTION, ""))
        mode = spec.options.get(MODE_OPTION, NAT)
        if mode not in MODES:
            raise InvalidParameter(
                f"failed to parse {MODE_OPTION} value: {mode} (unknown gateway mode {mode})"
            )
        if mode == ISOLATED and not spec.internal:
            raise InvalidParameter("gateway mode 'isolated' can only be used for an internal network")

    async def skips_gateway(self, spec: NetworkSpec | NetworkRecord) -> bool:
        """An isolated network has no address of the host: the first container may have it."""
        return spec.options.get(MODE_OPTION) == ISOLATED

    def check_beside(self, network: NetworkRecord, others: list[NetworkRecord]) -> None:
        """Neither the device's name nor the addresses may be another bridge's, nor the name any device's.

        Addresses can clash only where the pools were not compared (a range, an IPAM driver of somebody
        else's), and a name only where somebody chose it.
        """
        if len(others) >= BRIDGES_MAX:
            raise Forbidden(f"a host has at most {BRIDGES_MAX} bridges here: remove some")
        ranged = network.ipam_driver != "default" or any(subnet.range for subnet in network.subnets)
        chosen = ranged or NAME_OPTION in network.options
        for other in others if chosen else [other for other in others if NAME_OPTION in other.options]:
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
        if bridge_name(network) in self._machine.host.stack.interfaces:
            raise Failed(f"existing interface {bridge_name(network)} is not a bridge")

    def choose_mac(self, address: str, chance: random.Random) -> str:
        """Random and locally administered, as since engine 28, or as before."""
        if self._macs_from_addresses:
            return format_mac(address_mac(parse_ipv4(address)))
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
        address = "" if _is_unreachable(network) else f"{subnet.gateway}/{length}"
        gateway = self._machine.attach(segment, self._machine.host, interface, mac, address, size)
        isolated = not boolean(network.options, ICC_OPTION, default=True)
        self._machine.firewall.bridges[interface] = _rules(network)
        self._open[network.id] = Bridge(segment, interface, gateway, isolated, size)

    def close(self, network: NetworkRecord) -> None:
        """Take the segment and the host's interface away."""
        bridge = self._open.pop(network.id)
        del self._machine.firewall.bridges[bridge.interface]
        self._machine.detach(bridge.gateway, self._machine.host, bridge.interface)
        self._machine.switchboard.remove_segment(bridge.segment)

    async def join(
        self, network: NetworkRecord, endpoint: EndpointRecord, sandbox: Sandbox, wishes: Wishes
    ) -> Joined:
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

    async def leave(self, network: NetworkRecord, endpoint: EndpointRecord, sandbox: Sandbox) -> None:
        """Unplug it."""
        bridge = self._open[network.id]
        port = bridge.ports.pop(endpoint.id)
        for other in bridge.ports.values():
            other.openings.pop(port.mac, None)
        self._machine.detach(port, sandbox, endpoint.interface)

    def link(self, source: EndpointRecord, target: EndpointRecord, ports: Iterable[tuple[int, str]]) -> None:
        """Let one container reach these ports of another, by number and protocol, though nobody else may."""
        bridge = self._open[source.network]
        known = [(PROTOCOLS[protocol], number) for number, protocol in ports if protocol in PROTOCOLS]
        bridge.ports[source.id].openings[bridge.ports[target.id].mac] = frozenset(known)


def bridge_name(network: NetworkRecord) -> str:
    """The device's name: what the option says, or br- and the short id."""
    return network.options.get(NAME_OPTION) or f"br-{short(network.id)}"


def _check_device_name(name: str) -> None:
    """Refuse a name that no device can have, as the kernel does (Linux: dev_valid_name). Raises Failed."""
    if len(name) > DEVICE_NAME_MAX:
        raise Failed("numerical result out of range")
    if name in (".", "..") or re.search(r"[/:\s]", name):
        raise Failed("invalid argument")


def _address(options: Mapping[str, str], key: str) -> bytes | None:
    """An IPv4 address, or None if the option is not given. Raises InvalidParameter."""
    text = options.get(key, "")
    if not text:
        return None
    try:
        return parse_ipv4(text)
    except ValueError:
        raise InvalidParameter(f"failed to parse {key} value: {text} (invalid IP address)") from None


def _is_unreachable(network: NetworkRecord) -> bool:
    """Whether the bridge has no address of the host."""
    inhibited = boolean(network.options, INHIBIT_OPTION, default=False)
    return inhibited or network.options.get(MODE_OPTION) == ISOLATED


def _rules(network: NetworkRecord) -> BridgeRules:
    options = network.options
    return BridgeRules(
        internal=network.internal,
        masquerade=boolean(options, MASQUERADE_OPTION, default=True),
        mode=options.get(MODE_OPTION, NAT),
        hide_as=_address(options, SOURCE_OPTION),
        trusted=tuple(name for name in options.get(TRUSTED_OPTION, "").split(":") if name),
    )


def _overlap(one: NetworkRecord, other: NetworkRecord) -> bool:
    return any(
        IPv4Network(mine.subnet).overlaps(IPv4Network(theirs.subnet))
        for mine in one.subnets
        for theirs in other.subnets
    )
