"""How the command speaks: tables, facts as JSON, next steps, errors."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from lab.cli.names import CLUSTER, DEFAULT_CLUSTER

Command = TypeVar("Command", bound=Callable[..., Any])


def name_option(command: Command) -> Command:
    """--name, or SHOAL_CLUSTER."""
    return click.option(
        "--name",
        type=CLUSTER,
        default=DEFAULT_CLUSTER,
        envvar="SHOAL_CLUSTER",
        show_default=True,
        help="Which cluster.",
    )(command)


def json_option(command: Command) -> Command:
    """--json."""
    return click.option("--json", "as_json", is_flag=True, help="Print facts for programs.")(command)


def facts(value: object) -> None:
    """Facts for programs."""
    click.echo(json.dumps(value, indent=2))


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Rows under a heading, as docker prints them: no frame, three blanks between columns."""
    from rich.console import Console
    from rich.table import Table

    shown = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    for column in columns:
        shown.add_column(column, overflow="fold", no_wrap=column in ("NODE", "STATE", "ROLE"))
    for row in rows:
        shown.add_row(*(str(cell) for cell in row))
    width = None if sys.stdout.isatty() else 200
    Console(highlight=False, width=width, soft_wrap=False).print(shown)


def next_step(text: str) -> None:
    """What to type now; on stderr, so that pipes stay clean."""
    click.echo(f"Next: {text}", err=True)


def fail(text: str) -> None:
    """One sentence on stderr."""
    click.echo(f"shoal: {text}", err=True)
