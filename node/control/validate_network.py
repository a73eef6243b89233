"""Is what `docker network create` asks for possible at all? The engine's checks, in its words.

Pure: only the request is looked at. Whether its name, its subnet or its driver can be had is decided
against what exists (controller.py, plans.py). Source: moby api/types/network/ipam.go (ValidateIPAM)
and libnetwork/network.go (validateConfiguration).
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import AddressValueError, IPv4Address, IPv4Network, ip_address

from node import errors
from node.control.problems import joined
from node.errors import Forbidden, InvalidParameter
from node.model.network import NetworkSpec, Subnet

OPERATOR_FIELDS = (
    "configuration network can only contain network specific fields. Network operator fields like "
    "[ ingress | internal | attachable | scope ] are not supported."
)


def validate_network(spec: NetworkSpec) -> None:
    """Raises InvalidParameter, Forbidden or NotImplemented."""
    if spec.enable_ipv6:
        raise errors.NotImplemented("IPv6 is not simulated: create the network without --ipv6")
    problems = [problem for subnet in spec.subnets for problem in _subnet_problems(subnet)]
    if problems:
        raise InvalidParameter(f"invalid network config:\n{joined(problems)}")
    if not spec.name.strip():
        raise InvalidParameter("invalid name: name is empty")
    _check_configuration_networks(spec)
    if not spec.enable_ipv4:
        raise InvalidParameter(
            "IPv4 cannot be disabled in a Swarm scoped network"
            if spec.driver == "overlay"
            else "IPv4 or IPv6 must be enabled"
        )


def _check_configuration_networks(spec: NetworkSpec) -> None:
    """--config-only and --config-from, which contradict nearly everything else."""
    if spec.config_only and (spec.ingress or spec.internal or spec.attachable or spec.scope):
        raise Forbidden(OPERATOR_FIELDS)
    if not spec.config_from:
        return
    if spec.config_only:
        raise Forbidden("a configuration network cannot depend on another configuration network")
    given = spec.subnets or spec.labels or spec.ipam_options or not spec.enable_ipv4
    if given or spec.ipam_driver != "default":
        raise Forbidden(
            "user specified configurations are not supported if the network depends on "
            "a configuration network"
        )
    if spec.options:
        raise Forbidden(
            "network driver options are not supported if the network depends on a configuration network"
        )


def _subnet_problems(wish: Subnet) -> Iterator[str]:
    parsed = _parse_block(wish.subnet)
    if parsed is None:
        yield f"invalid subnet {wish.subnet}: invalid CIDR block notation"
        return
    subnet, has_host_bits = parsed
    shown = wish.subnet if has_host_bits else str(subnet)
    if has_host_bits:
        yield f"invalid subnet {shown}: it should be {subnet}"
    if wish.range:
        yield from _range_problems(wish.range, subnet, shown)
    if problem := _address_problem(wish.gateway, subnet, shown):
        yield f"invalid gateway {wish.gateway}: {problem}"
    for name, address in wish.auxiliary.items():
        if problem := _address_problem(address, subnet, shown):
            yield f"invalid auxiliary address {name}: {problem}"


def _range_problems(text: str, subnet: IPv4Network, shown: str) -> Iterator[str]:
    parsed = _parse_block(text)
    if parsed is None:
        yield f"invalid ip-range {text}: invalid CIDR block notation"
        return
    block, has_host_bits = parsed
    if block.prefixlen < subnet.prefixlen:
        yield f"invalid ip-range {text}: CIDR block is bigger than its parent subnet {shown}"
    if has_host_bits:
        yield f"invalid ip-range {text}: it should be {block}"
    if not subnet.overlaps(block):
        yield f"invalid ip-range {text}: parent subnet {shown} doesn't contain ip-range"


def _address_problem(text: str, subnet: IPv4Network, shown: str) -> str:
    """What is wrong with an address of the subnet; empty if nothing is, or if none was given."""
    if not text:
        return ""
    try:
        address = ip_address(text)
    except ValueError:
        return "invalid address"
    if not isinstance(address, IPv4Address):
        return "parent subnet is an IPv4 block"
    return "" if address in subnet else f"parent subnet {shown} doesn't contain this address"


def _parse_block(text: str) -> tuple[IPv4Network, bool] | None:
    """ "10.0.0.1/24" as its network, and whether bits of a host were set; None if it is no CIDR block."""
    address, _, length = text.partition("/")
    if not (length.isascii() and length.isdecimal()) or len(length) > 2 or int(length) > 32:
        return None
    try:
        network = IPv4Network((address, int(length)), strict=False)
        return network, IPv4Address(address) != network.network_address
    except AddressValueError:
        return None
