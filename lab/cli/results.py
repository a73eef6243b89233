"""What came of playing a scenario, as the command says it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from lab.scenario.model import Scenario
    from lab.scenario.result import Result


@dataclass(frozen=True, slots=True)
class Reports:
    """Files that a run is written into."""

    html: Path | None = None
    junit: Path | None = None

    def write(self, scenario: Scenario, result: Result, again: str) -> None:
        """Of one run."""
        from lab.report.page import page

        if self.html is not None:
            self.html.write_text(page(scenario, result, again))
        self._junit([result])

    def write_many(self, scenario: Scenario, results: list[Result], again: str) -> None:
        """Of many seeds of one scenario."""
        from lab.report import reconvergence

        if self.html is not None:
            self.html.write_text(reconvergence.page(scenario, results, again))
        self._junit(results)

    def _junit(self, results: list[Result]) -> None:
        from lab.report.junit import junit

        if self.junit is not None:
            self.junit.write_text(junit(results))
        for written in (self.html, self.junit):
            if written is not None:
                click.echo(f"The report is in {written}.", err=True)


def report_options(command: Callable[..., int]) -> Callable[..., int]:
    """--report and --junit, given to the command as ``reports``."""

    @functools.wraps(command)
    def wrapped(*, report: Path | None, junit: Path | None, **others: Any) -> int:
        return command(reports=Reports(report, junit), **others)

    place = click.Path(dir_okay=False, writable=True, path_type=Path)
    for option in (
        click.option("--junit", type=place, help="Write the outcome as JUnit's XML."),
        click.option("--report", type=place, help="Write a page about it: FILE.html."),
    ):
        wrapped = option(wrapped)
    return wrapped


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
