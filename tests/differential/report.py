"""What a person reads of a comparison, and what a program does."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict

import msgspec
from rich.console import Console
from rich.text import Text

from tests.differential.compare import Comparison, Meant

COLOURS = {"+": "green", "-": "red", "@": "cyan"}


def show(console: Console, comparison: Comparison) -> None:
    """One difference that is not meant, as a unified diff: - is the real engine, + the simulated one."""
    console.print(Text(f"\n{comparison.step.place}: {comparison.step.command}", style="bold"))
    for line in comparison.diff():
        console.print(Text(f"  {line}", style=COLOURS.get(line[:1], "")))


def close(console: Console, comparisons: Sequence[Comparison], stale: Iterable[Meant]) -> None:
    """The meant differences with their reasons, stale entries, and the count."""
    reasons: dict[str, list[str]] = {}
    for comparison in comparisons:
        for entry in comparison.meant:
            reasons.setdefault(entry.why, []).append(comparison.step.place)
    if reasons:
        console.print(Text("\nMeant:", style="bold"))
    for why, places in reasons.items():
        console.print(Text(f"  {len(places):3}  {why} ({places[0]}{' ...' if len(places) > 1 else ''})"))
    for entry in stale:
        console.print(
            Text(
                f"\nNo longer occurs, and has to leave meant.toml: {entry.script}: {entry.command}",
                style="red",
            )
        )
        for line in entry.real:
            console.print(Text(f"  -{line}", style="red"))
        for line in entry.simulated:
            console.print(Text(f"  +{line}", style="green"))
    states = [comparison.state for comparison in comparisons]
    console.print(
        Text(
            f"\n{len(states)} commands: {states.count('equal')} equal, "
            f"{states.count('meant')} differ as is meant, {states.count('unmeant')} differ otherwise"
        )
    )


def as_json(engine: str, comparisons: Iterable[Comparison], stale: Iterable[Meant]) -> str:
    """All of it."""
    return json.dumps(
        {
            "engine": engine,
            "commands": [
                {
                    "place": comparison.step.place,
                    "command": comparison.step.command,
                    "state": comparison.state,
                    "real": asdict(comparison.real),
                    "simulated": asdict(comparison.simulated),
                    "meant": [entry.why for entry in comparison.meant],
                    "diff": comparison.diff(),
                }
                for comparison in comparisons
            ],
            "stale": [msgspec.to_builtins(entry) for entry in stale],
        },
        indent=2,
    )
