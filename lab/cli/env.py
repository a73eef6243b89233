"""shoal env"""

from __future__ import annotations

import shlex

import click

from lab.cli.names import NODE
from lab.cli.show import name_option
from lab.launch.cluster import existing


@click.command()
@click.argument("node", required=False, type=NODE)
@click.option("--unset", is_flag=True, help="Back to where the docker CLI pointed before.")
@click.option("--shell", type=click.Choice(["sh", "fish"]), default="sh", show_default=True)
@name_option
def command(node: str | None, unset: bool, shell: str, name: str) -> None:
    """Print what points the docker CLI at a node.

    \b
    eval "$(shoal env node-1)"
    eval "$(shoal env --unset)"
    shoal env node-1 --shell fish | source
    """
    if unset:
        click.echo("set -e DOCKER_HOST" if shell == "fish" else "unset DOCKER_HOST")
        return
    if node is None:
        raise click.UsageError("name a node: shoal env node-1")
    path = existing(name).node(node).config.socket_path
    host = shlex.quote(f"unix://{path}")
    click.echo(f"set -gx DOCKER_HOST {host}" if shell == "fish" else f"export DOCKER_HOST={host}")
    click.echo(f'# Run this to set it in your shell: eval "$(shoal env {node})"')
