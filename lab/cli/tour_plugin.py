"""A scene of the tour: a network that a program of somebody else builds, and that outlives the program."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.cli.tour import Tour
from lab.launch.processes import MARKER

EXAMPLE = Path(__file__).parents[2] / "deploy" / "plugins" / "example.py"
TIMEOUT_S = 5.0


def network_plugin(tour: Tour) -> None:
    """A network of a plugin: two hosts, one program beside them that decides addresses, names and routes."""
    assert tour.cluster is not None
    directory = tour.cluster.directory / "plugins"
    tour.title(
        "A plugin, a program of somebody else, builds a network and gives its addresses",
        f"python3 deploy/plugins/example.py --scope global --directory {directory} &",
        "docker network create -d example --ipam-driver example --attachable shop",
        "docker run -d --name shopkeeper --network shop nginx            (on node-1)",
        "docker run -d --name visitor --network shop alpine sleep 100000            (on node-2)",
        "docker exec visitor wget -qO- http://shopkeeper",
    )
    if not EXAMPLE.exists():
        tour.say("    The example is not here: it lies in the project's own folder, deploy/plugins.")
        return
    log = tour.cluster.directory / "plugin.log"
    engine, other = tour.engine("node-1"), tour.engine("node-2")
    with _running(directory, log, tour.cluster.directory):
        tour.until((directory / "example.sock").exists, TIMEOUT_S)
        network = {"Name": "shop", "Driver": "example", "IPAM": {"Driver": "example"}, "Attachable": True}
        engine.call("POST", "/networks/create", network)
        keeper = engine.create("nginx", [], network="shop", name="shopkeeper")
        engine.call("POST", f"/containers/{keeper}/start")
        visitor = other.create("alpine", ["sleep", "100000"], network="shop", name="visitor")
        other.call("POST", f"/containers/{visitor}/start")
        _, page = other.execute(visitor, ["wget", "-qO-", "http://shopkeeper"])
        tour.show(page.partition("\n\n")[0])
        tour.check("a container of another host reads a page over the plugin's network", "10.200." in page)
        _, shown = engine.execute(keeper, ["ip", "addr", "show", "ex0"])
        tour.show(shown)
        tour.check("its interface has the name and the MAC address that the plugin chose", "02:70:" in shown)
        calls = [line.split()[0].partition(".")[2] for line in log.read_text().splitlines() if "->" in line]
        tour.show("The plugin was asked: " + ", ".join(dict.fromkeys(calls)))
    tour.title("The plugin is gone, and what stands goes on", "kill the plugin")
    code, _ = other.execute(visitor, ["wget", "-qO-", "http://shopkeeper"])
    tour.check("a network in use works without the program that built it", code == 0)
    engine.call("DELETE", f"/containers/{keeper}", force=1)
    other.call("DELETE", f"/containers/{visitor}", force=1)
    engine.call("DELETE", "/networks/shop")
    left = directory / "example.state"
    with _running(directory, log, tour.cluster.directory):
        told = tour.until(lambda: '"pools": {}' in left.read_text(), 3 * TIMEOUT_S)
        tour.check("it is back, and has been told what was given back meanwhile", told is not None)


@contextmanager
def _running(directory: Path, log: Path, cluster: Path) -> Iterator[None]:
    """The example plugin as a program, until the end of the block."""
    environment = {**os.environ, MARKER: str(cluster)}
    command = [sys.executable, str(EXAMPLE), "--scope", "global", "--directory", str(directory)]
    with log.open("ab") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=environment)  # noqa: S603 - our own example
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
