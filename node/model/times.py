"""Moments as people and the Engine API read them: RFC 3339, UTC, nanoseconds."""

from __future__ import annotations

from datetime import UTC, datetime

NEVER = "0001-01-01T00:00:00Z"
"""The engine's way of writing a moment that has not come."""


def rfc3339(wall_s: float) -> str:
    """Seconds since 1970 as "2026-01-01T00:00:00.123456789Z", trailing zeros dropped as Go does."""
    whole, nanoseconds = divmod(round(wall_s * 1_000_000_000), 1_000_000_000)
    text = datetime.fromtimestamp(whole, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f"{nanoseconds:09d}".rstrip("0")
    return f"{text}.{fraction}Z" if fraction else f"{text}Z"


def seconds(text: str) -> float:
    """An RFC 3339 moment as seconds since 1970; 0 for NEVER. Raises ValueError."""
    if text == NEVER:
        return 0.0
    stem, _, fraction = text.removesuffix("Z").partition(".")
    moment = datetime.strptime(stem, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC)
    return moment.timestamp() + (float(f"0.{fraction}") if fraction else 0.0)
