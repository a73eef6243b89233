"""A cluster on this machine: where it keeps what, and the record of what runs.

~/.local/state/shoal/NAME/
  cluster.json        the record, written whole each time something changes
  supervisor.sock     where the supervisor takes orders
  supervisor.log
  etcd/               data and log of the store; etcd-2/ and so on of its further members
  node-1/             state.db, docker.sock, node.log, output.log
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import Literal

import msgspec

from lab.launch.processes import Known
from node.config import NodeConfig

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
NODES_MAX = 50
BLOCKS_MAX = 250
SOCKET_PATH_BYTES_MAX = 107
"""Of a unix socket on Linux (unix(7))."""
ETCD_CLIENT_PORT = 2379
ETCD_PEER_PORT = 2380

State = Literal["starting", "ready", "dead"]


class ClusterError(Exception):
    """A sentence for a person: what is wrong, and what to do."""


class NodeEntry(msgspec.Struct, kw_only=True):
    """One node of the record."""

    config: NodeConfig
    process: Known | None = None
    state: State = "starting"


class Cluster(msgspec.Struct, kw_only=True):
    """The record of a cluster. ``block`` K says that its addresses are 127.0.K.0/24."""

    name: str
    directory: Path
    block: int
    swarm: bool
    nodes: list[NodeEntry]
    supervisor: Known | None = None
    etcd_members: int = 1
    etcd: list[Known | None] = []
    """By member; None: it is lost. Empty until they were started."""
    lost_members: dict[int, float] = {}
    """When each comes back, in seconds since 1970."""

    def node(self, name: str) -> NodeEntry:
        """A node by name. Raises ClusterError."""
        for entry in self.nodes:
            if entry.config.name == name:
                return entry
        names = ", ".join(entry.config.name for entry in self.nodes)
        raise ClusterError(f'cluster "{self.name}" has no node "{name}": it has {names}')

    @property
    def record_path(self) -> Path:
        """Where the record lies."""
        return self.directory / "cluster.json"

    @property
    def order_path(self) -> Path:
        """Where the supervisor listens."""
        return self.directory / "supervisor.sock"

    def save(self) -> None:
        """Write the record, whole or not at all."""
        draft = self.record_path.with_suffix(".new")
        draft.write_bytes(msgspec.json.format(msgspec.json.encode(self, enc_hook=str)))
        draft.replace(self.record_path)


def home() -> Path:
    """Where clusters lie: $SHOAL_HOME, or the user's state directory (XDG base directories)."""
    if given := os.environ.get("SHOAL_HOME"):
        return Path(given).absolute()
    state = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local/state")
    chosen = Path(state) / "shoal"
    longest = len(os.fsencode(chosen)) + len(f"/{'x' * 32}/node-{NODES_MAX}/docker.sock")
    if longest <= SOCKET_PATH_BYTES_MAX:
        return chosen
    # A unix socket's path may not be longer: a private directory near the root is.
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    return Path(runtime) / "shoal" if runtime else Path(f"/tmp/shoal-{os.getuid()}")  # noqa: S108 - owner checked


def directory_of(name: str) -> Path:
    """A cluster's directory. Raises ClusterError for a name that cannot be one."""
    if not NAME.fullmatch(name):
        raise ClusterError(
            f'"{name}" cannot name a cluster: use lower-case letters, digits, - and _ (at most 32)'
        )
    return home() / name


def make_directory(path: Path) -> None:
    """A directory that is its user's alone. Raises ClusterError when it is somebody else's."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = path.stat()
    if status.st_uid != os.getuid():
        raise ClusterError(f"{path} belongs to another user: set SHOAL_HOME to a directory of your own")
    if stat.S_IMODE(status.st_mode) & 0o077:
        path.chmod(0o700)


def load(name: str) -> Cluster | None:
    """The record of a cluster, None if there is none. Raises ClusterError if it cannot be read."""
    path = directory_of(name) / "cluster.json"
    try:
        return msgspec.json.decode(path.read_bytes(), type=Cluster, dec_hook=_path)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        raise ClusterError(
            f'the record of cluster "{name}" cannot be read ({error}): '
            f'"shoal down --name {name}" clears it away'
        ) from None


def _path(kind: type, value: object) -> object:
    assert kind is Path, f"records hold no {kind}"
    return Path(str(value))


def existing(name: str) -> Cluster:
    """A cluster that is up. Raises ClusterError with what to type."""
    cluster = load(name)
    if cluster is None:
        option = "" if name == "default" else f" --name {name}"
        raise ClusterError(f'no cluster "{name}" is up: start one with "shoal up -d{option}"')
    return cluster


def names() -> list[str]:
    """Every cluster that has a record."""
    return sorted(path.parent.name for path in home().glob("*/cluster.json"))


def taken_blocks() -> set[int]:
    """Address blocks of the clusters that there are."""
    blocks = set()
    for name in names():
        try:
            cluster = load(name)
        except ClusterError:
            continue
        if cluster is not None:
            blocks.add(cluster.block)
    return blocks
