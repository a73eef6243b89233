"""shoal scenario"""

from __future__ import annotations

import json
from pathlib import Path

import click

from lab.cli.show import fail, json_option


@click.group()
def command() -> None:
    """Check scenario files, and describe how they are written.

    \b
    shoal scenario check examples/partition.yaml
    shoal scenario schema > scenario.schema.json
    """


@command.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
def check(files: tuple[Path, ...]) -> int:
    """Say what is wrong with scenario files, with line and column."""
    from lab.scenario.load import ScenarioError, load

    wrong = 0
    for file in files:
        try:
            scenario = load(file)
        except ScenarioError as error:
            fail(str(error))
            wrong = 2
        else:
            click.echo(f"{file}: {scenario.title} ({scenario.nodes} nodes, {len(scenario.timeline)} steps)")
    return wrong


@command.command()
def schema() -> None:
    """Print the JSON schema of scenario files, for editors."""
    from lab.scenario.load import schema as described

    click.echo(json.dumps(described(), indent=2, sort_keys=True))


@command.command("list-invariants")
@json_option
def list_invariants(as_json: bool) -> None:
    """List the invariants that every run is held to."""
    from lab.checkers.catalogue import KINDS
    from lab.cli.show import facts, table

    rows = [(kind.name, kind.sentence) for kind in KINDS]
    if as_json:
        facts([{"name": name, "sentence": sentence} for name, sentence in rows])
    else:
        table(("NAME", "WHAT HOLDS"), rows)
