"""shoal sim"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lab.cli.results import Reports, report_options, tell_result
from lab.cli.show import fail, json_option

if TYPE_CHECKING:
    from lab.scenario.model import Scenario
    from lab.scenario.result import Result

SEEDS_MAX = 10_000_000


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="0 has nominal times.")
@click.option(
    "--seeds",
    "count",
    type=click.IntRange(1, SEEDS_MAX),
    help="Play this many seeds, from --seed on, until one fails.",
)
@click.option(
    "--shrink", is_flag=True, help="If it fails, write the smallest scenario that does: FILE.smaller.yaml."
)
@click.option(
    "--trace", type=click.Path(path_type=Path), help="Write everything that happens into this file."
)
@click.option(
    "--reconvergence", is_flag=True, help="With --seeds: how long until all is right again after each fault."
)
@report_options
@json_option
def command(file: Path, seed: int, count: int | None, as_json: bool, reports: Reports, **options: Any) -> int:
    """Play a scenario in a simulated world, on virtual time.

    \b
    shoal sim examples/partition.yaml
    shoal sim examples/partition.yaml --seed 7 --trace trace.txt
    shoal sim examples/partition.yaml --seeds 1000 --shrink

    The same file and seed give the same story, to the last byte. Exit code 0: passed; 1: failed.
    """
    from lab.scenario.load import ScenarioError, load
    from lab.scenario.stage import NotHere
    from node.config import ConfigError

    trace: Path | None = options["trace"]
    if options["reconvergence"] and (count is None or options["shrink"]):
        raise click.UsageError("--reconvergence is over many seeds: say --seeds, and leave --shrink out")
    if count is not None and trace is not None:
        raise click.UsageError("--trace shows one run: leave --seeds out")
    try:
        scenario = load(file)
        if count is None:
            result = _one(scenario, seed, trace, silent=as_json)
        elif options["reconvergence"]:
            return _reconvergence(scenario, file, range(seed, seed + count), reports, as_json=as_json)
        else:
            result = _many(scenario, file, range(seed, seed + count), silent=as_json)
    except (ScenarioError, NotHere, ConfigError) as error:
        fail(str(error))
        return 2
    if count is not None and reports.html is not None and result.passed:
        result = _one(scenario, result.seed, None, silent=True)  # of many, those that passed kept no story
    again = f"shoal sim {shlex.quote(str(file))} --seed {result.seed}"
    tell_result(scenario, result, again, as_json=as_json)
    reports.write(scenario, result, again)
    if options["shrink"] and not result.passed:
        _shrink(scenario, result, Path(f"{file.stem}.smaller.yaml"))
    return 0 if result.passed else 1


def _one(scenario: Scenario, seed: int, trace: Path | None, *, silent: bool) -> Result:
    from lab.report.summary import moment
    from lab.sim.play import play

    def tell(at: float, what: str) -> None:
        if not silent:
            click.echo(moment(at, what))

    played = play(scenario, seed, tell=tell, trace=trace is not None)
    if trace is not None:
        trace.write_text(played.trace)
    return played.result


def _many(scenario: Scenario, file: Path, seeds: range, *, silent: bool) -> Result:
    """The first failure, or the last of all that passed."""
    from rich.console import Console
    from rich.progress import track

    from lab.sim.explore import explore

    results = explore(file.read_text(), str(file), seeds)
    shown = track(
        results,
        f"{len(seeds)} seeds",
        total=len(seeds),
        console=Console(stderr=True),
        disable=silent or not sys.stderr.isatty(),
        transient=True,
    )
    last, passed = None, 0
    for last in shown:
        passed += last.passed
    assert last is not None, "at least one seed was played"
    if not silent:
        click.echo(f"{passed} seeds passed, {0 if last.passed else 1} failed.")
    return last


def _reconvergence(scenario: Scenario, file: Path, seeds: range, reports: Reports, *, as_json: bool) -> int:
    """Play all of them, whatever fails, and tell how long recovering took."""
    from lab.cli.show import facts, table
    from lab.report import reconvergence
    from lab.sim.explore import explore

    results = list(explore(file.read_text(), str(file), seeds, stop=False))
    found = reconvergence.figures(reconvergence.measured(results))
    if as_json:
        facts(found)
    else:
        keys = ("min_s", "median_s", "p90_s", "max_s")
        rows = [
            (
                *(row[key] for key in ("after", "measure", "seeds")),
                *(f"{row[key]:.2f}" if key in row else "-" for key in keys),
                row["never"],
            )
            for row in found
        ]
        table(("AFTER", "RIGHT AGAIN", "SEEDS", "MIN", "MEDIAN", "90%", "MAX", "NEVER"), rows)
    again = f"shoal sim {shlex.quote(str(file))} --seed {seeds.start} --seeds {len(seeds)} --reconvergence"
    reports.write_many(scenario, results, again)
    return 0 if all(result.passed for result in results) else 1


def _shrink(scenario: Scenario, result: Result, into: Path) -> None:
    from lab.scenario.write import written
    from lab.sim.shrink import Shrinker

    def tell(text: str) -> None:
        if sys.stderr.isatty():
            click.echo(f"\r\x1b[K{text}", nl=False, err=True)

    shrunk = Shrinker(result.seed, result.failures[0], tell).shrink(scenario)
    tell("")
    into.write_text(written(shrunk.scenario))
    before, after = len(scenario.timeline), len(shrunk.scenario.timeline)
    click.echo(
        f"{before} steps became {after} in {shrunk.plays} plays; the smaller scenario is in {into}.\n"
        f"Play it: shoal sim {shlex.quote(str(into))} --seed {result.seed}",
        err=True,
    )
