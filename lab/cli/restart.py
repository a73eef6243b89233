"""shoal restart"""

from __future__ import annotations

import click

from lab.cli.names import NODE
from lab.cli.show import name_option, next_step
from lab.launch.cluster import existing
from lab.launch.control import restart


@click.command()
@click.argument("node", type=NODE)
@name_option
def command(node: str, name: str) -> None:
    """Start a node again, dead or alive; it knows what it was.

    \b
    shoal restart node-3
    """
    existing(name)
    restart(name, node)
    click.echo(f"{node} is ready.", err=True)
    next_step("shoal status")
