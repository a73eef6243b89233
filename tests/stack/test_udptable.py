"""Who may take which UDP port, and whom a datagram is for."""

from __future__ import annotations

import errno
import random

import pytest

from node.stack.udptable import (
    ANY,
    EPHEMERAL_PORTS,
    INBOX_MAX_BYTES,
    INBOX_MAX_DATAGRAMS,
    UdpBinding,
    UdpTable,
)

OWN = bytes([10, 0, 1, 3])
OTHER_OWN = bytes([10, 0, 2, 3])
FAR = (bytes([10, 0, 1, 9]), 5000)


def bound(table: UdpTable, address: bytes, number: int) -> UdpBinding:
    binding = UdpBinding(lambda: None)
    table.bind(binding, (address, number))
    return binding


def test_a_port_is_taken_once_for_each_address() -> None:
    table = UdpTable(random.Random(1))
    first = bound(table, OWN, 53)
    bound(table, OTHER_OWN, 53)

    for address in (OWN, ANY):
        with pytest.raises(OSError, match="in use") as raised:
            bound(table, address, 53)
        assert raised.value.errno == errno.EADDRINUSE

    table.release(first)
    table.release(first)
    bound(table, OWN, 53)


def test_a_bound_socket_cannot_be_bound_again() -> None:
    table = UdpTable(random.Random(1))
    with pytest.raises(OSError, match="Invalid argument"):
        table.bind(bound(table, OWN, 53), (OWN, 54))


def test_free_ports_come_by_chance_from_the_range_of_linux() -> None:
    def numbers(seed: int) -> list[int]:
        table = UdpTable(random.Random(seed))
        return [bound(table, ANY, 0).local[1] for _ in range(100)]

    assert numbers(1) == numbers(1) != numbers(2)
    assert len(set(numbers(1))) == 100
    assert all(number in EPHEMERAL_PORTS for number in numbers(1))
    assert (EPHEMERAL_PORTS[0], EPHEMERAL_PORTS[-1]) == (32768, 60999)


def test_a_datagram_is_for_whoever_stands_at_its_address() -> None:
    table = UdpTable(random.Random(1))
    exact = bound(table, OWN, 53)
    other = bound(table, OTHER_OWN, 53)

    assert table.find((OWN, 53), FAR) is exact
    assert table.find((OTHER_OWN, 53), FAR) is other
    assert table.find((bytes([10, 0, 3, 3]), 53), FAR) is None
    exact.remote = (FAR[0], 5001)
    assert table.find((OWN, 53), FAR) is None
    exact.remote = FAR
    assert table.find((OWN, 53), FAR) is exact


def test_a_full_inbox_takes_no_more() -> None:
    binding = UdpBinding(lambda: None)
    assert all(binding.put(b"", FAR) for _ in range(INBOX_MAX_DATAGRAMS))
    assert not binding.put(b"", FAR)

    large = UdpBinding(lambda: None)
    assert large.put(bytes(INBOX_MAX_BYTES), FAR)
    assert not large.put(b"x", FAR)
    assert large.take() == (bytes(INBOX_MAX_BYTES), FAR)
    assert large.put(b"x", FAR)


def test_an_error_is_raised_once_and_before_the_datagrams() -> None:
    binding = UdpBinding(lambda: None)
    binding.put(b"data", FAR)
    binding.fail(errno.ECONNREFUSED)

    with pytest.raises(ConnectionRefusedError):
        binding.take()
    assert binding.take() == (b"data", FAR)
    assert binding.take() is None
