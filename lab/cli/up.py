"""shoal up"""

from __future__ import annotations

import sys
import time
from typing import Any

import click

from lab.cli.show import name_option, next_step
from lab.launch.cluster import Cluster
from lab.launch.control import start, stop
from lab.launch.plan import Wish
from lab.launch.processes import alive


class Counter:
    """Tells how many nodes are ready: rewriting one line on a terminal, or not at all."""

    def __init__(self) -> None:
        self._last = ""

    def show(self, cluster: Cluster) -> None:
        """The present state."""
        ready = sum(entry.state == "ready" for entry in cluster.nodes)
        what = (
            "etcd" if cluster.swarm and not cluster.etcd else f"{ready} of {len(cluster.nodes)} nodes ready"
        )
        text = f"Starting cluster {cluster.name}: {what}"
        if text != self._last and sys.stderr.isatty():
            click.echo(f"\r\x1b[K{text}", nl=False, err=True)
        self._last = text

    def clear(self) -> None:
        """Leave no trace."""
        if sys.stderr.isatty():
            click.echo("\r\x1b[K", nl=False, err=True)


@click.command()
@click.option("--hosts", "--nodes", "nodes", default=3, show_default=True, help="How many nodes, at most 50.")
@click.option("--managers", default=3, show_default=True, help="How many of them are managers of the swarm.")
@click.option("--no-swarm", is_flag=True, help="Nodes that know nothing of each other.")
@click.option(
    "--lease", "lease_s", default=3.0, show_default=True, help="Seconds until a silent node counts as down."
)
@click.option("--seed", type=int, help="Make every identity repeatable.")
@click.option("--lan-hairpin", is_flag=True, help="The LAN's switch sends frames back, too.")
@click.option(
    "--plugin-patience",
    "plugin_patience_s",
    default=30.0,
    show_default=True,
    help="Seconds until a plugin that does not answer is given up.",
)
@click.option("--block", type=int, help="Use the addresses 127.0.BLOCK.0/24.  [default: the first free]")
@click.option(
    "--etcd-members", default=1, show_default=True, help="Members of the store; with 3, one can be lost."
)
@click.option("-d", "--detach", is_flag=True, help="Return when all nodes are ready.")
@name_option
def command(name: str, detach: bool, no_swarm: bool, **options: Any) -> None:
    """Start a cluster of simulated Docker hosts on this machine.

    \b
    shoal up -d                    three hosts in the background
    shoal up --hosts 10            ten, with a live table, until Ctrl-C
    shoal up -d --name other       a second cluster beside the first
    """
    counter = Counter()
    begun = time.monotonic()
    wish = Wish(name, swarm=not no_swarm, **options)
    try:
        cluster = start(wish, counter.show)
    finally:
        counter.clear()
    count = "1 node" if wish.nodes == 1 else f"{wish.nodes} nodes"
    click.echo(f"Cluster {name}: {count} ready in {time.monotonic() - begun:.1f} s.", err=True)
    option = "" if name == "default" else f" --name {name}"
    next_step(f'eval "$(shoal env node-1{option})" && docker network ls')
    if not detach:
        _stay(cluster)


def _stay(cluster: Cluster) -> None:
    """Show the cluster until it is interrupted, and end it."""
    from rich.live import Live

    from lab.cli.status import gather, rendered

    click.echo("Ctrl-C ends the cluster.", err=True)
    try:
        with Live(rendered(gather(cluster.name)), refresh_per_second=2, transient=True) as live:
            while alive(cluster.supervisor):
                time.sleep(1.0)
                live.update(rendered(gather(cluster.name)))
    except KeyboardInterrupt:
        pass
    stop(cluster.name)
    click.echo(f"Cluster {cluster.name} has ended.", err=True)
