"""shoal kill"""

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
    """End a node at once, as a power cut would (SIGKILL).

    The others forget its endpoints when its lease has run out, three seconds unless you said otherwise.

    \b
    shoal kill node-3
    """
    signal_node(name, node, signal.SIGKILL)
    click.echo(f"{node} is dead.", err=True)
    next_step(f"shoal restart {node}")
