"""shoal chaos"""

from __future__ import annotations

import re

import click

from lab.cli.clients import ask, ask_all
from lab.cli.faults import describe
from lab.cli.names import NODE
from lab.cli.show import facts, json_option, name_option, next_step, table
from lab.launch.cluster import Cluster, ClusterError, NodeEntry, existing
from lab.launch.processes import alive
from node.chaos.faults import Direction, Injection, Scope, cut_from
from node.chaos.kinds import BETWEEN_NODES, Mode, Partition, Plane
from node.errors import InvalidParameter

DURATION = re.compile(r"(\d+(?:\.\d+)?)(s|m)?")


def seconds(text: str) -> float:
    """ "10", "10s" or "2m"."""
    match = DURATION.fullmatch(text)
    if match is None:
        raise click.BadParameter(f'"{text}" is no time: say 10s or 2m')
    return float(match[1]) * (60 if match[2] == "m" else 1)


def _living(cluster: Cluster) -> list[NodeEntry]:
    return [entry for entry in cluster.nodes if alive(entry.process)]


@click.group()
def command() -> None:
    """Cut nodes apart, and heal them. Every fault ends by itself.

    \b
    shoal chaos partition node-1 node-2,node-3 --for 10s
    shoal chaos list
    shoal chaos heal
    """


@command.command()
@click.argument("groups", nargs=-1, required=True, type=NODE)
@click.option(
    "--for", "duration", default="30s", show_default=True, help="How long: 10s, 2m; at most an hour."
)
@click.option("--plane", "planes", multiple=True, type=click.Choice([plane.value for plane in Plane]))
@click.option("--reject", is_flag=True, help="Let senders know at once, instead of silence.")
@click.option("--one-way", is_flag=True, help="Only what the first group sends to the others is lost.")
@name_option
def partition(
    groups: tuple[str, ...], duration: str, planes: tuple[str, ...], reject: bool, one_way: bool, name: str
) -> None:
    """Cut groups of nodes (commas within a group) apart from each other.

    \b
    shoal chaos partition node-1 node-2 --for 10s
    shoal chaos partition node-1,node-2 node-3 --plane data
    shoal chaos partition node-1 --plane store             cut one node off from etcd
    """
    cluster = existing(name)
    sides = [[part for part in group.split(",") if part] for group in groups]
    members = [cluster.node(member) for side in sides for member in side]
    chosen = tuple(Plane(plane) for plane in planes) or BETWEEN_NODES
    alone = len(sides) == 1 and chosen == (Plane.STORE,)
    mode = Mode.REJECT if reject else Mode.DROP
    direction = Direction.OUTGOING if one_way else Direction.BOTH
    identity = ""
    for entry in members[: len(sides[0])] if one_way else members:
        peers = () if alone else _peers(entry.config.name, sides)
        wish = Injection(Partition(mode), Scope(peers, direction, chosen), seconds(duration), identity)
        # The first node chooses the name of the fault, and all others take it over.
        identity = ask(entry, lambda client, wish=wish: client.inject(wish))  # type: ignore[misc]
    click.echo(f"Cut {' | '.join(groups)} for {seconds(duration):g} s (fault {identity}).", err=True)
    next_step("shoal chaos list; it heals by itself, or at once with shoal chaos heal")


def _peers(node: str, sides: list[list[str]]) -> tuple[str, ...]:
    try:
        return cut_from(node, sides)
    except InvalidParameter as error:
        raise ClusterError(str(error)) from None


@command.command("list")
@name_option
@json_option
def list_faults(name: str, as_json: bool) -> None:
    """Show the faults that are active, and until when."""
    cluster = existing(name)
    entries = _living(cluster)
    rows = [
        (entry.config.name, seen.fault.id, describe(seen), f"{seen.remaining_s:.1f}", seen.hits)
        for entry, faults in zip(entries, ask_all(entries, lambda client: client.faults()), strict=True)
        for seen in faults
    ]
    if as_json:
        facts([dict(zip(("node", "id", "what", "remaining_s", "hits"), row, strict=True)) for row in rows])
    elif rows:
        table(("NODE", "ID", "WHAT", "SECONDS LEFT", "HITS"), rows)
    else:
        click.echo("No fault is active.")


@command.command()
@click.argument("ids", nargs=-1)
@name_option
def heal(ids: tuple[str, ...], name: str) -> None:
    """End faults, by id or all of them."""
    cluster = existing(name)
    entries = _living(cluster)
    answers = ask_all(entries, lambda client: client.heal(ids) if ids else client.heal_all())
    count = sum(len(healed) for healed in answers)
    click.echo(f"Healed {count} {'fault' if count == 1 else 'faults'}.", err=True)
