"""How far a path carries, and how often errors may be sent."""

from __future__ import annotations

from node.stack.errorlimit import BURST, ErrorLimit
from node.stack.pathmtu import DESTINATIONS_MAX, MTU_MIN_BYTES, PathMtu

HERE = bytes([10, 0, 1, 3])


def test_a_narrow_path_is_remembered_for_ten_minutes() -> None:
    path_mtu = PathMtu()
    assert path_mtu.of(HERE, 1500, 0.0) == 1500

    assert path_mtu.learn(HERE, 1400, 1500, 0.0) == 1400
    assert path_mtu.of(HERE, 1500, 599.9) == 1400
    assert path_mtu.of(HERE, 1300, 1.0) == 1300
    assert path_mtu.of(HERE, 1500, 600.0) == 1500


def test_a_router_that_does_not_tell_is_guessed_by_the_links_that_exist() -> None:
    assert PathMtu().learn(HERE, 0, 1500, 0.0) == 1492
    assert PathMtu().learn(HERE, 0, 1492, 0.0) == 1006
    assert PathMtu().learn(HERE, 0, 60, 0.0) == MTU_MIN_BYTES


def test_an_absurd_figure_is_not_believed() -> None:
    assert PathMtu().learn(HERE, 21, 1500, 0.0) == MTU_MIN_BYTES


def test_the_oldest_destination_makes_room() -> None:
    path_mtu = PathMtu()
    for number in range(DESTINATIONS_MAX + 1):
        path_mtu.learn(number.to_bytes(4, "big"), 1400, 1500, 0.0)
    assert path_mtu.of((0).to_bytes(4, "big"), 1500, 0.0) == 1500
    assert path_mtu.of((1).to_bytes(4, "big"), 1500, 0.0) == 1400


def test_six_errors_at_once_and_then_one_a_second() -> None:
    limit = ErrorLimit()
    assert [limit.allow(HERE, 0.0) for _ in range(BURST + 2)] == [True] * BURST + [False, False]
    assert not limit.allow(HERE, 0.9)
    assert limit.allow(HERE, 1.0)
    assert not limit.allow(HERE, 1.5)
    assert limit.allow(bytes([10, 0, 1, 4]), 1.5)  # others have a bucket of their own
    assert [limit.allow(HERE, 100.0) for _ in range(BURST + 1)] == [True] * BURST + [False]
