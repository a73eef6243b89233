"""The Linux kernel's own macvlan: who hears whom there, and here; and as a neighbour on the simulated LAN.

      host namespace                      switch namespace
one, two (macvlan) -- eth0 ============== port of a bridge, which sends back what it must or not
"""

from __future__ import annotations

import asyncio
import random
import secrets
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from kvstore.memory import MemoryCluster
from lab.sim.fabric import Fabric
from lab.sim.world import Story, World
from node.agent import Agent, Seams
from node.config import CABLE_PORT, NodeConfig
from node.drivers.machine import LAN_VNI
from node.edge.clock import SystemClock
from node.edge.underlay import UdpUnderlay
from node.model.container import ContainerSpec
from node.model.network import NetworkSpec, Subnet
from node.seams import Channel
from tests.e2e.test_kernel_vxlan import finish_checksums, ip
from tests.sim.play import macvlan, play, reaches, start
from tests.stack.kernel_peer import KernelPeer

OUR_UNDERLAY, KERNEL_UNDERLAY = "10.232.0.1", "10.232.0.2"
NEIGHBOUR = "192.168.65.200"
SILENCE_S = 0.3
HOST, ONE, TWO = "192.168.65.2", "192.168.65.65", "192.168.65.66"
CASES = [(mode, hairpin) for mode in ("bridge", "vepa", "private") for hairpin in (False, True)]


@contextmanager
def machines(*names: str) -> Iterator[list[KernelPeer]]:
    """Namespaces of their own, gone afterwards."""
    unique = secrets.token_hex(3)
    with ExitStack() as stack:
        made = []
        for name in names:
            namespace = f"shoal-{name}-{unique}"
            ip("netns", "add", namespace)
            stack.callback(ip, "netns", "delete", namespace)
            ip("-n", namespace, "link", "set", "lo", "up")
            made.append(KernelPeer(namespace, -1))
        yield made


def wire(switch: KernelPeer, host: KernelPeer, *children: KernelPeer, mode: str, hairpin: bool) -> None:
    """A host with two containers at a switch."""
    switch.run("ip", "link", "add", "br0", "type", "bridge")
    switch.run("ip", "link", "add", "port", "type", "veth", "peer", "name", "eth0", "netns", host.namespace)
    switch.run("ip", "link", "set", "port", "master", "br0", "up")
    switch.run("ip", "link", "set", "port", "type", "bridge_slave", "hairpin", "on" if hairpin else "off")
    switch.run("ip", "link", "set", "br0", "up")
    host.run("ip", "address", "add", f"{HOST}/24", "dev", "eth0")
    host.run("ip", "link", "set", "eth0", "up")
    for child, address in zip(children, (ONE, TWO), strict=True):
        host.run("ip", "link", "add", "link", "eth0", "name", "child", "type", "macvlan", "mode", mode)
        host.run("ip", "link", "set", "child", "netns", child.namespace)
        child.run("ip", "address", "add", f"{address}/24", "dev", "child")
        child.run("ip", "link", "set", "child", "up")


def hears(listener: KernelPeer, address: str, speaker: KernelPeer) -> bool:
    """Whether a datagram arrives, which takes a request and an answer of ARP before."""
    with listener.open(socket.SOCK_DGRAM) as there, speaker.open(socket.SOCK_DGRAM) as here:
        there.bind((address, 7))
        there.settimeout(SILENCE_S)
        here.sendto(b"hello", (address, 7))
        try:
            return there.recv(100) == b"hello"
        except TimeoutError:
            return False


@pytest.mark.parametrize(("mode", "hairpin"), CASES)
def test_the_kernel_lets_the_same_ones_talk(needs_root: None, mode: str, hairpin: bool) -> None:
    ours: list[bool] = []

    async def scenario(world: World) -> None:
        await macvlan(world, "node-1", "net", mode=mode, subnet="192.168.65.0/24", block="192.168.65.64/27")
        await start(world, "node-1", "host", "host")
        for name, address in (("one", ONE), ("two", TWO)):
            assert await start(world, "node-1", name, "net") == address
        ours.append(await reaches(world, "node-1", "one", TWO))
        ours.append(await reaches(world, "node-1", "host", ONE))
        ours.append(await reaches(world, "node-1", "two", HOST))

    play(scenario, nodes=1, lan_hairpin=hairpin)
    with machines("switch", "host", "one", "two") as (switch, host, one, two):
        wire(switch, host, one, two, mode=mode, hairpin=hairpin)
        kernel = [hears(two, TWO, one), hears(one, ONE, host), hears(host, HOST, two)]
    assert ours == kernel


@contextmanager
def neighbour() -> Iterator[KernelPeer]:
    """A macvlan of the kernel on the simulated LAN: a machine whose cable is a VXLAN device."""
    outside = f"vo{secrets.token_hex(3)}"
    with machines("neighbour") as (peer,):
        ip("link", "add", outside, "type", "veth", "peer", "name", "eth0", "netns", peer.namespace)
        try:
            ip("address", "add", f"{OUR_UNDERLAY}/24", "dev", outside)
            ip("link", "set", outside, "mtu", "1600", "up")
            peer.run("ip", "address", "add", f"{KERNEL_UNDERLAY}/24", "dev", "eth0")
            peer.run("ip", "link", "set", "eth0", "mtu", "1600", "up")
            cable = ("type", "vxlan", "id", str(LAN_VNI), "dstport", str(CABLE_PORT))
            ends = ("local", KERNEL_UNDERLAY, "remote", OUR_UNDERLAY, "dev", "eth0")
            peer.run("ip", "link", "add", "lan", *cable, *ends)
            peer.run("ip", "link", "add", "link", "lan", "name", "child", "type", "macvlan", "mode", "bridge")
            peer.run("ip", "address", "add", f"{NEIGHBOUR}/24", "dev", "child")
            finish_checksums(peer, "lan")
            for device in ("lan", "child"):
                peer.run("ip", "link", "set", device, "mtu", "1500", "up")
            yield peer
        finally:
            subprocess.run(["ip", "link", "delete", outside], capture_output=True, check=False)


async def test_a_macvlan_of_the_kernel_and_one_of_ours_are_neighbours(
    needs_root: None, tmp_path: Path
) -> None:
    with neighbour() as peer:
        async with node(tmp_path) as agent:
            agent.machine.add_to_lan(KERNEL_UNDERLAY)
            standing = agent.lives.body(agent.registry.find("web")).standing
            assert standing is not None
            ours = standing.sandbox.udp_socket()
            ours.bind(ONE, 9000)
            with peer.open(socket.SOCK_DGRAM) as theirs:
                theirs.bind((NEIGHBOUR, 9001))
                loop = asyncio.get_running_loop()
                async with asyncio.timeout(5):
                    await loop.sock_sendto(theirs, b"from the kernel", (ONE, 9000))
                    assert await ours.receive() == (b"from the kernel", (NEIGHBOUR, 9001))
                    ours.send(b"from the container", (NEIGHBOUR, 9001))
                    assert await loop.sock_recvfrom(theirs, 100) == (b"from the container", (ONE, 9000))
            mac = standing.footholds["net"].endpoint.mac
            assert f"{ONE} dev child lladdr {mac}" in peer.run("ip", "neigh")


@asynccontextmanager
async def node(directory: Path) -> AsyncIterator[Agent]:
    """A node whose underlay is the veth, with one container on its LAN."""
    clock = SystemClock()
    underlay = UdpUnderlay(OUR_UNDERLAY, {Channel.DATA: 4789, Channel.CABLE: CABLE_PORT})
    seams = Seams(
        clock=clock,
        underlay=underlay,
        control=Fabric(clock, random.Random(1)).control(OUR_UNDERLAY),
        store=None,
        own=MemoryCluster(clock.now).session("node-1"),
        telemetry=Story(clock.now).teller("node-1"),
    )
    config = NodeConfig(name="node-1", directory=directory, underlay_address=OUR_UNDERLAY)
    agent = Agent(config, seams, random.Random(2))
    try:
        await agent.start()
        pool = Subnet(subnet="192.168.65.0/24", range="192.168.65.64/27", given=True)
        options = {"parent": "eth0"}
        spec = NetworkSpec(name="net", driver="macvlan", subnets=(pool,), options=options)
        await agent.controller.create(spec)
        wish = ContainerSpec(image="alpine", command=("sleep", "1000"), network_mode="net")
        identity, _ = await agent.containers.create("web", wish)
        await agent.containers.start(identity)
        yield agent
    finally:
        await agent.stop()
        underlay.close()
