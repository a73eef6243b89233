"""The Linux kernel's own macvlan: who hears whom there, and here; and as a neighbour on the simulated LAN.

      host namespace                      switch namespace
one, two (macvlan) -- eth0 ============== port of a bridge, which sends back what it must or not
"""

from __future__ import annotations

import secrets
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from lab.sim.world import World
from tests.sim.play import macvlan, play, reaches, start
from tests.stack.kernel_peer import KernelPeer

SILENCE_S = 0.3
HOST, ONE, TWO = "192.168.65.2", "192.168.65.64", "192.168.65.65"
CASES = [(mode, hairpin) for mode in ("bridge", "vepa", "private") for hairpin in (False, True)]


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


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
