"""How the nodes of a cluster stand with the store and with each other, as far as they answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from lab.launch.cluster import NodeEntry
from node.edge.client import NodeClient
from node.errors import NodeError
from node.model.inspection import NodeStatus
from node.seams import Unreachable

PATIENCE_S = 1.0


def views(entries: Sequence[NodeEntry]) -> dict[str, dict[str, Any]]:
    """By node: ``store`` ("connected" or "away", since ``store_since_s``), ``revision`` of its view, and

    ``seen_by``: the others that count it as alive. A node that does not answer is only seen by others.
    """
    statuses = asyncio.run(_ask(entries))
    answers = {name: status for name, status in statuses.items() if status is not None}
    return {name: _view(name, status, answers) for name, status in statuses.items()}


async def _ask(entries: Sequence[NodeEntry]) -> dict[str, NodeStatus | None]:
    async def one(entry: NodeEntry) -> NodeStatus | None:
        config = entry.config
        try:
            async with NodeClient(f"{config.underlay_address}:{config.control_port}", PATIENCE_S) as client:
                return await client.status()
        except (Unreachable, NodeError):
            return None

    found = await asyncio.gather(*(one(entry) for entry in entries))
    return {entry.config.name: status for entry, status in zip(entries, found, strict=True)}


def _view(name: str, status: NodeStatus | None, answers: dict[str, NodeStatus]) -> dict[str, Any]:
    seen_by = [
        other
        for other, told in answers.items()
        if other != name and any(member.name == name for member in told.members)
    ]
    if status is None:
        return {"store": None, "store_since_s": None, "revision": None, "seen_by": seen_by}
    return {
        "store": "connected" if status.store_connected else "away",
        "store_since_s": round(status.store_since_ago_s, 1),
        "revision": status.revision,
        "seen_by": seen_by,
    }
