"""The underlay's sockets: source ports, refusals, the kernel's limits, and ports that are taken."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.edge.underlay import SENDERS, UdpUnderlay
from node.errors import Unavailable
from node.seams import Channel
from tests.edge_places import free_port, some_address
from tests.patience import until

ROOT = Path(__file__).parents[2]


def ports(address: str) -> dict[Channel, int]:
    return {channel: free_port(address, socket.SOCK_DGRAM) for channel in Channel}


@pytest.fixture
def address() -> str:
    return some_address()


@pytest.fixture
def underlay(address: str) -> Iterator[UdpUnderlay]:
    opened = UdpUnderlay(address, ports(address))
    yield opened
    opened.close()


@pytest.fixture
def stranger(address: str) -> Iterator[tuple[str, UdpUnderlay, socket.socket]]:
    """A plain socket on another address, and an underlay whose data port it has there."""
    there = some_address()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plain:
        plain.bind((there, 0))
        plain.settimeout(5)
        opened = UdpUnderlay(address, ports(address) | {Channel.DATA: plain.getsockname()[1]})
        yield there, opened, plain
        opened.close()


def test_the_source_port_is_the_flows_and_a_dynamic_one(
    stranger: tuple[str, UdpUnderlay, socket.socket],
) -> None:
    there, underlay, plain = stranger
    seen: dict[int, set[int]] = {}
    for flow in [*range(20), *range(20)]:
        assert underlay.send(Channel.DATA, there, flow, b"frame")
        _, (_, port) = plain.recvfrom(100)
        seen.setdefault(flow, set()).add(port)
    assert all(len(of_flow) == 1 for of_flow in seen.values()), "a flow keeps its port"
    assert len(set.union(*seen.values())) == SENDERS, "flows are spread over all ports"
    assert all(port >= 49_152 for of_flow in seen.values() for port in of_flow)


def test_the_next_port_is_taken_where_one_is_in_use(address: str) -> None:
    first = UdpUnderlay(address, ports(address))
    second = UdpUnderlay(address, ports(address))  # its senders find the first one's ports in use
    try:
        assert second.send(Channel.DATA, address, 0, b"")
    finally:
        first.close()
        second.close()


@pytest.mark.parametrize(
    ("destination", "datagram"),
    [("127.0.0.1", bytes(70_000)), ("192.0.2.1", b"")],
    ids=["too-long", "no-way-there"],
)
def test_what_the_kernel_refuses_is_told(underlay: UdpUnderlay, destination: str, datagram: bytes) -> None:
    assert not underlay.send(Channel.DATA, destination, 0, datagram)
    assert underlay.send(Channel.DATA, "127.0.0.1", 0, b"")


CROWDED = """
from node.edge.underlay import UdpUnderlay
from node.seams import Channel

underlay = UdpUnderlay("127.0.0.2", {Channel.DATA: 4789, Channel.CABLE: 8472})
sent = 0
while sent < 200_000 and underlay.send(Channel.DATA, "127.0.0.3", 0, bytes(1000)):
    sent += 1
assert 0 < sent < 200_000, sent
assert underlay.send(Channel.DATA, "127.0.0.3", 1, b"another flow has a socket of its own")
"""


@pytest.mark.skipif(
    shutil.which("unshare") is None or shutil.which("tc") is None,
    reason="needs unshare and tc (util-linux, iproute2)",
)
def test_a_full_send_buffer_is_a_refusal_and_never_a_wait() -> None:
    # The queue is emptied at the end: what stays in one fills the kernel's ICMP buffers until it is sent,
    # and at this rate no namespace of the machine would hear a ping for the next hour.
    slow = (
        "ip link set lo up && tc qdisc add dev lo root tbf rate 8kbit burst 2kb limit 100000000"
        ' && { "$0" -c "$1"; code=$?; tc qdisc del dev lo root; exit $code; }'
    )
    command = ["unshare", "--map-root-user", "--net", "sh", "-c", slow, sys.executable, CROWDED]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr


async def test_what_is_not_fetched_in_time_is_counted_as_overrun(address: str, underlay: UdpUnderlay) -> None:
    for _ in range(1000):
        underlay.send(Channel.DATA, address, 0, bytes(60_000))
    lost = underlay.overrun
    assert 0 < lost < 1000
    arrived: list[int] = []
    underlay.listen(lambda channel, source, datagram: arrived.append(len(datagram)))
    await until(lambda: len(arrived) + lost == 1000)
    assert underlay.overrun == lost


async def test_a_flood_leaves_the_event_loop_its_turn(address: str, underlay: UdpUnderlay) -> None:
    arrived = 0

    def receive(channel: Channel, source: str, datagram: bytes) -> None:
        nonlocal arrived
        arrived += 1
        underlay.send(Channel.DATA, address, arrived, datagram)  # a loop that would never end

    underlay.listen(receive)
    for _ in range(200):
        underlay.send(Channel.DATA, address, 0, b"round and round")
    await until(lambda: arrived >= 2000)


def test_a_taken_port_is_named_and_nothing_is_left_open(address: str) -> None:
    wanted = ports(address)
    first = UdpUnderlay(address, wanted)
    with pytest.raises(
        Unavailable, match=rf"{wanted[Channel.CABLE]} of {address} is in use: stop what uses it"
    ):
        UdpUnderlay(address, wanted)
    first.close()
    UdpUnderlay(address, wanted).close()


def test_an_address_that_this_machine_does_not_have_is_named() -> None:
    with pytest.raises(Unavailable, match=r"no address 192\.0\.2\.7"):
        UdpUnderlay("192.0.2.7", {Channel.DATA: 4789, Channel.CABLE: 8472})
