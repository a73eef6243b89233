"""Plays a scenario in a simulated world of its own, from one seed, to its end."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import msgspec

from lab.checkers.catalogue import checkers
from lab.scenario.director import Director, Tell, unheard
from lab.scenario.model import AnyStep, Scenario
from lab.scenario.result import Failure, Line, Result
from lab.scenario.words import describe
from lab.sim import loop
from lab.sim.stage import SimStage
from lab.sim.timing import timing_of
from lab.sim.world import World
from node.seams import Channel

FORM_S = 1.0
"""What a swarm of any size gets to form before the scenario is set up."""


@dataclass(frozen=True, slots=True)
class Played:
    """A result, and the story of every node with it. ``trace``: every datagram as well, if asked for."""

    result: Result
    trace: str


def play(
    scenario: Scenario,
    seed: int = 0,
    *,
    tell: Tell = unheard,
    trace: bool = False,
) -> Played:
    """Play it. Raises NotHere if the simulated world cannot, ConfigError for a wrong setting."""
    return loop.run(_play(scenario, seed, tell, trace))


async def _play(scenario: Scenario, seed: int, tell: Tell, trace: bool) -> Played:
    timing = timing_of(seed)
    world = World(seed, scenario.nodes, timing=timing)
    stage = SimStage(world, scenario.settings)
    told = world.story.teller("scenario")

    def late(step: AnyStep) -> float:
        # By its own words, so that it stays as it is when another step is left out.
        return round(world.chance.stream(f"late/{describe(step)}").uniform(0.0, timing.steps_s), 6)

    def say(at: float, what: str) -> None:
        told.tell("said", what=what)
        tell(at, what)

    if trace:
        world.fabric.tap = lambda *sent: world.story.tell("fabric", "sent", _datagram(*sent))
    director = Director(
        scenario,
        stage,
        checkers(scenario.invariants),
        tell=say,
        late=late,
    )
    async with world:
        await world.clock.sleep(FORM_S)
        result = await director.play(seed)
        start = world.clock.now() - stage.now()
        await world.end()
    return Played(_with_story(result, world, start), world.story.text())


def _with_story(result: Result, world: World, start: float) -> Result:
    """The nodes' own lines among the scenario's, and bugs in nodes as what they are."""
    lines, failures = [], list(result.failures)
    for happening in world.story.happenings:
        fields = dict(happening.fields)
        at = round(happening.at - start, 9) + 0.0
        what = str(fields.get("what", "")) if happening.node == "scenario" else happening.words()
        if happening.node != "fabric":
            lines.append(Line(at=at, who=happening.node, what=what))
        if happening.event == "node.bug":
            failures.append(Failure(kind="crash", name=str(fields["task"]), at=at, text=what))
    return msgspec.structs.replace(result, story=tuple(lines), failures=tuple(failures))


def _datagram(channel: Channel, source: str, destination: str, datagram: bytes) -> dict[str, object]:
    return {
        "channel": channel.value,
        "from": source,
        "to": destination,
        "bytes": len(datagram),
        "crc32": f"{zlib.crc32(datagram):08x}",
    }
