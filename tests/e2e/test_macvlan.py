"""macvlan networks as a user meets them, and the VLAN tag as tshark and scapy read it on the wire."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from scapy.layers.inet import ICMP, UDP
from scapy.layers.l2 import Dot1Q
from scapy.layers.vxlan import VXLAN
from scapy.utils import rdpcap

from lab.cli.trace import story, trace
from lab.launch.cluster import Cluster
from node.config import CABLE_PORT
from tests.e2e.conftest import Docker
from tests.e2e.test_capture import capture

VLAN = 10
PINGS = 6
"""Three, and their answers."""
NODES = {"node-1": "192.168.80.64/27", "node-2": "192.168.80.96/27"}


@pytest.fixture
def vlan(docker: Docker) -> Iterator[None]:
    """The network "floor" in VLAN 10, on two hosts that share its addresses, with a container on each."""
    for number, (node, block) in enumerate(NODES.items(), 1):
        place = ["--subnet", "192.168.80.0/24", "--ip-range", block, "--gateway", "192.168.80.1"]
        parent = f"parent=eth0.{VLAN}"
        made = docker(node, "network", "create", "-d", "macvlan", "-o", parent, *place, "floor")
        assert made.code == 0, made
        run = ("run", "-d", "--name", f"floor-{number}", "--network", "floor", "-p", "18090:80")
        assert docker(node, *run, "alpine", "sleep", "100000").code == 0
    yield
    for number, node in enumerate(NODES, 1):
        docker(node, "rm", "-f", f"floor-{number}")
        assert docker(node, "network", "rm", "floor").code == 0


def test_a_network_in_a_vlan_as_docker_shows_it(vlan: None, docker: Docker) -> None:
    listing = ("network", "ls", "--filter", "driver=macvlan", "--format", "{{.Name}} {{.Scope}}")
    listed = docker("node-1", *listing)
    assert "floor local" in listed.out.splitlines()
    network = json.loads(docker("node-1", "network", "inspect", "floor").out)[0]
    assert (network["Driver"], network["Scope"]) == ("macvlan", "local")
    assert network["Options"] == {"parent": "eth0.10"}
    assert network["IPAM"]["Config"] == [
        {"Subnet": "192.168.80.0/24", "IPRange": "192.168.80.64/27", "Gateway": "192.168.80.1"}
    ]
    (endpoint,) = network["Containers"].values()
    assert (endpoint["Name"], endpoint["IPv4Address"]) == ("floor-1", "192.168.80.64/24")
    (container,) = json.loads(docker("node-1", "inspect", "floor-1").out)
    shown = container["NetworkSettings"]["Networks"]["floor"]
    assert (shown["Gateway"], shown["MacAddress"]) == ("192.168.80.1", endpoint["MacAddress"])
    link = docker("node-1", "exec", "floor-1", "ip", "addr", "show", "eth0").out
    assert f"link/ether {endpoint['MacAddress']}" in link
    assert "mtu 1500" in link
    assert "eth0.10" in docker("node-1", "run", "--rm", "--network", "host", "alpine", "ip", "addr").out
    assert "eth0.10" not in docker("node-3", "run", "--rm", "--network", "host", "alpine", "ip", "addr").out
    assert container["NetworkSettings"]["Ports"] == {}, "-p has no effect"
    assert docker("node-1", "port", "floor-1").out == ""
    until = f"{time.time() + 0.1:.3f}"
    wanted = ("--filter", "type=network", "--filter", "network=floor")
    happened = ("events", "--since", "5m", "--until", until, *wanted)
    events = docker("node-1", *happened, "--format", "{{.Action}} {{.Actor.Attributes.type}}")
    assert events.out.splitlines()[-2:] == ["create macvlan", "connect macvlan"]


def tagged_pings(tshark: str, path: Path) -> list[list[str]]:
    """VNI, VLAN and malformations of every ping in a VLAN that has been captured so far."""
    fields = [argument for field in ("vxlan.vni", "vlan.id", "_ws.malformed") for argument in ("-e", field)]
    decode = ["-d", f"udp.port=={CABLE_PORT},vxlan", "-Y", "vlan && icmp", "-T", "fields"]
    command = [tshark, "-r", str(path), *decode, *fields]
    read = subprocess.run(command, capture_output=True, text=True, check=False)
    return [line.split("\t") for line in read.stdout.splitlines()]


def test_the_frames_between_two_hosts_carry_the_tag(
    vlan: None, docker: Docker, tshark: str, needs_root: None, tmp_path: Path
) -> None:
    path = tmp_path / "vlan.pcapng"
    running = capture(tshark, path, CABLE_PORT)
    try:
        done = docker("node-1", "exec", "floor-1", "ping", "-c", "3", "-i", "0.2", "192.168.80.96")
        assert done.code == 0, done
        deadline = time.monotonic() + 10
        while len(tagged_pings(tshark, path)) < PINGS and time.monotonic() < deadline:
            time.sleep(0.1)
    finally:
        running.terminate()
        running.communicate()
    assert tagged_pings(tshark, path) == [["1", str(VLAN), ""]] * PINGS
    inner = [VXLAN(bytes(packet[UDP].payload)) for packet in rdpcap(str(path)) if UDP in packet]
    tags = [each[Dot1Q] for each in inner if each.haslayer(ICMP) and each.haslayer(Dot1Q)]
    assert [(tag.vlan, tag.prio, tag.type) for tag in tags] == [(VLAN, 0, 0x0800)] * PINGS


def test_the_walk_of_a_ping_names_the_vlan_and_the_cable(vlan: None, cluster: Cluster) -> None:
    walk = trace(cluster, cluster.nodes[0], "floor-1", "192.168.80.96")
    assert walk.answered
    here, there = (entry.config.underlay_address for entry in cluster.nodes[:2])
    told = "\n".join(story(walk))
    assert f"outer  UDP {here} > {there}:{CABLE_PORT}  VXLAN VNI 1  802.1Q VLAN {VLAN}\n" in told
    assert f"outer  UDP {there} > {here}:{CABLE_PORT}  VXLAN VNI 1  802.1Q VLAN {VLAN}\n" in told
    assert {step.hop.segment for step in walk.steps} == {"lan.10"}
