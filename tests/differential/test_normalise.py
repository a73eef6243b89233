"""What chance and time decide is replaced, and nothing else."""

from __future__ import annotations

import pytest

from tests.differential.normalise import MARKS, has_unknown_id, normalise

WEB = "4f" * 32
NAMES = {WEB: "container web"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (WEB, "<container web>"),
        (WEB[:12], "<container web, short>"),
        ("ab" * 32, "<id 1>"),
        (f"br-{'ab' * 6} {'cd' * 6} {'ab' * 6}", "br-<id 1, short> <id 2, short> <id 1, short>"),
        (f"sha256:{WEB}", "<digest>"),
        ("2026-11-25T19:33:28.14Z", "<time>"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ("web   Up 3 seconds   80/tcp", "web  Up <duration>  80/tcp"),
        ("Exited (137) About a minute ago", "Exited (137) <duration> ago"),
        ("link/ether 8e:06:33:bb:25:1d brd ff:ff:ff:ff:ff:ff", "link/ether <mac 1> brd ff:ff:ff:ff:ff:ff"),
        ("address 02:42:00:00:00:01", "address 02:42:00:00:00:01"),
        (
            "64 bytes from 10.0.0.2: seq=0 ttl=64 time=0.563 ms",
            "64 bytes from 10.0.0.2: seq=0 ttl=64 time=<duration>",
        ),
        ("0B (virtual 8.31MB)", "0B (virtual <size of the image>)"),
        ("10.0.0.1 and 4096 stay", "10.0.0.1 and 4096 stay"),
    ],
)
def test_a_text(text: str, expected: str) -> None:
    assert normalise(text, NAMES, given="--mac-address 02:42:00:00:00:01") == expected


def test_json_is_spread_out_and_keeps_its_order() -> None:
    assert normalise('{"b":1,"a":{"Pid":77}}\n', {}, "").splitlines() == [
        "{",
        '  "b": 1,',
        '  "a": {',
        '    "Pid": <pid>',
        "  }",
        "}",
    ]


def test_objects_keyed_by_identities_are_sorted_by_the_name_within() -> None:
    one, two = "1" * 64, "2" * 64
    texts = {
        normalise(f'{{"{first}": {{"Name": "{a}"}}, "{second}": {{"Name": "{b}"}}}}', {}, "")
        for first, a, second, b in ((one, "x", two, "y"), (one, "y", two, "x"))
    }
    assert len(texts) == 1


def test_what_has_no_known_name_can_be_asked_for() -> None:
    assert has_unknown_id("ab" * 32, NAMES)
    assert not has_unknown_id(f"{WEB} sha256:{'ab' * 32}", NAMES)


def test_marks_choose_what_is_compared() -> None:
    assert MARKS["sorted"]("b\na") == "a\nb"
    assert MARKS["addresses"]("inet 10.0.0.2/24 brd 10.0.0.255") == "10.0.0.2\n10.0.0.255"
    assert MARKS["exit code"]("anything") == ""
    assert MARKS["words"]("a   b\n\n c") == "a b\nc"
    assert MARKS["last line"]("a\nb\n") == "b"
    assert MARKS["random names"]("call quirky_hopper") == "call <random name>"
