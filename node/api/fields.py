"""A JSON object of a request, asked for by key the way Go's decoder reads it.

Keys match in any case (docker-py sends "replicated" where the engine writes "Replicated"), null is
like absent, and a value of another type is refused. What is not asked for is not looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from node.errors import InvalidParameter

Value = TypeVar("Value")

_NAMES = {
    bool: "a boolean",
    int: "a whole number",
    str: "a string",
    list: "a list",
    dict: "an object",
}


class Fields:
    """See the module. ``where`` names the object in messages; empty for the body itself."""

    def __init__(self, raw: Mapping[str, Any], where: str = "") -> None:
        self._raw = {key.lower(): value for key, value in raw.items()}
        self._where = where

    def get(self, key: str, kind: type[Value], default: Value) -> Value:
        """A value of the given kind; the default where it is absent or null. Raises InvalidParameter."""
        value = self._raw.get(key.lower())
        if value is None:
            return default
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise InvalidParameter(f"invalid JSON: {self._name(key)} must be {_NAMES[kind]}")
        return value

    def _name(self, key: str) -> str:
        return f"{self._where}.{key}" if self._where else key

    def given(self, key: str) -> bool:
        """It is there, and not null."""
        return self._raw.get(key.lower()) is not None

    def text(self, key: str) -> str:
        """A string; empty where there is none."""
        return self.get(key, str, "")

    def flag(self, key: str, *, default: bool = False) -> bool:
        """A boolean."""
        return self.get(key, bool, default)

    def number(self, key: str, default: int = 0) -> int:
        """A whole number."""
        return self.get(key, int, default)

    def object(self, key: str) -> Fields:
        """An object within; empty where there is none."""
        return Fields(self.get(key, dict, {}), self._name(key))

    def raw(self, key: str) -> dict[str, Any]:
        """An object within, as it stands: its keys are names that somebody gave."""
        return self.get(key, dict, {})

    def objects(self, key: str) -> list[Fields]:
        """A list of objects."""
        items = self.get(key, list, [])
        if not all(isinstance(item, dict) for item in items):
            raise InvalidParameter(f"invalid JSON: {self._name(key)} must be a list of objects")
        return [Fields(item, self._name(key)) for item in items]

    def named_objects(self, key: str) -> dict[str, Fields]:
        """Objects by a name that somebody gave; null counts as an empty one."""
        items = self.get(key, dict, {})
        if not all(item is None or isinstance(item, dict) for item in items.values()):
            raise InvalidParameter(f"invalid JSON: {self._name(key)} must hold objects")
        return {name: Fields(item or {}, f"{self._name(key)}.{name}") for name, item in items.items()}

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of strings; a single string counts as a list of one (moby: strslice)."""
        value = self._raw.get(key.lower())
        if isinstance(value, str):
            return (value,)
        items = self.get(key, list, [])
        if not all(isinstance(item, str) for item in items):
            raise InvalidParameter(f"invalid JSON: {self._name(key)} must be a list of strings")
        return tuple(items)

    def mapping(self, key: str) -> dict[str, str]:
        """Strings by a name that somebody gave; null counts as an empty string."""
        items = self.get(key, dict, {})
        if not all(value is None or isinstance(value, str) for value in items.values()):
            raise InvalidParameter(f"invalid JSON: {self._name(key)} must hold strings")
        return {name: value or "" for name, value in items.items()}
