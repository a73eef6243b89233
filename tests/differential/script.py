"""Scripts: text files with one docker command a line.

    # A comment: what is tried, and why.
    docker run -d --name web --network app nginx
    [retry, exit code] docker exec probe wget -qO- http://web

Marks in front say what of the output is compared (normalise.MARKS), or that a command is given again until
it succeeds. `$(docker ...)` stands for the output of another command, `$BEGIN` and `$NOW` for the time at
which the script began and the present one, as `docker events` takes them. Nothing goes through a shell.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tests.differential.normalise import MARKS

FOLDER = Path(__file__).parent / "scripts"
RETRY = "retry"

_LINE = re.compile(r"(?:\[([^\]]+)\] )?(docker .+)")


class ScriptError(ValueError):
    """A script cannot be read; the message names the line."""


@dataclass(frozen=True, slots=True)
class Step:
    """One command, where it stands, and its marks."""

    place: str
    command: str
    marks: tuple[str, ...] = ()

    @property
    def retried(self) -> bool:
        """Given again until it succeeds, for what becomes ready by itself."""
        return RETRY in self.marks


@dataclass(frozen=True, slots=True)
class Script:
    """One file."""

    name: str
    text: str
    steps: tuple[Step, ...]


def parse(name: str, text: str) -> Script:
    """A script from its text. Raises ScriptError."""
    steps = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        found = _LINE.fullmatch(line.strip())
        if found is None:
            raise ScriptError(f"{name}.txt:{number}: neither a docker command nor a comment: {line}")
        marks = tuple(mark.strip() for mark in (found[1] or "").split(",") if mark.strip())
        for mark in marks:
            if mark not in MARKS and mark != RETRY:
                raise ScriptError(
                    f"{name}.txt:{number}: there is no mark [{mark}], only {', '.join([*MARKS, RETRY])}"
                )
        steps.append(Step(f"{name}.txt:{number}", found[2], marks))
    return Script(name, text, tuple(steps))


def load(only: list[str]) -> list[Script]:
    """All scripts in the order of their names, or those named. Raises ScriptError."""
    there = {path.stem: path for path in sorted(FOLDER.glob("*.txt"))}
    if unknown := [name for name in only if name not in there]:
        raise ScriptError(f"there is no script {', '.join(unknown)}, only {', '.join(there)}")
    return [parse(name, path.read_text()) for name, path in there.items() if not only or name in only]
