"""The Linux kernel as the other end: it knows nothing of us and is never wrong in the same way."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator

import pytest

from node.datapath.drops import Counters, Drop
from node.stack.echo import EchoError, EchoReply
from node.stack.sandbox import Sandbox
from node.wire import icmp, ipv4
from tests.stack.kernel_peer import KERNEL, OUR_MAC, OURS, KernelPeer, kernel_peer


@pytest.fixture
def kernel(needs_root: None) -> Iterator[KernelPeer]:
    with kernel_peer() as peer:
        yield peer


@pytest.fixture
def answers(kernel: KernelPeer) -> Iterator[None]:
    """The kernel's own ICMP works."""
    with kernel.on_answering_processor():
        yield


@pytest.fixture
async def ours(kernel: KernelPeer) -> AsyncIterator[tuple[Sandbox, Counters]]:
    sandbox, counters = kernel.join()
    yield sandbox, counters
    kernel.leave(sandbox)


@pytest.mark.parametrize("size", [0, 56, 1472, 3000, 60_000])
async def test_the_kernel_answers_our_pings(answers: None, ours: tuple[Sandbox, Counters], size: int) -> None:
    sandbox, counters = ours
    ping = sandbox.echo_socket()
    payload = bytes(n & 0xFF for n in range(size))
    async with asyncio.timeout(5):
        for sequence in (1, 2, 3):
            ping.send(KERNEL, sequence, payload)
            reply = await ping.receive()
            assert isinstance(reply, EchoReply)
            assert (reply.source, reply.sequence, reply.ttl, reply.payload) == (KERNEL, sequence, 64, payload)
    (neighbor,) = sandbox.inspect().neighbors
    assert (neighbor.address, neighbor.state) == (KERNEL, "REACHABLE")
    assert counters.drops == {}


@pytest.mark.parametrize("size", [0, 56, 1472, 3000, 60_000])
async def test_we_answer_the_kernels_pings(
    kernel: KernelPeer, ours: tuple[Sandbox, Counters], size: int
) -> None:
    loop = asyncio.get_running_loop()
    payload = bytes(n & 0xFF for n in range(size))
    with kernel.open(socket.SOCK_RAW, socket.IPPROTO_ICMP) as raw:
        raw.connect((OURS, 0))
        async with asyncio.timeout(5):
            for sequence in (1, 2, 3):
                await loop.sock_sendall(raw, icmp.Echo(True, 77, sequence, payload).emit())
                reply = ipv4.parse(await loop.sock_recv(raw, 65_535))
                assert reply.ttl == 64
                assert icmp.parse(reply.payload) == icmp.Echo(False, 77, sequence, payload)
    assert OUR_MAC in kernel.run("ip", "neigh", "show", OURS)
    assert "REACHABLE" in kernel.run("ip", "neigh", "show", OURS)
    assert ours[1].drops == {}


@pytest.mark.parametrize("size", [0, 1, 1472, 3000, 65_507])
async def test_datagrams_travel_both_ways(
    kernel: KernelPeer, ours: tuple[Sandbox, Counters], size: int
) -> None:
    sandbox, counters = ours
    loop = asyncio.get_running_loop()
    data = bytes(n & 0xFF for n in range(size))
    server = sandbox.udp_socket()
    server.bind(OURS, 5000)
    with kernel.open(socket.SOCK_DGRAM) as theirs:
        theirs.connect((OURS, 5000))
        async with asyncio.timeout(5):
            theirs.send(data)
            received, sender = await server.receive()
            assert (received, sender) == (data, theirs.getsockname())
            server.send(received[::-1], sender)
            assert await loop.sock_recv(theirs, 65_535) == data[::-1]
    assert counters.drops == {}


async def test_the_kernel_hears_that_nobody_listens_here(
    kernel: KernelPeer, ours: tuple[Sandbox, Counters]
) -> None:
    with kernel.open(socket.SOCK_DGRAM) as theirs:
        theirs.connect((OURS, 5001))
        theirs.send(b"anyone?")
        with pytest.raises(ConnectionRefusedError):
            async with asyncio.timeout(5):
                await asyncio.get_running_loop().sock_recv(theirs, 100)


async def test_we_hear_that_nobody_listens_there(answers: None, ours: tuple[Sandbox, Counters]) -> None:
    client = ours[0].udp_socket()
    client.connect(KERNEL, 5001)
    client.send(b"anyone?")
    with pytest.raises(ConnectionRefusedError):
        async with asyncio.timeout(5):
            await client.receive()


async def test_the_kernel_finds_our_other_addresses_and_no_strangers(
    kernel: KernelPeer, ours: tuple[Sandbox, Counters]
) -> None:
    sandbox, _ = ours
    sandbox.stack.interfaces["eth0"].add_address("10.99.0.3/24")
    server = sandbox.udp_socket()
    server.bind("0.0.0.0", 5000)
    with kernel.open(socket.SOCK_DGRAM) as theirs:
        theirs.sendto(b"x", ("10.99.0.3", 5000))
        theirs.sendto(b"x", ("10.99.0.4", 5000))
        async with asyncio.timeout(5):
            await server.receive()
    assert "10.99.0.4" in kernel.run("ip", "neigh", "show", "nud", "incomplete")
    assert "10.99.0.4" not in kernel.run("ip", "neigh", "show", "nud", "reachable")


async def test_an_announcement_moves_our_address_in_the_kernels_table(
    answers: None, kernel: KernelPeer, ours: tuple[Sandbox, Counters]
) -> None:
    sandbox, _ = ours
    other_mac = "02:42:0a:63:00:ff"
    kernel.run("ip", "neigh", "add", OURS, "lladdr", other_mac, "nud", "stale", "dev", "tap0")
    sandbox.announce("eth0")
    ping = sandbox.echo_socket()
    ping.send(KERNEL, 1, b"")
    async with asyncio.timeout(5):
        await ping.receive()
    assert OUR_MAC in kernel.run("ip", "neigh", "show", OURS)


async def test_the_kernel_as_router_tells_where_packets_end(
    answers: None, kernel: KernelPeer, ours: tuple[Sandbox, Counters]
) -> None:
    sandbox, _ = ours
    kernel.run("sysctl", "-q", "-w", "net.ipv4.ip_forward=1")
    kernel.run("ip", "link", "add", "far0", "type", "veth", "peer", "name", "far1")
    kernel.run("ip", "address", "add", "10.99.1.1/24", "dev", "far0")
    kernel.run("ip", "link", "set", "far0", "mtu", "1400", "up")
    kernel.run("ip", "link", "set", "far1", "up")
    sandbox.set_default_route(KERNEL, "eth0")
    ping = sandbox.echo_socket()

    async def error(destination: str, size: int = 8, *, ttl: int = 64) -> tuple[int, int, int | None]:
        ping.send(destination, 1, bytes(size), ttl=ttl, dont_fragment=True)
        async with asyncio.timeout(5):
            event = await ping.receive()
        assert isinstance(event, EchoError)
        assert event.source == KERNEL
        return event.kind, event.code, event.mtu

    assert await error("10.99.1.9", ttl=1) == (icmp.TIME_EXCEEDED, icmp.TTL_EXPIRED, None)
    assert await error("10.98.0.1") == (icmp.UNREACHABLE, icmp.NET_UNREACHABLE, None)
    assert await error("10.99.1.9", 1472) == (icmp.UNREACHABLE, icmp.FRAGMENTATION_NEEDED, 1400)
    with pytest.raises(OSError, match="Message too long"):
        ping.send("10.99.1.9", 1, bytes(1373), dont_fragment=True)


async def test_the_kernel_believes_our_router(kernel: KernelPeer, ours: tuple[Sandbox, Counters]) -> None:
    sandbox, counters = ours
    sandbox.attach("far0", "02:42:0a:63:01:01", 1400, lambda frame, now: None, "10.99.1.1/24")
    sandbox.stack.forwarding = True
    kernel.run("ip", "route", "add", "10.99.0.0/16", "via", OURS)
    loop = asyncio.get_running_loop()
    with kernel.open(socket.SOCK_RAW, socket.IPPROTO_ICMP) as raw:

        async def error(destination: str, size: int, *, ttl: int = 64) -> tuple[int, int, int]:
            raw.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
            await loop.sock_sendto(raw, icmp.Echo(True, 7, 1, bytes(size)).emit(), (destination, 0))
            async with asyncio.timeout(5):
                heard = icmp.parse(ipv4.parse(await loop.sock_recv(raw, 2000)).payload)
            assert isinstance(heard, icmp.Error)
            return heard.kind, heard.code, heard.mtu

        assert await error("10.99.1.9", 8, ttl=1) == (icmp.TIME_EXCEEDED, icmp.TTL_EXPIRED, 0)
        assert await error("10.99.2.9", 8) == (icmp.UNREACHABLE, icmp.NET_UNREACHABLE, 0)
        assert await error("10.99.1.9", 1472) == (icmp.UNREACHABLE, icmp.FRAGMENTATION_NEEDED, 1400)
    assert "mtu 1400" in kernel.run("ip", "route", "get", "10.99.1.9")
    assert counters.dropped(Drop.NEEDS_FRAGMENTATION) == 1
