"""shoal drops"""

from __future__ import annotations

import click

from lab.cli.clients import ask_all
from lab.cli.injecting import reachable
from lab.cli.names import NODE
from lab.cli.show import facts, json_option, name_option, table
from lab.launch.cluster import existing
from node.datapath.drops import EXPLANATIONS


@click.command()
@click.argument("node", required=False, type=NODE)
@name_option
@json_option
def command(node: str | None, name: str, as_json: bool) -> None:
    """Show what was not delivered, by name, on one node or on all.

    \b
    shoal drops
    shoal drops node-2
    """
    cluster = existing(name)
    entries = [cluster.node(node)] if node else reachable(cluster)
    answers = ask_all(entries, lambda client: client.drops())
    meanings = {drop.value: text for drop, text in EXPLANATIONS.items()}
    rows = [
        (entry.config.name, drop.segment or "-", drop.name, drop.count, meanings.get(drop.name, ""))
        for entry, drops in zip(entries, answers, strict=True)
        for drop in drops
    ]
    if as_json:
        keys = ("node", "segment", "drop", "count", "meaning")
        facts([dict(zip(keys, row, strict=True)) for row in rows])
        return
    if not rows:
        click.echo("Nothing was dropped.")
        return
    table(("NODE", "SEGMENT", "DROP", "COUNT", "MEANING"), rows)
