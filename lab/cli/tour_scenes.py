"""The scenes of the guided tour, in their order."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable

from lab.cli.clients import ask, ask_all
from lab.cli.signalling import signal_node
from lab.cli.tour import Tour
from lab.cli.tour_lan import on_the_lan
from lab.cli.tour_plugin import network_plugin
from lab.cli.tour_ports import published_port
from lab.cli.trace import story, trace
from lab.launch.cluster import Cluster, existing
from lab.launch.control import restart
from lab.launch.etcd import find_binary
from node.chaos.faults import Injection, Scope
from node.chaos.kinds import Partition, Plane
from node.datapath.drops import EXPLANATIONS

NODES = ("node-1", "node-2", "node-3")
PARTITION_S = 3.0
LEASE_PATIENCE_S = 8.0


def _cluster(tour: Tour) -> Cluster:
    assert tour.cluster is not None
    return existing(tour.cluster.name)


def hosts(tour: Tour) -> None:
    """What a host is."""
    tour.title("What a host offers", "docker info", "docker network ls")
    info = tour.engine("node-1").call("GET", "/info")
    drivers = info["Plugins"]["Network"]
    tour.show(f"{info['Name']}: engine {info['ServerVersion']}, network drivers {', '.join(drivers)}")
    swarm = info["Swarm"]
    tour.show(f"swarm {swarm['LocalNodeState']}, {swarm['Nodes']} nodes, {swarm['Managers']} managers")
    for network in sorted(tour.engine("node-1").call("GET", "/networks"), key=lambda each: each["Name"]):
        tour.show(f"{network['Id'][:12]}   {network['Name']:<16} {network['Driver']:<8} {network['Scope']}")
    tour.check(
        "the drivers are bridge, host, macvlan, null and overlay",
        {"bridge", "host", "macvlan", "null", "overlay"} <= set(drivers),
    )
    tour.check("three nodes form the swarm", swarm["Nodes"] == 3)


def overlay(tour: Tour) -> None:
    """One network over three hosts."""
    tour.title(
        "One network over three hosts",
        "docker network create -d overlay --attachable app         (on node-1)",
        "docker run -d --name web-N --network app nginx            (on each node)",
        "docker exec web-3 ping -c 3 web-1                         (on node-3)",
    )
    tour.engine("node-1").call(
        "POST", "/networks/create", {"Name": "app", "Driver": "overlay", "Attachable": True}
    )
    for number, node in enumerate(NODES, 1):
        engine = tour.engine(node)
        identity = engine.create("nginx", [], network="app", name=f"web-{number}")
        engine.call("POST", f"/containers/{identity}/start")
        settings = engine.call("GET", f"/containers/{identity}/json")["NetworkSettings"]["Networks"]["app"]
        tour.show(f"{node}: web-{number} has {settings['IPAddress']} and {settings['MacAddress']}")
    code, text = tour.engine("node-3").execute("web-3", ["ping", "-c", "3", "-i", "0.2", "web-1"])
    tour.show(text)
    tour.check("node-3 reaches node-1 by name", code == 0 and " 0% packet loss" in text)


def isolation(tour: Tour) -> None:
    """Two overlays do not meet."""
    tour.title(
        "Two overlays do not meet",
        "docker network create -d overlay --attachable other",
        "docker run --rm --network other alpine ping -c 1 -W 1 10.0.1.2",
    )
    tour.engine("node-1").call(
        "POST", "/networks/create", {"Name": "other", "Driver": "overlay", "Attachable": True}
    )
    code, text = tour.engine("node-2").run(
        "alpine", ["ping", "-c", "1", "-W", "1", "10.0.1.2"], network="other"
    )
    tour.show(text)
    tour.check("an address of app cannot be reached from other", code != 0)
    code, _ = tour.engine("node-2").run("alpine", ["nslookup", "web-1"], network="other")
    tour.check("and its name is unknown there", code != 0)


def bridges(tour: Tour) -> None:
    """A user's bridge has names; the default one has none."""
    tour.title(
        "On one host: a bridge of your own has names, the default bridge has none",
        "docker network create mine",
        "docker run -d --name one --network mine alpine sleep 600",
        "docker run --rm --network mine alpine ping -c 1 one",
        "docker run --rm alpine ping -c 1 plain                    (on the default bridge)",
    )
    engine = tour.engine("node-2")
    engine.call("POST", "/networks/create", {"Name": "mine"})
    for name, network in (("one", "mine"), ("plain", "bridge")):
        identity = engine.create("alpine", ["sleep", "600"], network=network, name=name)
        engine.call("POST", f"/containers/{identity}/start")
    code, text = engine.run("alpine", ["ping", "-c", "1", "one"], network="mine")
    tour.show(text)
    tour.check("a name is found on the user's bridge", code == 0)
    code, text = engine.run("alpine", ["ping", "-c", "1", "plain"])
    tour.show(text)
    tour.check("and none on the default bridge", code != 0)
    address = engine.call("GET", "/containers/plain/json")["NetworkSettings"]["IPAddress"]
    code, _ = engine.run("alpine", ["ping", "-c", "1", address])
    tour.check(f"where the address, {address}, works", code == 0)


def host_and_none(tour: Tour) -> None:
    """host and none, from inside."""
    tour.title(
        "The networks host and none, from inside",
        "docker run --rm --network host alpine ip addr",
        "docker run --rm --network none alpine ip addr",
    )
    engine = tour.engine("node-1")
    _, of_host = engine.run("alpine", ["ip", "-br", "addr"], network="host")
    tour.show(of_host)
    _, of_none = engine.run("alpine", ["ip", "-br", "addr"], network="none")
    tour.show(of_none)
    tour.check("host shows the host's own interfaces", "docker0" in of_host and "192.168.65." in of_host)
    tour.check("none has only its loopback", of_none.split()[0] == "lo" and len(of_none.splitlines()) == 1)


def packet_walk(tour: Tour) -> None:
    """The walk of one ping."""
    tour.title("The walk of one ping", "shoal trace node-1/web-1 web-2")
    cluster = _cluster(tour)
    walk = trace(cluster, cluster.node("node-1"), "web-1", "web-2")
    tour.show("\n".join(story(walk)))
    stages = [step.hop.stage for step in walk.steps]
    tour.check("the ping was answered", walk.answered)
    tour.check(
        "it went through a tunnel and out of it again", {"encapsulate", "receive", "deliver"} <= set(stages)
    )


def keys(tour: Tour) -> None:
    """What the swarm agreed on."""
    tour.title("What the hosts agreed on", "etcdctl get --prefix --keys-only /shoal/v1/")
    cluster = _cluster(tour)
    store = cluster.nodes[0].config.store[0]
    etcdctl = find_binary().with_name("etcdctl")
    done = subprocess.run(  # noqa: S603 - our own etcd's tool
        [str(etcdctl), "--endpoints", store, "get", "--prefix", "--keys-only", "/shoal/v1/"],
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
        env={"ETCDCTL_API": "3"},
    )
    found = [line for line in done.stdout.splitlines() if line]
    tour.show("\n".join(found))
    tour.check("every address is a key of its own", sum("/addresses/" in key for key in found) >= 3)


def partition(tour: Tour) -> None:
    """A cut that heals by itself."""
    tour.title(
        "Two hosts are cut apart, and healed by nobody",
        f"shoal chaos partition node-1 node-3 --for {PARTITION_S:g}s",
    )
    cluster = _cluster(tour)
    for node, peer in (("node-1", "node-3"), ("node-3", "node-1")):
        wish = Injection(Partition(), Scope((peer,), planes=(Plane.DATA,)), PARTITION_S)
        ask(cluster.node(node), lambda client, wish=wish: client.inject(wish))  # type: ignore[misc]
    begun = time.monotonic()
    ping = ["ping", "-c", "1", "-W", "1"]
    code, text = tour.engine("node-3").execute("web-3", [*ping, "web-1"])
    tour.show(text)
    tour.check("node-3 does not reach node-1", code != 0)
    code, _ = tour.engine("node-3").execute("web-3", [*ping, "web-2"])
    tour.check("but still node-2", code == 0)
    counted = ask(cluster.node("node-3"), lambda client: client.drops())
    lost = sum(drop.count for drop in counted if drop.name == "underlay_fault")
    tour.check("what the cut swallowed is counted under its name", lost > 0, f"underlay_fault {lost}")
    healed = tour.until(lambda: tour.engine("node-3").execute("web-3", [*ping, "web-1"])[0] == 0, 15.0)
    tour.check("it healed by itself", healed is not None, f"after {time.monotonic() - begun:.1f} s")


def loss_of_a_host(tour: Tour) -> None:
    """A host dies, and comes back."""
    tour.title(
        "A host is lost",
        "docker run -d --restart always --name always --network app alpine sleep 600   (on node-3)",
        "shoal kill node-3",
    )
    engine = tour.engine("node-3")
    body = {
        "Image": "alpine",
        "Cmd": ["sleep", "600"],
        "HostConfig": {"NetworkMode": "app", "RestartPolicy": {"Name": "always"}},
    }
    identity = engine.call("POST", "/containers/create", body, timeout_s=None, name="always")["Id"]
    engine.call("POST", f"/containers/{identity}/start")
    cluster = _cluster(tour)
    victim = cluster.node("node-3").config.underlay_address
    signal_node(cluster.name, "node-3", 9)  # type: ignore[arg-type]

    def forgotten() -> bool:
        tables = ask(cluster.node("node-1"), lambda client: client.tables("app"))
        return all(row.vtep != victim for segment in tables for row in segment.forwarding)

    took = tour.until(forgotten, LEASE_PATIENCE_S)
    tour.check(
        "the others forgot its endpoints", took is not None, f"after {took or 0:.1f} s; the lease is 3 s"
    )
    code, _ = tour.engine("node-1").execute("web-1", ["nslookup", "web-3"])
    tour.check("its names are gone", code != 0)
    code, _ = tour.engine("node-1").execute("web-1", ["ping", "-c", "1", "web-2"])
    tour.check("and nothing else has changed", code == 0)
    tour.title("It comes back", "shoal restart node-3")
    restart(cluster.name, "node-3")

    def runs_again() -> bool:
        return tour.engine("node-1").execute("web-1", ["ping", "-c", "1", "-W", "1", "always"])[0] == 0

    took = tour.until(runs_again, LEASE_PATIENCE_S)
    tour.check(
        "what is to run always runs again, under a new address", took is not None, f"after {took or 0:.1f} s"
    )
    states = tour.engine("node-3").call("GET", "/containers/json", timeout_s=None, all=1)
    for container in states:
        tour.show(f"{container['Names'][0][1:]:<8} {container['Status']}")
    tour.check("the rest is remembered as ended", any("Exited (255)" in each["Status"] for each in states))


def drops(tour: Tour) -> None:
    """What was not delivered."""
    tour.title("Every frame was delivered, or dropped under a name", "shoal drops")
    cluster = _cluster(tour)
    answers = ask_all(cluster.nodes, lambda client: client.drops())
    meanings = {drop.value: text for drop, text in EXPLANATIONS.items()}
    names = set()
    for entry, counted in zip(cluster.nodes, answers, strict=True):
        for drop in counted:
            names.add(drop.name)
            tour.show(
                f"{entry.config.name}  {drop.segment or '-':<8} {drop.name:<22} {drop.count:>3}  "
                f"{meanings.get(drop.name, '')}"
            )
    tour.check("each name has a meaning", bool(names) and names <= meanings.keys() | {"underlay_overrun"})


SCENES: tuple[Callable[[Tour], None], ...] = (
    hosts,
    overlay,
    isolation,
    bridges,
    host_and_none,
    published_port,
    on_the_lan,
    network_plugin,
    packet_walk,
    keys,
    partition,
    loss_of_a_host,
    drops,
)
