"""Networks and their endpoints, as asked for (spec) and as stored (record)."""

from __future__ import annotations

from typing import Literal

import msgspec

Scope = Literal["local", "swarm"]
DEFAULT_IPAM, NULL_IPAM = "default", "null"
"""Who gives addresses where no plugin does: the node or the swarm itself, or nobody."""
ANY_SUBNET = "0.0.0.0/0"
"""What the null IPAM gives."""

INGRESS_SANDBOX = "ingress-sbox"
"""What stands for a container where a node itself has its place in the ingress network."""


class Subnet(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One address block of a network, all in text: ``subnet`` and ``range`` as CIDR."""

    subnet: str
    gateway: str = ""
    range: str = ""
    auxiliary: dict[str, str] = {}
    given: bool = False
    """The user named the subnet (only then may addresses be pinned)."""
    pool: str = ""
    """What an IPAM plugin calls it."""
    address_space: str = ""
    """Where an IPAM plugin took it from."""
    gateway_given: bool = False
    """The user named the gateway (only then, or if the pool was automatic, does inspect show it)."""


class NetworkSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What `docker network create` asks for; ``subnets`` hold what the user gave, unchecked."""

    name: str
    driver: str = "bridge"
    scope: str = ""
    subnets: tuple[Subnet, ...] = ()
    ipam_driver: str = "default"
    ipam_options: dict[str, str] = {}
    internal: bool = False
    attachable: bool = False
    ingress: bool = False
    config_only: bool = False
    config_from: str = ""
    enable_ipv4: bool = True
    enable_ipv6: bool = False
    options: dict[str, str] = {}
    labels: dict[str, str] = {}


class NetworkRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A network that exists. ``created`` is RFC 3339 with nanoseconds, UTC."""

    id: str
    name: str
    driver: str
    scope: Scope
    created: str
    subnets: tuple[Subnet, ...] = ()
    vnis: tuple[int, ...] = ()
    """One VXLAN network identifier for each subnet of a network of the swarm."""
    ipam_driver: str = "default"
    ipam_options: dict[str, str] | None = None
    internal: bool = False
    attachable: bool = False
    ingress: bool = False
    enable_ipv4: bool = True
    enable_ipv6: bool = False
    options: dict[str, str] = {}
    driver_state: dict[str, str] = {}
    """What the driver said when it agreed, for the drivers of all nodes."""
    labels: dict[str, str] = {}
    predefined: bool = False
    config_only: bool = False
    """It only holds settings that other networks are made with: nobody can stand in it."""
    config_from: str = ""
    """Name of the configuration network that it was made with."""


class EndpointSpec(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a container wants to stand in one network (the engine's EndpointSettings, its wishes only)."""

    address: str = ""
    """A pinned IPv4 address without prefix; empty: any."""
    mac: str = ""
    aliases: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    driver_options: dict[str, str] = {}
    gateway_priority: int = 0
    blank: tuple[str, ...] = ()
    """Settings that were sent, but empty: inspect shows them so, and not as absent."""
    connected: str = ""
    """When `network connect` asked for it while the container did not run, RFC 3339; else empty."""


class EndpointRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A container's place in one network, held while it runs."""

    id: str
    network: str
    """The network's id."""
    node: str
    """Name of the node that runs it."""
    name: str
    """The container's name; for other owners the owner's."""
    container: str
    """The container's id; empty for an endpoint of the node itself."""
    address: str = ""
    """IPv4 with prefix length, "10.0.1.3/24"; empty on host and none."""
    mac: str = ""
    gateway: str = ""
    dns_names: tuple[str, ...] = ()
    """In the engine's order; the first is what a reverse lookup answers."""
    interface: str = ""
    """Its name inside the sandbox, such as eth0."""
