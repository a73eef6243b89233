"""shoal logs"""

from __future__ import annotations

import time

import click

from lab.cli.names import NODE
from lab.cli.show import name_option
from lab.launch.cluster import existing

POLL_S = 0.2


@click.command()
@click.argument("node", type=NODE)
@click.option("-f", "--follow", is_flag=True, help="Go on until Ctrl-C.")
@name_option
def command(node: str, follow: bool, name: str) -> None:
    """Show what a node says of itself: joins, lapses, faults, bugs.

    \b
    shoal logs node-1 -f
    """
    path = existing(name).node(node).config.directory / "node.log"
    at = 0
    try:
        while True:
            with path.open("rb") as log:
                log.seek(at)
                text = log.read()
                at = log.tell()
            click.echo(text.decode(errors="replace"), nl=False)
            if not follow:
                return
            time.sleep(POLL_S)
    except FileNotFoundError:
        return
    except KeyboardInterrupt:
        return
