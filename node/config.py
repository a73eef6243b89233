"""What one node is told when it starts: defaults < file < environment < flags, checked once, here."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

ENVIRONMENT_PREFIX = "SHOAL_NODE_"
DATA_PORT = 4789
"""VXLAN (RFC 7348 section 8)."""
CABLE_PORT = 8472
"""The LAN's frames travel in the same format on the port that VXLAN had before it had one."""
CONTROL_PORT = 2377
"""Calls between nodes: the port of Docker's own control plane."""

POOL_BITS_MAX = 20
"""A pool is cut into at most a million subnets."""

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}")


class ConfigError(ValueError):
    """A setting makes no sense; the message names it."""


class AddressPool(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A block of addresses that is cut into subnets of ``size`` prefix bits."""

    base: str
    size: int


class NodeConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything a node is told. Addresses are text, times in seconds."""

    name: str
    cluster: str = "default"
    directory: Path
    """Where it keeps what is its own: state.db, docker.sock, node.log."""
    socket: Path | None = None
    """Its Engine API; by default docker.sock in the directory."""
    underlay_address: str = "127.0.0.2"
    lan_address: str = "192.168.65.2/24"
    lan_gateway: str = "192.168.65.1"
    lan_hairpin: bool = False
    """The LAN's switch sends a frame back to the host that it came from, if it must (IEEE 802.1Qbg)."""
    data_port: int = DATA_PORT
    cable_port: int = CABLE_PORT
    control_port: int = CONTROL_PORT
    store: tuple[str, ...] = ()
    """host:port of etcd's members; empty: the node belongs to no swarm."""
    role: str = "manager"
    lease_s: float = 3.0
    """How long a silent node counts as alive."""
    default_address_pools: tuple[AddressPool, ...] = ()
    """Where the node's own networks get their subnets from; empty: Docker's 31 (dockerd's option)."""
    default_addr_pool: tuple[str, ...] = ("10.0.0.0/8",)
    """Where overlay networks that this node makes get them from, in blocks (docker swarm init's option)."""
    default_addr_pool_mask_length: int = 24
    """The prefix length of each."""
    bridge_macs: str = "random"
    """On bridges and macvlans: "random" as since engine 28, or "address": 02:42 and the IPv4 address."""
    icc: bool = True
    """Containers on the default bridge may talk with each other; else only by links (dockerd's option)."""
    static_peers: dict[str, tuple[str, ...]] = {}
    """Overlay network name to further tunnel endpoints, such as a kernel VXLAN device."""
    plugins: tuple[Path, ...] | None = None
    """Directories where plugins are found, as NAME.sock, NAME.spec or NAME.json; by default `plugins`
    in its own directory and `plugins` beside it, which all nodes of a cluster share."""
    plugin_patience_s: float = 30.0
    """How long a plugin that does not answer is asked again."""
    seed: int | None = None
    """Makes every identity and choice of this node repeatable."""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ConfigError(f'name "{self.name}": use letters, digits and . _ - (at most 63)')
        if self.role not in ("manager", "worker"):
            raise ConfigError(f'role "{self.role}": it is "manager" or "worker"')
        if not 0.5 <= self.lease_s <= 600:
            raise ConfigError(f"lease_s {self.lease_s}: between 0.5 and 600 seconds")
        if not 0.5 <= self.plugin_patience_s <= 600:
            raise ConfigError(f"plugin_patience_s {self.plugin_patience_s}: between 0.5 and 600 seconds")
        try:
            ipaddress.IPv4Address(self.underlay_address)
            ipaddress.IPv4Interface(self.lan_address)
            ipaddress.IPv4Address(self.lan_gateway)
        except ValueError as error:
            raise ConfigError(f"an address of node {self.name} is wrong: {error}") from None
        if self.bridge_macs not in ("random", "address"):
            raise ConfigError(f'bridge_macs "{self.bridge_macs}": it is "random" or "address"')
        swarm_size = self.default_addr_pool_mask_length
        swarm_pools = [AddressPool(base, swarm_size) for base in self.default_addr_pool]
        for pool in (*self.default_address_pools, *swarm_pools):
            _check_pool(pool)
        for port in (self.data_port, self.cable_port, self.control_port):
            if not 0 < port < 65536:
                raise ConfigError(f"port {port}: between 1 and 65535")

    @property
    def plugin_directories(self) -> tuple[Path, ...]:
        """Where plugins are looked for, in this order."""
        if self.plugins is not None:
            return self.plugins
        return self.directory / "plugins", self.directory.parent / "plugins"

    def changed(self, settings: Mapping[str, str]) -> NodeConfig:
        """The same with some settings, as text, changed. Raises ConfigError."""
        kept = {key: value for key, value in msgspec.structs.asdict(self).items() if key not in settings}
        given = {f"{ENVIRONMENT_PREFIX}{key}": text for key, text in settings.items()}
        return load(environment=given, flags=kept)

    @property
    def socket_path(self) -> Path:
        """Where its Engine API listens."""
        return self.socket if self.socket is not None else self.directory / "docker.sock"


def _check_pool(pool: AddressPool) -> None:
    try:
        base = ipaddress.IPv4Network(pool.base)
    except ValueError as error:
        raise ConfigError(f'address pool "{pool.base}": {error}') from None
    if not base.prefixlen <= pool.size <= 32 or pool.size - base.prefixlen > POOL_BITS_MAX:
        raise ConfigError(
            f"address pool {pool.base}: it cannot be cut into subnets of /{pool.size}; choose between "
            f"/{base.prefixlen} and /{min(32, base.prefixlen + POOL_BITS_MAX)}"
        )


def load(
    file: Path | None = None,
    environment: Mapping[str, str] | None = None,
    flags: Mapping[str, Any] | None = None,
) -> NodeConfig:
    """Merge a JSON file, SHOAL_NODE_* variables and flags, later ones first. Raises ConfigError."""
    settings: dict[str, Any] = {}
    if file is not None:
        try:
            settings.update(json.loads(file.read_text()))
        except (OSError, ValueError) as error:
            raise ConfigError(f"cannot read the configuration {file}: {error}") from None
    for key, value in (environment or {}).items():
        if key.startswith(ENVIRONMENT_PREFIX):
            settings[key.removeprefix(ENVIRONMENT_PREFIX).lower()] = _plain(value)
    settings.update({key: value for key, value in (flags or {}).items() if value is not None})
    try:
        return msgspec.convert(settings, NodeConfig, strict=False, dec_hook=_path)
    except msgspec.ValidationError as error:
        raise ConfigError(f"the node's configuration is wrong: {error}") from None


def _path(kind: type[Any], value: object) -> Path:
    """The one kind of setting that msgspec does not know."""
    assert kind is Path
    return Path(str(value))


def _plain(text: str) -> object:
    """A variable's text as JSON where it is JSON, else as it stands."""
    try:
        return json.loads(text)
    except ValueError:
        return text
