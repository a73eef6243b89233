"""When is everything right again? Tables, names and running containers first, then who reaches whom.

look --> disagreements? --no--> ping every pair --all answer--> right, since this round began
 ^______________|yes___________________|not all
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

from lab.checkers.seen import Seen
from lab.scenario.convergence import misnamed, unsettled
from lab.scenario.stage import Stage
from lab.scenario.user import User

FIRST_LOOK_S, LOOK_S = 0.01, 0.1
"""Between two looks: at first, and when it takes longer."""
PING_S = 0.5
PAIRS_MAX = 64
"""Pings of one round: a ring through the containers of each network, thinned out where it is too long."""

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Righted:
    """Since when what is right: tables, names on top of them, and everything; None: it is not."""

    everything: float | None
    tables: float | None
    names: float | None
    reason: str = ""
    """What was wrong last."""


class Recovery:
    """See the module. ``living``: the nodes that are to be there, as the director knows at any moment."""

    def __init__(self, stage: Stage, user: User, living: dict[str, None]) -> None:
        self._stage = stage
        self._user = user
        self._living = living

    async def by(self, deadline: float) -> Righted:
        """Since when everything is right, or what is wrong still at the deadline."""
        tables = names = None
        pause_s = FIRST_LOOK_S
        while True:
            begun = self._stage.now()
            seen = await self._stage.look()
            living = tuple(self._living)
            wrong_tables, wrong_names = first(unsettled(seen, living)), first(misnamed(seen))
            tables = None if wrong_tables else begun if tables is None else tables
            names = None if wrong_tables or wrong_names else begun if names is None else names
            reason = wrong_tables or wrong_names or await self._unreachable(seen)
            if not reason:
                return Righted(begun, tables, names)
            if self._stage.now() + pause_s > deadline:
                return Righted(None, tables, names, reason)
            await self._stage.sleep_until(self._stage.now() + pause_s)
            pause_s = min(LOOK_S, 1.5 * pause_s)

    async def _unreachable(self, seen: Seen) -> str:
        for name, placed in self._user.containers.items():
            node = seen.nodes.get(placed.node)
            if placed.expected and not placed.wish.command and node is not None:
                standing = any(e.name == name for e in node.endpoints)
                if not standing and placed.networks[0] not in ("host", "none"):
                    return f"{name} is to run on {placed.node}, and does not"
        mine = self._user.containers
        wanted = [pair for pair in pairs(seen) if pair[0] in mine and pair[1] in mine]
        answers = await asyncio.gather(
            *(self._user.ping(source, address, PING_S) for source, _, address in wanted)
        )
        for (source, to, _), outcome in zip(wanted, answers, strict=True):
            if outcome.code != 0:
                return f"{source} does not reach {to}"
        return ""


def first(sentences: Iterator[str]) -> str:
    """The first one, or ""."""
    return next(sentences, "")


def pairs(seen: Seen) -> list[tuple[str, str, str]]:
    """Who is to reach whom, at which address: neighbours on a ring through each overlay network."""
    found = list(_rings(seen))
    if len(found) > PAIRS_MAX:
        found = [found[number * len(found) // PAIRS_MAX] for number in range(PAIRS_MAX)]
    return found


def _rings(seen: Seen) -> Iterator[tuple[str, str, str]]:
    for network in seen.networks:
        if network.driver != "overlay" or network.scope != "swarm":
            continue
        standing = sorted(
            (endpoint.name, endpoint.address)
            for node in seen.nodes.values()
            for endpoint in node.endpoints
            if endpoint.network == network.id and endpoint.container and endpoint.address
        )
        if len(standing) < 2:
            continue
        for (source, _), (to, address) in zip(standing, [*standing[1:], standing[0]], strict=True):
            yield source, to, address
