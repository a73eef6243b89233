"""The run on one time axis, as SVG: faults, what was done and expected, and who reached whom meanwhile.

faults        [=========]----recovery
expectations     v     x
client -> web  ======......======
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from lab.report.markup import Content, Markup, tag
from lab.report.summary import longest_silence
from lab.scenario import model
from lab.scenario.endings import end_of
from lab.scenario.model import Scenario
from lab.scenario.result import Result, Sample, StepResult

WIDTH, GUTTER, RIGHT = 1080.0, 290.0, 130.0
LANE, GAP = 22.0, 6.0
TICKS = 9
LABEL_LENGTH_MAX = 44
FAULTS_MAX, TRAFFIC_MAX = 60, 40
"""Lanes."""
RUNS_MAX = 1500
"""Bars of one lane: more could not be told apart."""

_STORE = (model.StoreUnavailableStep, model.StoreSlowStep, model.StoreMemberLostStep, model.WatchStalledStep)
_NODE = (model.PauseStep, model.KillStep, model.SlowNodeStep, model.ClockSkewStep, model.RestartStep)


@dataclass(frozen=True, slots=True)
class Axis:
    """Seconds to places."""

    end_s: float

    def x(self, at: float) -> float:
        """Where a moment is."""
        return GUTTER + (WIDTH - GUTTER - RIGHT) * min(max(at, 0.0), self.end_s) / self.end_s

    def ticks(self) -> Iterator[float]:
        """Round moments, about nine of them."""
        rough = self.end_s / TICKS
        power = 10 ** math.floor(math.log10(rough))
        step = next(one * power for one in (1, 2, 5, 10) if one * power >= rough)
        for number in range(int(self.end_s / step) + 1):
            yield number * step


def timeline(scenario: Scenario, result: Result) -> Markup:
    """The picture."""
    axis = Axis(max([result.lasted_s, 0.001, *(step.ended for step in result.steps)]))
    lanes = [
        *_few(_faults(scenario, result, axis), FAULTS_MAX, "faults"),
        *_steps(result, axis),
        *_few(_traffic(scenario, result, axis), TRAFFIC_MAX, "kinds of traffic"),
    ]
    height = len(lanes) * (LANE + GAP) + 34
    marks = [
        tag(
            "line",
            tag("title", one.text),
            x1=axis.x(one.at),
            x2=axis.x(one.at),
            y1=0,
            y2=height - 24,
            cls="broken",
        )
        for one in result.broken
    ]
    placed = [tag("g", lane, transform=f"translate(0 {n * (LANE + GAP):g})") for n, lane in enumerate(lanes)]
    return tag(
        "svg",
        _grid(axis, height),
        placed,
        marks,
        viewBox=f"0 0 {WIDTH:g} {height:g}",
        role="img",
        aria_label="Timeline of the run",
    )


def _few(lanes: Iterator[Markup], most: int, what: str) -> Iterator[Markup]:
    """The first lanes, and how many are left out."""
    yield from islice(lanes, most)
    if left := sum(1 for _ in lanes):
        yield _lane(f"and {left} more {what}")


def _grid(axis: Axis, height: float) -> Iterator[Markup]:
    for at in axis.ticks():
        x = axis.x(at)
        yield tag("line", x1=x, x2=x, y1=0, y2=height - 26, cls="grid")
        yield tag("text", f"{at:g} s", x=x, y=height - 8, text_anchor="middle", cls="soft small")


def _lane(label: str, *content: Content, note: str = "") -> Markup:
    short = label if len(label) <= LABEL_LENGTH_MAX else f"{label[: LABEL_LENGTH_MAX - 1]}…"
    return tag(
        "g",
        tag("text", tag("title", label), short, x=0, y=LANE / 2 + 4),
        content,
        tag("text", note, x=WIDTH, y=LANE / 2 + 4, text_anchor="end", cls="soft small") if note else None,
    )


# -- what was broken ------------------------------------------------------------------------------


def _faults(scenario: Scenario, result: Result, axis: Axis) -> Iterator[Markup]:
    recovered = {one.step: one for one in result.recoveries}
    for done in result.steps:
        step = scenario.timeline[done.number]
        span = _span(scenario, step, done, result)
        if span is None:
            continue
        kind = "store" if isinstance(step, _STORE) else "node" if isinstance(step, _NODE) else "fault"
        begin, end = axis.x(span[0]), axis.x(span[1])
        parts: list[Content] = [
            tag(
                "rect",
                tag("title", done.what),
                x=begin,
                y=3,
                width=max(3.0, end - begin),
                height=LANE - 6,
                rx=4,
                cls=kind,
            )
        ]
        note, after = "", recovered.get(done.number)
        if after is not None and after.after_s is not None:
            until = axis.x(after.ended + after.after_s)
            parts.append(
                tag("line", x1=end, x2=max(until, end + 2), y1=LANE / 2, y2=LANE / 2, cls="recovery")
            )
            note = f"right after {after.after_s:.1f} s"
        elif after is not None:
            note = "not right in time"
        yield _lane(done.what, parts, note=note)


def _span(
    scenario: Scenario, step: model.Step, done: StepResult, result: Result
) -> tuple[float, float] | None:
    """From when to when something was broken."""
    if isinstance(step, (model.FaultStep, model.PauseStep)):
        return done.began, end_of(scenario.timeline, done.number) + done.began - step.at
    if isinstance(step, model.RestartStep):
        return done.began, done.ended
    if not isinstance(step, model.KillStep):
        return None
    for later in result.steps:
        other = scenario.timeline[later.number]
        if later.number > done.number and isinstance(other, model.StartStep) and other.node == step.node:
            return done.began, later.ended
    return done.began, result.lasted_s


# -- what was done and expected -------------------------------------------------------------------


def _steps(result: Result, axis: Axis) -> Iterator[Markup]:
    expected = [step for step in result.steps if step.kind == "expect"]
    if expected:
        missed = sum(bool(step.problem) for step in expected)
        note = f"{missed} of {len(expected)} missed" if missed else f"all {len(expected)} met"
        yield _lane("expectations", [_expectation(step, axis) for step in expected], note=note)
    deeds = (
        "create-network",
        "remove-network",
        "run",
        "remove",
        "stop",
        "connect",
        "disconnect",
        "exec",
        "start",
    )
    done = [step for step in result.steps if step.kind in deeds]
    if done:
        failed = sum(bool(step.problem) for step in done)
        note = f"{failed} of {len(done)} failed" if failed else f"{len(done)} done"
        yield _lane("docker commands and starts", [_deed(step, axis) for step in done], note=note)


def _expectation(step: StepResult, axis: Axis) -> Markup:
    """A bar for as long as was waited, and a sign where it was decided."""
    x, middle = axis.x(step.ended), LANE / 2
    sign = "M-4,0 L-1,3 L5,-4" if not step.problem else "M-4,-4 L4,4 M4,-4 L-4,4"
    color = "var(--good)" if not step.problem else "var(--bad)"
    waited = tag("line", x1=axis.x(step.began), x2=x, y1=middle, y2=middle, cls="axis")
    mark = tag(
        "path",
        d=sign,
        transform=f"translate({x:.1f} {middle:g})",
        stroke=color,
        fill="none",
        stroke_width="2.4",
    )
    text = f"{step.ended:.2f} s: {step.what}" + (f" -- {step.problem}" if step.problem else "")
    return tag("g", tag("title", text), waited, mark)


def _deed(step: StepResult, axis: Axis) -> Markup:
    text = f"{step.began:.2f} s: {step.what}" + (f" -- {step.problem}" if step.problem else "")
    return tag(
        "circle",
        tag("title", text),
        cx=axis.x(step.began),
        cy=LANE / 2,
        r=4,
        cls="no" if step.problem else "act",
    )


# -- who reached whom -----------------------------------------------------------------------------


def _traffic(scenario: Scenario, result: Result, axis: Axis) -> Iterator[Markup]:
    for number, wish in enumerate(scenario.traffic):
        samples = sorted((s for s in result.samples if s.traffic == number), key=lambda one: one.at)
        if not samples:
            continue
        answered = sum(sample.ok for sample in samples)
        silence = longest_silence(samples)
        note = f"{answered}/{len(samples)}" + (f", silent {silence:.1f} s" if silence else "")
        bars = [
            tag(
                "rect",
                tag("title", title),
                x=axis.x(begin),
                y=4,
                width=max(1.0, axis.x(end) - axis.x(begin)),
                height=LANE - 8,
                cls="yes-soft" if good else "no-soft",
            )
            for good, begin, end, title in runs(thinned(samples), wish.every)
        ]
        yield _lane(f"{wish.source} → {wish.to} ({wish.kind})", bars, note=note)


def thinned(samples: list[Sample]) -> list[Sample]:
    """So few that each can have a bar of its own; of those that stand for one, a bad one is kept."""
    step = len(samples) // RUNS_MAX + 1
    groups = (samples[at : at + step] for at in range(0, len(samples), step))
    return [min(group, key=lambda one: one.ok) for group in groups] if step > 1 else samples


def runs(samples: list[Sample], every_s: float) -> Iterator[tuple[bool, float, float, str]]:
    """Samples with the same outcome in a row: the outcome, from when to when, and what was said."""
    begin = 0
    for number in range(1, len(samples) + 1):
        if number < len(samples) and samples[number].ok is samples[begin].ok:
            continue
        first, last = samples[begin], samples[number - 1]
        end = samples[number].at if number < len(samples) else last.at + every_s
        count = number - begin
        verdict = "answered" if first.ok else f"not answered: {first.said}"
        yield first.ok, first.at, end, f"{first.at:.2f} s to {last.at:.2f} s: {count} {verdict}"
        begin = number
