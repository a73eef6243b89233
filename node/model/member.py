"""Nodes of the swarm: the lasting record, and the leased one that says who is alive."""

from __future__ import annotations

from typing import Literal

import msgspec

Role = Literal["manager", "worker"]


class NodeRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A node that belongs to the swarm, alive or not."""

    id: str
    """25 base-36 digits."""
    name: str
    role: Role
    created: str
    lan_address: str
    """Its address inside the simulation, "192.168.65.2"."""
    availability: str = "active"
    labels: dict[str, str] = {}


class NodeWish(msgspec.Struct, frozen=True, kw_only=True):
    """What a manager wants a node to be; it replaces all of these at once."""

    role: Role
    availability: str
    labels: dict[str, str]


class Member(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A node that is alive: its key hangs on a lease that it renews."""

    id: str
    name: str
    lan_address: str
    underlay_address: str
    """Where its datagrams really go, "127.0.0.2"."""
    control_address: str
    """Where it answers calls, "127.0.0.2:2377"."""
    started: str
    """RFC 3339: tells one life of a node from the next."""
    data_port: int = 4789
    cable_port: int = 8472
    engine_version: str = "28.2.2"
