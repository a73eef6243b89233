"""Echo requests and their replies, between stacks and within one."""

from __future__ import annotations

import errno

import pytest
from scapy.layers.inet import ICMP, IP
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Raw

from node.datapath.drops import Drop
from node.stack.echo import EchoReply
from node.stack.errors import MessageTooLong
from tests.stack.cable import MAC_A, MAC_B, Cable, Host, pair


def echoes(cable: Cable) -> list[Ether]:
    return [packet for packet in cable.packets() if ARP not in packet]


def test_a_reply_brings_back_what_was_sent() -> None:
    a, b, cable = pair()
    (reply,) = a.ping("10.0.1.4", 7.0)

    assert reply == EchoReply("10.0.1.4", 1, 64, bytes(range(56)), 7.0)
    request, answer = echoes(cable)
    for packet in (request, answer):
        received = packet.copy()
        del received[IP].chksum
        del received[ICMP].chksum
        assert bytes(received.__class__(bytes(received))) == bytes(packet)  # scapy agrees on the checksums
    assert (request[ICMP].type, request[ICMP].seq, request[IP].ttl) == (8, 1, 64)
    assert (answer[ICMP].type, answer[ICMP].id, answer[IP].src) == (0, request[ICMP].id, "10.0.1.4")
    assert a.drops() == b.drops() == {}


@pytest.mark.parametrize("size", [0, 1, 1472, 1473, 3000, 65_507])
def test_any_size_arrives_whole(size: int) -> None:
    a, b, cable = pair()
    (reply,) = a.ping("10.0.1.4", size=size)

    assert isinstance(reply, EchoReply)
    assert reply.payload == bytes(n & 0xFF for n in range(size))
    assert all(len(packet) <= 1514 for packet in cable.packets())
    assert a.drops() == b.drops() == {}


def test_more_than_a_packet_can_hold_is_refused_at_once() -> None:
    a, _, cable = pair()
    with pytest.raises(MessageTooLong) as raised:
        a.ping("10.0.1.4", size=65_508)
    assert raised.value.errno == errno.EMSGSIZE
    assert cable.packets() == []


def test_a_large_packet_that_may_not_be_cut_up_is_refused_with_the_mtu() -> None:
    a, _, _ = pair(mtu=1450)
    assert a.ping("10.0.1.4", size=1422, dont_fragment=True)
    with pytest.raises(MessageTooLong) as raised:
        a.ping("10.0.1.4", size=1423, dont_fragment=True)
    assert raised.value.mtu == 1450


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.11", "127.255.255.254", "10.0.1.3"])
def test_own_addresses_never_touch_the_cable(address: str) -> None:
    a, _, cable = pair()
    (reply,) = a.ping(address, size=60_000)

    assert isinstance(reply, EchoReply)
    assert reply.source == address
    assert cable.packets() == []


def test_without_a_route_there_is_an_error_at_once() -> None:
    a, _, _ = pair()
    with pytest.raises(OSError, match="unreachable") as raised:
        a.ping("10.0.2.1")
    assert raised.value.errno == errno.ENETUNREACH
    a.stack.routes.add("default", "10.0.1.4", "eth0")
    with pytest.raises(OSError, match="unreachable"):
        a.ping("0.0.0.0")


@pytest.mark.parametrize("ttl", [0, 256, -1])
def test_an_impossible_ttl_is_refused(ttl: int) -> None:
    a, _, _ = pair()
    with pytest.raises(OSError, match="Invalid argument"):
        a.ping("10.0.1.4", ttl=ttl)


@pytest.mark.parametrize("address", ["10.0.1.255", "255.255.255.255", "224.0.0.1"])
def test_a_group_is_not_asked_to_answer_all_at_once(address: str) -> None:
    a, b, cable = pair()
    a.stack.routes.add("default", "10.0.1.4", "eth0")

    assert a.ping(address) == []
    (packet,) = echoes(cable)
    assert packet.dst == ("01:00:5e:00:00:01" if address.startswith("224") else "ff:ff:ff:ff:ff:ff")
    assert b.drops() == {"no_listener": 1}


def test_a_reply_that_nobody_waits_for_is_dropped_by_name() -> None:
    a, _, _ = pair()
    a.stack.echo.release(a.echo)
    a.ping("10.0.1.4")
    assert a.drops() == {"no_listener": 1}


def test_replies_that_nobody_reads_are_dropped_by_name() -> None:
    a, _, _ = pair()
    for _ in range(300):
        a.stack.receive("eth0", echo_to_a(type=0, id=a.echo.identifier), 0.0)
    assert a.drops() == {"socket_queue_full": 44}


def echo_to_a(**fields: int) -> bytes:
    message = ICMP(type=8, id=7, seq=3) / Raw(b"x" * 10)
    for name, value in fields.items():
        setattr(message[ICMP], name, value)
    return bytes(Ether(src=MAC_B, dst=MAC_A) / IP(src="10.0.1.4", dst="10.0.1.3") / message)


FROM_B = Ether(src=MAC_B, dst=MAC_A) / IP(src="10.0.1.4", dst="10.0.1.3")


def to_a(src: str = "10.0.1.4", dst: str = "10.0.1.3", frame_dst: str = MAC_A, **fields: int) -> Ether:
    packet = IP(src=src, dst=dst) / ICMP()
    for name, value in fields.items():
        setattr(packet, name, value)
    return Ether(src=MAC_B, dst=frame_dst) / packet


@pytest.mark.parametrize(
    ("frame", "name"),
    [
        (to_a(frame_dst=MAC_B), "not_for_me"),
        (to_a(dst="10.0.9.9"), "forwarding_off"),
        (to_a(src="127.0.0.1"), "martian"),
        (to_a(src="10.0.1.3"), "martian"),
        (to_a(src="10.0.1.255"), "martian"),
        (to_a(src="240.0.0.1"), "martian"),
        (to_a(src="0.0.0.0"), "martian"),
        (to_a(dst="127.0.0.1"), "martian"),
        (to_a(dst="0.0.0.0"), "martian"),
        (to_a(frame_dst="ff:ff:ff:ff:ff:ff"), "martian"),
        (to_a(chksum=1), "malformed_packet"),
        (to_a(version=6), "malformed_packet"),
        (to_a(len=2000), "malformed_packet"),
        (FROM_B / ICMP(chksum=1), "malformed_packet"),
        (FROM_B / ICMP(type=13), "unknown_protocol"),
        (Ether(src=MAC_B, dst=MAC_A, type=0x86DD) / Raw(b"IPv6"), "unknown_protocol"),
        (Raw(b"short"), "malformed_packet"),
    ],
)
def test_every_frame_that_is_not_delivered_has_its_name(frame: Ether, name: str) -> None:
    cable, host = Cable(), Host()
    cable.plug(host.stack, "eth0", MAC_A, "10.0.1.3/24")
    host.stack.receive("eth0", bytes(frame), 0.0)

    assert host.drops() == {name: 1}
    assert cable.packets() == []


def test_a_protocol_that_the_stack_does_not_speak_is_refused() -> None:
    a, _, cable = pair()
    a.ping("10.0.1.4")
    cable.packets()
    packet = Ether(src=MAC_B, dst=MAC_A) / IP(src="10.0.1.4", dst="10.0.1.3", proto=132) / Raw(b"x" * 20)
    a.stack.receive("eth0", bytes(packet), 0.0)

    (error,) = echoes(cable)
    assert (error[ICMP].type, error[ICMP].code) == (3, 2)
    assert a.dropped(Drop.UNKNOWN_PROTOCOL) == 1


def test_padding_behind_a_packet_is_ignored() -> None:
    a, _, cable = pair()
    a.ping("10.0.1.4")
    cable.packets()
    a.stack.receive("eth0", echo_to_a() + bytes(18), 0.0)

    (reply,) = echoes(cable)
    assert reply[ICMP].type == 0
    assert bytes(reply[ICMP].payload) == b"x" * 10


def test_a_stack_that_answers_itself_for_ever_does_not_stop_the_node() -> None:
    host = Host()
    one = host.udp("127.0.0.1", 7)

    def answer() -> None:
        datagram = one.take()
        assert datagram is not None
        host.stack.udp.send(one, b"again", datagram[1], 0.0)

    one.notify = answer
    host.send(one, b"first", ("127.0.0.1", 7))
    assert host.drops() == {"loopback_full": 1}
