"""Do the things that `docker create` and `network connect` ask for go together? In the engine's words.

Pure. Sources: moby runconfig/hostconfig.go, hostconfig_unix.go (network modes) and
daemon/container_operations.go (validateEndpointSettings).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import AddressValueError, IPv4Address, IPv4Network

from node.control.problems import joined
from node.errors import InvalidParameter
from node.model.address import parse_mac
from node.model.container import ContainerSpec
from node.model.network import EndpointSpec, NetworkRecord, Subnet

INTERFACE_OPTION = "com.docker.network.endpoint.ifname"
SYSCTLS_OPTION = "com.docker.network.endpoint.sysctls"
"""Of an endpoint (moby: libnetwork/netlabel/labels.go)."""
_INTERFACE_NAME = re.compile(r"(?!\.{1,2}$|lo$)[^\s/:]{1,15}")
"""Linux: dev_valid_name; lo is there already."""

NOT_USER_DEFINED = ("bridge", "host", "none", "default")


def validate_modes(spec: ContainerSpec) -> None:
    """Refuse options that contradict the network mode or each other. Raises InvalidParameter."""
    mode = spec.network_mode
    if spec.auto_remove and spec.restart.name not in ("", "no"):
        raise InvalidParameter("can't create 'AutoRemove' container with restart policy")
    if mode == "container" or mode.startswith("container:"):
        _check_joined(spec, mode.partition(":")[2])
    if mode == "host" and spec.links:
        raise InvalidParameter(
            "conflicting options: host type networking can't be used with links. "
            "This would result in undefined behavior"
        )
    if spec.uts_mode == "host":
        _refuse(spec.hostname, "hostname and the UTS mode")


def _check_joined(spec: ContainerSpec, other: str) -> None:
    """A container in another's sandbox has no network settings of its own."""
    if not other:
        raise InvalidParameter("invalid network mode: invalid container format container:<name|id>")
    _refuse(spec.hostname, "hostname and the network mode")
    if spec.links:
        raise InvalidParameter(
            "conflicting options: container type network can't be used with links. "
            "This would result in undefined behavior"
        )
    _refuse(spec.dns, "dns and the network mode")
    _refuse(spec.extra_hosts, "custom host-to-IP mapping and the network mode")
    published = spec.port_bindings or spec.publish_all
    _refuse(published, "port publishing and the container type network mode")
    _refuse(spec.exposed_ports, "port exposing and the container type network mode")


def _refuse(given: object, options: str) -> None:
    if given:
        raise InvalidParameter(f"conflicting options: {options}")


def validate_endpoint(network: NetworkRecord | None, name: str, spec: EndpointSpec) -> list[str]:
    """What is wrong with an endpoint's settings, one sentence each; empty if nothing is.

    ``name`` is how the user called the network; ``network`` is None if it does not exist (yet), and
    then its subnets are not looked at. The engine names everything that is wrong with one address.
    """
    problems: list[str] = []
    user_defined = name not in NOT_USER_DEFINED
    if spec.address and not user_defined:
        problems.append("user specified IP address is supported on user defined networks only")
    if spec.aliases and not user_defined:
        problems.append("network-scoped alias is supported only for containers in user defined networks")
    address = _parse_address(spec.address)
    if spec.address and address is None:
        problems.append(f"invalid IPv4 address: {spec.address}")
    if spec.address and network is not None:
        problems += _range_problems(spec.address, address, network.subnets)
    interface = spec.driver_options.get(INTERFACE_OPTION, "")
    if interface and not _INTERFACE_NAME.fullmatch(interface):
        problems.append(f"invalid interface name {interface}: at most 15 characters, no slash, no blank")
    if SYSCTLS_OPTION in spec.driver_options:
        problems.append(f"interfaces have no sysctls here: leave the option {SYSCTLS_OPTION} out")
    if spec.mac and not _is_mac(spec.mac):
        problems.append(f"invalid MAC address {spec.mac}")
    return problems


def check_endpoint(network: NetworkRecord | None, name: str, spec: EndpointSpec) -> None:
    """Refuse settings that are wrong, as `network connect` does. Raises InvalidParameter."""
    if problems := validate_endpoint(network, name, spec):
        raise InvalidParameter(f"invalid endpoint settings:\n{joined(problems)}")


def check_endpoints(wishes: Iterable[tuple[NetworkRecord | None, str, EndpointSpec]]) -> None:
    """Refuse settings that are wrong, as `create` does: all networks in one. Raises InvalidParameter."""
    refused = [
        f"invalid config for network {name}: invalid endpoint settings:\n{joined(problems)}"
        for network, name, spec in wishes
        if (problems := validate_endpoint(network, name, spec))
    ]
    if refused:
        raise InvalidParameter(joined(refused))


def _range_problems(text: str, address: IPv4Address | None, subnets: tuple[Subnet, ...]) -> list[str]:
    given = [subnet for subnet in subnets if subnet.given]
    if not given:
        return [
            "user specified IP address is supported only when connecting to networks with user configured "
            "subnets"
        ]
    if address is not None and any(address in IPv4Network(subnet.subnet) for subnet in given):
        return []
    return [f"no configured subnet or ip-range contain the IP address {text}"]


def _parse_address(text: str) -> IPv4Address | None:
    try:
        address = IPv4Address(text)
    except AddressValueError:
        return None
    return None if address.is_unspecified else address


def _is_mac(text: str) -> bool:
    try:
        parse_mac(text)
    except ValueError:
        return False
    return True
