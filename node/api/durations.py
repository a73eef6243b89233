"""How long something has lasted, as people say it (docker/go-units: HumanDuration)."""

from __future__ import annotations

DAY_H = 24
WEEK_H = 7 * DAY_H
MONTH_H = 30 * DAY_H
YEAR_H = 365 * DAY_H


def human(seconds: float) -> str:
    """ "Less than a second", "5 seconds", "About a minute", "2 hours", "3 weeks" and so on."""
    whole, minutes, hours = int(seconds), int(seconds / 60), int(seconds / 3600 + 0.5)
    if whole < 1:
        return "Less than a second"
    if whole < 60:
        return "1 second" if whole == 1 else f"{whole} seconds"
    if minutes < 60:
        return "About a minute" if minutes == 1 else f"{minutes} minutes"
    if hours < 2 * DAY_H:
        return "About an hour" if hours == 1 else f"{hours} hours"
    if hours < 2 * WEEK_H:
        return f"{hours // DAY_H} days"
    if hours < 2 * MONTH_H:
        return f"{hours // WEEK_H} weeks"
    if hours < 2 * YEAR_H:
        return f"{hours // MONTH_H} months"
    return f"{int(seconds / 3600) // YEAR_H} years"
