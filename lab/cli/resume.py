"""shoal resume"""

from __future__ import annotations

import signal

import click

from lab.cli.names import NODE
from lab.cli.show import name_option, next_step
from lab.cli.signalling import signal_node


@click.command()
@click.argument("node", type=NODE)
@name_option
def command(node: str, name: str) -> None:
    """Let a frozen node go on (SIGCONT).

    \b
    shoal resume node-2
    """
    signal_node(name, node, signal.SIGCONT)
    click.echo(f"{node} goes on.", err=True)
    next_step("shoal status")
