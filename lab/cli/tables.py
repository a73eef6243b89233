"""shoal tables"""

from __future__ import annotations

import click
import msgspec

from lab.cli.clients import ask
from lab.cli.names import NODE
from lab.cli.show import facts, json_option, name_option, next_step, table
from lab.launch.cluster import existing


@click.command()
@click.argument("node", type=NODE)
@click.argument("network", required=False, default="")
@name_option
@json_option
def command(node: str, network: str, name: str, as_json: bool) -> None:
    """Show what a node forwards by: which MAC is behind which port or node, and whose ARP it answers.

    \b
    shoal tables node-1
    shoal tables node-1 app
    """
    segments = ask(existing(name).node(node), lambda client: client.tables(network))
    if as_json:
        facts(msgspec.to_builtins(segments))
        return
    for segment in segments:
        tunnel = "" if segment.vni is None else f", VNI {segment.vni}"
        click.echo(f"{segment.segment}{tunnel}")
        rows = [
            (
                "  " + row.mac,
                f"node at {row.vtep}" if row.vtep else row.port,
                "static" if row.age_s is None else f"{row.age_s:.0f} s",
            )
            for row in segment.forwarding
        ]
        table(("  MAC", "BEHIND", "SEEN"), rows)
        if segment.neighbors:
            table(
                ("  ADDRESS", "MAC", "NODE"), [("  " + n.address, n.mac, n.vtep) for n in segment.neighbors]
            )
        click.echo("")
    next_step(f"shoal drops {node}")
