"""Plays a scenario on a live cluster, in real time: one that is up, or one of its own."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager

from lab.checkers.catalogue import checkers
from lab.launch import control
from lab.launch.plan import Wish
from lab.launch.stage import LiveStage, impossible, refusal
from lab.scenario.director import Director, Tell, unheard
from lab.scenario.model import ExpectStep, Scenario, StoreMemberLostStep
from lab.scenario.result import Result
from lab.scenario.stage import NotHere


def play(
    scenario: Scenario, name: str = "", *, tell: Tell = unheard, progress: control.Progress = lambda _: None
) -> Result:
    """Play it on the cluster of this name, or without one on a cluster of its own.

    ``progress`` hears how that one starts.

    Whatever happens, the cluster is left as it was. Raises NotHere before anything begins if it cannot be
    played there, and ClusterError.
    """
    if reason := impossible(scenario) or (refusal(scenario, name) if name else ""):
        raise NotHere(f"this scenario cannot be played here: {reason}")
    if name:
        return asyncio.run(_play(scenario, name, tell))
    with own_cluster(scenario, progress) as started:
        return asyncio.run(_play(scenario, started, tell))


@contextmanager
def own_cluster(scenario: Scenario, progress: control.Progress) -> Iterator[str]:
    """A cluster as the scenario wants it, for as long as the context is open; its name."""
    name = f"play-{os.getpid()}"
    loses = any(isinstance(step, StoreMemberLostStep) for step in scenario.timeline)
    wish = Wish(name=name, nodes=scenario.nodes, settings=scenario.settings, etcd_members=3 if loses else 1)
    control.start(wish, progress)
    try:
        yield name
    finally:
        control.stop(name)


async def _play(scenario: Scenario, name: str, tell: Tell) -> Result:
    measures = any(isinstance(step, ExpectStep) and step.throughput for step in scenario.timeline)
    async with LiveStage(name, observes=not measures) as stage:
        return await Director(scenario, stage, checkers(scenario.invariants), tell=tell).play()
