"""Cutting up and putting together, in any order and against any lie."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP, defragment, fragment

from node.stack.echo import EchoError
from node.stack.fragments import (
    FRAGMENTS_PER_PACKET_MAX,
    HELD_MAX_BYTES,
    PACKETS_MAX,
    REASSEMBLY_S,
    GivenUp,
    Reassembly,
    split,
)
from node.wire import icmp, ipv4
from node.wire.ipv4 import Packet
from tests.stack.cable import MAC_B, pair

WHOLE = Packet(
    bytes([10, 0, 1, 3]), bytes([10, 0, 1, 4]), 17, bytes(n & 0xFF for n in range(3000)), identification=7
)


def piece(begin: int, end: int, *, more: bool = True, identification: int = 7) -> Packet:
    payload = WHOLE.payload[begin:end]
    return replace(
        WHOLE, payload=payload, fragment_offset=begin, more_fragments=more, identification=identification
    )


@given(
    size=st.integers(0, 65_515),
    mtu=st.integers(296, 9000),
    options=st.sampled_from([b"", b"\x83\x03\x04\x00", b"\x01\x01\x07\x03\x04\x00\x00\x00"]),
    order=st.randoms(use_true_random=False),
)
def test_what_was_cut_up_comes_together_in_any_order(
    size: int, mtu: int, options: bytes, order: random.Random
) -> None:
    size = min(size, 65_515 - len(options))
    packet = replace(WHOLE, payload=bytes(n & 0xFF for n in range(size)), options=options)
    pieces = split(packet, mtu)
    assert all(len(one.emit()) <= mtu for one in pieces) or pieces == [packet]
    if len(pieces) == 1:
        assert pieces == [packet]
        return
    order.shuffle(pieces)
    reassembly = Reassembly()
    results = [reassembly.add(ipv4.parse(one.emit()), 0.0) for one in pieces]
    assert results[:-1] == [None] * (len(pieces) - 1)
    assert results[-1] == packet
    assert reassembly.wake_at is None


def test_fragments_of_fragments_come_together_too() -> None:
    twice = [small for large in split(WHOLE, 1500) for small in split(large, 600)]
    reassembly = Reassembly()
    assert [reassembly.add(one, 0.0) for one in twice][-1] == WHOLE


def test_only_options_that_ask_for_it_are_copied_into_every_fragment() -> None:
    options = b"\x07\x03\x04" + b"\x83\x03\x04" + b"\x01\x00"  # record route, loose source route
    first, *others = split(replace(WHOLE, options=options), 1500)
    assert first.options == options
    assert {one.options for one in others} == {b"\x83\x03\x04\x00"}
    broken = split(replace(WHOLE, options=b"\x83\x00\x00\x00"), 1500)
    assert {one.options for one in broken[1:]} == {b""}


def test_scapy_puts_our_fragments_together_and_we_scapys() -> None:
    ours = [IP(one.emit()) for one in split(WHOLE, 1500)]
    assert bytes(defragment(ours)[0].payload) == WHOLE.payload  # type: ignore[no-untyped-call]

    packet = IP(src="10.0.1.4", dst="10.0.1.3", id=9) / ICMP() / bytes(4000)
    reassembly = Reassembly()
    results = [reassembly.add(ipv4.parse(bytes(one)), 0.0) for one in fragment(packet, 1480)]  # type: ignore[no-untyped-call]
    assert isinstance(results[-1], Packet)
    assert results[-1].payload == bytes(packet[ICMP])


def test_a_copy_of_a_fragment_changes_nothing() -> None:
    reassembly = Reassembly()
    reassembly.add(piece(0, 1480), 0.0)
    assert reassembly.add(piece(0, 1480), 0.0) == GivenUp(1)
    assert reassembly.add(piece(1480, 3000, more=False), 0.0) == replace(WHOLE)


@pytest.mark.parametrize(
    "liar",
    [
        piece(8, 16),  # inside
        piece(1472, 2952),  # across
        replace(piece(0, 1480), payload=bytes(1480)),  # the same place, other bytes
        piece(0, 800, more=False),  # ends before others
        piece(1480, 1485),  # not a multiple of eight, and not the last
        piece(1480, 1480),  # empty
        replace(piece(0, 1480), fragment_offset=65_000),  # longer than any packet
    ],
)
def test_a_fragment_that_cannot_belong_gives_the_whole_packet_up(liar: Packet) -> None:
    reassembly = Reassembly()
    reassembly.add(piece(0, 1480), 0.0)
    assert reassembly.add(liar, 0.0) == GivenUp(2)
    assert reassembly.wake_at is None


def test_two_different_ends_give_the_packet_up() -> None:
    reassembly = Reassembly()
    reassembly.add(piece(1480, 3000, more=False), 0.0)
    assert reassembly.add(piece(1480, 2960, more=False), 0.0) == GivenUp(2)


def test_a_fragment_behind_the_end_gives_the_packet_up() -> None:
    reassembly = Reassembly()
    reassembly.add(piece(1480, 2000, more=False), 0.0)
    assert reassembly.add(piece(2000, 2960), 0.0) == GivenUp(2)


def test_what_stays_incomplete_expires_after_thirty_seconds() -> None:
    reassembly = Reassembly()
    reassembly.add(piece(0, 1480), 5.0)
    reassembly.add(piece(1480, 2960, identification=8), 6.0)

    assert reassembly.wake_at == 5.0 + REASSEMBLY_S
    assert reassembly.expire(34.9) == []
    assert reassembly.expire(35.0) == [GivenUp(1, piece(0, 1480))]
    assert reassembly.expire(36.0) == [GivenUp(1, None)]
    assert reassembly.wake_at is None


def test_memory_is_bounded_however_many_packets_are_begun() -> None:
    reassembly = Reassembly()
    results = [reassembly.add(piece(0, 1480, identification=n), 0.0) for n in range(PACKETS_MAX + 3)]
    assert results.count(None) == PACKETS_MAX
    assert results[-1] == GivenUp(1)


def test_memory_is_bounded_however_large_the_packets_are() -> None:
    reassembly = Reassembly()
    large = replace(WHOLE, payload=bytes(60_000), more_fragments=True)
    taken = sum(reassembly.add(replace(large, identification=n), 0.0) is None for n in range(200))
    assert taken == HELD_MAX_BYTES // (60_000 + 256)
    assert reassembly.expire(100.0)
    assert reassembly.add(large, 100.0) is None


def test_memory_is_bounded_however_small_the_fragments_are() -> None:
    reassembly = Reassembly()
    results = [
        reassembly.add(replace(WHOLE, payload=bytes(8), fragment_offset=8 * n, more_fragments=True), 0.0)
        for n in range(FRAGMENTS_PER_PACKET_MAX + 1)
    ]
    assert results[-1] == GivenUp(FRAGMENTS_PER_PACKET_MAX + 1)


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40), st.booleans(), st.integers(0, 1)), max_size=40)
)
def test_junk_never_raises_and_every_fragment_is_accounted_for(
    pieces: list[tuple[int, int, bool, int]],
) -> None:
    reassembly = Reassembly()
    taken = whole = given_up = 0
    for begin, length, more, identification in pieces:
        one = replace(
            WHOLE,
            payload=bytes(length),
            fragment_offset=begin * 8,
            more_fragments=more,
            identification=identification,
        )
        taken += 1
        match reassembly.add(one, 0.0):
            case GivenUp(fragments=count):
                given_up += count
            case Packet():
                whole += 1
    given_up += sum(pile.fragments for pile in reassembly.expire(REASSEMBLY_S))
    assert given_up <= taken
    if whole == 0:
        assert given_up == taken


def test_the_sender_is_told_when_a_packet_stayed_incomplete() -> None:
    a, b, cable = pair()
    a.ping("10.0.1.4")
    cable.packets()
    echo = icmp.Echo(True, a.echo.identifier, 5, bytes(4000))
    first = split(replace(WHOLE, protocol=ipv4.PROTOCOL_ICMP, payload=echo.emit()), 1500)[0].emit()
    frame = bytes.fromhex(MAC_B.replace(":", "")) + bytes(6) + b"\x08\x00" + first
    b.stack.receive("eth0", frame, 10.0)
    b.let_time_pass(40.0)

    assert a.answers() == [EchoError("10.0.1.4", 11, 1, 5, None, 40.0)]
    assert b.drops() == {"reassembly_failed": 1}
