"""What a new cluster will look like: names, addresses and ports, and whether they are free."""

from __future__ import annotations

import errno
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lab.launch.cluster import (
    BLOCKS_MAX,
    ETCD_CLIENT_PORT,
    ETCD_PEER_PORT,
    NODES_MAX,
    Cluster,
    ClusterError,
    NodeEntry,
    directory_of,
    taken_blocks,
)
from lab.launch.processes import holder_of
from node.config import ConfigError, NodeConfig

ETCD_MEMBERS = (1, 3, 5)
"""An even number would bear no more losses than the odd one below it."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What `shoal up` was asked for."""

    name: str = "default"
    nodes: int = 3
    managers: int = 3
    swarm: bool = True
    lease_s: float = 3.0
    seed: int | None = None
    block: int | None = None
    etcd_members: int = 1
    settings: Mapping[str, str] = field(default_factory=dict)
    """Further settings of every node (node/config.py), as text."""
    lan_hairpin: bool = False
    plugin_patience_s: float = 30.0


def plan(wish: Wish) -> Cluster:
    """A cluster on free addresses. Raises ClusterError."""
    if not 1 <= wish.nodes <= NODES_MAX:
        raise ClusterError(f"{wish.nodes} nodes: a cluster on one machine has between 1 and {NODES_MAX}")
    if wish.etcd_members not in ETCD_MEMBERS:
        raise ClusterError(f"{wish.etcd_members} members of the store: it has 1, 3 or 5")
    if not wish.managers >= 1:
        raise ClusterError("a swarm needs at least one manager")
    directory = directory_of(wish.name)
    block = _block(wish)
    nodes = [NodeEntry(config=_config(wish, directory, block, number)) for number in range(1, wish.nodes + 1)]
    cluster = Cluster(
        name=wish.name,
        directory=directory,
        block=block,
        swarm=wish.swarm,
        nodes=nodes,
        etcd_members=wish.etcd_members,
    )
    check_ports(cluster)
    return cluster


def _block(wish: Wish) -> int:
    taken = taken_blocks()
    if wish.block is not None:
        if not 0 <= wish.block < BLOCKS_MAX:
            raise ClusterError(f"block {wish.block}: between 0 and {BLOCKS_MAX - 1}")
        if wish.block in taken:
            raise ClusterError(
                f"another cluster has the addresses 127.0.{wish.block}.0/24: choose another --block"
            )
        return wish.block
    return next(block for block in range(BLOCKS_MAX) if block not in taken)


def _config(wish: Wish, directory: Path, block: int, number: int) -> NodeConfig:
    name = f"node-{number}"
    try:
        config = NodeConfig(
            name=name,
            cluster=wish.name,
            directory=directory / name,
            underlay_address=f"127.0.{block}.{number + 1}",
            lan_address=f"192.168.65.{number + 1}/24",
            store=_endpoints(wish, block),
            role="manager" if number <= wish.managers else "worker",
            lease_s=wish.lease_s,
            seed=wish.seed,
            lan_hairpin=wish.lan_hairpin,
            plugin_patience_s=wish.plugin_patience_s,
        )
        return config.changed(wish.settings)
    except ConfigError as error:
        raise ClusterError(str(error)) from None


def _endpoints(wish: Wish, block: int) -> tuple[str, ...]:
    members = range(1, wish.etcd_members + 1) if wish.swarm else ()
    return tuple(f"{etcd_address(block, number)}:{ETCD_CLIENT_PORT}" for number in members)


def etcd_address(block: int, member: int = 1) -> str:
    """Where a member of a cluster's store listens: the first before all nodes, the others behind them."""
    return f"127.0.{block}.{1 if member == 1 else 249 + member}"


def check_ports(cluster: Cluster) -> None:
    """Every port that will be needed must be free. Raises ClusterError, naming the first that is not."""
    if cluster.swarm:
        for number in range(1, cluster.etcd_members + 1):
            for port in (ETCD_CLIENT_PORT, ETCD_PEER_PORT):
                _check(etcd_address(cluster.block, number), port, "tcp", "etcd")
    for entry in cluster.nodes:
        config = entry.config
        _check(config.underlay_address, config.control_port, "tcp", f"{config.name}'s calls")
        _check(config.underlay_address, config.data_port, "udp", f"{config.name}'s VXLAN")
        _check(config.underlay_address, config.cable_port, "udp", f"{config.name}'s LAN")


def _check(address: str, port: int, kind: str, purpose: str) -> None:
    with socket.socket(type=socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM) as probe:
        if kind == "tcp":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise ClusterError(
                    f"{address} port {port}/{kind} ({purpose}) is taken{holder_of(address, port, kind)}: "
                    "end that program, or choose other addresses with --block 1"
                ) from None
            raise ClusterError(
                f"{address} port {port}/{kind} ({purpose}) cannot be used: {error.strerror}; "
                "on Linux all of 127.0.0.0/8 belongs to this machine"
            ) from None
