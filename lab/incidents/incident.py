"""An incident: what a student sees, how it is diagnosed, and a scenario with its faulty and its mended form.

A file has two YAML documents: what is to be told (Page), and the faulty scenario (lab/scenario/model.py).
The mended form is the same scenario with less broken or better configured, so that the same
expectations hold. Nothing of it is a switch in a node: real settings and real faults are enough.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from lab.scenario.load import ScenarioError, read, scenario_of, span
from lab.scenario.model import Scenario
from lab.scenario.result import Result

HERE = Path(__file__).parent
SEPARATOR = "\n---\n"


class Frozen(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What all parts of a page have in common."""


class Command(Frozen, frozen=True, kw_only=True):
    """One command that a student types on a live cluster."""

    run: str
    on: str = ""
    """The node that the docker CLI points at; "" where it makes no difference."""
    shows: str = ""
    """What is to be seen there, and what it means."""
    fails: bool = False
    """It ends with an error, and that is the point."""


class Mending(Frozen, frozen=True, kw_only=True):
    """How the faulty scenario becomes the mended one."""

    drop: tuple[str, ...] = ()
    """Ids of faults that do not happen."""
    add: tuple[dict[str, Any], ...] = ()
    """Steps that happen besides."""
    set: dict[str, Any] = {}
    """Settings, merged into the scenario's as RFC 7396 has it."""


class Page(Frozen, frozen=True, kw_only=True):
    """What is told of an incident."""

    title: str
    issue: str
    """As "moby#20398"."""
    sees: str
    reproduce: tuple[Command, ...]
    diagnosis: tuple[Command, ...]
    cause: str
    remedy: str
    mend: tuple[Command, ...]
    """The same in commands, up to one that shows that it has helped."""
    mended: Mending
    fails: str
    """What a failure of the faulty scenario says."""

    @property
    def url(self) -> str:
        """Where the issue stands."""
        project, _, number = self.issue.partition("#")
        return f"https://github.com/moby/{project}/issues/{number}"


@dataclass(frozen=True, slots=True)
class Incident:
    """One of the files here."""

    name: str
    page: Page
    faulty: Scenario
    mended: Scenario

    def shows(self, result: Result, *, mended: bool) -> bool:
        """Whether a run came out as it is to: faulty, it fails for the right reason; mended, it passes."""
        if mended:
            return result.passed
        return any(self.page.fails in failure.text for failure in result.failures)


def names() -> tuple[str, ...]:
    """All incidents."""
    return tuple(sorted(path.stem for path in HERE.glob("*.yaml")))


def incident(name: str) -> Incident:
    """The incident of that name. Raises KeyError if there is none, ScenarioError if its file is wrong."""
    if name not in names():
        raise KeyError(name)
    path = HERE / f"{name}.yaml"
    told, _, text = path.read_text().partition(SEPARATOR)
    try:
        page = msgspec.convert(read(told, str(path))[0], Page)
    except msgspec.ValidationError as error:
        raise ScenarioError(f"{path}: {error}") from None
    blank = "\n" * (told.count("\n") + 2)  # so that errors name the lines of the file
    value, places = read(blank + text, str(path))
    faulty = scenario_of(value, places, str(path))
    mended = scenario_of(_mended(value, page.mended), {}, f"{path}, mended")
    return Incident(name, page, faulty, mended)


def _mended(faulty: dict[str, Any], mending: Mending) -> dict[str, Any]:
    timeline = [step for step in faulty["timeline"] if step.get("id") not in mending.drop]
    timeline += mending.add
    ordered = sorted(timeline, key=lambda step: span(step["at"]))
    return {**_merged(faulty, mending.set), "timeline": ordered}


def _merged(value: Any, patch: Any) -> Any:
    """JSON Merge Patch (RFC 7396)."""
    if not isinstance(patch, Mapping):
        return patch
    merged = dict(value) if isinstance(value, Mapping) else {}
    for key, change in patch.items():
        if change is None:
            merged.pop(key, None)
        else:
            merged[key] = _merged(merged.get(key), change)
    return merged
