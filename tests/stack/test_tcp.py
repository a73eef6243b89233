"""TCP between two stacks on a link whose every frame can be lost, delayed or doubled, on virtual time."""

from __future__ import annotations

import errno
import heapq
import random
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.datapath.drops import Drop
from node.model.address import parse_ipv4, parse_mac
from node.stack.tcp.connection import TIME_WAIT_S, Connection
from node.stack.tcp.state import State
from node.stack.tcp.table import Listener
from node.wire import ipv4, tcp
from tests.stack.cable import MAC_A, MAC_B, Host

CLIENT, SERVER = "10.0.1.3", "10.0.1.4"
LONG_S = 3600.0


@dataclass
class Link:
    """A link in virtual time between two hosts."""

    seed: int = 1
    loss: float = 0.0
    duplicate: float = 0.0
    jitter_s: float = 0.0
    delay_s: float = 0.001
    cut: bool = False
    now: float = 0.0
    segments: list[tcp.Segment] = field(default_factory=list)
    """Every segment that was sent, lost ones too."""
    _flying: list[tuple[float, int, int, bytes]] = field(default_factory=list)
    _count: int = 0

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.hosts = (Host(1), Host(2))
        for side, (mac, cidr) in enumerate(((MAC_A, f"{CLIENT}/24"), (MAC_B, f"{SERVER}/24"))):
            interface = self.hosts[side].stack.add_interface("eth0", parse_mac(mac), 1500, self._sender(side))
            interface.add_address(cidr)
        for side, (address, mac) in enumerate(((SERVER, MAC_B), (CLIENT, MAC_A))):
            neighbors = self.hosts[side].stack.resolution.neighbors
            neighbors.set_permanent("eth0", parse_ipv4(address), parse_mac(mac))

    def _sender(self, side: int):  # type: ignore[no-untyped-def]
        def transmit(frame: bytes, now: float) -> None:
            if frame[12:14] == b"\x08\x00":
                packet = ipv4.parse(frame[14:])
                if packet.protocol == ipv4.PROTOCOL_TCP:
                    self.segments.append(tcp.parse(packet.payload, packet.source, packet.destination))
            if self.cut or self.chance.random() < self.loss:
                return
            for _ in range(2 if self.chance.random() < self.duplicate else 1):
                self._count += 1
                at = now + self.delay_s + self.chance.random() * self.jitter_s
                heapq.heappush(self._flying, (at, self._count, 1 - side, frame))

        return transmit

    def next_at(self) -> float | None:
        """When something happens next."""
        times = [host.stack.wake_at for host in self.hosts if host.stack.wake_at is not None]
        return min([*times, *[flying[0] for flying in self._flying[:1]]], default=None)

    def step(self) -> bool:
        """The next thing that happens; False if nothing ever will."""
        next_at = self.next_at()
        if next_at is None:
            return False
        self.now = max(self.now, next_at)
        if self._flying and self._flying[0][0] <= self.now:
            _, _, side, frame = heapq.heappop(self._flying)
            self.hosts[side].stack.receive("eth0", frame, self.now)
        else:
            for host in self.hosts:
                host.stack.wake(self.now)
        return True

    def run(self, until: float = LONG_S) -> None:
        """Everything that happens up to a time, or at all."""
        while (next_at := self.next_at()) is not None and next_at <= until:
            self.step()

    # -- programs ---------------------------------------------------------------------------------

    def listen(self, backlog: int = 8) -> Listener:
        return self.hosts[1].stack.tcp.listen((parse_ipv4(SERVER), 80), backlog, lambda: None)

    def connect(self, tcp_port: int = 80) -> Connection:
        remote = (parse_ipv4(SERVER), tcp_port)
        return self.hosts[0].stack.tcp.connect(remote, None, lambda: None, self.now)

    def flush(self, connection: Connection) -> None:
        side = 0 if connection.block.ends.local[0] == parse_ipv4(CLIENT) else 1
        self.hosts[side].stack.tcp.flush(connection, self.now)

    def pair(self) -> tuple[Connection, Connection]:
        """A connection that stands, seen from both sides."""
        listener = self.listen()
        client = self.connect()
        while not listener.queue and self.step():
            pass
        return client, listener.queue.popleft()

    def connections(self) -> int:
        return sum(len(list(host.stack.tcp.table)) for host in self.hosts)


@dataclass
class Talker:
    """A program on one end: it writes all it has, ends, and reads until the other end does."""

    link: Link
    connection: Connection
    to_say: bytes
    heard: bytes = b""
    has_heard_all: bool = False
    _has_ended: bool = False

    def act(self) -> None:
        connection, now = self.connection, self.link.now
        if self.to_say and connection.state in (State.ESTABLISHED, State.CLOSE_WAIT):
            self.to_say = self.to_say[connection.write(self.to_say[:50_000], now) :]
        if not self.to_say and not self._has_ended and connection.state is not State.SYN_SENT:
            self._has_ended = True
            connection.finish(now)
        if not self.has_heard_all:
            part = connection.read(20_000)
            self.heard += part or b""
            self.has_heard_all = part == b""
        self.link.flush(connection)


def talk(link: Link, there: bytes, back: bytes) -> tuple[Talker, Talker]:
    """Both sides say what they have; runs until both have heard everything and all is over."""
    client, server = link.pair()
    talkers = (Talker(link, client, there), Talker(link, server, back))
    for _ in range(200_000):
        for talker in talkers:
            talker.act()
        if not link.step():
            break
    return talkers


@settings(max_examples=60)
@given(
    seed=st.integers(0, 1 << 32),
    loss=st.sampled_from([0.0, 0.02, 0.2]),
    duplicate=st.sampled_from([0.0, 0.1]),
    jitter_s=st.sampled_from([0.0, 0.005, 0.5]),
    there=st.integers(0, 60_000),
    back=st.integers(0, 5_000),
)
def test_whatever_the_link_does_every_byte_arrives_once_and_in_order(
    seed: int, loss: float, duplicate: float, jitter_s: float, there: int, back: int
) -> None:
    link = Link(seed=seed, loss=loss, duplicate=duplicate, jitter_s=jitter_s)
    one, other = random.Random(seed).randbytes(there), random.Random(seed + 1).randbytes(back)
    client, server = talk(link, one, other)
    assert server.heard == one
    assert client.heard == other
    assert client.has_heard_all
    assert server.has_heard_all
    assert link.connections() == 0, "in the end nothing is remembered, not even TIME_WAIT"
    assert all(host.stack.wake_at is None for host in link.hosts)


def test_who_ends_first_waits_out_its_time() -> None:
    link = Link()
    client, server = link.pair()
    client.finish(link.now)
    link.flush(client)
    link.run(link.now + 1)
    assert (client.state, server.state) == (State.FIN_WAIT_2, State.CLOSE_WAIT)
    server.finish(link.now)
    link.flush(server)
    link.run(link.now + 1)
    assert (client.state, server.state) == (State.TIME_WAIT, State.CLOSED)
    begun = link.now
    link.run()
    assert client.state is State.CLOSED
    assert link.now - begun == pytest.approx(TIME_WAIT_S, abs=1)


def test_both_may_end_at_once() -> None:
    link = Link()
    client, server = link.pair()
    for end in (client, server):
        end.finish(link.now)
    for end in (client, server):
        link.flush(end)
    link.run(link.now + 0.5)
    assert (client.state, server.state) == (State.TIME_WAIT, State.TIME_WAIT)


def test_both_may_begin_at_once() -> None:
    """Two SYNs that cross make one connection (RFC 9293 figure 7)."""
    link = Link()
    here, there = (parse_ipv4(CLIENT), 1000), (parse_ipv4(SERVER), 2000)
    ends = []
    for host, local, remote in ((link.hosts[0], here, there), (link.hosts[1], there, here)):
        table = host.stack.tcp.table
        table.ends_to = lambda source, wanted, local=local: type(  # type: ignore[method-assign,misc]
            "Ends", (), {"local": local, "remote": wanted}
        )
        ends.append(host.stack.tcp.connect(remote, None, lambda: None, link.now))
    link.run(0.9)
    assert [end.state for end in ends] == [State.ESTABLISHED, State.ESTABLISHED]


def test_a_lost_segment_is_sent_again_after_three_duplicates_not_after_a_time_out() -> None:
    link = Link()
    client, server = link.pair()
    link.flush(client)
    client.write(bytes(1460), link.now)
    link.cut = True
    link.flush(client)
    link.cut = False
    for _ in range(4):
        client.write(bytes(1460), link.now)
        link.flush(client)
    begun = link.now
    while server.block.receiving.readable_bytes < 5 * 1460:
        assert link.step()
    assert link.now - begun < 0.01
    assert client.block.sending.retries == 0


def test_an_rto_doubles_and_in_the_end_gives_up() -> None:
    link = Link()
    client, _ = link.pair()
    link.cut = True
    link.segments.clear()
    client.write(b"anyone?", link.now)
    link.flush(client)
    begun = link.now
    link.run(begun + LONG_S)
    assert client.error == errno.ETIMEDOUT
    assert len(link.segments) == 16, "once, and 15 times more (net.ipv4.tcp_retries2)"
    assert 800 < link.now - begun < 1300, link.now


def test_connecting_to_nobody_gives_up_after_two_minutes() -> None:
    link = Link()
    link.cut = True
    client = link.connect()
    link.run()
    assert client.error == errno.ETIMEDOUT
    assert len(link.segments) == 7, "once, and six times more (net.ipv4.tcp_syn_retries)"
    assert link.now == pytest.approx(127, abs=1)


def test_nobody_listens() -> None:
    link = Link()
    client = link.connect(81)
    link.run(1.0)
    assert client.error == errno.ECONNREFUSED
    assert link.hosts[1].dropped(Drop.NO_LISTENER) == 1


def test_a_reset_must_hit_the_exact_number() -> None:
    """A blind attacker who only guesses the window ends nothing (RFC 5961)."""
    link = Link()
    client, server = link.pair()
    sent = client.block.sending.next & 0xFFFF_FFFF
    ends = client.block.ends

    def forged(sequence: int) -> None:
        segment = tcp.Segment(ends.local[1], 80, sequence & 0xFFFF_FFFF, 0, tcp.RST, 0)
        payload = segment.emit(ends.local[0], ends.remote[0])
        packet = ipv4.Packet(ends.local[0], ends.remote[0], ipv4.PROTOCOL_TCP, payload)
        link.hosts[1].stack.tcp.receive(packet, link.now)

    forged(sent + 1000)
    assert server.state is State.ESTABLISHED
    forged(sent)
    assert (server.state, server.error) == (State.CLOSED, errno.ECONNRESET)


def test_an_old_acknowledgment_of_things_never_sent_ends_nothing() -> None:
    link = Link()
    client, _ = link.pair()
    ends = client.block.ends
    sending = client.block.sending
    before = sending.unacknowledged
    client.write(b"on its way", link.now)
    never = (sending.highest + 1000) & 0xFFFF_FFFF
    segment = tcp.Segment(80, ends.local[1], client.block.receiving.next & 0xFFFF_FFFF, never, tcp.ACK, 1000)
    payload = segment.emit(ends.remote[0], ends.local[0])
    packet = ipv4.Packet(ends.remote[0], ends.local[0], ipv4.PROTOCOL_TCP, payload)
    link.hosts[0].stack.tcp.receive(packet, link.now)
    assert client.state is State.ESTABLISHED
    assert sending.unacknowledged == before


def test_the_path_s_mtu_makes_segments_smaller() -> None:
    link = Link()
    client, server = link.pair()
    link.hosts[0].stack.interfaces["eth0"].mtu = 600
    link.segments.clear()
    client.write(bytes(3000), link.now)
    link.flush(client)
    link.run(link.now + 5)
    assert server.block.receiving.readable_bytes == 3000
    assert max(len(segment.payload) for segment in link.segments) == 560


def test_thousands_of_connections_and_none_is_left() -> None:
    link = Link()
    listener = link.listen(backlog=4096)
    clients = [link.connect() for _ in range(3000)]
    link.run(link.now + 1)
    assert len(listener.queue) == 3000
    assert {client.state for client in clients} == {State.ESTABLISHED}
    for server in list(listener.queue):
        server.close(link.now)
        link.flush(server)
    link.run(link.now + 1)
    for client in clients:
        client.close(link.now)
        link.flush(client)
    link.run()
    assert link.connections() == 0
