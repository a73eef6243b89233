"""From a fault step to the tables of the nodes of a cluster: options that say where, and one way to do it.

options --> FaultStep --> (node, injection), ... --> first node chooses the id --> all others take it over
                                                         |
                        one that refuses: nothing stays <'
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import click

from lab.cli.amounts import TIME
from lab.cli.clients import ask, ask_all
from lab.cli.names import NODE
from lab.cli.show import Command, facts, json_option, name_option, next_step
from lab.launch.cluster import Cluster, ClusterError, NodeEntry, existing
from lab.launch.engine import Engine, EngineError
from lab.launch.processes import alive, is_paused
from lab.scenario.faults import injections
from lab.scenario.model import FaultStep, PartitionStep
from lab.scenario.words import describe
from node.chaos.faults import Direction, Injection
from node.chaos.kinds import Kind, Plane, default_planes
from node.control.directory import LAN
from node.errors import InvalidParameter

FOR_S = 30.0
AFTER = "shoal chaos list; it heals by itself, or at once with shoal chaos heal"


def scope_options(kind: type[Kind], *, on: bool = True, wire: bool = True) -> Callable[[Command], Command]:
    """--for, --name, --json; --on; and for faults of the wire --plane, --network, --peer, --direction."""
    options: list[Callable[[Any], Any]] = [
        click.option(
            "--for",
            "lasts",
            type=TIME,
            default="30s",
            show_default=True,
            help="How long: 10s, 2m; at most an hour.",
        ),
        name_option,
        json_option,
    ]
    if on:
        options.append(
            click.option("--on", type=NODE, multiple=True, help="Nodes that have the fault.  [default: all]")
        )
    if wire:
        options.append(
            click.option("--network", "networks", multiple=True, help="Only in these, by name or VNI.")
        )
        planes = click.Choice([plane.value for plane in kind.planes])
        usual = ", ".join(default_planes(kind))
        options.append(
            click.option("--plane", "planes", multiple=True, type=planes, help=f"[default: {usual}]")
        )
    if on and wire:
        options.append(
            click.option(
                "--peer", "peers", type=NODE, multiple=True, help="Only against these.  [default: all others]"
            )
        )
        ways = click.Choice([way.value for way in Direction])
        options.append(
            click.option("--direction", type=ways, default="both", show_default=True, help="Seen from --on.")
        )

    def wrap(command: Command) -> Command:
        for option in options:
            command = option(command)
        return command

    return wrap


def scope_of(values: dict[str, Any]) -> dict[str, Any]:
    """The fields of a FaultStep that the options above give; they are taken out of the values."""
    taken: dict[str, Any] = {"at": 0.0, "lasts": values.pop("lasts")}
    for field in ("on", "peers"):
        taken[field] = tuple(name for text in values.pop(field, ()) for name in text.split(",") if name)
    taken["networks"] = tuple(values.pop("networks", ()))
    taken["planes"] = tuple(Plane(plane) for plane in values.pop("planes", ()))
    taken["direction"] = Direction(values.pop("direction", "both"))
    return taken


def inject(name: str, step: FaultStep, *, as_json: bool, after: str = AFTER) -> None:
    """Put a fault into force, and say so. Raises ClusterError, leaving none behind."""
    cluster = existing(name)
    entries = reachable(cluster)
    wishes = _wishes(cluster, entries, step)
    identity = _place(entries, wishes)
    if as_json:
        facts({"id": identity, "nodes": [node for node, _ in wishes], "what": describe(step)})
        return
    words = describe(step)
    click.echo(f"{words[0].upper()}{words[1:]} (fault {identity}).", err=True)
    next_step(after)


def reachable(cluster: Cluster) -> list[NodeEntry]:
    """The nodes that can be asked; those that are frozen are named. Raises ClusterError if there is none."""
    living = [entry for entry in cluster.nodes if alive(entry.process)]
    frozen = [entry for entry in living if entry.process is not None and is_paused(entry.process)]
    for entry in frozen:
        click.echo(f"{entry.config.name} is paused and cannot be asked: shoal resume it first.", err=True)
    able = [entry for entry in living if entry not in frozen]
    if not able:
        raise ClusterError(f'no node of cluster "{cluster.name}" answers: shoal restart starts one')
    return able


def _wishes(cluster: Cluster, entries: list[NodeEntry], step: FaultStep) -> list[tuple[str, Injection]]:
    able = [entry.config.name for entry in entries]
    groups = step.groups if isinstance(step, PartitionStep) else ()
    for node in (*step.on, *step.peers, *(node for group in groups for node in group)):
        cluster.node(node)
    for node in step.on:
        if node not in able:
            raise ClusterError(f'{node} is not there to have a fault: "shoal restart {node}" starts it')
    try:
        wishes = list(injections(step, able))
    except InvalidParameter as error:
        raise ClusterError(str(error)) from None
    _check_planes(cluster, wishes)
    _check_networks(entries[0], step.networks)
    # Whoever is down has no table, and needs none: the other side has the fault.
    wishes = [wish for wish in wishes if wish[0] in able]
    if not wishes:
        raise ClusterError("none of these nodes is there to have a fault")
    return wishes


def _check_planes(cluster: Cluster, wishes: Sequence[tuple[str, Injection]]) -> None:
    if not cluster.swarm and any(wish.scope.planes == (Plane.STORE,) for _, wish in wishes):
        raise ClusterError(f'cluster "{cluster.name}" has no swarm, and so no store that could fail')


def _check_networks(entry: NodeEntry, networks: Sequence[str]) -> None:
    engine = Engine(entry.config.socket_path)
    for network in networks:
        if network == LAN or network.isdecimal():
            continue
        try:
            engine.call("GET", f"/networks/{quote(network, safe='')}")
        except EngineError as error:
            raise ClusterError(f"{entry.config.name}: {error}") from None


def _place(entries: list[NodeEntry], wishes: list[tuple[str, Injection]]) -> str:
    """The first node chooses the fault's id, and all others take it over."""
    by_name = {entry.config.name: entry for entry in entries}
    (first, wish), *others = wishes
    identity = ask(by_name[first], lambda client: client.inject(wish))
    placed = [by_name[first]]
    try:
        for node, other in others:
            named = replace(other, id=identity)
            ask(by_name[node], lambda client, named=named: client.inject(named))  # type: ignore[misc]
            placed.append(by_name[node])
    except ClusterError:
        ask_all(placed, lambda client: client.heal([identity]))
        raise
    return identity
