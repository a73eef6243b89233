"""A scene of the tour: containers that are on the LAN themselves, in a VLAN of it."""

from __future__ import annotations

from lab.cli.clients import ask
from lab.cli.tour import Tour

VLAN = 10
PLACES = (("node-1", "192.168.80.64"), ("node-2", "192.168.80.96"))


def on_the_lan(tour: Tour) -> None:
    """macvlan: hardware addresses of their own on the LAN, and deaf to their own host."""
    assert tour.cluster is not None
    tour.title(
        "macvlan: a container stands on the hosts' LAN by itself, here in VLAN 10 of it",
        f"docker network create -d macvlan -o parent=eth0.{VLAN} --subnet 192.168.80.0/24 floor   (on both)",
        "docker run -d --name shelf-N --network floor alpine sleep 600         (on both)",
        f"docker exec shelf-1 ping -c 1 {PLACES[1][1]}                         (on node-1)",
        f"shoal tables node-2 lan.{VLAN}",
    )
    macs = []
    for number, (node, first) in enumerate(PLACES, 1):
        engine = tour.engine(node)
        pool = {"Subnet": "192.168.80.0/24", "IPRange": f"{first}/27", "Gateway": "192.168.80.1"}
        options = {"parent": f"eth0.{VLAN}"}
        wish = {"Name": "floor", "Driver": "macvlan", "Options": options, "IPAM": {"Config": [pool]}}
        engine.call("POST", "/networks/create", wish)
        identity = engine.create("alpine", ["sleep", "600"], network="floor", name=f"shelf-{number}")
        engine.call("POST", f"/containers/{identity}/start")
        shown = engine.call("GET", f"/containers/{identity}/json")["NetworkSettings"]["Networks"]["floor"]
        macs.append(shown["MacAddress"])
        tour.show(f"{node}: shelf-{number} has {shown['IPAddress']} and {shown['MacAddress']}")
    code, text = tour.engine("node-1").execute("shelf-1", ["ping", "-c", "1", PLACES[1][1]])
    tour.show(text)
    tour.check("two hosts' containers talk in VLAN 10, over a tagged cable", code == 0)
    (segment,) = ask(tour.cluster.node("node-2"), lambda client: client.tables(f"lan.{VLAN}"))
    rows = {row.mac: row.vtep for row in segment.forwarding}
    tour.show(f"node-2 knows {macs[0]} behind the host at {rows.get(macs[0], 'no address')}")
    tour.check("the LAN sees the container's own hardware address", bool(rows.get(macs[0])))
    _deaf_to_its_host(tour)


def _deaf_to_its_host(tour: Tour) -> None:
    assert tour.cluster is not None
    tour.title(
        "On the LAN without a tag: other hosts answer, the own host never does",
        "docker network create -d macvlan -o parent=eth0 --subnet 192.168.65.0/24 \\\n"
        "        --ip-range 192.168.65.64/27 desk                              (on node-1)",
        "docker run --rm --network desk alpine ping -c 1 -W 1 HOST",
    )
    engine = tour.engine("node-1")
    pool = {"Subnet": "192.168.65.0/24", "IPRange": "192.168.65.64/27"}
    wish = {"Name": "desk", "Driver": "macvlan", "Options": {"parent": "eth0"}, "IPAM": {"Config": [pool]}}
    engine.call("POST", "/networks/create", wish)
    codes = []
    for node, _ in PLACES:
        address = tour.cluster.node(node).config.lan_address.partition("/")[0]
        code, text = engine.run("alpine", ["ping", "-c", "1", "-W", "1", address], network="desk")
        codes.append(code)
        tour.show(text)
    tour.check("its own host does not answer", codes[0] != 0)
    tour.check("another host does", codes[1] == 0)
