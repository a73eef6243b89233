"""Every example is played, and what it says is so: at its nominal times."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from lab.scenario.load import load
from lab.scenario.result import Result
from lab.sim.play import play

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.yaml"))


def why(result: Result) -> str:
    return "\n".join(failure.text for failure in result.failures)


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 8


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_an_example_plays_as_it_says(file: Path) -> None:
    result = play(load(file)).result
    assert result.passed, why(result)
    assert result.moments > 10, "the invariants were hardly looked at"


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_an_example_says_first_what_to_expect(file: Path) -> None:
    lines = file.read_text().splitlines()
    comment = itertools.takewhile(lambda line: line.startswith("#"), lines)
    assert len(list(comment)) >= 4, "a comment at the top says what to expect and what it teaches"
