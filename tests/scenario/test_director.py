"""The director: what is met, what is missed, what is broken, and what is recorded of it."""

from __future__ import annotations

import pytest

from lab.scenario.load import parse
from lab.scenario.result import Result
from lab.scenario.stage import NotHere
from lab.sim.play import play

HEAD = """\
title: a test
nodes: 2
networks: {app: {driver: overlay}}
containers:
  web: {on: node-1, network: app, image: nginx}
  probe: {on: node-2, network: app}
"""
CUT = "  - {at: 1s, do: partition, groups: [[node-1], [node-2]], planes: [data], for: 4s}\n"


def played(timeline: str, head: str = HEAD, seed: int = 0) -> Result:
    return play(parse(f"{head}timeline:\n{timeline}"), seed).result


def test_what_is_expected_and_seen_passes() -> None:
    result = played(
        "  - {at: 1s, do: expect, from: probe, to: web, reachable: true}\n"
        "  - {at: 1s, do: expect, from: probe, resolves: web, addresses: [web]}\n"
        "  - {at: 1s, do: expect, from: probe, resolves: nobody, addresses: []}\n"
        "  - {at: 1s, do: expect, from: probe, fetches: web}\n"
        "  - {at: 1s, do: expect, from: probe, to: web, throughput: 1000000}\n"
        "  - {at: 1s, do: expect, converged: true}\n"
    )
    assert result.passed
    assert [step.number for step in result.steps] == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("expectation", "seen"),
    [
        ("from: probe, to: web, reachable: false", "got an answer"),
        ("from: probe, to: nobody, reachable: true", "bad address"),
        ("from: probe, resolves: web, addresses: [10.9.9.9]", "not 10.9.9.9"),
        ("from: probe, resolves: nobody", "NXDOMAIN"),
        ("from: probe, fetches: probe", "refused"),
        ("from: probe, to: web, throughput: 1000000000000", "TCP carried"),
        ("drops: [underlay_fault]", "no frame was dropped as underlay_fault"),
    ],
)
def test_what_is_expected_and_not_seen_fails_and_says_what_was_seen(expectation: str, seen: str) -> None:
    result = played(f"  - {{at: 1s, do: expect, {expectation}}}\n")
    assert [failure.kind for failure in result.failures] == ["step"]
    assert seen in result.failures[0].text


def test_a_failed_expectation_does_not_end_the_run() -> None:
    result = played(
        CUT + "  - {at: 2s, do: expect, from: probe, to: web, reachable: true}\n"
        "  - {at: 6s, do: expect, from: probe, to: web, reachable: true}\n"
    )
    assert [bool(step.problem) for step in result.steps] == [False, True, False]


def test_what_is_to_become_so_is_waited_for() -> None:
    wish = "  - {at: 2s, do: expect, from: probe, to: web, reachable: true, within: %s}\n"
    assert played(CUT + wish % "4s").passed
    assert not played(CUT + wish % "2s").passed


def test_requests_that_fail_say_why_and_may_be_meant_to() -> None:
    again = "  - {at: 1s, do: run, name: web, container: {on: node-1, network: app}%s}\n"
    result = played(again % "")
    assert "is already in use" in result.failures[0].text
    assert played(again % ", fails: is already in use").passed
    assert "was to fail" in played(again % ", fails: no room").failures[0].text


def test_commands_are_judged_by_code_and_output() -> None:
    step = "  - {at: 1s, do: exec, container: probe, command: [echo, hello]%s}\n"
    assert played(step % ", prints: hell").passed
    assert "did not print" in played(step % ", prints: heaven").failures[0].text
    assert "exit code 0, not 1" in played(step % ", code: 1").failures[0].text


def test_traffic_is_recorded() -> None:
    traffic = "traffic:\n  - {from: probe, to: web, every: 500ms, timeout: 500ms}\n"
    result = played(CUT + "  - {at: 10s, do: heal}\n", HEAD + traffic)
    lost = [sample.at for sample in result.samples if not sample.ok]
    assert all(1.0 <= at <= 5.0 for at in lost)
    assert len(lost) in (8, 9), "one may be on its way when the cut ends"
    assert sum(sample.ok for sample in result.samples) >= 12


def test_recovery_is_measured_from_the_end_of_a_fault() -> None:
    result = played("  - {at: 1s, do: store-unavailable, on: [node-2], for: 6s}\n")
    (recovered,) = result.recoveries
    assert recovered.ended == pytest.approx(7.0)
    assert recovered.after_s is not None
    assert 0 < recovered.after_s < 5


def test_what_is_not_right_again_in_time_fails() -> None:
    result = played("  - {at: 1s, do: kill, node: node-2}\n", HEAD + "recovery: 1s\n")
    assert [failure.kind for failure in result.failures] == ["recovery"]
    assert "counts node-2 as alive" in result.failures[0].text


def test_containers_that_do_not_come_back_are_missed() -> None:
    head = HEAD.replace("probe: {on: node-2", "probe: {on: node-2, restart: always")
    result = played("  - {at: 1s, do: kill, node: node-2}\n  - {at: 6s, do: start, node: node-2}\n", head)
    assert result.passed, result.failures


def test_what_only_a_live_cluster_can_do_is_refused_before_anything_begins() -> None:
    with pytest.raises(NotHere, match="shoal play"):
        played("  - {at: 1s, do: store-member-lost, for: 1s}\n")


def test_a_set_up_that_fails_is_told() -> None:
    result = played("  - {at: 1s, do: heal}\n", HEAD.replace("image: nginx", "image: nothing"))
    assert "container web cannot be run on node-1: No such image" in result.failures[0].text
