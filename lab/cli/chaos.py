"""shoal chaos"""

from __future__ import annotations

import time
from typing import Any

import click

from lab.cli import chaos_node, chaos_wire
from lab.cli.amounts import TIME
from lab.cli.clients import ask_all
from lab.cli.faults import describe
from lab.cli.injecting import inject, reachable, scope_of, scope_options
from lab.cli.names import NODE
from lab.cli.show import facts, json_option, name_option, table
from lab.launch.cluster import ClusterError, existing
from lab.launch.control import order
from lab.scenario.model import PartitionStep, Seconds
from node.chaos.faults import Direction
from node.chaos.kinds import Flows, Mode, Partition, Plane


@click.group()
def command() -> None:
    """Break things on purpose, and heal them. Every fault ends by itself.

    \b
    shoal chaos partition node-1 node-2,node-3 --for 10s
    shoal chaos loss 10% --on node-2 --for 1m
    shoal chaos store away --on node-1
    shoal chaos list
    shoal chaos heal

    Whole nodes are broken with shoal kill, pause, resume and restart; whole stories with shoal play.
    """


@command.command()
@click.argument("groups", nargs=-1, required=True, type=NODE)
@click.option("--one-way", is_flag=True, help="Only what the first group sends to the others is lost.")
@click.option("--reject", is_flag=True, help="Let senders know at once, instead of silence.")
@click.option(
    "--flows",
    type=click.Choice([flows.value for flows in Flows]),
    default="all",
    show_default=True,
    help="Which conversations: those that stand already, or new ones.",
)
@click.option("--flap", type=TIME, default=0.0, help="Cut for so long, whole for so long, and so on.")
@scope_options(Partition, on=False)
def partition(groups: tuple[str, ...], name: str, as_json: bool, **values: Any) -> None:
    """Cut groups of nodes (commas within a group) apart from each other; one group, from all others.

    \b
    shoal chaos partition node-1 node-2 --for 10s
    shoal chaos partition node-1,node-2 node-3 --plane data     4789 is blocked, names resolve
    shoal chaos partition node-1 node-2 --one-way               node-2 hears nothing of node-1
    shoal chaos partition node-1 --flap 2s --for 1m             comes and goes
    shoal chaos partition node-1 --plane store                  cut one node off from etcd
    """
    sides = tuple(tuple(part for part in group.split(",") if part) for group in groups)
    shape: dict[str, Any] = {
        "mode": Mode.REJECT if values.pop("reject") else Mode.DROP,
        "flows": Flows(values.pop("flows")),
        "flap": Seconds(values.pop("flap")),
    }
    one_way = values.pop("one_way")
    scope = scope_of(values)
    if len(sides) == 1:
        scope["on"] = sides[0]
        scope["direction"] = Direction.OUTGOING if one_way else Direction.BOTH
        scope["peers"] = () if scope["planes"] == (Plane.STORE,) else _others(name, sides[0])
        inject(name, PartitionStep(**shape, **scope), as_json=as_json)
    else:
        inject(name, PartitionStep(groups=sides, one_way=one_way, **shape, **scope), as_json=as_json)


def _others(name: str, group: tuple[str, ...]) -> tuple[str, ...]:
    names = [entry.config.name for entry in existing(name).nodes]
    others = tuple(node for node in names if node not in group)
    if not others:
        raise ClusterError("there is no other node to cut it from: name a second group")
    return others


@command.command("list")
@name_option
@json_option
def list_faults(name: str, as_json: bool) -> None:
    """Show the faults that are active: where, until when, and how much each has done.

    \b
    shoal chaos list
    shoal chaos list --json
    """
    cluster = existing(name)
    entries = reachable(cluster)
    for member, back_at in cluster.lost_members.items():
        click.echo(f"Member {member} of the store is lost for {back_at - time.time():.1f} s more.", err=True)
    found = [
        (entry.config.name, seen)
        for entry, faults in zip(entries, ask_all(entries, lambda client: client.faults()), strict=True)
        for seen in faults
    ]
    if as_json:
        facts(
            [
                {
                    "node": node,
                    "id": seen.fault.id,
                    "kind": type(seen.fault.kind).__name__,
                    "what": describe(seen),
                    "peers": seen.fault.scope.peers,
                    "planes": seen.fault.scope.planes,
                    "networks": seen.fault.scope.networks,
                    "remaining_s": round(seen.remaining_s, 3),
                    "hits": seen.hits,
                }
                for node, seen in found
            ]
        )
    elif found:
        rows = [
            (node, seen.fault.id, describe(seen), f"{seen.remaining_s:.1f}", seen.hits)
            for node, seen in found
        ]
        table(("NODE", "ID", "WHAT", "SECONDS LEFT", "HITS"), rows)
    else:
        click.echo("No fault is active.")


@command.command()
@click.argument("ids", nargs=-1)
@name_option
@json_option
def heal(ids: tuple[str, ...], name: str, as_json: bool) -> None:
    """End faults on all nodes, by id or all of them.

    \b
    shoal chaos heal
    shoal chaos heal k7wq
    """
    cluster = existing(name)
    entries = reachable(cluster)
    if cluster.lost_members and not ids:
        order(cluster, order="restore-store-members")
        click.echo(f"Members {', '.join(map(str, cluster.lost_members))} of the store are back.", err=True)
    answers = ask_all(entries, lambda client: client.heal(ids) if ids else client.heal_all())
    healed = sorted({identity for answer in answers for identity in answer})
    if unknown := sorted(set(ids) - set(healed)):
        raise ClusterError(f"no fault {', '.join(unknown)} is active: shoal chaos list shows those that are")
    if as_json:
        facts({"healed": healed})
    else:
        click.echo(f"Healed {len(healed)} {'fault' if len(healed) == 1 else 'faults'}.", err=True)


for verb in (*chaos_wire.COMMANDS, *chaos_node.COMMANDS):
    command.add_command(verb)
