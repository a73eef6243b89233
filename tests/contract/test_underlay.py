"""What every Underlay promises: UDP sockets, and the simulated fabric."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from lab.sim.fabric import Fabric
from node.edge.clock import SystemClock
from node.edge.underlay import UdpUnderlay
from node.seams import Channel, Underlay
from tests.edge_places import free_port, some_address
from tests.patience import PATIENCE_S


@dataclass(frozen=True)
class Node:
    """One end, and how to take it off the wire."""

    address: str
    underlay: Underlay
    close: Callable[[], None]


class Inbox:
    """What has arrived, in order."""

    def __init__(self) -> None:
        self.arrived: list[tuple[Channel, str, bytes]] = []
        self._more = asyncio.Event()

    def receive(self, channel: Channel, source: str, datagram: bytes) -> None:
        self.arrived.append((channel, source, datagram))
        self._more.set()

    async def until(self, count: int) -> list[tuple[Channel, str, bytes]]:
        """Everything, once there are so many."""
        async with asyncio.timeout(PATIENCE_S):
            while len(self.arrived) < count:
                self._more.clear()
                await self._more.wait()
        return self.arrived


def fabric_nodes() -> list[Node]:
    """Two nodes on the simulated fabric."""
    fabric = Fabric(SystemClock(), random.Random(1))
    return [
        Node(address, fabric.underlay(address), lambda address=address: fabric.disconnect(address))  # type: ignore[misc]
        for address in ("10.99.0.1", "10.99.0.2")
    ]


def udp_nodes() -> list[Node]:
    """Two nodes on real sockets, whose ports are the same."""
    first, second = some_address(), some_address()
    ports = {channel: free_port(first, socket.SOCK_DGRAM) for channel in Channel}
    nodes = []
    for address in (first, second):
        underlay = UdpUnderlay(address, ports)
        nodes.append(Node(address, underlay, underlay.close))
    return nodes


@pytest.fixture(params=[fabric_nodes, udp_nodes], ids=["fabric", "udp"])
async def nodes(request: pytest.FixtureRequest) -> Iterator[list[Node]]:
    """Two nodes of each kind."""
    opened = request.param()
    yield opened
    for node in opened:
        node.close()


async def test_a_datagram_arrives_whole_with_its_channel_and_its_senders_address(nodes: list[Node]) -> None:
    here, there = nodes
    inbox = Inbox()
    there.underlay.listen(inbox.receive)
    for channel in (Channel.DATA, Channel.CABLE):
        assert here.underlay.send(channel, there.address, 7, channel.value.encode())
        await inbox.until(1 if channel is Channel.DATA else 2)
    assert inbox.arrived == [
        (Channel.DATA, here.address, b"data"),
        (Channel.CABLE, here.address, b"cable"),
    ]


async def test_an_answer_goes_to_the_channel_and_not_to_where_the_datagram_came_from(
    nodes: list[Node],
) -> None:
    here, there = nodes
    answers = Inbox()
    here.underlay.listen(answers.receive)
    there.underlay.listen(
        lambda channel, source, datagram: there.underlay.send(channel, source, 3, datagram + b"!") and None
    )
    here.underlay.send(Channel.DATA, there.address, 5, b"hello")
    assert await answers.until(1) == [(Channel.DATA, there.address, b"hello!")]


@pytest.mark.parametrize("length", [0, 1, 1500, 9000, 65_000])
async def test_every_length_that_udp_has_arrives(nodes: list[Node], length: int) -> None:
    here, there = nodes
    inbox = Inbox()
    there.underlay.listen(inbox.receive)
    datagram = random.Random(length).randbytes(length)
    assert here.underlay.send(Channel.DATA, there.address, 0, datagram)
    assert (await inbox.until(1))[0][2] == datagram


async def test_a_burst_of_many_flows_arrives(nodes: list[Node]) -> None:
    here, there = nodes
    inbox = Inbox()
    there.underlay.listen(inbox.receive)
    sent = [number.to_bytes(2, "big") for number in range(500)]
    for number, datagram in enumerate(sent):
        assert here.underlay.send(Channel.DATA, there.address, number * 0x9E3779B1 & 0xFFFFFFFF, datagram)
    assert sorted(datagram for _, _, datagram in await inbox.until(len(sent))) == sent


async def test_what_arrives_is_the_receivers_own(nodes: list[Node]) -> None:
    here, there = nodes
    inbox = Inbox()
    there.underlay.listen(inbox.receive)
    reused = bytearray(b"first")
    here.underlay.send(Channel.DATA, there.address, 0, reused)
    reused[:] = b"other"
    assert (await inbox.until(1))[0][2] == b"first"
    assert type(inbox.arrived[0][2]) is bytes


async def test_where_nobody_is_nothing_happens(nodes: list[Node]) -> None:
    here, there = nodes
    inbox = Inbox()
    here.underlay.listen(inbox.receive)
    there.close()
    for number in range(10):
        here.underlay.send(Channel.DATA, there.address, number, b"anybody?")
    here.underlay.send(Channel.DATA, here.address, 0, b"myself")
    assert await inbox.until(1) == [(Channel.DATA, here.address, b"myself")]
