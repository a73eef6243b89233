"""Datagrams between stacks, and what comes back when nobody is there."""

from __future__ import annotations

import errno

import pytest
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Raw

from node.datapath.drops import Drop
from node.model.address import parse_ipv4
from tests.stack.cable import MAC_A, MAC_B, Cable, Host, pair


def not_arp(cable: Cable) -> list[Ether]:
    return [packet for packet in cable.packets() if ARP not in packet]


def test_a_datagram_and_its_answer() -> None:
    a, b, cable = pair()
    server, client = b.udp(udp_port=5353), a.udp()

    a.send(client, b"question", ("10.0.1.4", 5353))
    received = server.take()
    assert received == (b"question", (parse_ipv4("10.0.1.3"), client.local[1]))
    b.stack.udp.send(server, b"answer", received[1], 0.0)
    assert client.take() == (b"answer", (parse_ipv4("10.0.1.4"), 5353))

    for packet in not_arp(cable):
        checksum = packet[UDP].chksum
        del packet[UDP].chksum
        assert Ether(bytes(packet))[UDP].chksum == checksum


@pytest.mark.parametrize("size", [0, 1, 1472, 1473, 65_507])
def test_any_size_arrives_whole(size: int) -> None:
    a, b, _ = pair()
    server = b.udp(udp_port=9)
    data = bytes(n & 0xFF for n in range(size))

    a.send(a.udp(), data, ("10.0.1.4", 9))
    taken = server.take()
    assert taken is not None
    assert taken[0] == data


def test_a_datagram_larger_than_any_packet_is_refused() -> None:
    a, _, _ = pair()
    with pytest.raises(OSError, match="too long") as raised:
        a.send(a.udp(), bytes(65_508), ("10.0.1.4", 9))
    assert raised.value.errno == errno.EMSGSIZE


def test_nobody_listens_port_unreachable_quotes_the_datagram() -> None:
    a, b, cable = pair()
    client = a.udp()
    a.stack.udp.connect(client, (parse_ipv4("10.0.1.4"), 9))
    a.send(client, b"hello?", None)

    datagram, error = not_arp(cable)
    assert (error[IP].src, error[ICMP].type, error[ICMP].code) == ("10.0.1.4", 3, 3)
    assert bytes(error[ICMP].payload) == bytes(datagram[IP])
    assert b.drops() == {"no_listener": 1}

    with pytest.raises(ConnectionRefusedError):
        a.send(client, b"anyone?", None)
    a.send(client, b"anyone?", None)  # the error was told once


def test_a_socket_that_is_not_connected_does_not_hear_of_it() -> None:
    a, _, _ = pair()
    client = a.udp()
    a.send(client, b"hello?", ("10.0.1.4", 9))
    assert client.take() is None


def test_no_neighbour_is_told_to_a_connected_socket() -> None:
    a, _, _ = pair()
    client = a.udp()
    a.stack.udp.connect(client, (parse_ipv4("10.0.1.99"), 9))
    a.send(client, b"hello?", None)
    a.let_time_pass(3.0)

    with pytest.raises(OSError, match="No route to host") as raised:
        client.take()
    assert raised.value.errno == errno.EHOSTUNREACH


def test_a_connected_socket_hears_its_peer_only() -> None:
    a, b, _ = pair()
    server = b.udp(udp_port=9)
    b.stack.udp.connect(server, (parse_ipv4("10.0.1.3"), 4000))

    a.send(a.udp(udp_port=4001), b"stranger", ("10.0.1.4", 9))
    assert server.take() is None
    assert b.drops() == {"no_listener": 1}
    a.send(a.udp(udp_port=4000), b"peer", ("10.0.1.4", 9))
    assert server.take() == (b"peer", (parse_ipv4("10.0.1.3"), 4000))
    assert server.local == (parse_ipv4("10.0.1.4"), 9)


@pytest.mark.parametrize("address", ["10.0.1.255", "255.255.255.255"])
def test_a_broadcast_reaches_everyone_who_listens_and_is_never_refused(address: str) -> None:
    a, b, cable = pair()
    a.stack.routes.add("default", "10.0.1.4", "eth0")
    c = Host(3)
    cable.plug(c.stack, "eth0", "02:42:0a:00:01:05", "10.0.1.5/24")
    listeners = [b.udp(udp_port=67), c.udp(udp_port=67)]

    a.send(a.udp(), b"anyone?", (address, 67))
    assert [listener.take() is not None for listener in listeners] == [True, True]
    a.send(a.udp(), b"anyone?", (address, 68))
    assert all(ICMP not in packet for packet in cable.packets())


def test_two_listeners_of_one_stack_both_get_a_broadcast() -> None:
    a, b, _ = pair()
    b.stack.interfaces["eth0"].add_address("10.0.1.44/24")
    every, subnet = b.udp("10.0.1.4", 67), b.udp("10.0.1.255", 67)

    a.send(a.udp(), b"x", ("10.0.1.255", 67))
    assert every.take() is None  # bound to one host's address, a broadcast is not for it
    assert subnet.take() is not None


def test_within_one_stack_a_datagram_comes_from_the_address_it_went_to() -> None:
    host = Host()
    server, client = host.udp("127.0.0.11", 53), host.udp()

    host.send(client, b"query", ("127.0.0.11", 53))
    received = server.take()
    assert received == (b"query", (parse_ipv4("127.0.0.1"), client.local[1]))
    host.stack.udp.send(server, b"answer", received[1], 0.0)
    assert client.take() == (b"answer", (parse_ipv4("127.0.0.11"), 53))


def test_only_own_addresses_can_be_bound() -> None:
    a, _, _ = pair()
    with pytest.raises(OSError, match="Cannot assign") as raised:
        a.udp("10.0.1.99", 53)
    assert raised.value.errno == errno.EADDRNOTAVAIL


@pytest.mark.parametrize(
    ("to", "number"),
    [(None, errno.EDESTADDRREQ), (("10.0.1.4", 0), errno.EINVAL), (("10.9.9.9", 1), errno.ENETUNREACH)],
)
def test_destinations_that_cannot_be(to: tuple[str, int] | None, number: int) -> None:
    a, _, _ = pair()
    with pytest.raises(OSError, match=r".") as raised:
        a.send(a.udp(), b"x", to)
    assert raised.value.errno == number


def test_what_is_bound_to_the_loopback_cannot_talk_to_others() -> None:
    a, _, cable = pair()
    with pytest.raises(OSError, match="Invalid argument"):
        a.send(a.udp("127.0.0.1"), b"x", ("10.0.1.4", 9))
    assert cable.packets() == []


def test_a_program_that_does_not_read_loses_datagrams_by_name() -> None:
    a, b, _ = pair()
    server = b.udp(udp_port=9)
    client = a.udp()
    for _ in range(260):
        a.send(client, b"x", ("10.0.1.4", 9))

    assert b.drops() == {"socket_queue_full": 4}
    assert len(server.inbox) == 256


def datagram(**fields: int) -> bytes:
    header = UDP(sport=4000, dport=9)
    for name, value in fields.items():
        setattr(header, name, value)
    return bytes(Ether(src=MAC_B, dst=MAC_A) / IP(src="10.0.1.4", dst="10.0.1.3") / header / Raw(b"data"))


def test_a_datagram_without_a_checksum_is_accepted_and_with_a_wrong_one_dropped() -> None:
    a, _, _ = pair()
    server = a.udp(udp_port=9)

    a.stack.receive("eth0", datagram(chksum=0), 0.0)
    assert server.take() is not None
    a.stack.receive("eth0", datagram(chksum=1), 0.0)
    a.stack.receive("eth0", datagram(len=4000), 0.0)
    a.stack.receive("eth0", datagram(len=7), 0.0)
    assert server.take() is None
    assert a.drops() == {"malformed_packet": 3}


def test_errors_are_limited_for_each_sender() -> None:
    a, _, cable = pair()
    a.ping("10.0.1.4")
    cable.packets()
    for _ in range(20):
        a.stack.receive("eth0", datagram(), 0.0)

    assert len(cable.packets()) == 6
    assert a.dropped(Drop.NO_LISTENER) == 20


def test_an_error_comes_from_the_address_that_was_asked() -> None:
    a, b, cable = pair()
    b.stack.interfaces["eth0"].add_address("10.0.1.44/24")
    a.send(a.udp(), b"hello?", ("10.0.1.44", 9))
    _, error = not_arp(cable)
    assert error[IP].src == "10.0.1.44"


@pytest.mark.parametrize(
    ("quoted", "name"),
    [
        (b"", "malformed_packet"),
        (b"\x45" + bytes(27), "martian"),
        (bytes(IP(src="10.0.1.99", dst="10.0.1.4") / UDP()), "martian"),
        (bytes(IP(src="10.0.1.3", dst="10.0.1.4") / UDP(sport=1, dport=2)), "no_listener"),
        (bytes(IP(src="10.0.1.3", dst="10.0.1.4", proto=132) / Raw(b"x" * 8)), "unknown_protocol"),
        (bytes(IP(src="10.0.1.3", dst="10.0.1.4") / ICMP(type=0)), "no_listener"),
        (bytes(IP(src="10.0.1.3", dst="10.0.1.4") / ICMP(id=1)), "no_listener"),
        (bytes(IP(src="10.0.1.3", dst="10.0.1.4") / UDP())[:27], "malformed_packet"),
        (b"\x65" + bytes(27), "malformed_packet"),
    ],
)
def test_errors_about_what_was_never_sent_are_dropped_by_name(quoted: bytes, name: str) -> None:
    a, _, _ = pair()
    a.stack.echo.release(a.echo)
    error = IP(src="10.0.1.4", dst="10.0.1.3") / ICMP(type=3, code=3) / Raw(quoted)
    a.stack.receive("eth0", bytes(Ether(src=MAC_B, dst=MAC_A) / error), 0.0)

    assert a.drops() == {name: 1}
