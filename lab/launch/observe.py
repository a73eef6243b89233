"""Hops of frames on a live cluster, told to a witness for the story of what failed.

They come a little late and not in order between nodes, so nothing is judged by them. Nodes hold few back:
what a slow reader misses is missing in the story.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable
from typing import Protocol

from lab.scenario.stage import Witness
from node.datapath.drops import Drop
from node.datapath.switchboard import Hop
from node.edge.client import NodeClient
from node.errors import NodeError
from node.model import inspection
from node.model.inspection import ObserveFilter
from node.seams import Unreachable

AGAIN_S = 0.5
"""Between two tries to observe a node that does not answer."""
FRAME_BYTES = 128


class Askable(Protocol):
    """Whoever knows the nodes that can be asked now."""

    def nodes(self) -> tuple[str, ...]:
        """All of them."""

    def since_start(self, monotonic: float) -> float:
        """A moment of this machine's monotonic clock, which all its processes share."""

    def able(self) -> Iterable[tuple[str, NodeClient]]:
        """Those that can be asked."""


class Observers:
    """One for each node, for as long as they are open."""

    def __init__(self, hosts: Askable) -> None:
        self._hosts = hosts
        self._tasks: list[asyncio.Task[None]] = []

    def show(self, witness: Witness) -> None:
        """Begin."""
        self._tasks += [asyncio.ensure_future(self._observe(node, witness)) for node in self._hosts.nodes()]

    async def close(self) -> None:
        """Stop."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _observe(self, node: str, witness: Witness) -> None:
        while True:
            client = dict(self._hosts.able()).get(node)
            if client is not None:
                with contextlib.suppress(Unreachable, NodeError):  # killed, or frozen: it may come back
                    async with client.observe(ObserveFilter(frame_bytes_max=FRAME_BYTES)) as hops:
                        async for hop in hops:
                            witness.passed(node, moved(hop), self._hosts.since_start(hop.monotonic_ns / 1e9))
            await asyncio.sleep(AGAIN_S)


def moved(hop: inspection.Hop) -> Hop:
    """A hop as the switchboard tells it."""
    outer = hop.outer
    peer = "" if outer is None else outer.destination if hop.stage == "encapsulate" else outer.source
    return Hop(
        at=hop.monotonic_ns / 1e9,
        stage=hop.stage,
        segment=hop.segment,
        port=hop.port,
        frame=hop.frame,
        peer=peer,
        vni=outer.vni if outer is not None else 0,
        drop=Drop(hop.verdict) if hop.verdict else None,
    )
