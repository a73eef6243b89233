"""A host between two networks.

a 10.0.1.3 ---- 10.0.1.1 router 10.0.2.1 ---- 10.0.2.3 b
"""

from __future__ import annotations

import pytest
from scapy.layers.inet import ICMP, IP
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Raw

from node.datapath.drops import Drop
from node.stack.echo import EchoError, EchoReply
from node.stack.errors import MessageTooLong
from node.stack.forward import ForwardedPacket
from tests.stack.cable import Cable, Host


class World:
    """The picture above; the right cable takes packets of ``mtu`` bytes."""

    def __init__(self, mtu: int = 1500) -> None:
        self.left, self.right = Cable(), Cable()
        self.a, self.b, self.router = Host(1), Host(2), Host(3)
        self.left.plug(self.a.stack, "eth0", "02:42:0a:00:01:03", "10.0.1.3/24")
        self.left.plug(self.router.stack, "left", "02:42:0a:00:01:01", "10.0.1.1/24")
        self.right.plug(self.router.stack, "right", "02:42:0a:00:02:01", "10.0.2.1/24", mtu)
        self.right.plug(self.b.stack, "eth0", "02:42:0a:00:02:03", "10.0.2.3/24")
        self.a.stack.routes.add("default", "10.0.1.1", "eth0")
        self.b.stack.routes.add("default", "10.0.2.1", "eth0")
        self.router.stack.forwarding = True


def echoes(cable: Cable) -> list[Ether]:
    return [packet for packet in cable.packets() if ARP not in packet]


def test_a_packet_crosses_and_loses_one_of_its_ttl() -> None:
    world = World()
    (reply,) = world.a.ping("10.0.2.3", ttl=10)

    assert isinstance(reply, EchoReply)
    assert reply.ttl == 63
    request, _ = echoes(world.right)
    assert (request[IP].ttl, request[IP].src, request.src) == (9, "10.0.1.3", "02:42:0a:00:02:01")
    checksum = request[IP].chksum
    del request[IP].chksum
    assert Ether(bytes(request))[IP].chksum == checksum


def test_a_route_is_traced_by_ttl_that_runs_out() -> None:
    world = World()
    (first,) = world.a.ping("10.0.2.3", ttl=1)
    (second,) = world.a.ping("10.0.2.3", ttl=2)

    assert first == EchoError("10.0.1.1", 11, 0, 1, None, 0.0)
    assert isinstance(second, EchoReply)
    assert world.router.drops() == {"ttl_exceeded": 1}
    error = next(p for p in echoes(world.left) if p[ICMP].type == 11)
    assert error[IP].len == 20 + 8 + 20 + 8 + 56


def test_the_routers_own_addresses_answer_from_both_sides() -> None:
    world = World()
    assert isinstance(world.a.ping("10.0.1.1")[0], EchoReply)
    assert isinstance(world.a.ping("10.0.2.1")[0], EchoReply)


def test_no_way_there_net_unreachable_from_the_router() -> None:
    world = World()
    (error,) = world.a.ping("10.9.9.9")

    assert isinstance(error, EchoError)
    assert (error.source, error.kind, error.code) == ("10.0.1.1", 3, 0)
    assert world.router.drops() == {"no_route": 1}


def test_nobody_there_host_unreachable_from_the_router() -> None:
    world = World()
    assert world.a.ping("10.0.2.99") == []
    world.router.let_time_pass(3.0)

    (error,) = world.a.answers()
    assert isinstance(error, EchoError)
    assert (error.source, error.kind, error.code) == ("10.0.1.1", 3, 1)
    assert world.router.dropped(Drop.NEIGHBOR_UNREACHABLE) == 1


def test_a_narrow_link_is_told_of_and_remembered_for_ten_minutes() -> None:
    world = World(mtu=1400)
    (error,) = world.a.ping("10.0.2.3", size=1472, dont_fragment=True)

    assert error == EchoError("10.0.1.1", 3, 4, 1, 1400, 0.0)
    assert world.router.drops() == {"needs_fragmentation": 1}
    with pytest.raises(MessageTooLong) as raised:
        world.a.ping("10.0.2.3", 599.0, size=1373, dont_fragment=True)
    assert raised.value.mtu == 1400
    assert isinstance(world.a.ping("10.0.2.3", 599.0, size=1372, dont_fragment=True)[0], EchoReply)
    assert isinstance(world.a.ping("10.0.2.3", 600.0, size=1472, dont_fragment=True)[0], EchoError)


@pytest.mark.parametrize("size", [1472, 3000])
def test_a_router_cuts_up_what_it_may(size: int) -> None:
    world = World(mtu=900)
    (reply,) = world.a.ping("10.0.2.3", size=size)

    assert isinstance(reply, EchoReply)
    assert reply.payload == bytes(n & 0xFF for n in range(size))
    towards_b = [p for p in echoes(world.right) if p[IP].src == "10.0.1.3"]
    assert len(towards_b) > 1
    assert all(p[IP].len <= 900 for p in towards_b)
    assert world.b.drops() == world.router.drops() == {}


def test_the_hosts_rules_see_where_a_packet_comes_from_and_goes_to() -> None:
    world = World()
    seen: list[tuple[str, str, bytes]] = []

    def isolate(forwarded: ForwardedPacket) -> Drop | None:
        seen.append((forwarded.in_interface, forwarded.out_interface, forwarded.packet.destination))
        return Drop.ISOLATED_NETWORKS

    world.router.stack.rules.judge = isolate
    assert world.a.ping("10.0.2.3") == []
    assert seen == [("left", "right", bytes([10, 0, 2, 3]))]
    assert world.router.drops() == {"isolated_networks": 1}
    assert isinstance(world.a.ping("10.0.2.1")[0], EchoReply)  # the host itself is not forwarding


def from_a(packet: IP) -> bytes:
    return bytes(Ether(src="02:42:0a:00:01:03", dst="02:42:0a:00:01:01") / packet)


@pytest.mark.parametrize(
    "packet",
    [
        IP(src="10.0.1.3", dst="10.0.2.3", ttl=1, frag=10) / Raw(b"x" * 8),
        IP(src="10.0.1.3", dst="10.0.2.3", ttl=1) / ICMP(type=3, code=1) / Raw(b"x" * 28),
        IP(src="10.0.1.3", dst="10.0.2.3", ttl=1) / ICMP(type=11) / Raw(b"x" * 28),
        IP(src="10.0.1.3", dst="10.0.2.3", ttl=1, proto=1),
    ],
    ids=["a later fragment", "an error", "another error", "no ICMP at all"],
)
def test_errors_are_never_about_these(packet: IP) -> None:
    world = World()
    world.a.ping("10.0.1.1")
    world.left.packets()
    world.router.stack.receive("left", from_a(packet), 0.0)

    assert world.router.drops() == {"ttl_exceeded": 1}
    assert world.left.packets() == []


def test_reports_about_the_path_are_not_limited_as_other_errors_are() -> None:
    world = World(mtu=1400)
    world.a.ping("10.0.1.1")
    large = from_a(IP(src="10.0.1.3", dst="10.0.2.3", flags="DF") / ICMP() / Raw(bytes(1472)))
    late = from_a(IP(src="10.0.1.3", dst="10.0.2.3", ttl=1) / ICMP())
    world.left.packets()
    for _ in range(10):
        world.router.stack.receive("left", large, 0.0)
    assert len(world.left.packets()) == 10
    for _ in range(10):
        world.router.stack.receive("left", late, 0.0)
    assert len(world.left.packets()) == 6


def test_a_sandbox_is_no_router() -> None:
    world = World()
    world.router.stack.forwarding = False
    assert world.a.ping("10.0.2.3") == []
    assert world.router.drops() == {"forwarding_off": 1}


def test_broadcasts_are_not_forwarded() -> None:
    world = World()
    listener = world.b.udp(udp_port=67)
    for address in ("10.0.2.255", "255.255.255.255"):
        world.a.send(world.a.udp(), b"anyone?", (address, 67))
    assert listener.take() is None
