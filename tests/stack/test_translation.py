"""Translated packets keep right checksums, broken ones stay broken, and the table has its bounds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.packet import Raw

from node.stack.translation import rewrite, translator
from node.stack.translation.flow import flow_of, quoted_flow
from node.stack.translation.translator import Arrived, NoRoom, Translator
from node.wire import ipv4

addresses = st.binary(min_size=4, max_size=4)
ports = st.integers(0, 65535)
ends = st.tuples(addresses, ports)
payloads = st.binary(max_size=50)
INSIDE, HOST, FAR = b"\xac\x11\x00\x02", b"\xc0\xa8\x41\x02", b"\xc0\xa8\x41\x03"
LAYERS = (
    lambda data: TCP(sport=1000, dport=80, seq=5) / Raw(data),
    lambda data: UDP(sport=1000, dport=80) / Raw(data),
    lambda data: ICMP(id=1000, seq=3) / Raw(data),
)


def packet(layer, source: str = "172.17.0.2", destination: str = "192.168.65.3") -> ipv4.Packet:  # type: ignore[no-untyped-def]
    return ipv4.parse(bytes(IP(src=source, dst=destination) / layer))


def checks(made: ipv4.Packet) -> None:
    """scapy computes the same checksums."""
    read = IP(made.emit())
    for kind in (TCP, UDP, ICMP):
        if kind in read:
            stood = read[kind].chksum
            del read[kind].chksum
            assert IP(bytes(read))[kind].chksum == stood


@given(st.sampled_from(LAYERS), payloads, ends)
def test_checksums_stay_right(layer, data: bytes, end: tuple[bytes, int]) -> None:  # type: ignore[no-untyped-def]
    original = packet(layer(data))
    for made in (rewrite.with_source(original, end), rewrite.with_destination(original, end)):
        checks(made)
        assert IP(made.emit()).len == IP(original.emit()).len
    there_and_back = rewrite.with_source(rewrite.with_source(original, end), flow_of(original).source)
    assert there_and_back == original


@given(st.sampled_from(LAYERS), st.binary(min_size=1, max_size=50), ends)
def test_what_was_broken_stays_broken(layer, data: bytes, end: tuple[bytes, int]) -> None:  # type: ignore[no-untyped-def]
    whole = bytearray(packet(layer(data)).emit())
    whole[-1] ^= 0x55
    made = rewrite.with_source(ipv4.parse(bytes(whole)), end)
    with pytest.raises(AssertionError):
        checks(made)


def masquerade(table: Translator, sent: ipv4.Packet, now: float = 0.0) -> ipv4.Packet:
    """Out, behind the host's address."""
    return table.leave(table.arrive(sent, "docker0", now), sent, HOST, now)


def table() -> Translator:
    return Translator(lambda protocol, destination, interface: None, lambda answer: False)


@pytest.mark.parametrize("layer", LAYERS)
def test_an_answer_finds_back(layer) -> None:  # type: ignore[no-untyped-def]
    nat = table()
    sent = packet(layer(b"x"))
    out = masquerade(nat, sent)
    assert (out.source, flow_of(out).source[1]) == (HOST, 1000)
    answer = rewrite.with_source(
        rewrite.with_destination(sent, flow_of(out).source), flow_of(sent).destination
    )
    back = nat.arrive(answer, "eth0", 1.0)
    assert back.is_known
    assert flow_of(back.packet).destination == (INSIDE, 1000)
    checks(back.packet)


def test_an_error_from_outside_finds_back_with_what_it_quotes() -> None:
    nat = table()
    out = masquerade(nat, packet(LAYERS[1](b"x")))
    error = ipv4.parse(bytes(IP(src="192.168.65.9", dst="192.168.65.2") / ICMP(type=11) / Raw(out.emit())))
    back = nat.arrive(error, "eth0", 1.0)
    assert back.packet.destination == INSIDE
    quoted = quoted_flow(back.packet)
    assert quoted is not None
    assert quoted.source == (INSIDE, 1000)
    checks(back.packet)


def test_an_error_from_inside_shows_the_host_not_the_container() -> None:
    served = (INSIDE, 80)
    nat = Translator(lambda protocol, destination, interface: served, lambda answer: False)
    sent = packet(UDP(sport=1000, dport=8080) / Raw(b"x"), "192.168.65.3", "192.168.65.2")
    inside = nat.leave(arrived := nat.arrive(sent, "eth0", 0.0), arrived.packet, None, 0.0)
    assert flow_of(inside).destination == served
    refusal = ipv4.parse(
        bytes(IP(src="172.17.0.2", dst="192.168.65.3") / ICMP(type=3, code=3) / Raw(inside.emit()))
    )
    arrived = nat.arrive(refusal, "docker0", 1.0)
    told = nat.leave(arrived, arrived.packet, HOST, 1.0)
    assert (told.source, told.destination) == (HOST, FAR)
    quoted = quoted_flow(told)
    assert quoted is not None
    assert quoted.destination == (HOST, 8080)
    checks(told)


def test_a_conversation_that_is_silent_is_forgotten() -> None:
    nat = table()
    sent = packet(LAYERS[1](b"x"))
    out = masquerade(nat, sent)
    answer = rewrite.with_source(
        rewrite.with_destination(sent, flow_of(out).source), flow_of(sent).destination
    )
    assert nat.arrive(answer, "eth0", translator.UDP_S - 1).is_known
    assert not nat.arrive(answer, "eth0", 2 * translator.UDP_S).is_known
    assert len(nat) == 0


def test_the_table_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(translator, "FLOWS_MAX", 20)
    nat = table()
    for number in range(10):
        masquerade(nat, packet(UDP(sport=number, dport=80)))
    with pytest.raises(NoRoom):
        masquerade(nat, packet(UDP(sport=99, dport=80)), now=20.0)
    assert masquerade(nat, packet(UDP(sport=99, dport=80)), now=1000.0).source == HOST, "old ones make room"


@given(st.binary(max_size=80), st.sampled_from([1, 6, 17, 99]), st.booleans())
def test_any_packet_is_taken(data: bytes, protocol: int, inwards: bool) -> None:
    nat = Translator(lambda *_: (INSIDE, 80), lambda answer: False)
    for _ in range(2):
        sent = ipv4.Packet(FAR, HOST, protocol, data)
        arrived: Arrived = nat.arrive(sent, "eth0", 0.0)
        nat.leave(arrived, arrived.packet, HOST if inwards else None, 0.0)
