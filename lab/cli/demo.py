"""shoal demo: the guided tour. It checks what it shows, and fails when something is not as told."""

from __future__ import annotations

import time

import click

from lab.cli.tour import Tour
from lab.cli.tour_scenes import SCENES
from lab.launch.cluster import ClusterError
from lab.launch.control import start, stop
from lab.launch.engine import EngineError
from lab.launch.plan import Wish

CLUSTER = "demo"


@click.command()
@click.option("--keep", is_flag=True, help="Leave the cluster up for you to play with.")
def command(keep: bool) -> None:
    """Take the guided tour: three hosts come up, talk, lose one of them, and go away without a trace.

    It takes about half a minute, uses a cluster of its own, and exits with 1 if anything is not as told.
    """
    begun = time.monotonic()
    tour = Tour()
    tour.say("Shoal: three simulated Docker hosts, real etcd, real gRPC, real VXLAN datagrams.")
    tour.say("Each step shows the command that you would type, and checks what comes of it.\n")
    stop(CLUSTER)
    ended = False
    try:
        tour.cluster = start(Wish(name=CLUSTER), lambda _: None)
        tour.check("etcd and three agents are up", True, f"{time.monotonic() - begun:.1f} s")
        for scene in SCENES:
            tour.scene(scene)
    except (EngineError, ClusterError) as error:
        tour.check("the tour can go on", False, str(error))
    finally:
        if not keep:
            tour.title("The end", "shoal down")
            stop(CLUSTER)
            ended = True
    if ended:
        tour.check("nothing is left: no process, no file", tour.nothing_left(CLUSTER))
    failed = [text for text, held in tour.checks if not held]
    held = len(tour.checks) - len(failed)
    tour.say(f"\n{held} of {len(tour.checks)} checks held, in {time.monotonic() - begun:.0f} s.")
    for text in failed:
        tour.say(f"NOT as told: {text}")
    if failed:
        raise SystemExit(1)
    tour.say('Now yours: "shoal up -d", then eval "$(shoal env node-1)" and any docker command you like.')
