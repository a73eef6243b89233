"""The `filters` parameter: what it asks for, and the ways in which a value may match.

The CLI sends a JSON map of maps, {"name": {"web": true}}, docker-py a map of lists, {"name": ["web"]}.
Names and ids are matched by a pattern that may stand anywhere in the text. The engine takes any
regular expression; of that language only what people use is understood here (^ $ . .* |), because
others can take for ever to match.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Collection, Mapping, Sequence

import msgspec

from node.errors import InvalidParameter

Filters = Mapping[str, tuple[str, ...]]
"""The values asked for, by the name of the filter."""

PATTERN_LENGTH_MAX = 256
_TOKEN = re.compile(r"\\(.)|(\.\*)|([.^$|])|(.)", re.DOTALL)
_ANCHORS = {"^": r"\A", "$": r"\Z"}


def parse(text: str, known: Collection[str] | None = None) -> Filters:
    """The parameter's text; empty: no filters. Raises InvalidParameter, also for a name not in ``known``."""
    if not text:
        return {}
    try:
        raw = msgspec.json.decode(text.encode(), type=dict[str, dict[str, bool] | list[str] | None])
    except (msgspec.MsgspecError, RecursionError, UnicodeEncodeError):
        raise InvalidParameter("invalid filter") from None
    for name in raw:
        if known is not None and name not in known:
            raise InvalidParameter(f"invalid filter '{name}'")
    return {name: tuple(values or ()) for name, values in raw.items()}


def truth(filters: Filters, name: str) -> bool | None:
    """A filter that is true or false; None if it was not given. Raises InvalidParameter."""
    if name not in filters:
        return None
    values = filters[name]
    is_true = "1" in values or "true" in values
    if is_true == ("0" in values or "false" in values):
        raise InvalidParameter(f"invalid filter '{name}=[{' '.join(values)}]'")
    return is_true


def exactly(filters: Filters, name: str, *texts: str) -> bool:
    """No such filter, or one of its values is one of the texts."""
    return not filters.get(name) or any(value in texts for value in filters[name])


def begins(filters: Filters, name: str, *texts: str) -> bool:
    """No such filter, or one of its values is how one of the texts begins."""
    return not filters.get(name) or any(text.startswith(v) for v in filters[name] for text in texts)


def matches(filters: Filters, name: str, *texts: str) -> bool:
    """No such filter, or the pattern in one of its values stands in one of the texts."""
    if not filters.get(name):
        return True
    return any(value == text or _pattern(value)(text) for value in filters[name] for text in texts)


@functools.lru_cache(maxsize=64)
def _pattern(value: str) -> Callable[[str], bool]:
    """Whether a pattern stands in a text.

    An alternative is cut at each .* into parts that are looked for one behind the other, which takes
    no longer than reading the text once for each.
    """
    if len(value) > PATTERN_LENGTH_MAX:
        return lambda text: False
    alternatives = [[""]]
    for escaped, wildcard, special, literal in _TOKEN.findall(value):
        if special == "|":
            alternatives.append([""])
        elif wildcard:
            alternatives[-1].append("")
        else:
            alternatives[-1][-1] += _ANCHORS.get(special, special) or re.escape(escaped or literal)
    compiled = [[re.compile(part) for part in parts] for parts in alternatives]
    return lambda text: any(_stand_in(parts, text) for parts in compiled)


def _stand_in(parts: Sequence[re.Pattern[str]], text: str) -> bool:
    """The parts stand in the text, one behind the other."""
    position = 0
    for part in parts:
        match = part.search(text, position)
        if match is None:
            return False
        position = match.end()
    return True


def labelled(filters: Filters, labels: Mapping[str, str], name: str = "label") -> bool:
    """Every "key" or "key=value" asked for is among the labels."""
    return all(_has(wanted, labels) for wanted in filters.get(name, ()))


def unlabelled(filters: Filters, labels: Mapping[str, str]) -> bool:
    """The labels that must not all be there (`label!`) are not."""
    unwanted = filters.get("label!", ())
    return not unwanted or not all(_has(label, labels) for label in unwanted)


def _has(wanted: str, labels: Mapping[str, str]) -> bool:
    key, equals, value = wanted.partition("=")
    return key in labels and (not equals or labels[key] == value)
