"""Plays seeds of a scenario with a defect planted until something is found."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import msgspec

from lab.scenario.load import load
from lab.scenario.model import Scenario
from lab.sim.play import play
from node.errors import NodeError
from tests.defects.defects import Defect

SCENARIOS = Path(__file__).parent / "scenarios"
NAMES = tuple(sorted(path.stem for path in SCENARIOS.glob("*.yaml")))


TELLING = ("invariant", "crash", "recovery", "step")
"""Kinds of failures, the one that says most first."""


@dataclass(frozen=True, slots=True)
class Find:
    """What a seed showed, and how many were played for it; ``by`` is empty if none showed anything."""

    defect: str
    scenario: str
    seeds: int
    by: str = ""
    """The invariant that did not hold; step, recovery or crash if it was something else."""
    at: float = 0.0
    what: str = ""


@cache
def scenario(name: str) -> Scenario:
    """One of the scenarios here."""
    return load(SCENARIOS / f"{name}.yaml")


def explore(defect: Defect, seeds_max: int) -> Find:
    """Play seed 1, 2, ... until one shows the defect."""
    for seed in range(1, seeds_max + 1):
        found = once(defect, seed)
        if found.by:
            return found
    return Find(defect.name, defect.scenario, seeds_max)


def alone(defect: Defect, seed: int, checker: str) -> bool:
    """Whether one invariant finds it in this seed without the help of the others."""
    return once(defect, seed, (checker,)).by == checker


def once(defect: Defect, seed: int, invariants: tuple[str, ...] = ()) -> Find:
    """Play one seed, with all invariants or some."""
    played = msgspec.structs.replace(scenario(defect.scenario), invariants=invariants)
    try:
        with defect.plant():
            result = play(played, seed).result
    except (AssertionError, LookupError, NodeError) as error:  # a node that falls takes its world with it
        return Find(defect.name, defect.scenario, seed, "crash", 0.0, f"{type(error).__name__}: {error}")
    if result.passed:
        return Find(defect.name, defect.scenario, seed)
    first = min(result.failures, key=lambda failure: TELLING.index(failure.kind))
    by = first.name if first.kind == "invariant" else first.kind
    what = first.text.removeprefix(f"{first.name} is broken: ")
    return Find(defect.name, defect.scenario, seed, by, first.at, what)
