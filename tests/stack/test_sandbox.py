"""Sandboxes on a real switchboard, as programs see them: sockets that wait, on virtual time."""

from __future__ import annotations

import asyncio
import errno
import random
from collections.abc import Coroutine
from typing import Any

import pytest

from lab.sim.clock import VirtualClock
from lab.sim.loop import run
from node.datapath.drops import Counters
from node.datapath.port import Port
from node.datapath.segment import Segment
from node.datapath.switchboard import Switchboard
from node.model.address import parse_mac
from node.stack.echo import EchoError, EchoReply
from node.stack.inspect import AddressView
from node.stack.sandbox import Sandbox
from node.stack.sockets import SOCKETS_MAX, UdpSocket


class Room:
    """One node's switchboard with one segment, and sandboxes 10.0.1.3, .4, ... on it."""

    def __init__(self) -> None:
        self.clock = VirtualClock(asyncio.get_running_loop())
        self.chance = random.Random(1)
        self.counters = Counters()
        self.switchboard = Switchboard(lambda *_: False, self.counters)
        self.segment = Segment("app-id", "app")
        self.switchboard.add_segment(self.segment)
        self._last = 2

    def sandbox(self, name: str) -> Sandbox:
        self._last += 1
        mac = f"02:42:0a:00:01:{self._last:02x}"
        sandbox = Sandbox(name, self.clock, self.chance, self.counters)
        port = Port(f"{name}/eth0", parse_mac(mac), sandbox.receiver("eth0"))
        transmit = self.switchboard.transmit
        sandbox.attach(
            "eth0", mac, 1500, lambda frame, now: transmit(port, frame, now), f"10.0.1.{self._last}/24"
        )
        self.switchboard.plug(self.segment, port)
        return sandbox


def in_a_room(scenario: Any) -> None:
    async def main() -> None:
        await scenario(Room())

    run(main())


async def soon(waiting: Coroutine[Any, Any, Any]) -> Any:
    async with asyncio.timeout(5):
        return await waiting


def test_a_ping_waits_for_its_reply() -> None:
    async def scenario(room: Room) -> None:
        a, _ = room.sandbox("a"), room.sandbox("b")
        ping = a.echo_socket()
        ping.send("10.0.1.4", 7, b"payload")
        assert await soon(ping.receive()) == EchoReply("10.0.1.4", 7, 64, b"payload", 0.0)

    in_a_room(scenario)


def test_the_stacks_timer_runs_by_itself() -> None:
    async def scenario(room: Room) -> None:
        ping = room.sandbox("a").echo_socket()
        ping.send("10.0.1.99", 1, b"")
        error = await soon(ping.receive())
        assert error == EchoError("10.0.1.3", 3, 1, 1, None, 3.0)
        assert room.clock.now() == 3.0

    in_a_room(scenario)


class HastyClock(VirtualClock):
    """Calls a moment too early, as an event loop may by less than its clock can tell."""

    def now(self) -> float:
        return super().now() - 1e-9


def test_a_timer_that_fires_a_moment_early_is_no_harm() -> None:
    async def scenario(room: Room) -> None:
        room.clock = HastyClock(asyncio.get_running_loop())
        ping = room.sandbox("a").echo_socket()
        ping.send("10.0.1.99", 1, b"")
        assert isinstance(await soon(ping.receive()), EchoError)

    in_a_room(scenario)


def test_a_time_limit_loses_nothing_that_comes_later() -> None:
    async def scenario(room: Room) -> None:
        a, b = room.sandbox("a"), room.sandbox("b")
        server = b.udp_socket()
        server.bind("0.0.0.0", 9)
        with pytest.raises(TimeoutError):
            await soon(server.receive())
        a.udp_socket().send(b"late", ("10.0.1.4", 9))
        assert (await soon(server.receive()))[0] == b"late"

    in_a_room(scenario)


def test_a_question_and_its_answer_over_udp() -> None:
    async def scenario(room: Room) -> None:
        a, b = room.sandbox("a"), room.sandbox("b")
        server, client = b.udp_socket(), a.udp_socket()
        server.bind("10.0.1.4", 9)
        assert server.local == ("10.0.1.4", 9)
        client.connect("10.0.1.4", 9)
        assert client.remote == ("10.0.1.4", 9)

        async def serve() -> None:
            data, sender = await server.receive()
            server.send(data.upper(), sender)

        serving = asyncio.ensure_future(serve())
        client.send(b"hello")
        assert await soon(client.receive()) == (b"HELLO", ("10.0.1.4", 9))
        await serving

    in_a_room(scenario)


def test_nobody_listens_connection_refused() -> None:
    async def scenario(room: Room) -> None:
        a, _ = room.sandbox("a"), room.sandbox("b")
        client = a.udp_socket()
        client.connect("10.0.1.4", 9)
        client.send(b"hello")
        with pytest.raises(ConnectionRefusedError):
            await soon(client.receive())

    in_a_room(scenario)


def test_an_embedded_server_answers_at_once() -> None:
    async def scenario(room: Room) -> None:
        a = room.sandbox("a")
        a.serve_udp("127.0.0.11", 53, lambda query, sender: query[::-1] if query != b"silence" else None)
        client = a.udp_socket()
        client.send(b"abc", ("127.0.0.11", 53))
        assert await soon(client.receive()) == (b"cba", ("127.0.0.11", 53))
        client.send(b"silence", ("127.0.0.11", 53))
        with pytest.raises(TimeoutError):
            await soon(client.receive())
        client.send(b"x" * 65_507, ("127.0.0.11", 53))
        assert len((await soon(client.receive()))[0]) == 65_507

    in_a_room(scenario)


def test_an_answer_that_cannot_be_sent_is_dropped_by_name() -> None:
    async def scenario(room: Room) -> None:
        a = room.sandbox("a")
        a.serve_udp("127.0.0.11", 53, lambda query, sender: bytes(70_000))
        a.udp_socket().send(b"abc", ("127.0.0.11", 53))
        assert [name.value for _, name in room.counters.drops] == ["no_route"]

    in_a_room(scenario)


def test_who_shares_a_network_closes_only_its_own_sockets() -> None:
    async def scenario(room: Room) -> None:
        host, peer = room.sandbox("host"), room.sandbox("peer")
        one, other = host.share("one"), host.share("other")
        first, second = one.udp_socket(), other.udp_socket()
        first.bind("0.0.0.0", 80)
        with pytest.raises(OSError, match="in use") as raised:
            second.bind("0.0.0.0", 80)
        assert raised.value.errno == errno.EADDRINUSE

        waiting = asyncio.ensure_future(first.receive())
        await asyncio.sleep(0)
        one.close()
        with pytest.raises(OSError, match="Bad file descriptor"):
            await waiting
        second.bind("0.0.0.0", 80)
        peer.udp_socket().send(b"to whom?", ("10.0.1.3", 80))
        assert (await soon(second.receive()))[0] == b"to whom?"

    in_a_room(scenario)


def test_hostname_and_files_are_shared_until_others_are_given() -> None:
    async def scenario(room: Room) -> None:
        host = room.sandbox("host")
        host.files["/etc/hosts"] = "one"
        guest, stranger = host.share("guest"), host.share("stranger")
        stranger.files, stranger.hostname = {"/etc/hosts": "other"}, "stranger"
        host.files["/etc/hosts"] = "two"

        assert guest.hostname == "host"
        assert guest.files["/etc/hosts"] == "two"
        assert (stranger.hostname, stranger.files["/etc/hosts"]) == ("stranger", "other")

    in_a_room(scenario)


def test_a_network_lives_until_the_last_who_shares_it_is_closed() -> None:
    async def scenario(room: Room) -> None:
        first = room.sandbox("first")
        second = first.share("second")
        first.close()
        first.close()
        ping = second.echo_socket()
        ping.send("10.0.1.99", 1, b"")
        assert isinstance(await soon(ping.receive()), EchoError)
        ping.send("10.0.1.99", 2, b"")
        sent = room.counters.transmitted
        second.close()
        await room.clock.sleep(10)
        assert room.counters.transmitted == sent  # no timer is left to ask for the neighbour

    in_a_room(scenario)


def test_a_closed_socket_says_so() -> None:
    async def scenario(room: Room) -> None:
        a = room.sandbox("a")
        udp, echo = a.udp_socket(), a.echo_socket()
        for socket in (udp, echo):
            socket.close()
            socket.close()
            with pytest.raises(OSError, match="Bad file descriptor"):
                await socket.receive()
        with pytest.raises(OSError, match="Bad file descriptor"):
            udp.bind("0.0.0.0", 9)
        with pytest.raises(OSError, match="Bad file descriptor"):
            echo.send("10.0.1.4", 1, b"")

    in_a_room(scenario)


def test_sockets_are_bounded() -> None:
    async def scenario(room: Room) -> None:
        a = room.sandbox("a")
        sockets: list[UdpSocket] = [a.udp_socket() for _ in range(SOCKETS_MAX)]
        with pytest.raises(OSError, match="Too many open files") as raised:
            a.udp_socket()
        assert raised.value.errno == errno.EMFILE
        sockets[0].close()
        a.udp_socket()

    in_a_room(scenario)


def test_an_announcement_reaches_the_segment() -> None:
    async def scenario(room: Room) -> None:
        a, b = room.sandbox("a"), room.sandbox("b")
        ping = a.echo_socket()
        ping.send("10.0.1.4", 1, b"")
        await soon(ping.receive())
        b.detach("eth0")
        c = room.sandbox("c")
        c.stack.interfaces["eth0"].add_address("10.0.1.4/24")
        c.announce("eth0")
        ping.send("10.0.1.4", 2, b"")
        assert isinstance(await soon(ping.receive()), EchoReply)

    in_a_room(scenario)


def test_the_default_route_is_replaced_and_cleared() -> None:
    async def scenario(room: Room) -> None:
        a = room.sandbox("a")
        a.set_default_route("10.0.1.1", "eth0")
        a.set_default_route("10.0.1.2", "eth0")
        default, _ = a.inspect().routes
        assert (default.destination, default.gateway) == ("default", "10.0.1.2")
        with pytest.raises(OSError, match="unreachable"):
            a.set_default_route("10.9.9.9", "eth0")
        a.clear_default_route()
        a.clear_default_route()
        assert [r.destination for r in a.inspect().routes] == ["10.0.1.0/24"]

    in_a_room(scenario)


def test_what_ip_shows() -> None:
    async def scenario(room: Room) -> None:
        a, _ = room.sandbox("a"), room.sandbox("b")
        a.stack.interfaces["eth0"].peer_index = 7
        ping = a.echo_socket()
        ping.send("10.0.1.4", 1, bytes(56))
        await soon(ping.receive())

        lo, eth0 = a.inspect().interfaces
        assert (lo.index, lo.name, lo.link, lo.mtu, lo.mac, lo.flags) == (
            1,
            "lo",
            "loopback",
            65536,
            "00:00:00:00:00:00",
            ("LOOPBACK", "UP", "LOWER_UP"),
        )
        assert lo.addresses == (AddressView("127.0.0.1/8", "", "host"),)
        assert (eth0.index, eth0.name, eth0.mac, eth0.peer_index, eth0.state) == (
            2,
            "eth0",
            "02:42:0a:00:01:03",
            7,
            "UP",
        )
        assert eth0.addresses == (AddressView("10.0.1.3/24", "10.0.1.255", "global"),)
        assert (eth0.sent.packets, eth0.received.packets) == (2, 2)
        assert eth0.sent.bytes == 14 + 28 + 14 + 84

    in_a_room(scenario)
