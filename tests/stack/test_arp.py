"""Asking for hardware addresses, and being asked."""

from __future__ import annotations

import pytest
from scapy.layers.l2 import ARP, Ether

from node.datapath.drops import Drop
from node.model.address import parse_ipv4, parse_mac
from node.stack.echo import EchoError, EchoReply
from node.stack.inspect import inspect
from tests.stack.cable import MAC_A, MAC_B, Cable, Host, pair


def neighbors(host: Host, now: float = 0.0) -> list[tuple[str, str, str]]:
    return [(row.address, row.mac, row.state) for row in inspect(host.stack, now).neighbors]


def test_the_first_ping_asks_and_both_ends_remember() -> None:
    a, b, cable = pair()

    (reply,) = a.ping("10.0.1.4")
    assert isinstance(reply, EchoReply)

    request, answer, *echoes = cable.packets()
    assert (request.dst, request[ARP].op, request[ARP].psrc, request[ARP].pdst) == (
        "ff:ff:ff:ff:ff:ff",
        1,
        "10.0.1.3",
        "10.0.1.4",
    )
    assert (answer.dst, answer[ARP].op, answer[ARP].hwsrc) == (MAC_A, 2, MAC_B)
    assert len(echoes) == 2
    assert neighbors(a) == [("10.0.1.4", MAC_B, "REACHABLE")]
    assert neighbors(b) == [("10.0.1.3", MAC_A, "DELAY")]  # known from being asked, and already used

    a.ping("10.0.1.4", 1.0)
    assert all(ARP not in packet for packet in cable.packets())


def test_nobody_there_host_unreachable_from_the_own_address_after_three_seconds() -> None:
    a, _, cable = pair()

    assert a.ping("10.0.1.99") == []
    assert neighbors(a) == [("10.0.1.99", "", "INCOMPLETE")]
    a.let_time_pass(2.9)
    assert a.answers() == []
    a.let_time_pass(3.0)

    (error,) = a.answers()
    assert isinstance(error, EchoError)
    assert (error.source, error.kind, error.code, error.sequence, error.at) == ("10.0.1.3", 3, 1, 1, 3.0)
    assert neighbors(a) == [("10.0.1.99", "", "FAILED")]
    assert len(cable.packets()) == 3
    assert a.drops() == {"neighbor_unreachable": 1}

    assert a.ping("10.0.1.99", 10.0) == []
    assert len(cable.packets()) == 1  # asked anew


def test_a_lost_request_is_repeated_and_the_packets_leave_with_the_answer() -> None:
    a, _, cable = pair()
    cable.cut = True
    a.ping("10.0.1.4")
    a.ping("10.0.1.4", 0.5)
    cable.cut = False

    a.let_time_pass(1.0)

    assert [type(answer) for answer in a.answers()] == [EchoReply, EchoReply]
    assert a.drops() == {}


def test_a_stale_neighbour_is_used_and_then_probed_alone() -> None:
    a, _, cable = pair()
    a.ping("10.0.1.4")
    assert neighbors(a, 31.0) == [("10.0.1.4", MAC_B, "STALE")]

    a.ping("10.0.1.4", 40.0)
    assert neighbors(a, 40.0) == [("10.0.1.4", MAC_B, "DELAY")]
    cable.packets()
    a.let_time_pass(45.0)

    assert neighbors(a, 45.0) == [("10.0.1.4", MAC_B, "REACHABLE")]
    probe, answer = cable.packets()
    assert (probe.dst, probe[ARP].op) == (MAC_B, 1)
    assert answer[ARP].op == 2


def test_a_neighbour_that_vanished_is_given_up() -> None:
    a, _, cable = pair()
    a.ping("10.0.1.4")
    cable.cut = True
    a.ping("10.0.1.4", 40.0)
    a.let_time_pass(48.0)

    assert neighbors(a, 48.0) == [("10.0.1.4", "", "FAILED")]


def test_all_own_addresses_are_answered_for_and_no_others() -> None:
    a, b, _ = pair()
    b.stack.interfaces["eth0"].add_address("10.0.1.77/24")

    assert isinstance(a.ping("10.0.1.77")[0], EchoReply)
    assert a.ping("10.0.1.78") == []


def test_an_announcement_moves_an_address_at_once() -> None:
    a, b, cable = pair()
    a.ping("10.0.1.4")
    b.stack.interfaces["eth0"].remove_address("10.0.1.4/24")
    newcomer = Host(3)
    cable.plug(newcomer.stack, "eth0", "02:42:0a:00:01:ff", "10.0.1.4/24")

    newcomer.stack.resolution.announce(newcomer.stack.interfaces["eth0"], parse_ipv4("10.0.1.4"), 1.0)

    assert isinstance(a.ping("10.0.1.4", 1.0)[0], EchoReply)
    assert neighbors(a, 1.0)[0][1] == "02:42:0a:00:01:ff"
    assert neighbors(b, 1.0) == [("10.0.1.3", MAC_A, "DELAY")]  # strangers are not remembered


def ask(**fields: object) -> bytes:
    request = ARP(op=1, hwsrc=MAC_B, psrc="10.0.1.4", pdst="10.0.1.3").copy()
    for name, value in fields.items():
        setattr(request, name, value)
    return bytes(Ether(src=MAC_B, dst="ff:ff:ff:ff:ff:ff") / request)


@pytest.fixture
def alone() -> tuple[Host, Cable]:
    cable, host = Cable(), Host()
    cable.plug(host.stack, "eth0", MAC_A, "10.0.1.3/24")
    return host, cable


def test_a_probe_for_a_free_address_is_answered_but_teaches_nothing(alone: tuple[Host, Cable]) -> None:
    host, cable = alone
    host.stack.receive("eth0", ask(psrc="0.0.0.0"), 0.0)

    (answer,) = cable.packets()
    assert (answer[ARP].op, answer[ARP].psrc, answer[ARP].hwsrc) == (2, "10.0.1.3", MAC_A)
    assert neighbors(host) == []


@pytest.mark.parametrize(
    "fields",
    [
        {"psrc": "10.0.1.3"},  # somebody claims our own address
        {"psrc": "127.0.0.1"},
        {"psrc": "10.0.1.255"},
        {"psrc": "224.0.0.1"},
        {"hwsrc": "ff:ff:ff:ff:ff:ff"},
        {"op": 3},
    ],
)
def test_impossible_senders_are_dropped_by_name(alone: tuple[Host, Cable], fields: dict[str, object]) -> None:
    host, cable = alone
    host.stack.receive("eth0", ask(**fields), 0.0)

    assert host.drops() == {"martian": 1}
    assert cable.packets() == []
    assert neighbors(host) == []


def test_broken_arp_is_dropped_by_name(alone: tuple[Host, Cable]) -> None:
    host, _ = alone
    host.stack.receive("eth0", ask()[:30], 0.0)
    host.stack.receive("eth0", ask(hwlen=8), 0.0)

    assert host.drops() == {"malformed_packet": 2}


def test_loopback_addresses_are_never_answered_for(alone: tuple[Host, Cable]) -> None:
    host, cable = alone
    host.stack.receive("eth0", ask(pdst="127.0.0.1"), 0.0)
    assert cable.packets() == []


def test_too_many_waiting_packets_are_dropped_by_name(alone: tuple[Host, Cable]) -> None:
    host, _ = alone
    for _ in range(105):
        host.ping("10.0.1.99")

    assert host.dropped(Drop.NEIGHBOR_QUEUE_FULL) == 4
    host.let_time_pass(3.0)
    assert host.dropped(Drop.NEIGHBOR_UNREACHABLE) == 101
    assert len(host.answers()) == 101


def test_removing_an_interface_counts_what_waited_for_it(alone: tuple[Host, Cable]) -> None:
    host, _ = alone
    host.ping("10.0.1.99")
    host.stack.remove_interface("eth0")

    assert host.drops() == {"neighbor_unreachable": 1}
    host.let_time_pass(10.0)
    host.stack.receive("eth0", ask(), 10.0)
    assert host.drops() == {"neighbor_unreachable": 1, "not_for_me": 1}


def test_a_permanent_neighbour_is_never_asked(alone: tuple[Host, Cable]) -> None:
    host, cable = alone
    host.stack.resolution.neighbors.set_permanent("eth0", parse_ipv4("10.0.1.9"), parse_mac(MAC_B))
    host.ping("10.0.1.9", 1000.0)

    (packet,) = cable.packets()
    assert packet.dst == MAC_B
    assert neighbors(host, 1000.0) == [("10.0.1.9", MAC_B, "PERMANENT")]
