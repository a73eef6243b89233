"""A scenario file as a Scenario, or the line and column of what is wrong with it.

    text -> YAML nodes, which know their places -> plain values -> msgspec -> check.py -> Scenario

Nothing of YAML but its values is used: no tags, no anchors that multiply, no objects.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import yaml

from lab.scenario.check import problems
from lab.scenario.model import Scenario, Seconds
from node.errors import NodeError

FILE_BYTES_MAX = 1 << 20
DEPTH_MAX = 20
NODES_MAX = 100_000
"""YAML nodes of one file."""

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_SPAN = re.compile(r"(-?\d+(?:\.\d+)?)(ms|s|m|h)")
_PATH = re.compile(r" - at `\$([^`]*)`$")
_PART = re.compile(r"\[(\d+)\]|(\[\.\.\.\])|\.([^.\[]+)")

Place: TypeAlias = tuple[int, int]
Key: TypeAlias = tuple[str | int | None, ...]
"""Names and numbers on the way to a value; None where msgspec does not say which key of a mapping."""
Places: TypeAlias = dict[Key, Place]


class ScenarioError(Exception):
    """A scenario cannot be played; the text has the file, line and column, and what is wrong."""


def load(path: Path) -> Scenario:
    """Read a scenario file. Raises ScenarioError."""
    try:
        content = path.read_bytes()[: FILE_BYTES_MAX + 1]
    except OSError as error:
        raise ScenarioError(f"{path}: it cannot be read: {error.strerror}") from None
    if len(content) > FILE_BYTES_MAX:
        raise ScenarioError(f"{path}: a scenario has at most {FILE_BYTES_MAX} bytes")
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise ScenarioError(f"{path}: it is no text in UTF-8 (byte {error.start})") from None
    return parse(text, str(path))


def parse(text: str, name: str = "scenario") -> Scenario:
    """A scenario from text; ``name`` stands before the line in errors. Raises ScenarioError."""
    value, places = read(text, name)
    return scenario_of(value, places, name)


def read(text: str, name: str) -> tuple[Any, Places]:
    """The plain values of a YAML text, and where each stands. Raises ScenarioError."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        where = _mark(error.problem_mark) if error.problem_mark is not None else (1, 1)
        raise _error(name, where, f"this is no YAML: {error.problem}") from None
    except yaml.YAMLError as error:
        raise _error(name, (1, 1), f"this is no YAML: {error}") from None
    if root is None:
        raise _error(name, (1, 1), "the file is empty: a scenario has at least a title")
    places: Places = {}
    return _Values(name, places).of(root, ()), places


def scenario_of(value: Any, places: Places, name: str) -> Scenario:
    """A scenario from plain values. Raises ScenarioError."""
    try:
        scenario = msgspec.convert(value, Scenario, dec_hook=_special, strict=True)
    except (msgspec.ValidationError, NodeError) as error:
        reason, key = _split(str(error))
        raise _error(name, _place(places, _deeper(key, reason)), reason) from None
    for key, reason in problems(scenario):
        raise _error(name, _place(places, key), reason)
    return scenario


class _Values:
    """Plain values of YAML nodes; notes where each stands."""

    def __init__(self, name: str, places: dict[Key, Place]) -> None:
        self._name = name
        self._places = places
        self._count = 0

    def of(self, node: yaml.Node, key: Key) -> Any:
        """The value of a node at a key. Raises ScenarioError."""
        self._count += 1
        where = self._places.setdefault(key, _mark(node.start_mark))
        if self._count > NODES_MAX or len(key) > DEPTH_MAX:
            raise _error(self._name, where, "the file has too many values, or they are nested too deep")
        if isinstance(node, yaml.MappingNode):
            return dict(self._items(node, key))
        if isinstance(node, yaml.SequenceNode):
            return [self.of(item, (*key, number)) for number, item in enumerate(node.value)]
        loader = yaml.SafeLoader("")
        try:
            return loader.construct_object(node)
        except (yaml.YAMLError, ValueError) as error:
            raise _error(self._name, where, f"this value cannot be read: {error}") from None
        finally:
            loader.dispose()

    def _items(self, node: yaml.MappingNode, key: Key) -> Iterator[tuple[str, Any]]:
        seen: set[str] = set()
        for name, value in node.value:
            where = _mark(name.start_mark)
            text = name.value if isinstance(name, yaml.ScalarNode) else ""
            if not text:
                raise _error(self._name, where, "a key is a word")
            if text in seen:
                raise _error(self._name, where, f'"{text}" stands here twice')
            seen.add(text)
            self._places[(*key, text)] = where
            yield text, self.of(value, (*key, text))


def _special(kind: type[Any], value: object) -> object:
    """The kinds of value that YAML does not know: spans of time."""
    assert kind is Seconds, f"scenarios hold no {kind}"
    return span(value)


def span(value: object) -> Seconds:
    """ "250ms", "10s", "2m", "1h" in seconds. Raises ValueError (msgspec makes a ValidationError of it)."""
    match = _SPAN.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f'"{value}" is no time: write a number and a unit, as in 250ms, 10s or 2m')
    return Seconds(float(match[1]) * _UNITS[match[2]])


# -- where ----------------------------------------------------------------------------------------


def _mark(mark: yaml.Mark) -> Place:
    return mark.line + 1, mark.column + 1


def _error(name: str, place: Place, reason: str) -> ScenarioError:
    return ScenarioError(f"{name}, line {place[0]}, column {place[1]}: {reason}")


def _split(text: str) -> tuple[str, Key]:
    """msgspec's sentence, and the key that it ends with."""
    match = _PATH.search(text)
    if match is None:
        return text, ()
    key: list[str | int | None] = []
    for number, unknown, name in _PART.findall(match[1]):
        key.append(int(number) if number else None if unknown else name)
    return text[: match.start()], tuple(key)


def _deeper(key: Key, reason: str) -> Key:
    """The key of an unknown field itself, which msgspec names only in its sentence."""
    unknown = re.search(r"unknown field `([^`]+)`", reason)
    return (*key, unknown[1]) if unknown is not None else key


def _place(places: dict[Key, Place], key: Key) -> Place:
    """Where a key stands, or the innermost part of it that does."""
    while key:
        for known, place in places.items():
            if len(known) == len(key) and all(b in (a, None) for a, b in zip(known, key, strict=True)):
                return place
        key = key[:-1]
    return 1, 1


def schema() -> dict[str, Any]:
    """The JSON schema of scenario files, for editors."""

    def describe(kind: type[Any]) -> dict[str, Any]:
        assert kind is Seconds
        return {
            "type": "string",
            "pattern": f"^{_SPAN.pattern}$",
            "description": 'A time with its unit: "250ms", "10s", "2m", "1h".',
        }

    hook: Callable[[type[Any]], dict[str, Any]] = describe
    return msgspec.json.schema(Scenario, schema_hook=hook)
