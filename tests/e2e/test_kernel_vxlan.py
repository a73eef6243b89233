"""The Linux kernel's own VXLAN device as a peer of a simulated container.

kernel: vx0 10.0.1.200 -- vxlan id 4097 -- veth 10.231.0.2 ==== 10.231.0.1 -- a node's underlay -- container
"""

from __future__ import annotations

import array
import asyncio
import contextlib
import fcntl
import os
import random
import secrets
import socket
import struct
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from kvstore.memory import MemoryCluster
from lab.sim.fabric import Fabric
from lab.sim.world import Story
from node.agent import Agent, Seams
from node.config import NodeConfig
from node.edge.clock import SystemClock
from node.edge.underlay import UdpUnderlay
from node.model.container import ContainerSpec
from node.model.network import EndpointSpec, NetworkSpec, Subnet
from node.seams import Channel
from node.stack.echo import EchoReply
from node.wire import icmp, ipv4
from tests.stack.kernel_peer import KernelPeer

OUR_UNDERLAY, KERNEL_UNDERLAY = "10.231.0.1", "10.231.0.2"
CONTAINER, KERNEL = "10.0.1.2", "10.0.1.200"
VNI = 4097


@pytest.fixture
def kernel(needs_root: None) -> Iterator[KernelPeer]:
    """A namespace with a VXLAN device, joined to this one by a veth pair; gone afterwards."""
    unique = secrets.token_hex(3)
    namespace, outside, inside = f"shoal-vx-{unique}", f"vo{unique}", f"vi{unique}"
    ip("netns", "add", namespace)
    try:
        ip("link", "add", outside, "type", "veth", "peer", "name", inside, "netns", namespace)
        ip("address", "add", f"{OUR_UNDERLAY}/24", "dev", outside)
        ip("link", "set", outside, "up")
        peer = KernelPeer(namespace, -1)
        peer.run("ip", "link", "set", "lo", "up")
        peer.run("ip", "address", "add", f"{KERNEL_UNDERLAY}/24", "dev", inside)
        peer.run("ip", "link", "set", inside, "up")
        device = ("vx0", "type", "vxlan", "id", str(VNI), "dstport", "4789", "local", KERNEL_UNDERLAY)
        peer.run("ip", "link", "add", *device, "remote", OUR_UNDERLAY, "dev", inside)
        peer.run("ip", "address", "add", f"{KERNEL}/24", "dev", "vx0")
        peer.run("ip", "link", "set", "vx0", "mtu", "1450", "up")
        finish_checksums(peer, "vx0")
        yield peer
    finally:
        ip("netns", "delete", namespace)
        subprocess.run(["ip", "link", "delete", outside], capture_output=True, check=False)


def finish_checksums(peer: KernelPeer, device: str) -> None:
    """Let the kernel compute inner checksums itself (ethtool -K DEVICE tx off).

    It would leave them to a network card, and a veth pair has none.
    """
    set_transmit_checksum, siocethtool = 0x17, 0x8946
    value = array.array("I", [set_transmit_checksum, 0])
    request = struct.pack("16sP", device.encode(), value.buffer_info()[0])
    with peer.open(socket.SOCK_DGRAM) as handle:
        fcntl.ioctl(handle, siocethtool, request)


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


@contextlib.asynccontextmanager
async def container(tmp_path: Path) -> AsyncIterator[Agent]:
    """A node whose underlay is the veth, with one container in the overlay that the kernel is in."""
    clock = SystemClock()
    underlay = UdpUnderlay(OUR_UNDERLAY, {Channel.DATA: 4789, Channel.CABLE: 8472})
    config = NodeConfig(
        name="node-1",
        directory=tmp_path,
        underlay_address=OUR_UNDERLAY,
        store=("memory",),
        static_peers={"app": (KERNEL_UNDERLAY,)},
    )
    seams = Seams(
        clock=clock,
        underlay=underlay,
        control=Fabric(clock, random.Random(1)).control(OUR_UNDERLAY),
        store=MemoryCluster(clock.now).session("node-1"),
        own=MemoryCluster(clock.now).session("node-1"),
        telemetry=Story(clock.now).teller("node-1"),
    )
    agent = Agent(config, seams, random.Random(2))
    try:
        await agent.start()
        subnet = Subnet(subnet="10.0.1.0/24", given=True)
        await agent.controller.create(
            NetworkSpec(name="app", driver="overlay", attachable=True, subnets=(subnet,))
        )
        spec = ContainerSpec(
            image="alpine",
            command=("nc", "-u", "-l", "-p", "7"),
            network_mode="app",
            endpoints={"app": EndpointSpec(address=CONTAINER)},
        )
        identity, _ = await agent.containers.create("web", spec)
        await agent.containers.start(identity)
        yield agent
    finally:
        await agent.stop()
        underlay.close()


async def test_the_kernel_pings_a_simulated_container(kernel: KernelPeer, tmp_path: Path) -> None:
    async with container(tmp_path):
        with kernel.open(socket.SOCK_RAW, socket.IPPROTO_ICMP) as raw:
            for sequence, size in enumerate((0, 56, 1422)):
                request = icmp.Echo(True, 7, sequence, os.urandom(size))
                assert await answered(raw, request), f"no answer to {size} bytes"


async def answered(raw: socket.socket, request: icmp.Echo) -> bool:
    """Whether the container gives exactly this request back as a reply."""
    loop = asyncio.get_running_loop()
    await loop.sock_sendto(raw, request.emit(), (CONTAINER, 0))
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(3):
            while True:
                heard = icmp.parse(ipv4.parse(await loop.sock_recv(raw, 65535)).payload)
                if heard == icmp.Echo(False, request.identifier, request.sequence, request.payload):
                    return True
    return False


async def test_a_simulated_container_pings_the_kernel(kernel: KernelPeer, tmp_path: Path) -> None:
    with kernel.on_answering_processor():
        await container_pings(tmp_path)


async def container_pings(tmp_path: Path) -> None:
    async with container(tmp_path) as agent:
        standing = agent.lives.body(agent.registry.find("web")).standing
        assert standing is not None
        echo = standing.sandbox.echo_socket()
        for sequence in range(3):
            echo.send(KERNEL, sequence, bytes(56))
            async with asyncio.timeout(3):
                assert isinstance(await echo.receive(), EchoReply)


async def test_datagrams_go_both_ways(kernel: KernelPeer, tmp_path: Path) -> None:
    async with container(tmp_path) as agent:
        standing = agent.lives.body(agent.registry.find("web")).standing
        assert standing is not None
        ours = standing.sandbox.udp_socket()
        ours.bind(CONTAINER, 9000)
        with kernel.open(socket.SOCK_DGRAM) as theirs:
            theirs.bind((KERNEL, 9001))
            loop = asyncio.get_running_loop()
            async with asyncio.timeout(5):
                await loop.sock_sendto(theirs, b"from the kernel", (CONTAINER, 9000))
                assert await ours.receive() == (b"from the kernel", (KERNEL, 9001))
                ours.send(b"from the container", (KERNEL, 9001))
                assert await loop.sock_recvfrom(theirs, 100) == (b"from the container", (CONTAINER, 9000))
