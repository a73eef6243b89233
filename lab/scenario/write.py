"""A Scenario as the text of a scenario file: what load.py reads, without what is as by default."""

from __future__ import annotations

from enum import Enum
from typing import Any

import msgspec
import yaml

from lab.scenario.model import Scenario, Seconds
from lab.scenario.words import span


def written(scenario: Scenario) -> str:
    """YAML; ``parse(written(s)) == s``."""
    return yaml.safe_dump(_plain(scenario), sort_keys=False, allow_unicode=True, width=110)


def _plain(value: object) -> Any:
    match value:
        case msgspec.Struct():
            return _fields(value)
        case Seconds():
            return span(value)
        case Enum():
            return value.value
        case dict():
            return {key: _plain(item) for key, item in value.items()}
        case tuple() | list():
            return [_plain(item) for item in value]
    return value


def _fields(value: msgspec.Struct) -> dict[str, Any]:
    settings = type(value).__struct_config__
    shown: dict[str, Any] = {}
    for field in msgspec.structs.fields(value):
        content = getattr(value, field.name)
        if field.default is not msgspec.NODEFAULT:
            default = field.default
        elif field.default_factory is not msgspec.NODEFAULT:
            default = field.default_factory()
        else:
            default = msgspec.NODEFAULT
        if content != default:
            shown[field.encode_name] = _plain(content)
    if settings.tag is not None:
        at = {"at": shown.pop("at")} if "at" in shown else {}
        shown = {**at, str(settings.tag_field): settings.tag, **shown}
    return shown
