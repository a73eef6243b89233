"""awk as everybody uses it."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.programs.awk.parser import Parser
from node.programs.awk.values import Failed
from tests.programs.test_shell import sh

LINES = "printf 'a 1\\nb 2\\na 30\\n' | "


@pytest.mark.parametrize(
    ("text", "output"),
    [
        (LINES + "awk '{print $1, $NF}'", "a 1\nb 2\na 30\n"),
        ("echo root:x:0 | awk -F: '{print $1 \"=\" $3}'", "root=0\n"),
        (LINES + "awk '/^a/'", "a 1\na 30\n"),
        (LINES + "awk 'NR==1 {next} {print NR \": \" $0}'", "2: b 2\n3: a 30\n"),
        (LINES + "awk 'BEGIN {print \"head\"} {s += $2} END {print s, s / NR, NR}'", "head\n33 11 3\n"),
        (LINES + "awk '{c[$1]++} END {for (k in c) print k, c[k]}'", "a 2\nb 1\n"),
        (LINES + 'awk \'$2 > 9 || $1 == "b" {printf "%s-%03d\\n", $1, $2}\'', "b-002\na-030\n"),
        (LINES + 'awk \'{if ($1 ~ /b/) print "yes"; else print "no"}\'', "no\nyes\nno\n"),
        (LINES + "awk -v n=2 'NR >= n && !/30/ {print toupper($1), length($2), substr($0, 2)}'", "B 1  2\n"),
        ("awk 'BEGIN { x = 3; x -= 1; print x * 2 + 1, -x % 3, 1 / 4; exit 3 }'; echo $?", "5 -2 0.25\n3\n"),
        ("echo 'a  b' | awk -F '[ ]+' '{print $2; print NF}'", "b\n2\n"),
    ],
)
def test_what_it_prints(text: str, output: str) -> None:
    assert sh(text).text == output


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("awk", "Usage: awk "),
        ("awk '{print $1'", "awk: syntax error at "),
        ("echo 1 | awk '{print 1 / 0}'", "awk: division by zero\n"),
        ("awk 'BEGIN {gsub(/a/, \"b\")}'", "awk: calling gsub is not simulated\n"),
        ("awk 'BEGIN {print 1 > \"file\"}'", "awk: syntax error at "),
    ],
)
def test_how_it_fails(text: str, words: str) -> None:
    done = sh(text)
    assert (done.code, done.text[: len(words)]) == (2, words)


@given(st.text(alphabet='{}()[]$;"/ab1+-=!~<,.\\\n ', max_size=30))
def test_any_text_is_a_program_or_refused(text: str) -> None:
    with contextlib.suppress(Failed):
        Parser(text).rules()
