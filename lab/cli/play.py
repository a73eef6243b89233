"""shoal play"""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from lab.cli.names import CLUSTER
from lab.cli.results import Reports, report_options, tell_result
from lab.cli.show import fail, json_option
from lab.cli.up import Counter


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--name", type=CLUSTER, help="A cluster that is up.  [default: one of its own, for this run]")
@report_options
@json_option
def command(file: Path, name: str | None, as_json: bool, reports: Reports) -> int:
    """Play a scenario on a real cluster, in real time.

    \b
    shoal play examples/partition.yaml                  on a cluster of its own
    shoal play examples/partition.yaml --name default   on one that is up

    The cluster is left as it was, also after Ctrl-C: faults are healed, what was made is removed, nodes
    that were killed are started. Exit code 0: passed; 1: failed; 2: it cannot be played here.
    """
    from lab.launch.play import play
    from lab.report.summary import moment
    from lab.scenario.load import ScenarioError, load
    from lab.scenario.stage import NotHere

    starting = Counter()

    def tell(at: float, what: str) -> None:
        starting.clear()
        if not as_json:
            click.echo(moment(at, what))

    try:
        scenario = load(file)
        if not as_json:
            where = f"cluster {name}" if name else f"a cluster of {scenario.nodes} of its own"
            click.echo(f"{scenario.title}: on {where}", err=True)
        result = play(scenario, name or "", tell=tell, progress=starting.show)
    except (ScenarioError, NotHere) as error:
        fail(str(error))
        return 2
    again = f"shoal play {shlex.quote(str(file))}" + (f" --name {name}" if name else "")
    tell_result(scenario, result, again, as_json=as_json)
    reports.write(scenario, result, again)
    return 0 if result.passed else 1
