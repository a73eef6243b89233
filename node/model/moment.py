"""One moment of a node, for those who check it from outside: what it holds, and what it has not lost."""

from __future__ import annotations

import msgspec

from node.model.network import EndpointRecord


class StoredItem(msgspec.Struct, frozen=True, kw_only=True):
    """One key of a store: its value as it is kept, and the revision of its last change."""

    key: str
    value: bytes
    revision: int


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """All of it was so at once."""

    revision: int = 0
    """Of the node's view of the swarm's store; 0 without a swarm."""
    store_connected: bool = False
    zones: dict[str, dict[str, tuple[str, ...]]] = {}
    """Network id -> name -> addresses: what its name servers would say."""
    running: tuple[str, ...] = ()
    """Ids of containers."""
    endpoints: tuple[EndpointRecord, ...] = ()
    """Where its running containers stand."""
    taken: tuple[tuple[str, int], ...] = ()
    """Published ports that are taken: protocol and number."""
    published: tuple[tuple[str, int], ...] = ()
    """Those that its running containers say they publish."""
    unaccounted: int = 0
    """Frames of which the switchboard does not know what became: always 0 (node/datapath/drops.py)."""
    records: tuple[StoredItem, ...] = ()
    """The node's own store."""
