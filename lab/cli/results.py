"""What came of playing a scenario, as the command says it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from lab.scenario.model import Scenario
    from lab.scenario.result import Result


def tell_result(scenario: Scenario, result: Result, again: str, *, as_json: bool) -> None:
    """For people or for programs; ``again`` is the command that plays it again."""
    import msgspec

    from lab.report.summary import failure, summary

    if as_json:
        shown = {"passed": result.passed, **msgspec.to_builtins(result)}
        click.echo(msgspec.json.format(msgspec.json.encode(shown), indent=2).decode())
        return
    if result.passed or result.samples or result.recoveries:
        click.echo()
        for line in summary(scenario, result):
            click.echo(line)
    if not result.passed:
        click.echo()
        for line in failure(result, again):
            click.echo(line)
