"""shoal chaos: faults of a node's surroundings: its time, its store, its name servers, its ports."""

from __future__ import annotations

from typing import Any

import click

from lab.cli.amounts import FRACTION, SPAN, TIME
from lab.cli.injecting import inject, scope_of, scope_options
from lab.cli.show import facts, json_option, name_option, next_step
from lab.launch.cluster import ClusterError, existing
from lab.launch.control import order
from lab.scenario import model
from lab.scenario.model import Seconds
from node.chaos import kinds
from node.chaos.kinds import Mode, Plane


@click.command()
@click.argument("delay", type=SPAN)
@scope_options(kinds.Delay, wire=False)
def slow(delay: float, name: str, as_json: bool, **values: Any) -> None:
    """Make nodes slow: all that they say and hear is late, to other nodes and to the store.

    \b
    shoal chaos slow 200ms --on node-2 --for 1m
    """
    inject(name, model.SlowNodeStep(delay=Seconds(delay), **scope_of(values)), as_json=as_json)


@click.command()
@click.option("--rate", type=float, default=1.0, help="How many times as fast: 0.2 is a fifth.")
@click.option("--offset", default="0s", help="How far the calendar is ahead, or with a minus behind.")
@scope_options(kinds.ClockSkew, wire=False)
def skew(rate: float, offset: str, name: str, as_json: bool, **values: Any) -> None:
    """Let the clocks of nodes run wrongly: leases, timers, and with --offset what people read.

    \b
    shoal chaos skew --rate 0.2 --on node-3          renews its lease too late, and counts as dead
    shoal chaos skew --offset -1h --on node-1
    """
    sign = -1 if offset.startswith("-") else 1
    ahead = sign * TIME.convert(offset.lstrip("+-"), None, None)
    if rate == 1.0 and ahead == 0.0:
        raise ClusterError("a clock that is right is no fault: say --rate or --offset")
    step = model.ClockSkewStep(rate=rate, offset=Seconds(ahead), **scope_of(values))
    inject(name, step, as_json=as_json, after="shoal status shows who counts as a member")


@click.group()
def store() -> None:
    """Take the store away from nodes, or make it slow.

    \b
    shoal chaos store away --on node-1
    shoal chaos store slow 500ms
    shoal chaos store lose 2                    one member of three
    """


@store.command()
@scope_options(kinds.Partition, wire=False)
def away(name: str, as_json: bool, **values: Any) -> None:
    """Nodes cannot reach the store: they forward on, change nothing, and lose their lease.

    \b
    shoal chaos store away --on node-1 --for 10s
    """
    step = model.StoreUnavailableStep(**scope_of(values))
    inject(name, step, as_json=as_json, after="shoal status shows who hears the store")


@store.command("slow")
@click.argument("delay", type=SPAN)
@scope_options(kinds.Delay, wire=False)
def slow_store(delay: float, name: str, as_json: bool, **values: Any) -> None:
    """The store answers late: so much for the question, and so much for the answer.

    \b
    shoal chaos store slow 500ms --on node-2
    """
    inject(name, model.StoreSlowStep(delay=Seconds(delay), **scope_of(values)), as_json=as_json)


@store.command()
@click.argument("member", type=int, default=1)
@click.option("--for", "lasts", type=TIME, default="30s", show_default=True, help="How long.")
@name_option
@json_option
def lose(member: int, lasts: float, name: str, as_json: bool) -> None:
    """Kill one member of the store (SIGKILL); it comes back on its own data.

    The cluster needs several: shoal up --etcd-members 3.

    \b
    shoal chaos store lose 2 --for 10s
    """
    order(existing(name), order="lose-store-member", member=str(member), duration_s=f"{lasts:g}")
    if as_json:
        facts({"member": member, "duration_s": lasts})
        return
    click.echo(f"Member {member} of the store is lost for {lasts:g} s.", err=True)
    next_step("shoal status shows who hears the store; shoal chaos heal brings it back at once")


@click.command()
@scope_options(kinds.StalledWatch, wire=False)
def watch(name: str, as_json: bool, **values: Any) -> None:
    """The store answers nodes, but brings them no news: their views grow old.

    \b
    shoal chaos watch --on node-2 --for 20s
    """
    step = model.WatchStalledStep(**scope_of(values))
    inject(name, step, as_json=as_json, after="shoal status compares the nodes' revisions")


@click.command()
@click.option("--refuse", is_flag=True, help="It answers, and refuses.")
@click.option("--delay", type=SPAN, help="It answers so much later, twice: question and answer.")
@click.option("--loss", type=FRACTION, help="A fraction of questions and answers is lost.")
@scope_options(kinds.Partition, wire=False)
def names(
    refuse: bool, delay: float | None, loss: float | None, name: str, as_json: bool, **values: Any
) -> None:
    """The name servers of containers (127.0.0.11) are silent, refuse, or answer late or sometimes.

    \b
    shoal chaos names --on node-1
    shoal chaos names --refuse
    shoal chaos names --delay 3s
    shoal chaos names --loss 30%
    """
    if sum((refuse, delay is not None, loss is not None)) > 1:
        raise ClusterError("a name server has one of these faults at a time: --refuse, --delay or --loss")
    scope = {**scope_of(values), "planes": (Plane.NAMES,)}
    step: model.FaultStep = model.NameServerSilentStep(**scope)
    if refuse:
        step = model.PartitionStep(mode=Mode.REJECT, **scope)
    elif delay is not None:
        step = model.DelayStep(delay=Seconds(delay), **scope)
    elif loss is not None:
        step = model.LossStep(rate=loss, **scope)
    inject(name, step, as_json=as_json, after="docker exec a container nslookup something")


@click.command()
@click.option("--reject", is_flag=True, help="Callers are refused, instead of waiting in vain.")
@scope_options(kinds.Partition, wire=False)
def ports(reject: bool, name: str, as_json: bool, **values: Any) -> None:
    """The published ports of nodes lead nowhere: for the LAN, for containers, for your own programs.

    \b
    shoal chaos ports --on node-3
    shoal chaos ports --reject
    """
    step = model.PortDeadStep(mode=Mode.REJECT if reject else Mode.DROP, **scope_of(values))
    inject(name, step, as_json=as_json, after="shoal drops counts what comes to them as port_closed")


COMMANDS = (slow, skew, store, watch, names, ports)
