"""The log file of a node: one line an event, and never more than its bound."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from node.edge.clock import SystemClock
from node.edge.telemetry import LogTelemetry, field_text


class Clock(SystemClock):
    def wall(self) -> float:
        return 1_767_225_600.25


def test_an_event_is_a_line_that_a_person_can_read(tmp_path: Path) -> None:
    telemetry = LogTelemetry(tmp_path / "node.log", Clock())
    telemetry.tell("member.joined", node="node-1", after_s=0.5)
    telemetry.tell("member.store_away", reason='no "answer"\nat all', empty="")
    telemetry.close()
    assert (tmp_path / "node.log").read_text().splitlines() == [
        "2026-01-01T00:00:00.250Z member.joined node=node-1 after_s=0.5",
        r'2026-01-01T00:00:00.250Z member.store_away reason="no \"answer\"\nat all" empty=""',
    ]


def test_a_log_goes_on_where_an_earlier_life_of_the_node_stopped(tmp_path: Path) -> None:
    for life in (1, 2):
        telemetry = LogTelemetry(tmp_path / "node.log", Clock())
        telemetry.tell("node.started", life=life)
        telemetry.close()
    assert len((tmp_path / "node.log").read_text().splitlines()) == 2


def test_the_log_stays_within_its_bound_and_keeps_what_is_newest(tmp_path: Path) -> None:
    telemetry = LogTelemetry(tmp_path / "node.log", Clock(), bytes_max=10_000)
    for number in range(2_000):
        telemetry.tell("something", number=number)
    telemetry.close()
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["node.log", "node.log.1"]
    assert all((tmp_path / name).stat().st_size <= 10_000 for name in files)
    assert (tmp_path / "node.log").read_text().splitlines()[-1].endswith("number=1999")


def test_a_field_is_cut_off_before_it_floods_the_log(tmp_path: Path) -> None:
    telemetry = LogTelemetry(tmp_path / "node.log", Clock())
    telemetry.tell("flood", value="x" * 1_000_000)
    telemetry.close()
    assert (tmp_path / "node.log").stat().st_size < 2_000


def test_telling_never_fails_and_what_is_lost_is_counted(tmp_path: Path) -> None:
    full = tmp_path / "node.log"
    full.symlink_to("/dev/full")
    telemetry = LogTelemetry(full, Clock())
    telemetry.tell("nobody.hears")
    assert telemetry.lost == 1


@given(st.text())
def test_whatever_a_value_is_a_line_stays_a_line_of_printable_ascii(value: str) -> None:
    text = field_text(value)
    assert text.isascii()
    assert text.isprintable()
    assert text
