"""What came of a run, in lines for people."""

from __future__ import annotations

from collections.abc import Iterator

from lab.scenario.model import Scenario
from lab.scenario.result import Result, Sample
from lab.scenario.words import span

STORY_LINES = 15
"""Of the story that led to a failure."""


def moment(at: float, what: str) -> str:
    """One line of what happens when."""
    return f"{at:9.3f}s  {what}"


def summary(scenario: Scenario, result: Result) -> Iterator[str]:
    """What went on in the background, how long recovering took, and the verdict."""
    for number, traffic in enumerate(scenario.traffic):
        samples = [sample for sample in result.samples if sample.traffic == number]
        if not samples:
            continue
        answered = sum(sample.ok for sample in samples)
        silence = longest_silence(samples)
        what = f"{traffic.kind} {traffic.source} -> {traffic.to} every {span(traffic.every)}"
        longest = f"; longest time without an answer {silence:.1f} s" if silence else ""
        yield f"{what}: {answered} of {len(samples)} answered{longest}"
    for recovered in result.recoveries:
        if recovered.after_s is None:
            yield f"after: {recovered.what}: not right again in time ({recovered.reason})"
        else:
            yield f"after: {recovered.what}: right again after {recovered.after_s:.1f} s"
    if result.moments:
        held = "all invariants held" if not result.broken else f"{result.broken[0].checker} did not hold"
        yield f"looked at {result.moments} moments: {held}"
    verdict = "PASSED" if result.passed else "FAILED"
    yield f"{verdict}: {result.title} ({result.world}, seed {result.seed}, {result.lasted_s:.1f} s)"


def failure(result: Result, replay: str) -> Iterator[str]:
    """What failed first, what led there, and how to see it again."""
    first = result.failures[0]
    yield f"seed {result.seed} failed at {first.at:.3f} s: {first.text}"
    before = [line for line in result.story if line.at <= first.at + 1e-6]
    yield "What happened before:"
    for line in before[-STORY_LINES:]:
        yield f"  {line.at:9.3f}s  {line.who:9} {line.what}"
    yield f"Play it again: {replay}"


def longest_silence(samples: list[Sample]) -> float:
    """Seconds from the first question of a row without answers to the next answered one, or the last."""
    longest, since = 0.0, None
    for sample in sorted(samples, key=lambda one: one.at):
        if sample.ok:
            if since is not None:
                longest = max(longest, sample.at - since)
            since = None
        elif since is None:
            since = sample.at
    if since is not None:
        longest = max(longest, samples[-1].at - since)
    return longest
