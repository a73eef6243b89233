"""Differences are found, a meant one is let pass for its own command alone, and one that is gone is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.differential import script as scripts
from tests.differential.compare import Block, Judge, Meant, blocks, load
from tests.differential.play import Outcome

STEP = scripts.Step("ports.txt:3", "docker port web")
REAL = Outcome(0, "a\nold\nz", "")
SIMULATED = Outcome(0, "a\nnew\nz", "")
ENTRY = Meant("ports", STEP.command, "a reason", ("stdout: old",), ("stdout: new",))


def test_blocks_are_lines_in_place_of_others() -> None:
    assert blocks(["a", "b", "c"], ["a", "x", "c", "d"]) == [Block(("b",), ("x",)), Block((), ("d",))]
    assert blocks(["a"], ["a"]) == []


def test_equal_outcomes() -> None:
    assert Judge((), "28.5.2").compare("ports", STEP, REAL, REAL).state == "equal"


@pytest.mark.parametrize(
    "other", [Outcome(1, "a\nold\nz", ""), Outcome(0, "a\nold", ""), Outcome(0, "a\nold\nz", "!")]
)
def test_exit_code_and_both_streams_count(other: Outcome) -> None:
    assert Judge((), "28.5.2").compare("ports", STEP, REAL, other).state == "unmeant"


def test_a_listed_difference_is_meant() -> None:
    judge = Judge((ENTRY,), "28.5.2")
    comparison = judge.compare("ports", STEP, REAL, SIMULATED)
    assert (comparison.state, comparison.meant, judge.stale(["ports"])) == ("meant", (ENTRY,), [])


@pytest.mark.parametrize(
    ("script", "command", "simulated"),
    [
        ("names", STEP.command, SIMULATED),
        ("ports", "docker port other", SIMULATED),
        ("ports", STEP.command, Outcome(0, "a\nnewer\nz", "")),
    ],
)
def test_for_nothing_else(script: str, command: str, simulated: Outcome) -> None:
    step = scripts.Step("x.txt:1", command)
    assert Judge((ENTRY,), "28.5.2").compare(script, step, REAL, simulated).state == "unmeant"


def test_one_meant_block_does_not_excuse_another() -> None:
    simulated = Outcome(1, SIMULATED.out, "")
    assert Judge((ENTRY,), "28.5.2").compare("ports", STEP, REAL, simulated).state == "unmeant"


def test_an_entry_that_no_longer_occurs_is_stale() -> None:
    judge = Judge((ENTRY,), "28.5.2")
    judge.compare("ports", STEP, REAL, REAL)
    assert judge.stale(["ports"]) == [ENTRY]
    assert judge.stale(["names"]) == []


def test_an_entry_may_belong_to_some_versions_of_the_engine() -> None:
    entry = Meant("ports", STEP.command, "a reason", ("stdout: old",), ("stdout: new",), engine="26.")
    assert Judge((entry,), "28.5.2").compare("ports", STEP, REAL, SIMULATED).state == "unmeant"
    assert Judge((entry,), "28.5.2").stale(["ports"]) == []
    assert Judge((entry,), "26.1.5").compare("ports", STEP, REAL, SIMULATED).state == "meant"


def test_a_script_is_read_line_by_line() -> None:
    script = scripts.parse("x", "# why\n\n[retry, exit code] docker ps\ndocker port web\n")
    assert [(step.place, step.command, step.marks) for step in script.steps] == [
        ("x.txt:3", "docker ps", ("retry", "exit code")),
        ("x.txt:4", "docker port web", ()),
    ]


@pytest.mark.parametrize("line", ["rm -rf /", "[nonsense] docker ps", "docker"])
def test_a_line_that_is_no_command_is_refused_by_its_place(line: str) -> None:
    with pytest.raises(scripts.ScriptError, match=r"x\.txt:1"):
        scripts.parse("x", line)


def test_every_meant_difference_belongs_to_a_command_and_has_a_reason() -> None:
    commands = {(script.name, step.command) for script in scripts.load([]) for step in script.steps}
    for entry in load():
        assert entry.why, entry
        assert entry.real or entry.simulated, entry
        assert (entry.script, entry.command) in commands, entry
    assert len(commands) > 400
    assert all(
        Path(scripts.FOLDER / f"{script.name}.txt").read_text().startswith("# ")
        for script in scripts.load([])
    )
