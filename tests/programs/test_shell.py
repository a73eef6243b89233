"""The shell as a student uses it: what it runs, what it says."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.sim.world import World
from node.model.container import ContainerSpec
from node.model.output import AttachSpec
from node.programs.shell.grammar import Parser
from node.programs.shell.tokens import ShellSyntaxError, Tokenizer
from node.programs.signals import SIGINT, SIGTERM
from node.programs.terminal import LineDiscipline, printed
from tests.programs.containers import log_of
from tests.sim.play import Outcome, play, run, settle, start


def sh(text: str, image: str = "alpine") -> Outcome:
    """`docker run --rm --network none IMAGE sh -c TEXT`."""
    outcomes: list[Outcome] = []

    async def scenario(world: World) -> None:
        outcomes.append(await run(world, "node-1", "none", "sh", "-c", text, image=image))

    play(scenario, nodes=1, swarm=False)
    return outcomes[0]


@pytest.mark.parametrize(
    ("text", "output"),
    [
        ("echo one; echo two", "one\ntwo\n"),
        ("true && echo yes || echo no", "yes\n"),
        ("false && echo yes || echo no", "no\n"),
        ("! false && echo turned", "turned\n"),
        ("echo 'a  b' \"c  d\" e\\ f", "a  b c  d e f\n"),
        ("x=5; echo $x ${x}y '$x' \"$x\"", "5 5y $x 5\n"),
        ("echo $(echo inner | nosuch a b) done", "sh: nosuch: not found\ndone\n"),
        ("echo a$(echo b)c `echo d`", "abc d\n"),
        ("for i in 1 2 3; do echo -n $i; done; echo", "123\n"),
        ("i=0; while [ $i -lt 3 ]; do i=$((i + 1)); echo -n $i; done; echo", "123\n"),
        ("for i in 1 2 3; do if [ $i = 2 ]; then continue; fi; echo $i; done", "1\n3\n"),
        ("while true; do echo once; break; done; echo after", "once\nafter\n"),
        ("echo $((7 / 2)) $((-7 / 2)) $((7 % 4 == 3)) $((2 * (3 + 4)))", "3 -3 1 14\n"),
        ("if [ a = b ]; then echo same; elif true; then echo other; else echo no; fi", "other\n"),
        ("printf '%s-%d\\n' x 7", "x-7\n"),
        ("seq 3 | head -n 2 | wc -l", "2\n"),
        ("echo hidden > /dev/null; echo err >&2; echo out", "err\nout\n"),
        ("echo text > /tmp/f; echo more >> /tmp/f; cat /tmp/f; cat < /tmp/f | grep mo", "text\nmore\nmore\n"),
        ("nosuch 2>/dev/null; echo $?", "127\n"),
        ("(x=1; echo $x); echo [$x]", "1\n[]\n"),
        ("{ echo a; echo b; } | wc -l", "2\n"),
        ("echo ${unset:-default} # a comment", "default\n"),
        ("cd /tmp && pwd", "/tmp\n"),
        ("sleep 1 & echo first; wait; echo last", "first\nlast\n"),
        ("echo a b c | while read first rest; do echo $first/$rest; done", "a/b c\n"),
    ],
)
def test_what_it_prints(text: str, output: str) -> None:
    assert sh(text).text == output


@pytest.mark.parametrize(
    ("text", "output"),
    [
        ("for x in a.txt b dir/c; do case $x in *.txt) echo text;; b|d) echo b;; *) echo $x; esac; done",
         "text\nb\ndir/c\n"),
        ("case '*' in (\"*\") echo star ;; esac; case abc in '*') echo no;; esac; echo $?", "star\n0\n"),
        ("case x in\n  y)\n    echo y\n    ;;\n  x)\n    echo x\n    ;;\nesac", "x\n"),
        ("hail() { echo hello $1 of $#; return 3; }; hail you all; echo $? $1.", "hello you of 2\n3 .\n"),
        ("function f { local x=2; y=3; }\nx=1; f; echo $x$y", "13\n"),
        ("f() { while true; do return 7; done; }; f | cat; f; echo $?", "7\n"),
        ("f()\n{\n echo a\n}\nf > /tmp/f; cat /tmp/f; f | wc -l", "a\n1\n"),
        ("x=5; cat <<EOF\na $x $(echo b) \\$x \"q\"\nEOF\necho end", "a 5 b $x \"q\"\nend\n"),
        ("x=5; cat <<'EOF' | wc -l; cat <<-E\na $x\nb\nEOF\n\tin\n\tE\n", "2\nin\n"),
        ("while read a b; do echo $b; done <<EOF\n1 one\n2 two\nEOF\ncat <<< \"a  b\"", "one\ntwo\na  b\n"),
        ("{ echo a; echo b; } > /tmp/both; cat /tmp/both", "a\nb\n"),
        ("x='a b'; [[ $x == a* && -n $x ]] && echo f; [[ $x == 'a*' || ! -z $x ]] && echo or", "f\nor\n"),
        ("[[ v12 =~ ^v([0-9]+)$ ]] && echo number; [[ a == b ]]; echo $?; [[ 2 -lt 10 ]] && echo less",
         "number\n1\nless\n"),
        ("i=0; until [ $i -ge 2 ]; do i=$((i+1)); done; echo $i", "2\n"),
        ("f() { for each in \"$@\"; do echo [$each]; done; }; f 'a b' c; set -- x y; shift; echo $1",
         "[a b]\n[c]\ny\n"),
        ("f=dir/a.tar.gz; echo ${f##*/} ${f%.*} ${f%%.*} ${f#*/} ${#f} ${f:+set}",
         "a.tar.gz dir/a.tar dir/a a.tar.gz 12 set\n"),
        ("trap 'echo bye' EXIT; echo hello; exit 3", "hello\nbye\n"),
        ("trap 'echo bye' EXIT; trap; trap - EXIT; (trap 'echo inner' EXIT; true); echo end",
         "trap -- 'echo bye' EXIT\ninner\nend\n"),
    ],
)  # fmt: skip
def test_what_scripts_are_made_of(text: str, output: str) -> None:
    assert sh(text).text == output


def test_a_trap_runs_between_commands_and_ends_a_wait() -> None:
    async def scenario(world: World) -> None:
        agent = world.agent("node-1")
        end = "trap 'echo ending; exit 5' TERM; trap 'echo no' INT; "
        await start(world, "node-1", "waits", "none", "sh", "-c", end + "sleep 1000 & wait")
        await start(world, "node-1", "works", "none", "sh", "-c", end + "sleep 8; echo never")
        await world.clock.sleep(1)
        for name in ("waits", "works"):
            await agent.containers.kill(name, SIGTERM)
        await world.clock.sleep(1)
        assert agent.registry.find("waits").state.exit_code == 5
        assert (await log_of(world, "node-1", "works")) == ""
        await world.clock.sleep(10)
        assert agent.registry.find("works").state.exit_code == 5
        assert (await log_of(world, "node-1", "works")) == "ending\n"
        await start(world, "node-1", "both", "none", "sh", "-c", end + "sleep 900; echo next; sleep 900")
        await world.clock.sleep(1)
        await agent.containers.kill("both", SIGINT)
        await world.clock.sleep(1)
        assert (await log_of(world, "node-1", "both")) == "no\nnext\n"

    play(scenario, nodes=1, swarm=False)


def test_what_calls_itself_without_end_is_stopped() -> None:
    words = "sh: commands are nested too deeply\n"
    assert sh("f() { f; }; f; echo never") == Outcome(2, words)
    assert sh("f() { f | f; }; f; echo $?").text.endswith(words + "2\n")
    assert "can't fork: Resource temporarily unavailable" in sh("while true; do sleep 9999 & done").text


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("exit 3", 3, ""),
        ("nosuch", 127, "sh: nosuch: not found\n"),
        ("echo 'open", 2, "sh: syntax error: unterminated quoted string\n"),
        ("if true; then echo", 2, "sh: syntax error: unexpected end of file\n"),
        ("echo | | wc", 2, 'sh: syntax error: unexpected "|"\n'),
        ("cat /nosuch", 1, "cat: can't open '/nosuch': No such file or directory\n"),
        ("set -e; false; echo never", 1, ""),
        ("false; true", 0, ""),
        ("echo $((1 / 0))", 2, "sh: divide by zero\n"),
        ("cat <<EOF\nopen", 2, "sh: syntax error: unterminated here-document\n"),
        ("case x in y) echo", 2, "sh: syntax error: unexpected end of file\n"),
        ("echo ;; echo", 2, 'sh: syntax error: unexpected ";;"\n'),
        ("[[ a -zz b ]]", 2, "sh: [[: a -zz b: unknown condition\n"),
        ("trap x NOSUCH", 1, "sh: trap: NOSUCH: invalid signal specification\n"),
        ("echo ${x/a/b}", 2, "sh: ${x/a/b}: bad substitution\n"),
        ("break; return", 1, "sh: return: not in a function\n"),
    ],
)
def test_how_it_ends(text: str, code: int, words: str) -> None:
    outcome = sh(text)
    assert (outcome.code, outcome.text) == (code, words)


def test_a_loop_without_end_lets_others_live_and_can_be_killed() -> None:
    async def scenario(world: World) -> None:
        await start(world, "node-1", "busy", "none", "sh", "-c", "while true; do :; done")
        agent = world.agent("node-1")
        await world.clock.sleep(1)
        await agent.containers.kill("busy", 9)
        await world.clock.sleep(0.1)
        assert agent.registry.find("busy").state.exit_code == 137

    play(scenario, nodes=1, swarm=False)


def test_files_of_a_container_are_bounded() -> None:
    outcome = sh("yes 0123456789012345678901234567890123456789 | head -n 40000 > /tmp/big; echo after")
    assert "No space left on device" in outcome.text
    assert outcome.text.endswith("after\n")


@given(st.text(max_size=60))
def test_any_text_is_a_program_or_a_syntax_error(text: str) -> None:
    with contextlib.suppress(ShellSyntaxError):
        Parser(Tokenizer(text).tokens()).program()


@given(st.lists(st.binary(max_size=12), max_size=8))
def test_any_keys_may_be_typed(pieces: list[bytes]) -> None:
    discipline = LineDiscipline()
    for piece in pieces:
        typed = discipline.type(piece)
        assert not typed.data or typed.data.endswith(b"\n") or 4 in piece


def test_the_end_of_a_programs_input_is_not_that_of_the_terminals() -> None:
    async def scenario(world: World) -> None:
        agent = world.agent("node-1")
        spec = ContainerSpec(image="alpine", command=("sh",), network_mode="none", tty=True, open_stdin=True)
        await agent.containers.create("one", spec)
        terminal = agent.programs.attach("one", AttachSpec(stream=True, stdin=True))
        await agent.containers.start("one")
        for keys in (b"cat\n", b"heard\n", b"\x04", b"echo still here\n"):
            assert agent.registry.find("one").state.status == "running"
            await terminal.write(keys)
            await settle(world, 0.1)
        shown = await log_of(world, "node-1", "one")
        assert (shown.count("heard\r\n"), shown.count("still here\r\n")) == (2, 2)
        await terminal.write(b"\x04")
        await settle(world, 0.1)
        assert agent.registry.find("one").state.status == "exited"

    play(scenario, nodes=1, swarm=False)


def test_a_terminal_edits_lines_and_turns_control_keys_into_signals() -> None:
    discipline = LineDiscipline()
    assert discipline.type(b"ecj\x7fho hi\r").data == b"echo hi\n"
    assert discipline.type(b"wrong\x15right\r").data == b"right\n"
    assert discipline.type(b"one two\x17three\r").data == b"one three\n"
    assert discipline.type(b"half\x03").signals == (2,)
    assert discipline.type(b"\x04").ended
    assert discipline.type(b"up\x1b[A\r").data == b"up\n"
    assert printed(b"a\nb\r\n") == b"a\r\nb\r\n"
