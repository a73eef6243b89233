"""Talking to nodes over gRPC from a command: one event loop for one question."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from lab.launch.cluster import ClusterError, NodeEntry
from lab.launch.processes import alive, is_paused
from node.edge.client import NodeClient
from node.errors import NodeError
from node.seams import Unreachable

Answer = TypeVar("Answer")


def check_answers(entry: NodeEntry) -> None:
    """Raises ClusterError for a node that is dead or frozen, and says what to do."""
    name = entry.config.name
    if not alive(entry.process):
        raise ClusterError(f'{name} is dead: start it again with "shoal restart {name}"')
    if entry.process is not None and is_paused(entry.process):
        raise ClusterError(f'{name} is frozen: let it go on with "shoal resume {name}"')


def ask(entry: NodeEntry, question: Callable[[NodeClient], Awaitable[Answer]]) -> Answer:
    """Ask one node. Raises ClusterError."""
    return ask_all([entry], question)[0]


def ask_all(entries: list[NodeEntry], question: Callable[[NodeClient], Awaitable[Answer]]) -> list[Answer]:
    """Ask several nodes at once. Raises ClusterError, naming the first that does not answer."""

    async def one(entry: NodeEntry) -> Answer:
        config = entry.config
        check_answers(entry)
        try:
            async with NodeClient(f"{config.underlay_address}:{config.control_port}") as client:
                return await question(client)
        except (NodeError, Unreachable, OSError) as error:
            raise ClusterError(f"{config.name}: {error}") from None

    async def together() -> list[Answer]:
        return list(await asyncio.gather(*(one(entry) for entry in entries)))

    return asyncio.run(together())
