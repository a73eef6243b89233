"""sed, sort, uniq, cut, tr, tee and which: what people do with them every day."""

from __future__ import annotations

import contextlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.programs.regular import compiled
from node.programs.sed import ScriptError, parse
from tests.programs.test_shell import sh

LINES = "printf 'b 2\\na 10\\nc 1\\na 10\\n' | "


@pytest.mark.parametrize(
    ("text", "output"),
    [
        ("echo a/b/a | sed s/a/x/", "x/b/a\n"),
        ("echo a/b/a | sed -e 's/a/[&]/g' -e 's|/|-|2'", "[a]/b-[a]\n"),
        ("echo aaa | sed s/a/x/2", "axa\n"),
        ("echo 'key=value' | sed 's/\\(.*\\)=\\(.*\\)/\\2 is \\1/'", "value is key\n"),
        ("echo 'key=value' | sed -E 's/(k|x)[[:alpha:]]+/\\1/'", "k=value\n"),
        ("echo Hello | sed 's/hello/bye/I'", "bye\n"),
        ("seq 5 | sed -n 2,3p", "2\n3\n"),
        ("seq 5 | sed '2,/4/d'", "1\n5\n"),
        ("seq 5 | sed -n '$p;1p'", "1\n5\n"),
        ("seq 5 | sed 2q", "1\n2\n"),
        ("seq 5 | sed '/[24]/!d'", "2\n4\n"),
        ("seq 5 | sed '4,2d'", "1\n2\n3\n5\n"),
        ("seq 3 | sed -n 's/2/two/p; $='", "two\n3\n"),
        ("echo one > /tmp/f; sed -i s/one/two/ /tmp/f; cat /tmp/f", "two\n"),
        ("printf 'no newline' | sed s/no/a/", "a newline"),
        (LINES + "sort", "a 10\na 10\nb 2\nc 1\n"),
        (LINES + "sort -u -r", "c 1\nb 2\na 10\n"),
        (LINES + "sort -k2 -n", "c 1\nb 2\na 10\na 10\n"),
        (LINES + "sort -t ' ' -k 2,2nr -k1", "a 10\na 10\nb 2\nc 1\n"),
        ("printf '10\\n9\\n-1\\nx\\n' | sort -n", "-1\nx\n9\n10\n"),
        (LINES + "sort | uniq -c | sort -rn | head -n 1", "      2 a 10\n"),
        (LINES + "sort | uniq -d", "a 10\n"),
        (LINES + "uniq", "b 2\na 10\nc 1\na 10\n"),
        ("echo root:x:0:0 | cut -d: -f1,3-", "root:0:0\n"),
        ("echo abcdef | cut -c2-4", "bcd\n"),
        ("printf 'plain\\na,b\\n' | cut -d , -f 2", "plain\nb\n"),
        ("echo Hello World | tr a-z A-Z", "HELLO WORLD\n"),
        ("echo Hello | tr '[:upper:]' '[:lower:]'; echo a-b | tr -d -", "hello\nab\n"),
        ("echo 'a   b' | tr -s ' '; echo a:b:c | tr : '\\n'", "a b\na\nb\nc\n"),
        ("echo abc123 | tr -cd 0-9", "123"),
        ("echo x | tee /tmp/a /tmp/b; echo y | tee -a /tmp/a; cat /tmp/a /tmp/b", "x\ny\nx\ny\nx\n"),
        ("which curl nosuch; echo $?", "/usr/bin/curl\n1\n"),
        ("printf 'a|b\\na\\nb\\n' | grep 'a|b'; printf 'a\\nb\\n' | grep -cE 'a|b'", "a|b\n2\n"),
        ("echo a+b | grep -c 'a+b'; echo aab | grep 'a\\+b'", "1\naab\n"),
    ],
)
def test_what_they_make_of_lines(text: str, output: str) -> None:
    assert sh(text).text == output


@pytest.mark.parametrize(
    ("text", "image", "code", "words"),
    [
        ("sed y/a/b/", "alpine", 1, "sed: unsupported command y\n"),
        ("sed s/a", "alpine", 1, "sed: unterminated `s' command\n"),
        ("sed s/a/b", "debian", 1, "sed: -e expression #1: unterminated `s' command\n"),
        ("echo a | sed 's/a/\\1/'", "alpine", 1, "sed: invalid reference on `s' command's RHS\n"),
        ("sed p /nosuch", "debian", 1, "sed: /nosuch: No such file or directory\n"),
        ("sort -Q", "debian", 2, "sort: invalid option -- 'Q'\n"),
        ("sort -k x", "alpine", 2, "sort: invalid key specification: x\n"),
        ("cut x", "debian", 1, "cut: you must specify a list of bytes, characters, or fields\n"),
        ("cut -f 0", "alpine", 1, "cut: invalid field value '0'\n"),
        ("tr a", "alpine", 1, "tr: missing operand after 'a'\n"),
    ],
)
def test_how_they_fail(text: str, image: str, code: int, words: str) -> None:
    done = sh(text, image)
    assert (done.code, done.text) == (code, words)


@given(st.text(alphabet="s/\\\\()[]:{}*+|^$,;!pdg12ab\n", max_size=30), st.booleans())
def test_any_text_is_a_script_or_refused(text: str, extended: bool) -> None:
    with contextlib.suppress(ScriptError):
        parse(text, extended=extended)
    with contextlib.suppress(ValueError):
        assert isinstance(compiled(text, extended=extended), re.Pattern)
