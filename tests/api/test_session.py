"""The conversation between a user's connection and a program's terminal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from node.api.detach import DEFAULT, DetachKeys, parse_keys
from node.api.session import Manner, converse
from node.errors import InvalidParameter
from node.model.output import STDERR, STDOUT, Output
from tests.patience import PATIENCE_S, until

BOTH = (STDOUT, STDERR)


class Wire:
    """A connection whose other end is the test."""

    def __init__(self) -> None:
        self.sent = b""
        self._typed: asyncio.Queue[bytes] = asyncio.Queue()
        self._gone = asyncio.Event()

    def type(self, data: bytes) -> None:
        """b"": the client has no more input."""
        self._typed.put_nowait(data)

    def leave(self) -> None:
        self._typed.put_nowait(b"")
        self._gone.set()

    async def read(self) -> bytes:
        return await self._typed.get()

    async def write(self, data: bytes) -> None:
        if self._gone.is_set():
            raise ConnectionResetError("gone")
        self.sent += data

    async def gone(self) -> None:
        await self._gone.wait()


class Screen:
    """A terminal whose program is the test."""

    def __init__(self) -> None:
        self.typed = b""
        self.stdin_closed = False
        self._output: asyncio.Queue[Output | None] = asyncio.Queue()

    def say(self, stream: int, data: bytes) -> None:
        self._output.put_nowait(Output(STDERR if stream == STDERR else STDOUT, data))

    def end(self) -> None:
        self._output.put_nowait(None)

    async def __aiter__(self) -> AsyncIterator[Output]:
        while (output := await self._output.get()) is not None:
            yield output

    async def write(self, data: bytes) -> None:
        self.typed += data

    def close_stdin(self) -> None:
        self.stdin_closed = True

    def close(self) -> None: ...


class Talk:
    """A conversation under way."""

    def __init__(self, *, tty: bool = False, stdin: bool = True, streams: tuple[int, ...] = BOTH) -> None:
        self.wire, self.screen = Wire(), Screen()
        manner = Manner(tty=tty, stdin=stdin, streams=streams, detach_keys=DEFAULT)
        self.task = asyncio.ensure_future(converse(self.wire, self.screen, manner))

    async def ends(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            await self.task


async def test_output_is_framed_by_stream_and_ends_the_talk() -> None:
    talk = Talk()
    talk.screen.say(STDOUT, b"out\n")
    talk.screen.say(STDERR, b"err\n")
    talk.screen.end()
    await talk.ends()
    assert talk.wire.sent == b"\x01\0\0\0\0\0\0\x04out\n" + b"\x02\0\0\0\0\0\0\x04err\n"


async def test_a_terminal_has_no_frames() -> None:
    talk = Talk(tty=True)
    talk.screen.say(STDOUT, b"hi\r\n")
    talk.screen.end()
    await talk.ends()
    assert talk.wire.sent == b"hi\r\n"


async def test_only_what_was_asked_for_is_sent() -> None:
    talk = Talk(streams=(STDERR,))
    talk.screen.say(STDOUT, b"out\n")
    talk.screen.say(STDERR, b"err\n")
    talk.screen.end()
    await talk.ends()
    assert talk.wire.sent == b"\x02\0\0\0\0\0\0\x04err\n"


async def test_the_answer_to_the_last_input_still_arrives() -> None:
    talk = Talk()
    talk.wire.type(b"question")
    talk.wire.type(b"")
    await until(lambda: talk.screen.stdin_closed)
    assert talk.screen.typed == b"question"
    talk.screen.say(STDOUT, b"answer")
    talk.screen.end()
    await talk.ends()
    assert talk.wire.sent.endswith(b"answer")


async def test_a_user_who_leaves_ends_the_talk_though_the_program_is_silent() -> None:
    talk = Talk()
    talk.wire.leave()
    await talk.ends()


async def test_a_user_who_is_gone_while_the_program_writes_ends_the_talk() -> None:
    talk = Talk()
    talk.wire._gone.set()
    talk.screen.say(STDOUT, b"x")
    await talk.ends()


async def test_input_that_nobody_asked_for_is_dropped() -> None:
    talk = Talk(stdin=False)
    talk.wire.type(b"x")
    talk.wire.type(b"")
    talk.screen.say(STDOUT, b"y")
    talk.screen.end()
    await talk.ends()
    assert (talk.screen.typed, talk.screen.stdin_closed) == (b"", False)


async def test_keys_detach_from_a_terminal() -> None:
    talk = Talk(tty=True)
    talk.wire.type(b"ls\x10")
    talk.wire.type(b"\x11rm -r\n")
    await talk.ends()
    assert (talk.screen.typed, talk.screen.stdin_closed) == (b"ls", False)


async def test_hanging_up_a_terminal_is_not_the_end_of_the_programs_input() -> None:
    talk = Talk(tty=True)
    talk.wire.type(b"ls\n")
    talk.wire.leave()
    await talk.ends()
    assert (talk.screen.typed, talk.screen.stdin_closed) == (b"ls\n", False)


async def test_they_are_input_like_any_other_where_there_is_no_terminal() -> None:
    talk = Talk()
    talk.wire.type(b"\x10\x11")
    await until(lambda: talk.screen.typed == b"\x10\x11")
    talk.screen.end()
    await talk.ends()


@pytest.mark.parametrize(
    ("typed", "passed", "detached"),
    [
        ([b"abc"], b"abc", False),
        ([b"a\x10b"], b"a\x10b", False),
        ([b"a\x10", b"b"], b"a\x10b", False),
        ([b"\x10\x10\x11x"], b"\x10", True),
        ([b"\x11\x10", b"\x11"], b"\x11", True),
        ([b"a\x10\x11b"], b"a", True),
    ],
)
def test_detach_keys(typed: list[bytes], passed: bytes, detached: bool) -> None:
    keys = DetachKeys(DEFAULT)
    seen = [keys.watch(data) for data in typed]
    assert (b"".join(data for data, _ in seen), seen[-1][1]) == (passed, detached)


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("", DEFAULT),
        ("ctrl-p,ctrl-q", DEFAULT),
        ("ctrl-@", b"\0"),
        ("a,ctrl-[,_", b"a\x1b_"),
        ("ctrl-_", b"\x1f"),
    ],
)
def test_keys_by_name(text: str, keys: bytes) -> None:
    assert parse_keys(text) == keys


@pytest.mark.parametrize("text", ["ctrl-1", "ab", "a,", "ctrl-", "é", ",".join("a" * 17)])
def test_names_that_are_none(text: str) -> None:
    with pytest.raises(InvalidParameter, match="Invalid detach keys"):
        parse_keys(text)
