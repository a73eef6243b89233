"""Times and logs as people and clients read them."""

from __future__ import annotations

import pytest

from node.api.docker_json.containers import status_text
from node.api.durations import human
from node.api.log_lines import LogLines, fixed
from node.api.moments import moment
from node.errors import InvalidParameter
from node.model.container import ContainerRecord, ContainerSpec, ContainerState, Status
from node.model.output import STDERR, STDOUT, Output
from node.model.times import rfc3339

NOW = 1_767_225_600.0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-3, "Less than a second"),
        (0.9, "Less than a second"),
        (1.2, "1 second"),
        (59.9, "59 seconds"),
        (60, "About a minute"),
        (120, "2 minutes"),
        (59 * 60 + 59, "59 minutes"),
        (3600, "About an hour"),
        (5400, "2 hours"),
        (47.4 * 3600, "47 hours"),
        (48 * 3600, "2 days"),
        (13 * 86400, "13 days"),
        (14 * 86400, "2 weeks"),
        (59 * 86400, "8 weeks"),
        (60 * 86400, "2 months"),
        (729 * 86400, "24 months"),
        (731 * 86400, "2 years"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert human(seconds) == text


@pytest.mark.parametrize(
    ("status", "text"),
    [
        ("created", "Created"),
        ("running", "Up 2 minutes"),
        ("paused", "Up 2 minutes (Paused)"),
        ("exited", "Exited (1) 3 seconds ago"),
        ("restarting", "Restarting (1) 3 seconds ago"),
        ("removing", "Removal In Progress"),
        ("dead", "Dead"),
    ],
)
def test_status_texts(status: Status, text: str) -> None:
    state = ContainerState(status=status, exit_code=1, started=rfc3339(NOW - 125), finished=rfc3339(NOW - 3))
    record = ContainerRecord(
        id="a" * 64,
        name="c1",
        created=rfc3339(NOW),
        spec=ContainerSpec(image="alpine"),
        image_id="",
        arguments=(),
        state=state,
    )
    assert status_text(record, NOW) == text


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("", 0.0),
        ("1795449905", 1_795_449_905.0),
        ("1795449905.250000000", 1_795_449_905.25),
        ("2026-01-01T00:00:00Z", NOW),
        ("2026-01-01T01:00:00+01:00", NOW),
        ("2026-01-01T00:00:00.5", NOW + 0.5),
        ("2026-01-01", NOW),
        ("10m", NOW - 600),
        ("1h30m1.5s", NOW - 5401.5),
    ],
)
def test_moments(text: str, seconds: float) -> None:
    assert moment(text, NOW) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["yesterday", "-5", "9" * 30, "10x", "2026-13-01", "1e9", "m"])
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(InvalidParameter, match="failed to parse value as time or duration"):
        moment(text, NOW)


def test_only_beginnings_of_lines_get_a_time() -> None:
    lines = LogLines(tty=True, timestamps=True, details=False)
    at = "2026-01-01T00:00:00.5Z"
    stamp = b"2026-01-01T00:00:00.500000000Z "
    assert lines.encode(Output(STDOUT, b"a\nb", at)) == stamp + b"a\n" + stamp + b"b"
    assert lines.encode(Output(STDERR, b"x\n", at)) == stamp + b"x\n"
    assert lines.encode(Output(STDOUT, b"c\r\n", at)) == b"c\r\n"
    assert lines.encode(Output(STDOUT, b"d\n", at)) == stamp + b"d\n"


def test_all_nine_digits() -> None:
    assert fixed("2026-01-01T00:00:00Z") == "2026-01-01T00:00:00.000000000Z"
