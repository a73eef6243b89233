"""What awk computes with: numbers, texts, and texts from outside that may look like numbers."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass

from node.programs.regular import compiled

ELEMENTS_MAX = 100_000
TEXT_MAX = 1_000_000
_NUMBER = re.compile(r"\s*[-+]?(?:\d{1,300}(?:\.\d{0,300})?|\.\d{1,300})(?:[eE][-+]?\d{1,2})?")


class Failed(Exception):
    """The program cannot go on; the text is what awk says."""


class Outside(str):
    """A text from the input: it is compared as a number if it looks like one."""

    __slots__ = ()


Value = float | str


@dataclass(slots=True)
class State:
    """A running program's variables, and the line that it is at."""

    variables: dict[str, Value] = dataclasses.field(default_factory=dict)
    arrays: dict[str, dict[str, Value]] = dataclasses.field(default_factory=dict)
    line: str = ""
    fields: list[str] = dataclasses.field(default_factory=list)

    def take(self, line: str) -> None:
        """Another line: its fields, and the variables that count."""
        self.line = line
        separator = text(self.variables.get("FS", " "))
        if separator == " ":
            self.fields = line.split()
        elif not line:
            self.fields = []
        else:
            self.fields = line.split(separator) if len(separator) == 1 else _split(separator, line)
        self.variables["NF"] = float(len(self.fields))

    def count(self) -> None:
        """One line more."""
        self.variables["NR"] = number(self.variables.get("NR", 0.0)) + 1.0

    def field(self, place: float) -> Value:
        """$0, $1, ..."""
        if place < 0:
            raise Failed("access to negative field")
        if place < 1:
            return Outside(self.line)
        return Outside(self.fields[int(place) - 1]) if place <= len(self.fields) else ""

    def element(self, name: str, key: str) -> Value:
        """name[key]"""
        return self.arrays.get(name, {}).get(key, "")

    def put(self, name: str, key: str | None, value: Value) -> None:
        """name = value, or name[key] = value."""
        if isinstance(value, str) and len(value) > TEXT_MAX:
            raise Failed("out of memory")
        if key is None:
            self.variables[name] = value
            return
        array = self.arrays.setdefault(name, {})
        if key not in array and len(array) >= ELEMENTS_MAX:
            raise Failed("out of memory")
        array[key] = value


def _split(separator: str, line: str) -> list[str]:
    try:
        return compiled(separator, extended=True).sub("\0", line).split("\0")
    except ValueError as error:
        raise Failed(f"bad regex '{separator}': {error}") from None


def number(value: Value) -> float:
    """As a number: what a text begins with, or 0."""
    if isinstance(value, float):
        return value
    match = _NUMBER.match(value)
    return float(match[0]) if match else 0.0


def text(value: Value) -> str:
    """As a text; whole numbers have no point."""
    if isinstance(value, str):
        return str(value)
    return f"{value:.0f}" if value.is_integer() and abs(value) < 1e16 else f"{value:.6g}"


def truth(value: Value) -> bool:
    """0 and the empty text are false."""
    if isinstance(value, Outside) and _NUMBER.fullmatch(value.rstrip()):
        return number(value) != 0
    return value not in (0.0, "")


def compared(one: Value, other: Value) -> int:
    """-1, 0 or 1; as numbers if both are, or look so and come from outside."""
    if _is_numeric(one) and _is_numeric(other):
        return (number(one) > number(other)) - (number(one) < number(other))
    return (text(one) > text(other)) - (text(one) < text(other))


def _is_numeric(value: Value) -> bool:
    if isinstance(value, Outside):
        return _NUMBER.fullmatch(value.rstrip()) is not None
    return isinstance(value, float) or value == ""


def formatted(pattern: str, values: list[Value]) -> str:
    """printf: %s %d %i %f %g %c %x %%, with width and precision of up to three digits."""
    rest = list(values)

    def one(match: re.Match[str]) -> str:
        flags, kind = match[1], match[2]
        if kind == "%":
            return "%"
        value = rest.pop(0) if rest else ""
        if kind == "s":
            return f"%{flags}s" % text(value)
        if kind == "c":
            return text(value)[:1]
        return f"%{flags}{kind}" % (int(number(value)) if kind in "dix" else number(value))

    return re.sub(r"%([-+0 ]?\d{0,3}(?:\.\d{1,3})?)([sdifgcx%])", one, pattern)
