"""shoal chaos: faults of the wire, in the words of Linux' netem (tc-netem(8)) where it has one."""

from __future__ import annotations

from typing import Any

import click

from lab.cli.amounts import BANDWIDTH, BYTES, FRACTION, SPAN
from lab.cli.injecting import inject, scope_of, scope_options
from lab.scenario import model
from lab.scenario.model import Seconds
from node.chaos import kinds


@click.command()
@click.argument("rate", type=FRACTION)
@click.option("--burst", type=float, default=1.0, help="Mean length of a run of losses.")
@scope_options(kinds.Loss)
def loss(rate: float, burst: float, name: str, as_json: bool, **values: Any) -> None:
    """Lose a fraction of what is sent.

    \b
    shoal chaos loss 10%
    shoal chaos loss 5% --burst 8 --on node-1 --peer node-3      in runs, as on a bad radio link
    shoal chaos loss 100% --plane control --on node-2
    """
    inject(name, model.LossStep(rate=rate, burst=burst, **scope_of(values)), as_json=as_json)


@click.command()
@click.argument("delay", type=SPAN)
@click.option("--jitter", type=SPAN, default=0.0, help="Up to so much more or less.")
@scope_options(kinds.Delay)
def delay(delay: float, jitter: float, name: str, as_json: bool, **values: Any) -> None:
    """Make everything late; its order is kept.

    \b
    shoal chaos delay 50ms --on node-1
    shoal chaos delay 100ms --jitter 40ms --plane data --network app
    """
    step = model.DelayStep(delay=Seconds(delay), jitter=Seconds(jitter), **scope_of(values))
    inject(name, step, as_json=as_json)


@click.command()
@click.argument("rate", type=FRACTION)
@click.option("--hold", type=SPAN, default="10ms", show_default=True, help="How long they are held back.")
@scope_options(kinds.Reorder)
def reorder(rate: float, hold: float, name: str, as_json: bool, **values: Any) -> None:
    """Hold a fraction back, so that what was sent later overtakes it.

    \b
    shoal chaos reorder 25%
    shoal chaos reorder 5% --hold 50ms --on node-2
    """
    inject(name, model.ReorderStep(rate=rate, hold=Seconds(hold), **scope_of(values)), as_json=as_json)


@click.command()
@click.argument("rate", type=FRACTION)
@scope_options(kinds.Duplicate)
def duplicate(rate: float, name: str, as_json: bool, **values: Any) -> None:
    """Let a fraction arrive twice.

    \b
    shoal chaos duplicate 5%
    """
    inject(name, model.DuplicateStep(rate=rate, **scope_of(values)), as_json=as_json)


@click.command()
@click.argument("rate", type=FRACTION)
@scope_options(kinds.Corrupt)
def corrupt(rate: float, name: str, as_json: bool, **values: Any) -> None:
    """Let a fraction arrive with one wrong bit; whose checksum finds it shows in shoal drops.

    \b
    shoal chaos corrupt 1% --on node-1 --plane data
    """
    inject(
        name,
        model.CorruptStep(rate=rate, **scope_of(values)),
        as_json=as_json,
        after="shoal drops shows them as malformed_packet",
    )


@click.command()
@click.argument("rate", type=BANDWIDTH)
@click.option("--queue", type=BYTES, default="256k", show_default=True, help="Bytes that may wait.")
@scope_options(kinds.Bandwidth)
def bandwidth(rate: float, queue: float, name: str, as_json: bool, **values: Any) -> None:
    """Let only so much through to each peer; what waits too long in the queue is lost.

    \b
    shoal chaos bandwidth 10mbit
    shoal chaos bandwidth 512kbit --queue 16k --on node-1 --peer node-2
    """
    step = model.BandwidthStep(bits_per_second=rate, queue_bytes=int(queue), **scope_of(values))
    inject(name, step, as_json=as_json)


@click.command()
@click.argument("mtu", type=int)
@scope_options(kinds.MtuLimit)
def mtu(mtu: int, name: str, as_json: bool, **values: Any) -> None:
    """Swallow packets that are longer than MTU bytes, and tell nobody: a black hole.

    Pings and small pages work, large answers hang. An overlay's packets are 50 bytes longer than its MTU.

    \b
    shoal chaos mtu 1400
    shoal chaos mtu 1450 --on node-2 --direction outgoing
    """
    inject(name, model.MtuStep(mtu=mtu, **scope_of(values)), as_json=as_json)


COMMANDS = (loss, delay, reorder, duplicate, corrupt, bandwidth, mtu)
