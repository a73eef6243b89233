"""Regular expressions as sed and grep write them (POSIX XBD 9), in Python's words."""

from __future__ import annotations

import re

TEXT_MAX = 1_000
_CLASSES = {
    "alnum": "a-zA-Z0-9", "alpha": "a-zA-Z", "blank": " \\t", "digit": "0-9", "lower": "a-z", "punct":
    re.escape("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"), "space": "\\s", "upper": "A-Z", "xdigit": "0-9A-Fa-f",
}  # fmt: skip
_TURNED = "(){}|+?"
"""Basic expressions mean these with a backslash, extended ones without."""


def compiled(text: str, *, extended: bool, ignore_case: bool = False) -> re.Pattern[str]:
    """An expression, basic or extended. Raises ValueError."""
    if len(text) > TEXT_MAX:
        raise ValueError("Regular expression too big")
    try:
        return re.compile(_translated(text, extended=extended), re.IGNORECASE if ignore_case else 0)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(str(error)) from None


def _translated(text: str, *, extended: bool) -> str:
    out: list[str] = []
    at = 0
    while at < len(text):
        character = text[at]
        if character == "\\" and at + 1 < len(text):
            following = text[at + 1]
            is_turned = not extended and following in _TURNED
            out.append("\\b" if following in "<>" else following if is_turned else f"\\{following}")
            at += 2
        elif character == "[":
            end = _end_of_brackets(text, at)
            out.append(_brackets(text[at:end]))
            at = end
        else:
            is_literal = not extended and (character in _TURNED or (character == "*" and not out))
            out.append(f"\\{character}" if is_literal else character)
            at += 1
    return "".join(out)


def _brackets(text: str) -> str:
    """A set of characters. Only \\n and \\t have a backslash that means something."""
    if len(text) < 3 or not text.endswith("]"):
        raise ValueError("Unmatched [, [^, [:, [., or [=")
    parts = re.split(r"\[:(\w+):\]", text[1:-1])
    parts[::2] = [re.sub(r"\\(?![nt])|[\[\]&|~]", r"\\\g<0>", part) for part in parts[::2]]
    parts[1::2] = [_CLASSES.get(name, "") for name in parts[1::2]]
    return f"[{''.join(parts)}]"


def _end_of_brackets(text: str, at: int) -> int:
    """The place behind the ] that ends what [ at this place begins."""
    place = at + 1
    if text[place : place + 1] == "^":
        place += 1
    if text[place : place + 1] == "]":
        place += 1
    while place < len(text) and text[place] != "]":
        end = text.find(":]", place) if text.startswith("[:", place) else -1
        place = end + 2 if end >= 0 else place + 1
    return min(place + 1, len(text))
