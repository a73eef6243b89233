"""The states of a neighbour as time passes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.stack.neighbors import (
    NEIGHBORS_MAX,
    WAITING_MAX,
    WAITING_PER_NEIGHBOR_MAX,
    NeighborState,
    NeighborTable,
    Request,
    Unreachable,
)

ADDRESS = bytes([10, 0, 1, 4])
MAC = bytes.fromhex("02420a000104")
OTHER_MAC = bytes.fromhex("02420a0001ff")


def state(table: NeighborTable, now: float) -> NeighborState:
    (row,) = table.listing(now)
    return row.state


def resolved(now: float = 0.0) -> NeighborTable:
    table = NeighborTable()
    table.wait("eth0", ADDRESS, b"packet", now)
    assert table.hear("eth0", ADDRESS, MAC, now, is_reply=True) == (b"packet",)
    return table


def test_the_first_packet_asks_and_waits_for_the_reply() -> None:
    table = NeighborTable()

    assert table.find("eth0", ADDRESS, 0.0) is None
    assert table.wait("eth0", ADDRESS, b"one", 0.0) == (True, 0)
    assert table.wait("eth0", ADDRESS, b"two", 0.5) == (False, 0)
    assert state(table, 0.5) is NeighborState.INCOMPLETE

    assert table.hear("eth0", ADDRESS, MAC, 0.6, is_reply=True) == (b"one", b"two")
    assert table.find("eth0", ADDRESS, 0.6) == MAC
    assert state(table, 0.6) is NeighborState.REACHABLE


def test_nobody_answers_three_requests_one_second_apart() -> None:
    table = NeighborTable()
    table.wait("eth0", ADDRESS, b"packet", 10.0)  # the caller sends the first request

    assert table.wake_at == 11.0
    assert table.due(10.9) == []
    assert table.due(11.0) == [Request("eth0", ADDRESS, None)]
    assert table.due(12.0) == [Request("eth0", ADDRESS, None)]
    assert table.due(13.0) == [Unreachable("eth0", ADDRESS, (b"packet",))]
    assert table.wake_at is None
    assert state(table, 13.0) is NeighborState.FAILED


def test_a_failed_neighbour_is_asked_again_by_the_next_packet() -> None:
    table = NeighborTable()
    table.wait("eth0", ADDRESS, b"packet", 0.0)
    for now in (1.0, 2.0, 3.0):
        table.due(now)

    assert table.wait("eth0", ADDRESS, b"later", 20.0) == (True, 0)
    assert table.wake_at == 21.0
    assert state(table, 20.0) is NeighborState.INCOMPLETE


def test_a_neighbour_that_is_used_after_30_seconds_has_to_show_that_it_lives() -> None:
    table = resolved()
    assert state(table, 29.9) is NeighborState.REACHABLE
    assert state(table, 30.0) is NeighborState.STALE
    assert table.wake_at == 1.0  # of the request that was answered in time
    assert table.due(30.0) == []
    assert table.wake_at is None  # nobody is waiting for a neighbour that is not used

    assert table.find("eth0", ADDRESS, 40.0) == MAC  # still good enough to send to
    assert state(table, 40.0) is NeighborState.DELAY
    assert table.due(45.0) == [Request("eth0", ADDRESS, MAC)]  # asked alone, not by broadcast
    assert state(table, 45.0) is NeighborState.PROBE

    table.hear("eth0", ADDRESS, MAC, 45.1, is_reply=True)
    assert state(table, 45.1) is NeighborState.REACHABLE


def test_a_neighbour_that_is_gone_fails_after_three_probes() -> None:
    table = resolved()
    table.find("eth0", ADDRESS, 40.0)

    assert [table.due(now) for now in (45.0, 46.0, 47.0)] == [[Request("eth0", ADDRESS, MAC)]] * 3
    assert table.due(48.0) == [Unreachable("eth0", ADDRESS, ())]
    assert table.find("eth0", ADDRESS, 48.0) is None


def test_who_asks_for_us_is_remembered_and_who_moves_is_followed() -> None:
    table = NeighborTable()
    assert table.learn("eth0", ADDRESS, MAC, 0.0) == ()
    assert state(table, 0.0) is NeighborState.STALE

    table = resolved()
    table.hear("eth0", ADDRESS, OTHER_MAC, 1.0, is_reply=False)  # announced, without being asked
    assert table.find("eth0", ADDRESS, 1.0) == OTHER_MAC


def test_strangers_who_only_announce_themselves_are_not_remembered() -> None:
    table = NeighborTable()
    table.hear("eth0", ADDRESS, MAC, 0.0, is_reply=False)
    assert table.listing(0.0) == ()


def test_a_permanent_row_believes_nobody() -> None:
    table = NeighborTable()
    table.wait("eth0", ADDRESS, b"packet", 0.0)
    assert table.set_permanent("eth0", ADDRESS, MAC) == (b"packet",)

    table.hear("eth0", ADDRESS, OTHER_MAC, 1.0, is_reply=True)
    assert table.find("eth0", ADDRESS, 1000.0) == MAC
    assert table.due(1000.0) == []


def test_one_neighbour_lets_the_newest_packets_wait() -> None:
    table = NeighborTable()
    given_up = [table.wait("eth0", ADDRESS, b"%d" % n, 0.0)[1] for n in range(WAITING_PER_NEIGHBOR_MAX + 3)]

    assert sum(given_up) == 3
    released = table.hear("eth0", ADDRESS, MAC, 0.1, is_reply=True)
    assert len(released) == WAITING_PER_NEIGHBOR_MAX
    assert released[0] == b"3"


def test_all_neighbours_together_let_no_more_packets_wait_than_the_limit() -> None:
    table = NeighborTable()
    given_up = sum(
        table.wait("eth0", bytes([10, 0, n // 64, n % 64]), b"packet", 0.0)[1] for n in range(WAITING_MAX + 5)
    )
    assert given_up == 5 + (WAITING_MAX - NEIGHBORS_MAX)


def test_a_full_table_gives_up_its_oldest_idle_row_but_never_a_pending_one() -> None:
    table = NeighborTable()
    addresses = [bytes([10, 0, n // 256, n % 256]) for n in range(NEIGHBORS_MAX + 1)]
    for address in addresses[:-1]:
        table.learn("eth0", address, MAC, 0.0)

    assert table.wait("eth0", addresses[-1], b"packet", 0.0) == (True, 0)
    assert len(table.listing(0.0)) == NEIGHBORS_MAX
    assert table.find("eth0", addresses[0], 0.0) is None

    busy = NeighborTable()
    for address in addresses[:-1]:
        busy.wait("eth0", address, b"packet", 0.0)
    assert busy.wait("eth0", addresses[-1], b"packet", 0.0) == (False, 1)


def test_an_interface_that_goes_takes_its_neighbours_along() -> None:
    table = NeighborTable()
    table.wait("eth0", ADDRESS, b"packet", 0.0)
    table.learn("eth1", ADDRESS, MAC, 0.0)

    assert table.forget("eth0") == 1
    assert [row.interface for row in table.listing(0.0)] == ["eth1"]


@pytest.mark.parametrize("seconds", [0.0, 3.0, 31.0])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["find", "wait", "reply", "hear", "learn", "due"]),
            st.integers(0, 2),
            st.floats(0, 5),
        )
    )
)
def test_whatever_happens_time_always_settles_the_table(
    seconds: float, steps: list[tuple[str, int, float]]
) -> None:
    table, now = NeighborTable(), 0.0
    for step, host, pause in steps:
        now += pause
        address = bytes([10, 0, 0, host])
        match step:
            case "find":
                table.find("eth0", address, now)
            case "wait":
                table.wait("eth0", address, b"packet", now)
            case "learn":
                table.learn("eth0", address, MAC, now)
            case "due":
                table.due(now)
            case _:
                table.hear("eth0", address, MAC, now, is_reply=step == "reply")
    for _ in range(20):
        if table.wake_at is not None:
            table.due(table.wake_at + seconds)
    assert table.wake_at is None
    assert all(row.state not in ("INCOMPLETE", "DELAY", "PROBE") for row in table.listing(now))
