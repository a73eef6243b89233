"""shoal trace"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass

import click
import msgspec

from lab.cli.clients import check_answers
from lab.cli.faults import describe
from lab.cli.names import NODE
from lab.cli.show import facts, json_option, name_option, next_step
from lab.launch.cluster import Cluster, ClusterError, NodeEntry, existing
from lab.launch.engine import Engine, EngineError
from lab.launch.processes import alive, is_paused
from node.chaos.kinds import Plane
from node.chaos.table import FaultSeen
from node.edge.client import NodeClient
from node.model.inspection import Hop, ObserveFilter
from node.wire import show

SETTLE_S = 0.3
"""How long after the ping further hops are waited for."""
CONNECT_S = 3.0
FRAME_PLANES = {Plane.DATA, Plane.CABLE}
STAGES = {
    "transmit": "the container sends",
    "answer": "ARP answered by the segment",
    "encapsulate": "into the tunnel",
    "receive": "out of the tunnel",
    "deliver": "delivered to the container",
    "drop": "DROPPED",
}


@dataclass(frozen=True, slots=True)
class Step:
    """A hop, and the node it was seen on."""

    node: str
    hop: Hop


@dataclass(frozen=True, slots=True)
class Walk:
    """One ping: its hops in order, whether it was answered, and the faults that swallowed a part of it."""

    steps: tuple[Step, ...]
    answered: bool
    culprits: tuple[tuple[str, FaultSeen], ...]
    """Each with the node that it is in force on."""


@click.command()
@click.argument("source", metavar="NODE/CONTAINER", type=NODE)
@click.argument("destination")
@name_option
@json_option
def command(source: str, destination: str, name: str, as_json: bool) -> None:
    """Follow one ping, hop by hop: every station, the outer and inner headers, the verdict at each.

    \b
    shoal trace node-1/web 10.0.1.4
    shoal trace node-3/probe web
    """
    cluster = existing(name)
    node, slash, container = source.partition("/")
    if not slash or not container:
        raise click.UsageError("say where from: shoal trace NODE/CONTAINER DESTINATION")
    walk = trace(cluster, cluster.node(node), container, destination)
    if as_json:
        facts([{"node": step.node, **msgspec.to_builtins(step.hop)} for step in walk.steps])
    else:
        click.echo("\n".join(story(walk)))
        click.echo("The ping was answered." if walk.answered else "The ping was NOT answered.")
        if walk.culprits:
            next_step("shoal chaos heal")
        else:
            next_step(f"shoal tables {node}" if walk.answered else "shoal drops")
    if not walk.answered:
        raise SystemExit(1)


def trace(cluster: Cluster, entry: NodeEntry, container: str, destination: str) -> Walk:
    """Observe all nodes while a container pings once."""
    check_answers(entry)
    engine = Engine(entry.config.socket_path, timeout_s=15.0)
    try:
        address = _address(engine, container, destination)
        return asyncio.run(_observe(cluster, engine, container, address))
    except EngineError as error:
        raise ClusterError(f"{entry.config.name}: {error}") from None


def _address(engine: Engine, container: str, destination: str) -> str:
    """The destination as the container itself resolves it."""
    code, text = engine.execute(container, ["getent", "hosts", destination])
    if code != 0 or not text.split():
        raise ClusterError(f'container "{container}" does not know the name "{destination}"')
    return text.split()[0]


async def _observe(cluster: Cluster, engine: Engine, container: str, address: str) -> Walk:
    steps: list[Step] = []
    async with AsyncExitStack() as stack:
        clients: dict[str, NodeClient] = {}
        readers = []
        for entry in cluster.nodes:
            if not alive(entry.process) or (entry.process is not None and is_paused(entry.process)):
                continue
            config = entry.config
            client = await stack.enter_async_context(
                NodeClient(f"{config.underlay_address}:{config.control_port}", CONNECT_S)
            )
            hops = await stack.enter_async_context(client.observe(ObserveFilter(address=address)))
            readers.append(asyncio.create_task(_collect(config.name, hops, steps)))
            clients[config.name] = client
        before = await _faults(clients)
        ping = ["ping", "-c", "1", "-W", "1", address]
        code, _ = await asyncio.to_thread(engine.execute, container, ping)
        await asyncio.sleep(SETTLE_S)
        after = await _faults(clients)
        for reader in readers:
            reader.cancel()
    steps.sort(key=lambda step: step.hop.monotonic_ns)
    culprits = [
        (node, seen)
        for (node, identity), seen in after.items()
        if seen.hits > (before[node, identity].hits if (node, identity) in before else 0)
        and FRAME_PLANES & set(seen.fault.scope.planes)
    ]
    return Walk(tuple(steps), code == 0, tuple(culprits) if code else ())


async def _faults(clients: dict[str, NodeClient]) -> dict[tuple[str, str], FaultSeen]:
    """What is in force, by node and id."""
    return {(node, seen.fault.id): seen for node, client in clients.items() for seen in await client.faults()}


async def _collect(node: str, hops: object, steps: list[Step]) -> None:
    async for hop in hops:  # type: ignore[attr-defined]
        steps.append(Step(node, hop))


def story(walk: Walk) -> list[str]:
    """The walk as lines for people."""
    lines: list[str] = []
    begun = walk.steps[0].hop.monotonic_ns if walk.steps else 0
    for step in walk.steps:
        hop = step.hop
        place = f"{hop.segment} {hop.port}".strip()
        what = STAGES.get(hop.stage, hop.stage) + (f": {hop.verdict}" if hop.verdict else "")
        lines.append(f"{(hop.monotonic_ns - begun) / 1e6:8.3f} ms  {step.node:<8} {what:<28} {place}")
        if hop.outer is not None:
            outer = hop.outer
            tag = f"  802.1Q VLAN {outer.vlan}" if outer.vlan else ""
            ends = f"{outer.source} > {outer.destination}:{outer.udp_port}"
            lines.append(f"{'':13}outer  UDP {ends}  VXLAN VNI {outer.vni}{tag}")
        first, *rest = show.layers(hop.frame)
        lines.append(f"{'':13}inner  {first}")
        lines += [f"{'':20}{layer}" for layer in rest]
    for node, seen in walk.culprits:
        lines.append(
            f"{'':13}LOST   fault {seen.fault.id} on {node}: {describe(seen)}, {seen.remaining_s:.0f} s left"
        )
    return lines
