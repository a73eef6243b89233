"""A scene of the tour: a published port, and what translation makes of addresses."""

from __future__ import annotations

from http.client import HTTPException
from urllib.request import urlopen

from lab.cli.tour import Tour

PORT = 18080
TIMEOUT_S = 5.0


def published_port(tour: Tour) -> None:
    """A port of a container, from this machine; and how its own host hides a container on the LAN."""
    assert tour.cluster is not None
    host = tour.cluster.node("node-1").config
    lan = host.lan_address.partition("/")[0]
    tour.title(
        "A published port is open on your own machine; the hosts' LAN sees hosts, not containers",
        f"docker run -d --name site -p {PORT}:80 nginx            (on node-1)",
        f"curl {host.underlay_address}:{PORT}",
        f"docker run --rm alpine ping -c 1 {lan}            (on node-2)",
        f"docker run --rm alpine wget -qO- http://{lan}:{PORT}            (on node-2)",
    )
    engine = tour.engine("node-1")
    identity = engine.create("nginx", [], network="bridge", name="site", ports={PORT: 80})
    engine.call("POST", f"/containers/{identity}/start")
    tour.show(page := _read(f"http://{host.underlay_address}:{PORT}/"))
    tour.check("this machine reads a page from inside the simulation", "Server name" in page)
    shown = engine.call("GET", f"/containers/{identity}/json")["NetworkSettings"]["Ports"]["80/tcp"]
    tour.check("inspect shows where it is published", shown[0]["HostPort"] == str(PORT))
    _, text = tour.engine("node-2").run("alpine", ["ping", "-c", "1", lan])
    tour.show(text)
    _, seen = tour.engine("node-2").run("alpine", ["wget", "-qO-", f"http://{lan}:{PORT}"])
    tour.show(seen.partition("\n\n")[0])
    other = tour.cluster.node("node-2").config.lan_address.partition("/")[0]
    tour.check(
        "the server sees the other host's address, not the container's", f"Client address: {other}:" in seen
    )
    tour.check("a container reaches the LAN, one router away, behind its host's address", "ttl=63" in text)


def _read(url: str) -> str:
    """A page, or why there is none."""
    try:
        with urlopen(url, timeout=TIMEOUT_S) as answer:  # noqa: S310 - our own node's
            return str(answer.read().decode())
    except (OSError, HTTPException) as error:
        return str(error)
