"""Judges one `expect` step: what is seen instead of what was expected, in a sentence; "" if it is met."""

from __future__ import annotations

import re
from collections.abc import Mapping

from lab.checkers.seen import Seen
from lab.scenario.commands import last_line
from lab.scenario.convergence import disagreements
from lab.scenario.model import ExpectStep
from lab.scenario.stage import Stage
from lab.scenario.user import User

AGAIN_S = 0.1
"""Between two looks at something that is to become so."""
_ADDRESS = re.compile(r"^Address(?: \d+)?:\s*(\d+\.\d+\.\d+\.\d+)\s*$", re.MULTILINE)


class Judge:
    """See the module."""

    def __init__(self, stage: Stage, user: User, living: dict[str, None]) -> None:
        self.drops_before: Mapping[str, int] = {}
        """At the start."""
        self._stage = stage
        self._user = user
        self._living = living

    async def judge(self, step: ExpectStep) -> str:
        """At this moment, or again and again until it is met or its time is over."""
        deadline = self._stage.now() + step.within
        while True:
            problem = await self._once(step)
            if not problem or self._stage.now() + AGAIN_S > deadline:
                return problem
            await self._stage.sleep_until(self._stage.now() + AGAIN_S)

    async def _once(self, step: ExpectStep) -> str:
        if step.reachable is not None:
            answered = await self._user.ping(step.source, step.to)
            if (answered.code == 0) is not step.reachable:
                was = "got an answer" if step.reachable is False else last_line(answered.text)
                return f"{step.source} asked {step.to} for an echo: {was}"
        if step.resolves and (problem := await self._names(step)):
            return problem
        if step.fetches:
            page = await self._user.fetch(step.source, step.fetches)
            if page.code != 0:
                return f"{step.source} could not read {step.fetches}: {last_line(page.text)}"
        if step.throughput:
            rate, why = await self._user.bits_per_second(step.source, step.to, step.throughput)
            if rate < step.throughput:
                why = f" ({why})" if why else ""
                return f"TCP carried {rate / 1e6:.3f} Mbit/s, not {step.throughput / 1e6:g}{why}"
        if step.converged or step.no_drops or step.drops:
            return self._looks(step, await self._stage.look())
        return ""

    async def _names(self, step: ExpectStep) -> str:
        answered = await self._user.resolve(step.source, step.resolves)
        # The first address is the name server's own; it has a port, and so it does not match.
        heard = set(_ADDRESS.findall(answered.text))
        if step.addresses is None:
            return (
                ""
                if answered.code == 0
                else f"{step.source} cannot resolve {step.resolves}: {last_line(answered.text)}"
            )
        wanted: set[str] = set()
        for text in step.addresses:
            wanted.update(await self._user.addresses(text) if not text[0].isdigit() else (text,))
        if heard == wanted:
            return ""
        shown, right = (", ".join(sorted(some)) or "nothing" for some in (heard, wanted))
        return f"{step.source} resolves {step.resolves} to {shown}, not {right}"

    def _looks(self, step: ExpectStep, seen: Seen) -> str:
        if step.converged:
            for sentence in disagreements(seen, tuple(self._living)):
                return sentence
        counts = dropped(seen)
        for name in step.no_drops:
            if (count := counts.get(name, 0) - self.drops_before.get(name, 0)) > 0:
                return f"{count} frames were dropped as {name}"
        for name in step.drops:
            if counts.get(name, 0) <= self.drops_before.get(name, 0):
                return f"no frame was dropped as {name}"
        return ""


def dropped(seen: Seen) -> dict[str, int]:
    """How many frames all nodes together have dropped, by name."""
    counts: dict[str, int] = {}
    for node in seen.nodes.values():
        for name, count in node.drops.items():
            counts[name] = counts.get(name, 0) + count
    return counts
