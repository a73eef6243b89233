"""The sending half by itself: what it sends when, and how much it dares."""

from __future__ import annotations

import pytest

from node.stack.tcp.congestion import Congestion
from node.stack.tcp.roundtrip import RoundTrip
from node.stack.tcp.sending import SendSide

MSS = 1000
FIRST = 5000


def side(written: int, window: int = 100_000) -> SendSide:
    """A sender that the other end has offered a window, with something to send."""
    made = SendSide(FIRST, MSS, RoundTrip())
    made.offer(window)
    made.write(bytes(written))
    return made


def sent(sending: SendSide, now: float = 0.0) -> list[int]:
    """Which segments go out now: their place, in segments."""
    return [(sequence - FIRST) // MSS for sequence, _, _ in sending.pieces(now)]


def duplicates(sending: SendSide, number: int, count: int) -> None:
    for _ in range(count):
        sending.acknowledge(number, 0.1, may_be_duplicate=True)


def test_it_begins_with_ten_segments_and_two_more_for_each_that_arrived() -> None:
    sending = side(100 * MSS)
    assert sent(sending) == list(range(10))
    sending.acknowledge(FIRST + MSS, 0.1, may_be_duplicate=False)
    assert sent(sending, 0.1) == [10, 11]


def test_two_losses_in_one_window_are_mended_one_after_the_other_without_a_time_out() -> None:
    sending = side(10 * MSS)
    sent(sending)
    duplicates(sending, FIRST, 3)  # 0 is missing
    assert sent(sending, 0.1) == [0]
    sending.acknowledge(FIRST + 4 * MSS, 0.2, may_be_duplicate=False)  # so is 4
    assert sent(sending, 0.2) == [4]
    sending.acknowledge(FIRST + 10 * MSS, 0.3, may_be_duplicate=False)
    assert sent(sending, 0.3) == []
    assert sending.deadline is None


def test_two_duplicates_are_no_loss_and_a_window_that_moves_is_no_duplicate() -> None:
    sending = side(10 * MSS)
    sent(sending)
    duplicates(sending, FIRST, 2)
    for _ in range(5):
        sending.acknowledge(FIRST, 0.1, may_be_duplicate=False)
    assert sent(sending, 0.1) == []


def test_after_a_time_out_it_goes_back_with_one_segment() -> None:
    sending = side(10 * MSS)
    sent(sending)
    assert sending.deadline == pytest.approx(1.0)
    assert sending.wake(1.0) is None
    assert sent(sending, 1.0) == [0]
    assert sending.deadline == pytest.approx(3.0)
    sending.acknowledge(FIRST + 2 * MSS, 1.1, may_be_duplicate=False)  # 1 had arrived
    assert sent(sending, 1.1) == [2, 3, 4]


def test_what_was_sent_twice_measures_nothing() -> None:
    """Karn: nobody knows which of the two was answered."""
    sending = side(MSS)
    sent(sending)
    sending.wake(1.0)
    sent(sending, 1.0)
    sending.acknowledge(FIRST + MSS, 50.0, may_be_duplicate=False)
    assert sending.round_trip.wait_s < 10


def test_the_round_trip_sets_the_time_out() -> None:
    round_trip = RoundTrip()
    for _ in range(50):
        round_trip.sample(0.5)
    assert round_trip.wait_s == pytest.approx(0.5, abs=0.01)
    round_trip.sample(1.0)
    assert round_trip.wait_s > 0.9
    for _ in range(50):
        round_trip.sample(0.001)
    assert round_trip.wait_s == pytest.approx(0.2)


def test_no_crumbs() -> None:
    """A window that opens by a little is not worth a segment (silly window syndrome)."""
    sending = side(10 * MSS, window=4 * MSS)
    assert sent(sending) == [0, 1, 2, 3]
    sending.offer(100)
    sending.acknowledge(FIRST + 4 * MSS, 0.1, may_be_duplicate=False)
    assert sent(sending, 0.1) == []
    assert sending.deadline is not None
    piece = sending.wake(sending.deadline)
    assert piece is not None
    assert (piece[0], len(piece[1])) == (FIRST + 4 * MSS, 100)


def test_a_window_of_zero_is_probed_with_one_byte() -> None:
    sending = side(10, window=0)
    assert sent(sending) == []
    assert sending.deadline is not None
    piece = sending.wake(sending.deadline)
    assert piece is not None
    assert len(piece[1]) == 1
    sending.acknowledge(FIRST + 1, 5.0, may_be_duplicate=False)
    sending.offer(100)
    assert [len(payload) for _, payload, _ in sending.pieces(5.0)] == [9]


def test_the_end_comes_with_the_last_byte_and_counts_as_one() -> None:
    sending = side(MSS + 1)
    sending.finish()
    assert [(len(payload), is_last) for _, payload, is_last in sending.pieces(0.0)] == [
        (MSS, False),
        (1, True),
    ]
    sending.acknowledge(FIRST + MSS + 1, 0.1, may_be_duplicate=False)
    assert not sending.is_finished
    sending.acknowledge(FIRST + MSS + 2, 0.2, may_be_duplicate=False)
    assert sending.is_finished
    assert sending.room > 0


def test_congestion_halves_on_loss_and_grows_by_one_segment_a_round() -> None:
    congestion = Congestion(MSS)
    congestion.window = 20 * MSS
    congestion.lost(20 * MSS, highest=99)
    assert (congestion.threshold, congestion.window) == (10 * MSS, 13 * MSS)
    congestion.recovered(10 * MSS)
    assert congestion.window == 10 * MSS
    for _ in range(10):
        congestion.acknowledged(MSS, 10 * MSS)
    assert congestion.window == 11 * MSS
    congestion.timed_out(11 * MSS)
    assert (congestion.threshold, congestion.window) == (11 * MSS // 2, MSS)
    congestion.acknowledged(MSS, MSS)
    assert congestion.window == 2 * MSS
    congestion.acknowledged(MSS, 100)
    assert congestion.window == 2 * MSS, "a window that is not used does not grow"
