"""shoal pause"""

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
    """Freeze a node (SIGSTOP): its connections stay open and nothing answers.

    \b
    shoal pause node-2
    """
    signal_node(name, node, signal.SIGSTOP)
    click.echo(f"{node} is frozen.", err=True)
    next_step(f"shoal resume {node}")
