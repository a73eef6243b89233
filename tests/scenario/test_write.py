"""What is written can be read again, and is the same scenario."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lab.scenario.load import load, parse, schema
from lab.scenario.write import written

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("file", sorted((ROOT / "examples").glob("*.yaml")), ids=lambda file: file.stem)
def test_written_and_read_again(file: Path) -> None:
    scenario = load(file)
    text = written(scenario)
    assert parse(text) == scenario
    assert "recovery" not in text, "what is as by default is left out"


def test_the_published_schema_is_current() -> None:
    published = (ROOT / "lab/scenario/scenario.schema.json").read_text()
    assert json.loads(published) == json.loads(json.dumps(schema())), (
        "make it new: shoal scenario schema > lab/scenario/scenario.schema.json"
    )
