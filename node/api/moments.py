"""Moments that clients name: seconds since 1970, a date and time, or how long ago (moby: api/types/time)."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from node.errors import InvalidParameter

SECONDS_MAX = 10_000_000_000
"""The year 2286: beyond it a moment is a mistake."""

_UNITS_S = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"(\d{1,12}(?:\.\d{1,12})?)(ns|us|µs|ms|s|m|h)")
_DURATION = re.compile(rf"(?:{_PART.pattern})+")
_SECONDS = re.compile(r"\d{1,11}(?:\.\d{1,9})?")


def moment(text: str, now: float) -> float:
    """Seconds since 1970; 0 for an empty text. Raises InvalidParameter.

    ``now`` (seconds since 1970) is what "10m" is counted back from. A date without a zone is in UTC.
    """
    if not text:
        return 0.0
    if _SECONDS.fullmatch(text) and float(text) < SECONDS_MAX:
        return float(text)
    if _DURATION.fullmatch(text):
        return now - sum(float(number) * _UNITS_S[unit] for number, unit in _PART.findall(text))
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidParameter(f'failed to parse value as time or duration: "{text}"') from None
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
