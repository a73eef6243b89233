"""shoal down"""

from __future__ import annotations

import click

from lab.cli.show import name_option
from lab.launch.cluster import names
from lab.launch.control import stop


@click.command()
@click.option("--all", "everything", is_flag=True, help="Every cluster of yours.")
@name_option
def command(everything: bool, name: str) -> None:
    """End a cluster and leave nothing behind. It is no error if none is up.

    \b
    shoal down
    shoal down --name other
    shoal down --all
    """
    for each in names() if everything else [name]:
        ended = stop(each)
        click.echo(f"Cluster {each} has ended." if ended else f"No cluster {each} is up.", err=True)
