"""What happens on a node, as the Engine API tells it."""

from __future__ import annotations

import msgspec


class EngineEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened to one object (moby: api/types/events)."""

    kind: str
    """"container", "network", "image", "node", ..."""
    action: str
    """"create", "start", "die", "exec_create: sh -c ls", ..."""
    actor: str
    """The object's id."""
    attributes: dict[str, str] = {}
    """Its name, and what else describes it."""
    scope: str = "local"
    time_ns: int
    """Since 1970 UTC."""
