"""A port of a segment: where a sandbox's interface is plugged in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from node.datapath.macvlan import Role

if TYPE_CHECKING:
    from node.datapath.segment import Segment

Deliver = Callable[[bytes, float], None]
"""Takes one frame: (frame, now in seconds)."""


@dataclass(slots=True, eq=False)
class Port:
    """``mac`` is the hardware address behind it, six bytes; ``mtu`` bytes of a frame's payload."""

    name: str
    mac: bytes
    deliver: Deliver
    mtu: int = 1500
    isolated: bool = False
    """Talks to ports that are not isolated only, such as the gateway's."""
    openings: dict[bytes, frozenset[tuple[int, int]]] = field(default_factory=dict)
    """What it may reach at other isolated ports: hardware address to IP protocols and destination ports."""
    macvlan: Role | None = None
    """What it is on a host's interface that macvlan containers hang from; None if nothing of the kind."""
    up: bool = True
    segment: Segment | None = field(default=None, repr=False)
    frames_in: int = 0
    """From the sandbox."""
    frames_out: int = 0
    """To the sandbox."""
