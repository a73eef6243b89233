"""Which subnet a new network gets, and which address a new endpoint: pure choices over what is taken.

The rules are the engine's default IPAM (moby: libnetwork/ipams/defaultipam, ipamutils/utils.go) and
the swarm allocator's (swarmkit: manager/allocator): a network of one node gets the lowest subnet and
the lowest address that is free; the swarm gives the *next* address after the last one given, so that
an address which was released is used again as late as possible.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from itertools import chain

import msgspec

from node.config import NodeConfig
from node.control.network_index import NetworkIndex
from node.control.pools import Pools, TakenPools
from node.errors import Failed, Forbidden, InvalidParameter
from node.model.network import NetworkRecord, Scope, Subnet

LOCAL_POOLS: Pools = (
    ("172.17.0.0/16", 16),
    ("172.18.0.0/16", 16),
    ("172.19.0.0/16", 16),
    ("172.20.0.0/14", 16),
    ("172.24.0.0/14", 16),
    ("172.28.0.0/14", 16),
    ("192.168.0.0/16", 20),
)
"""Where networks of one node come from: a base, and the prefix length it is cut into."""

SWARM_POOLS: Pools = (("10.0.0.0/8", 24),)
"""Where overlay networks come from."""


@dataclass(frozen=True, slots=True)
class DefaultPools:
    """Where networks without a subnet of their own get it from, on one node."""

    local: Pools = LOCAL_POOLS
    swarm: Pools = SWARM_POOLS
    reserved: tuple[IPv4Network, ...] = ()
    """What the host itself reaches, such as its LAN: no network of its own is put there."""

    @classmethod
    def of(cls, config: NodeConfig) -> DefaultPools:
        """As the node's settings say; pools are tried in order of address (moby: newAddrSpace)."""
        given = tuple((pool.base, pool.size) for pool in config.default_address_pools)
        size = config.default_addr_pool_mask_length
        return cls(
            local=_in_order(given) or LOCAL_POOLS,
            swarm=_in_order(tuple((base, size) for base in config.default_addr_pool)),
            reserved=(IPv4Interface(config.lan_address).network,),
        )

    def choose(self, scope: Scope, taken: TakenPools) -> IPv4Network:
        """The lowest block that is free. Raises InvalidParameter when there is none."""
        if scope == "swarm":
            return choose_pool(self.swarm, taken)
        return choose_pool(self.local, taken, self.reserved)


def _in_order(pools: Pools) -> Pools:
    return tuple(sorted(pools, key=lambda pool: IPv4Network(pool[0])))


OVERLAP = "invalid pool request: Pool overlaps with other one on this address space"


def choose_pool(pools: Pools, taken: TakenPools, reserved: Iterable[IPv4Network] = ()) -> IPv4Network:
    """The lowest block that overlaps nothing taken or reserved (the host's own routes).

    Raises InvalidParameter when there is none.
    """
    block = taken.lowest_free(pools, reserved)
    if block is None:
        raise InvalidParameter("all predefined address pools have been fully subnetted")
    return block


def check_overlap(wanted: Subnet, index: NetworkIndex) -> None:
    """Refuse a subnet that overlaps another network's. Raises Forbidden.

    Two surprises are the engine's own (moby#46756): with an address range, other networks are not looked
    at, except that the very same subnet with the very same range is refused.
    """
    if wanted.range:
        clash = wanted.range in index.ranges(wanted.subnet)
    else:
        clash = index.pools.overlaps(IPv4Network(wanted.subnet))
    if clash:
        raise Forbidden(OVERLAP)


def reserve(wish: Subnet, taken: Container[str], *, needs_gateway: bool = True) -> Subnet:
    """A new network's subnet with its gateway; nobody may have that, nor an auxiliary address.

    A gateway that nobody named is the lowest free address of the range, if there has to be one.
    Raises Failed.
    """
    block, subnet = IPv4Network(wish.range or wish.subnet), IPv4Network(wish.subnet)
    gateway = wish.gateway
    if not gateway and needs_gateway:
        gateway = next((address for address in _candidates(subnet, block, "") if address not in taken), "")
        if not gateway:
            raise Failed("failed to allocate gateway (): no available addresses on this pool")
    if gateway and (gateway in taken or not _is_usable(subnet, IPv4Address(gateway))):
        raise Failed(f"failed to allocate gateway ({gateway}): Address already in use")
    reserved = {gateway}
    for name, address in wish.auxiliary.items():
        if address in taken or address in reserved or not _is_usable(subnet, IPv4Address(address)):
            raise Failed(
                f"failed to allocate secondary ip address ({name}:{address}): Address already in use"
            )
        reserved.add(address)
    return msgspec.structs.replace(wish, gateway=gateway)


def with_prefix(address: str, subnet: str) -> str:
    """An address with its subnet's prefix length, "10.0.1.3/24"."""
    return f"{address}/{IPv4Network(subnet).prefixlen}"


def subnet_of(network: NetworkRecord, address: str) -> Subnet | None:
    """The network's subnet that contains an address."""
    wanted = IPv4Address(address)
    for subnet in network.subnets:
        if wanted in IPv4Network(subnet.subnet):
            return subnet
    return None


def choose_address(network: NetworkRecord, taken: Container[str], cursors: str, *, serial: bool) -> str:
    """A free address of the network: the lowest, or with ``serial`` the next after its subnet's cursor.

    ``cursors`` are the addresses given out last, at most one a subnet, with spaces between: every subnet goes
    round by itself (swarmkit: one serial allocator a pool). Raises Failed when all are given out.
    """
    given_last = cursors.split() if serial else []
    for subnet in network.subnets:
        whole, block = IPv4Network(subnet.subnet), IPv4Network(subnet.range or subnet.subnet)
        cursor = next((address for address in given_last if IPv4Address(address) in whole), "")
        for candidate in _candidates(whole, block, cursor):
            if candidate not in taken:
                return candidate
    raise Failed(
        f"no available IPv4 addresses on this network's address pools: {network.name} ({network.id})"
    )


def moved(network: NetworkRecord, cursors: str, address: str) -> str:
    """The cursors once an address has been given out: its subnet's stands there, the others stay."""
    subnet = subnet_of(network, address)
    return " ".join([*(text for text in cursors.split() if subnet_of(network, text) != subnet), address])


def check_pinned(network: NetworkRecord, address: str, taken: Container[str]) -> str:
    """An address that the user named, if it can be had. Raises Forbidden or InvalidParameter."""
    subnet = subnet_of(network, address)
    if subnet is None:
        raise outside(address)
    if address in taken or not _is_usable(IPv4Network(subnet.subnet), IPv4Address(address)):
        raise Forbidden("Address already in use")
    return address


def check_free(address: str, taken: Container[str]) -> str:
    """An address that somebody else chose, if nobody has it. Raises Forbidden."""
    if address in taken:
        raise Forbidden("Address already in use")
    return address


def outside(address: str) -> InvalidParameter:
    """The error for an address that is in none of a network's subnets."""
    return InvalidParameter(f"invalid address {address}: It does not belong to any of this network's subnets")


def _bounds(network: IPv4Network) -> tuple[int, int]:
    """The first and the last address that may be given out; all of a /31 or /32 (RFC 3021)."""
    first, last = int(network.network_address), int(network.broadcast_address)
    return (first, last) if network.prefixlen >= 31 else (first + 1, last - 1)


def _is_usable(network: IPv4Network, address: IPv4Address) -> bool:
    first, last = _bounds(network)
    return first <= int(address) <= last


def _candidates(subnet: IPv4Network, block: IPv4Network, last: str) -> Iterator[str]:
    """Addresses of ``block`` usable in ``subnet``: from the start, or from after ``last`` round to it."""
    low, high = _bounds(subnet)
    low, high = max(low, int(block.network_address)), min(high, int(block.broadcast_address))
    start = low
    if last and low <= (after := int(IPv4Address(last)) + 1) <= high:
        start = after
    for number in chain(range(start, high + 1), range(low, start)):
        yield str(IPv4Address(number))
