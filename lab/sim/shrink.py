"""Makes a failing scenario smaller while it fails in the same way: fewer steps, shorter, rounder times.

Every candidate is played from the same seed; one that is no valid scenario, or fails otherwise or not at
all, is forgotten (Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input", 2002).
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from lab.scenario import model
from lab.scenario.check import problems
from lab.scenario.model import Scenario, Seconds
from lab.scenario.result import Failure
from lab.sim.play import play

PLAYS_MAX = 400
_FIGURE = re.compile(r"[0-9a-f]{6,}|\d+(?:\.\d+)?")

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Shrunk:
    """The smallest scenario that was found, and how many plays it took."""

    scenario: Scenario
    failure: Failure
    plays: int


class Shrinker:
    """See the module. ``tell`` hears of every success."""

    def __init__(self, seed: int, failure: Failure, tell: Callable[[str], None]) -> None:
        self._seed = seed
        self._failure = failure
        self._tell = tell
        self._plays = 0

    def shrink(self, scenario: Scenario) -> Shrunk:
        """Try everything again until nothing more helps."""
        while True:
            before = scenario
            for smaller in (self._fewer_parts, self._shorter, self._rounder):
                scenario = smaller(scenario)
            if scenario == before or self._plays >= PLAYS_MAX:
                return Shrunk(scenario, self._failure, self._plays)

    def _still_fails(self, scenario: Scenario) -> bool:
        if self._plays >= PLAYS_MAX or next(problems(scenario), None) is not None:
            return False
        self._plays += 1
        failures = play(scenario, self._seed).result.failures
        for failure in failures[:1]:
            if _alike(failure, self._failure):
                self._failure = failure
                self._tell(f"{len(scenario.timeline)} steps, {scenario.nodes} nodes still fail so")
                return True
        return False

    # -- fewer parts ------------------------------------------------------------------------------

    def _fewer_parts(self, scenario: Scenario) -> Scenario:
        for field in ("timeline", "traffic", "invariants"):
            parts = getattr(scenario, field)
            kept = self._fewest(parts, lambda some, f=field, s=scenario: _with(s, f, tuple(some)))  # type: ignore[misc]
            scenario = _with(scenario, field, tuple(kept))
        for field in ("containers", "networks"):
            items = list(getattr(scenario, field).items())
            left = self._fewest(items, lambda some, f=field, s=scenario: _with(s, f, dict(some)))  # type: ignore[misc]
            scenario = _with(scenario, field, dict(left))
        while scenario.nodes > 1 and self._still_fails(_with(scenario, "nodes", scenario.nodes - 1)):
            scenario = _with(scenario, "nodes", scenario.nodes - 1)
        return scenario

    def _fewest(self, parts: Sequence[Item], made: Callable[[list[Item]], Scenario]) -> list[Item]:
        """Leave out halves, quarters, ... single parts, as long as it fails without them."""
        kept = list(parts)
        size = max(1, len(kept) // 2)
        while kept:
            at, before = 0, len(kept)
            while at < len(kept):
                rest = kept[:at] + kept[at + size :]
                if self._still_fails(made(rest)):
                    kept = rest
                else:
                    at += size
            if size == 1 and len(kept) == before:
                break
            size = max(1, size // 2)
        return kept

    # -- shorter and rounder ----------------------------------------------------------------------

    def _shorter(self, scenario: Scenario) -> Scenario:
        for number, step in enumerate(scenario.timeline):
            if not isinstance(step, (model.FaultStep, model.PauseStep)):
                continue
            for lasts in itertools.accumulate(itertools.repeat(step.lasts, 8), lambda span, _: span / 2):
                changed = _changed(scenario, number, lasts=Seconds(lasts))
                if lasts == step.lasts:
                    continue
                if not self._still_fails(changed):
                    break
                scenario = changed
        return scenario

    def _rounder(self, scenario: Scenario) -> Scenario:
        for number, step in enumerate(scenario.timeline):
            for field in ("at", "lasts", "within"):
                value = getattr(step, field, None)
                if value is None:
                    continue
                for rounder in _rounded(value):
                    changed = _changed(scenario, number, **{field: rounder})
                    if self._still_fails(changed):
                        scenario = changed
                        break
        return scenario


def _alike(one: Failure, other: Failure) -> bool:
    """The same went wrong: what is broken has the same name, and the words are the same but for figures."""
    same_name = (one.kind, one.name) == (other.kind, other.name)
    return same_name and _FIGURE.sub("0", one.text) == _FIGURE.sub("0", other.text)


def _rounded(value: float) -> Iterator[Seconds]:
    """Rounder values, the roundest first, and none that is longer."""
    for unit in (10, 1, 0.1, 0.01):
        rounder = math.floor(value / unit) * unit
        if rounder == value:
            return
        if rounder > 0:
            yield Seconds(round(rounder, 2))


def _with(scenario: Scenario, field: str, value: object) -> Scenario:
    return msgspec.structs.replace(scenario, **{field: value})


def _changed(scenario: Scenario, number: int, **fields: object) -> Scenario:
    steps = list(scenario.timeline)
    steps[number] = msgspec.structs.replace(steps[number], **fields)
    return _with(scenario, "timeline", tuple(steps))
