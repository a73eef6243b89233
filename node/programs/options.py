"""Options as getopt_long(3) reads them, for programs that say in their originals' words what is wrong.

read(("-v", "-p", "80", "web"), "vp:", ("port=",))  -->  given (("-v", ""), ("-p", "80")), words ("web",)
"""

from __future__ import annotations

import getopt
import re
from collections.abc import Sequence
from dataclasses import dataclass


class OptionError(Exception):
    """An option cannot be read."""

    def __init__(self, option: str) -> None:
        super().__init__(option)
        self.option = option
        """With its dashes."""


class UnknownOption(OptionError):
    """There is no such option."""


class MissingValue(OptionError):
    """It needs a value, which is not there."""


class BadValue(OptionError):
    """Its value, ``value``, is no number of the wanted kind."""

    def __init__(self, option: str, value: str) -> None:
        super().__init__(option)
        self.value = value


@dataclass(frozen=True, slots=True)
class Options:
    """What was given, in order, and the words that are no options."""

    given: tuple[tuple[str, str], ...]
    words: tuple[str, ...]

    def has(self, *names: str) -> bool:
        """Whether an option is there, under any of its names."""
        return any(name in names for name, _ in self.given)

    def all(self, *names: str) -> list[str]:
        """Its values, in order."""
        return [value for name, value in self.given if name in names]

    def text(self, *names: str, default: str = "") -> str:
        """Its last value."""
        return (self.all(*names) or [default])[-1]

    def whole(self, *names: str, default: int) -> int:
        """Its last value, 0 or more. Raises BadValue."""
        text = self.text(*names, default=str(default))
        if not re.fullmatch(r"\d{1,12}", text):
            raise BadValue(names[0], text)
        return int(text)

    def seconds(self, *names: str, default: float) -> float:
        """Its last value, 0 or more, perhaps with a fraction. Raises BadValue."""
        text = self.text(*names, default=str(default))
        if not re.fullmatch(r"\d{1,9}(\.\d{0,9})?", text):
            raise BadValue(names[0], text)
        return float(text)


def read(arguments: Sequence[str], short: str, long: Sequence[str] = ()) -> Options:
    """``short`` and ``long`` as in Python's getopt. Raises UnknownOption, MissingValue."""
    try:
        given, words = getopt.gnu_getopt(list(arguments), short, list(long))
    except getopt.GetoptError as error:
        option = f"-{error.opt}" if len(error.opt) == 1 else f"--{error.opt}"
        raise (MissingValue if "requires argument" in error.msg else UnknownOption)(option) from None
    return Options(tuple(given), tuple(words))


def complaint(program: str, error: OptionError) -> str:
    """glibc's words."""
    is_short = len(error.option) == 2
    if isinstance(error, MissingValue):
        if is_short:
            return f"{program}: option requires an argument -- '{error.option[1]}'"
        return f"{program}: option '{error.option}' requires an argument"
    if is_short:
        return f"{program}: invalid option -- '{error.option[1]}'"
    return f"{program}: unrecognized option '{error.option}'"


def busybox_complaint(program: str, error: OptionError) -> str:
    """musl's words, which busybox has in Alpine."""
    name = error.option.lstrip("-")
    if isinstance(error, MissingValue):
        return f"{program}: option requires an argument: {name}"
    return f"{program}: unrecognized option: {name}"
