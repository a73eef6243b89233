"""The acceptance checklist of Docker's behaviour, one test a line, through the real docker command.

Lines about services (11, 12, 14) are not walked; 15 is tests/e2e/test_macvlan.py.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from lab.launch.control import start, stop
from lab.launch.engine import Engine
from lab.launch.plan import Wish
from tests.e2e.conftest import Docker
from tests.e2e.test_trace import shoal

N1, N2 = "node-1", "node-2"
SLEEP = ("alpine", "sleep", "100000")
FORMAT = ("--format", "{{.Name}} {{.Driver}} {{.Scope}}")


@pytest.fixture(scope="module")
def alone(lab_home: Path) -> Iterator[Path]:
    """The socket of a fresh node that belongs to no swarm."""
    single = start(Wish(name="check-alone", nodes=1, swarm=False, block=80), lambda _: None)
    yield single.node(N1).config.socket_path
    stop("check-alone")


def address(docker: Docker, where: object, name: str, network: str) -> str:
    shown = json.loads(docker(where, "inspect", name).out)[0]
    return str(shown["NetworkSettings"]["Networks"][network]["IPAddress"])


def test_line_1_the_networks_of_a_fresh_node(docker_at: Docker, docker: Docker, alone: Path) -> None:
    fresh = docker_at(alone, "network", "ls", *FORMAT).out.splitlines()
    assert fresh == ["bridge bridge local", "host host local", "none null local"]
    in_swarm = docker(N1, "network", "ls", *FORMAT).out.splitlines()
    assert {"docker_gwbridge bridge local", "ingress overlay swarm", *fresh} <= set(in_swarm)


def test_line_2_bridges_give_the_same_address_again_and_overlays_the_next(
    docker_at: Docker, docker: Docker, alone: Path
) -> None:
    for _ in range(2):
        docker_at(alone, "run", "-d", "--name", "c2", *SLEEP)
        assert address(docker_at, alone, "c2", "bridge") == "172.17.0.2"
        docker_at(alone, "rm", "-f", "c2")
    docker(N1, "network", "create", "-d", "overlay", "--attachable", "--subnet", "10.120.0.0/24", "line2")
    given = []
    for _ in range(2):
        docker(N1, "run", "-d", "--name", "line2-c", "--network", "line2", *SLEEP)
        given.append(address(docker, N1, "line2-c", "line2"))
        docker(N1, "rm", "-f", "line2-c")
    assert given == ["10.120.0.2", "10.120.0.3"]
    docker(N1, "network", "rm", "line2")


def test_line_3_the_order_of_the_local_pools(docker_at: Docker, alone: Path) -> None:
    engine = Engine(alone, 20.0)
    for number in range(1, 16):
        engine.call("POST", "/networks/create", {"Name": f"line3-{number}"})
    names = {n["Name"]: n["IPAM"]["Config"] for n in engine.call("GET", "/networks")}
    assert names["line3-1"] == [{"Subnet": "172.18.0.0/16", "Gateway": "172.18.0.1"}]
    sixteenth = IPv4Network(names["line3-15"][0]["Subnet"])
    assert (str(sixteenth), sixteenth.prefixlen) == ("192.168.0.0/20", 20)
    docker_at(alone, "network", "prune", "-f")


def test_line_4_names_on_a_users_network_only(docker_at: Docker, alone: Path) -> None:
    docker_at(alone, "network", "create", "named")
    for name, network in (("l4-a", "bridge"), ("l4-b", "named")):
        docker_at(alone, "run", "-d", "--name", name, "--network", network, *SLEEP)
    on_bridge = docker_at(alone, "run", "--rm", "alpine", "ping", "-c1", "l4-a")
    assert (on_bridge.code, "bad address 'l4-a'" in on_bridge.err + on_bridge.out) == (1, True)
    assert docker_at(alone, "run", "--rm", "--network", "named", "alpine", "ping", "-c1", "l4-b").code == 0
    docker_at(alone, "rm", "-f", "l4-a", "l4-b")
    docker_at(alone, "network", "rm", "named")


def test_line_5_two_bridges_are_apart_but_for_published_ports(docker_at: Docker, alone: Path) -> None:
    for name in ("left", "right"):
        docker_at(alone, "network", "create", name)
    docker_at(alone, "run", "-d", "--name", "l5", "--network", "left", "-p", "18085:80", "nginx")
    inside = address(docker_at, alone, "l5", "left")
    fetch = ("run", "--rm", "--network", "right", "alpine", "wget", "-T", "1", "-qO-")
    assert docker_at(alone, *fetch, f"http://{inside}").code == 1
    gateway = str(next(IPv4Network(f"{inside}/16", strict=False).hosts()))
    assert f"Server address: {inside}:80" in docker_at(alone, *fetch, f"http://{gateway}:18085").out
    docker_at(alone, "rm", "-f", "l5")
    docker_at(alone, "network", "rm", "left", "right")


def test_line_6_a_port_twice(docker_at: Docker, alone: Path) -> None:
    docker_at(alone, "network", "create", "line6")
    first = docker_at(alone, "run", "-d", "--name", "l6-a", "--network", "line6", "-p", "18086:80", "nginx")
    assert first.code == 0
    second = docker_at(alone, "run", "-d", "--name", "l6-b", "--network", "line6", "-p", "18086:80", "nginx")
    identity = second.out.strip()
    assert (second.code, len(identity)) == (125, 64)
    assert re.fullmatch(
        r"docker: Error response from daemon: failed to set up container networking: driver failed "
        r"programming external connectivity on endpoint l6-b \([0-9a-f]{64}\): "
        r"Bind for 0\.0\.0\.0:18086 failed: port is already allocated\n\n"
        r"Run 'docker run --help' for more information\n",
        second.err,
    )
    shown = docker_at(alone, "ps", "-a", "--filter", "name=l6-b", "--format", "{{.Names}} {{.Status}}").out
    assert shown == "l6-b Created\n"
    inside = json.loads(docker_at(alone, "network", "inspect", "line6").out)[0]["Containers"]
    assert [endpoint["Name"] for endpoint in inside.values()] == ["l6-a"]
    docker_at(alone, "rm", "-f", "l6-a", "l6-b")
    docker_at(alone, "network", "rm", "line6")


def test_line_7_a_network_in_use(docker_at: Docker, alone: Path) -> None:
    docker_at(alone, "network", "create", "line7")
    for name in ("l7-a", "l7-b"):
        docker_at(alone, "run", "-d", "--name", name, "--network", "line7", *SLEEP)
    inside = json.loads(docker_at(alone, "network", "inspect", "line7").out)[0]["Containers"]
    ids = {endpoint["Name"]: endpoint["EndpointID"][:12] for endpoint in inside.values()}
    refused = docker_at(alone, "network", "rm", "line7")
    assert (refused.code, refused.err.splitlines()[0]) == (
        1,
        "Error response from daemon: error while removing network: network line7 has active endpoints "
        f'(name:"l7-a" id:"{ids["l7-a"]}", name:"l7-b" id:"{ids["l7-b"]}")',
    )
    docker_at(alone, "rm", "-f", "l7-a", "l7-b")
    assert docker_at(alone, "network", "rm", "line7").out == "line7\n"


def test_line_8_an_overlay_without_a_swarm(docker_at: Docker, alone: Path) -> None:
    refused = docker_at(alone, "network", "create", "-d", "overlay", "line8")
    assert (refused.code, refused.err) == (
        1,
        'Error response from daemon: This node is not a swarm manager. Use "docker swarm init" or '
        '"docker swarm join" to connect this node to swarm and try again.\n',
    )


def test_line_9_an_overlay_that_is_not_attachable(docker: Docker) -> None:
    docker(N1, "network", "create", "-d", "overlay", "line9")
    refused = docker(N1, "run", "--rm", "--network", "line9", *SLEEP)
    assert refused.code == 125
    assert (
        "failed to set up container networking: Could not attach to network line9: rpc error: "
        "code = PermissionDenied desc = network line9 not manually attachable\n" in refused.err
    )
    docker(N1, "network", "rm", "line9")


def test_line_10_an_overlay_s_mtu_hardware_address_and_identifier(lab_home: Path, docker_at: Docker) -> None:
    """On a fresh swarm, because it speaks of the first overlay."""
    fresh = start(Wish(name="check-fresh", nodes=1, managers=1, block=81), lambda _: None)
    try:
        socket = fresh.node(N1).config.socket_path
        docker_at(socket, "network", "create", "-d", "overlay", "--attachable", "first")
        for name in ("l10-a", "l10-b"):
            docker_at(socket, "run", "-d", "--name", name, "--network", "first", *SLEEP)
        link = docker_at(socket, "exec", "l10-b", "ip", "addr", "show", "eth0").out
        assert "mtu 1450" in link
        assert "02:42:0a:00:01:03" in link
        assert "inet 10.0.1.3/24" in link
        options = json.loads(docker_at(socket, "network", "inspect", "first").out)[0]["Options"]
        assert options["com.docker.network.driver.overlay.vxlanid_list"] == "4097"
    finally:
        stop("check-fresh")


def test_line_13_with_the_tunnel_cut_names_resolve_and_traffic_does_not(
    docker: Docker, cluster: object
) -> None:
    docker(N1, "network", "create", "-d", "overlay", "--attachable", "line13")
    docker(N1, "run", "-d", "--name", "l13-a", "--network", "line13", *SLEEP)
    docker(N2, "run", "-d", "--name", "l13-b", "--network", "line13", *SLEEP)
    ping = ("exec", "l13-b", "ping", "-c", "1", "-W", "1", "l13-a")
    assert docker(N2, *ping).code == 0
    cut = shoal("chaos", "partition", N1, N2, "--name", "e2e", "--plane", "data", "--for", "60s")
    assert cut.returncode == 0, cut.stderr
    try:
        assert docker(N2, "exec", "l13-b", "nslookup", "l13-a").code == 0, "names are good"
        lost = docker(N2, *ping)
        assert (lost.code, "100% packet loss" in lost.out) == (1, True)
    finally:
        shoal("chaos", "heal", "--name", "e2e")
    assert docker(N2, *ping).code == 0
    docker(N1, "rm", "-f", "l13-a")
    docker(N2, "rm", "-f", "l13-b")
    docker(N1, "network", "rm", "line13")
