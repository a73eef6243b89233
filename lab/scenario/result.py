"""What came of playing a scenario, as frozen values that go into reports and JSON."""

from __future__ import annotations

import msgspec


class Frozen(msgspec.Struct, frozen=True, kw_only=True):
    """Times are seconds since the start of the timeline."""


class Line(Frozen, frozen=True, kw_only=True):
    """One line of the story: when, who ("scenario" or a node), what."""

    at: float
    who: str
    what: str


class StepResult(Frozen, frozen=True, kw_only=True):
    """One step of the timeline. ``problem`` is empty when it did what it was to do."""

    number: int
    """In the file, from 0."""
    kind: str
    what: str
    began: float
    ended: float
    problem: str = ""
    said: str = ""
    """What a command printed, as far as it is of interest."""


class Sample(Frozen, frozen=True, kw_only=True):
    """One question of the background traffic."""

    traffic: int
    """Which entry of `traffic`, from 0."""
    at: float
    took_s: float
    ok: bool
    said: str = ""


class Recovered(Frozen, frozen=True, kw_only=True):
    """How long after the end of a fault, a pause or an outage everything was right again."""

    step: int
    what: str
    ended: float
    after_s: float | None
    """None: it was not within the scenario's time to recover."""
    tables_s: float | None = None
    """The part of it until all views and forwarding tables were as the store wants them."""
    names_s: float | None = None
    """Until names were right as well."""
    reason: str = ""
    """What was wrong last."""


class Broken(Frozen, frozen=True, kw_only=True):
    """An invariant that did not hold."""

    checker: str
    at: float
    text: str


class Failure(Frozen, frozen=True, kw_only=True):
    """Why a run failed, and at what: the first thing that did."""

    kind: str
    """invariant, step, recovery or crash."""
    name: str
    """Of the checker, or the step in words: two failures of one kind and name are the same."""
    at: float
    text: str
    packets: tuple[Line, ...] = ()
    """The last stations of frames before it, where the world could show them."""


class Result(Frozen, frozen=True, kw_only=True):
    """One run."""

    title: str
    world: str
    seed: int
    lasted_s: float = 0.0
    steps: tuple[StepResult, ...] = ()
    samples: tuple[Sample, ...] = ()
    recoveries: tuple[Recovered, ...] = ()
    broken: tuple[Broken, ...] = ()
    failures: tuple[Failure, ...] = ()
    story: tuple[Line, ...] = ()
    moments: int = 0
    """How often the invariants were checked."""

    @property
    def passed(self) -> bool:
        """Nothing failed."""
        return not self.failures
