"""The receiving half by itself: pieces that overlap in every way."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from node.stack.tcp.receiving import BUFFER_BYTES, ReceiveSide

STREAM = bytes(range(200))
FIRST = 1 << 40
cuts = st.tuples(st.integers(0, len(STREAM)), st.integers(0, len(STREAM))).map(sorted)


@given(st.lists(cuts, max_size=40), st.booleans())
def test_pieces_that_overlap_in_any_way_make_the_stream(pieces: list[list[int]], early_end: bool) -> None:
    side = ReceiveSide(FIRST)
    got = bytearray()
    if early_end:
        side.take(FIRST + len(STREAM), b"", is_last=True)
    for start, end in [*pieces, [0, len(STREAM)]]:
        if side.is_acceptable(FIRST + start, end - start) and not side.finished:
            side.take(FIRST + start, STREAM[start:end], is_last=end == len(STREAM))
        got += side.read(30)
    got += side.read(BUFFER_BYTES)
    assert bytes(got) == STREAM
    assert side.finished
    assert side.next == FIRST + len(STREAM) + 1


def test_nothing_beyond_the_window_is_kept() -> None:
    side = ReceiveSide(FIRST)
    side.take(FIRST, bytes(BUFFER_BYTES + 5000), is_last=True)
    assert side.readable_bytes == BUFFER_BYTES
    assert not side.finished
    assert side.window() == 0
    assert not side.is_acceptable(side.next, 1)
    assert side.is_acceptable(side.next, 0)
    side.read(10_000)
    assert side.would_grow_by() == 10_000
    assert side.window() == 10_000 // 128 * 128


def test_what_was_offered_is_never_taken_back() -> None:
    side = ReceiveSide(FIRST)
    edge = side.next + side.window()
    side.take(FIRST, bytes(777), is_last=False)
    assert side.next + side.window() == edge
