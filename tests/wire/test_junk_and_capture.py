"""Anything may arrive: parsers read it or raise Malformed; and a real swarm's frames read as they stand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import UDP
from scapy.utils import rdpcap

from node.model.address import address_mac
from node.wire import arp, ethernet, icmp, ipv4, show, tcp, udp, vxlan
from node.wire.checksum import checksum
from node.wire.malformed import Malformed

CAPTURE = Path(__file__).parents[1] / "data" / "real-swarm-vxlan.pcap"
PARSERS: tuple[Callable[[bytes], object], ...] = (
    arp.parse,
    ethernet.parse,
    icmp.parse,
    ipv4.parse,
    vxlan.parse,
    lambda data: tcp.parse(data, b"\1\2\3\4", b"\5\6\7\x08"),
    lambda data: udp.parse(data, b"\1\2\3\4", b"\5\6\7\x08"),
)
VALID = ethernet.emit(
    b"\2" * 6,
    b"\4" * 6,
    ethernet.TYPE_IPV4,
    ipv4.Packet(b"\x0a\0\1\2", b"\x0a\0\1\3", 1, icmp.Echo(True, 1, 2, b"x" * 20).emit()).emit(),
)


@given(st.binary(max_size=120))
def test_junk_is_read_or_malformed(data: bytes) -> None:
    for parse in PARSERS:
        try:
            parse(data)
        except Malformed:
            continue
    assert show.line(data)


@given(st.integers(0, len(VALID)), st.integers(0, len(VALID) - 1), st.integers(0, 255))
def test_a_frame_that_is_cut_off_or_changed_is_shown_all_the_same(length: int, at: int, value: int) -> None:
    changed = bytearray(VALID)
    changed[at] = value
    assert show.line(VALID[:length])
    assert show.line(bytes(changed))


def test_a_frame_is_shown_in_the_fields_own_terms() -> None:
    assert show.layers(VALID) == [
        "04:04:04:04:04:04 > 02:02:02:02:02:02",
        "IPv4 10.0.1.2 > 10.0.1.3 ttl 64",
        "ICMP echo request, id 1, seq 2, 28 bytes",
    ]


@given(st.binary(max_size=300))
def test_the_checksum_is_that_of_rfc_1071(data: bytes) -> None:
    padded = data + b"\0" * (len(data) % 2)
    total = sum(int.from_bytes(padded[at : at + 2], "big") for at in range(0, len(padded), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    assert checksum(data) == ~total & 0xFFFF


def test_every_datagram_of_a_real_swarm_is_read_and_written_alike() -> None:
    datagrams = [bytes(packet[UDP].payload) for packet in rdpcap(str(CAPTURE)) if packet.haslayer(UDP)]
    assert len(datagrams) > 10
    for datagram in datagrams:
        vni, frame = vxlan.parse(datagram)
        assert vni == 4097
        assert vxlan.emit(vni, frame) == datagram
        outer = ethernet.parse(frame)
        packet = ipv4.parse(outer.payload)
        assert outer.source == address_mac(packet.source)
        assert packet.emit() == outer.payload


def test_a_vni_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="16777216"):
        vxlan.header(2**24)
    with pytest.raises(Malformed, match="without a valid network identifier"):
        vxlan.parse(bytes(30))


def test_a_tcp_segment_is_shown_with_flags_and_numbers() -> None:
    segment = tcp.Segment(80, 40000, 7, 9, tcp.SYN | tcp.ACK, 100, mss=1460)
    packet = ipv4.Packet(b"\x0a\0\1\2", b"\x0a\0\1\3", 6, segment.emit(b"\x0a\0\1\2", b"\x0a\0\1\3"))
    frame = ethernet.emit(b"\2" * 6, b"\4" * 6, ethernet.TYPE_IPV4, packet.emit())
    assert show.layers(frame)[-1] == "TCP 80 > 40000 [SYN,ACK] seq 7 ack 9 win 100, 0 bytes"


@given(st.binary(max_size=40))
def test_any_options_are_read_or_malformed(options: bytes) -> None:
    """With a right checksum, so that the options are looked at."""
    options += bytes(-len(options) % 4)
    head = bytes(12) + bytes(((20 + len(options)) // 4 << 4, 0)) + bytes(6)
    whole = head + options
    source, destination = b"\1\2\3\4", b"\5\6\7\x08"
    pseudo = source + destination + bytes((0, 6)) + len(whole).to_bytes(2, "big")
    whole = whole[:16] + checksum(pseudo + whole).to_bytes(2, "big") + whole[18:]
    try:
        segment = tcp.parse(whole, source, destination)
    except Malformed as error:
        reason = str(error)
    else:
        reason = "" if segment.payload == b"" else "payload"
    assert reason in ("", "a TCP option does not fit its header")
