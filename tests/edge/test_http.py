"""The Engine API's socket: who may use it, what streams, what half-closes, what junk does to it."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import random
import socket
import stat
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from node.api.app import App
from node.api.http import Connection, Hijack, Request, Response, Stream, json_response
from node.edge import http
from node.edge.hijack import UNREAD_MAX
from node.edge.http import BODY_BYTES_MAX, HttpServer
from tests.patience import PATIENCE_S, until

UPGRADE = b"Connection: Upgrade\r\nUpgrade: tcp\r\n"
HEAD_101 = b"HTTP/1.1 101 UPGRADED\r\nContent-Type: x/stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"


class Bench(App):
    """An app whose answers the test decides: by path."""

    def __init__(self) -> None:
        self.asked: list[Request] = []
        self.closed: list[str] = []
        self.gate = asyncio.Event()
        self.finished: list[str] = []
        self.talk: Callable[[Connection], Awaitable[None]] = echo

    async def handle(self, request: Request) -> Response | Stream | Hijack:
        self.asked.append(request)
        match request.path:
            case "/stream":
                return Stream(self._pieces(), {"Content-Type": "x/y"}, lambda: self.closed.append("stream"))
            case "/talk":
                return Hijack("x/stream", self.talk, lambda: self.closed.append("talk"), request.upgrades)
            case "/slow":
                await self.gate.wait()
                self.finished.append("slow")
                return json_response({})
            case "/slow-stream":
                await self.gate.wait()
                return Stream(self._pieces(), {}, lambda: self.closed.append("slow-stream"))
            case "/bug":
                raise ZeroDivisionError("a bug")
            case "/nothing":
                return Response(204)
        return json_response({"length": len(request.body)})

    async def _pieces(self) -> Any:
        yield b"first\n"
        await self.gate.wait()
        yield b"second\n"


async def echo(connection: Connection) -> None:
    """Give back what came, in capitals, and a word at its end."""
    while data := await connection.read():
        await connection.write(data.upper())
    await connection.write(b".")


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
async def path(bench: Bench, tmp_path: Path) -> AsyncIterator[Path]:
    """The socket of a running server."""
    server = HttpServer(bench, tmp_path / "api.sock")
    await server.start()
    yield tmp_path / "api.sock"
    await server.stop()


class Client:
    """A bare connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    def request(self, method: str, target: str, body: bytes = b"", headers: bytes = b"") -> None:
        length = f"Content-Length: {len(body)}\r\n".encode() if body else b""
        self.send(f"{method} {target} HTTP/1.1\r\nHost: d\r\n".encode() + length + headers + b"\r\n" + body)

    async def head(self) -> bytes:
        async with asyncio.timeout(PATIENCE_S):
            return await self.reader.readuntil(b"\r\n\r\n")

    async def exactly(self, count: int) -> bytes:
        async with asyncio.timeout(PATIENCE_S):
            return await self.reader.readexactly(count)

    async def rest(self) -> bytes:
        async with asyncio.timeout(PATIENCE_S):
            return await self.reader.read()

    async def close(self) -> None:
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()


@contextlib.asynccontextmanager
async def client(path: Path) -> AsyncIterator[Client]:
    opened = Client(*await asyncio.open_unix_connection(str(path)))
    try:
        yield opened
    finally:
        await opened.close()


async def ask(path: Path, method: str, target: str, body: bytes = b"") -> tuple[bytes, bytes]:
    """Head and body of an answer on a connection of its own."""
    async with client(path) as caller:
        caller.request(method, target, body, b"Connection: close\r\n")
        head, _, content = (await caller.rest()).partition(b"\r\n\r\n")
        return head, content


# -- the socket ------------------------------------------------------------------------------------


async def test_only_its_owner_may_use_the_socket(path: Path) -> None:
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600


async def test_a_left_over_socket_makes_room_and_goes_at_the_end(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "api.sock"
    with socket.socket(socket.AF_UNIX) as left_over:
        left_over.bind(str(path))
    server = HttpServer(bench, path)
    await server.start()
    assert (await ask(path, "GET", "/x"))[1] == b'{"length":0}\n'
    await server.stop()
    assert not path.exists()


async def test_a_socket_that_answers_and_a_file_that_is_none_stay(bench: Bench, path: Path) -> None:
    with pytest.raises(OSError, match="another node answers on this socket"):
        await HttpServer(bench, path).start()
    plain = path.with_name("plain")
    plain.write_text("precious")
    with pytest.raises(OSError, match=f"a file that is no socket lies where.*{plain}"):
        await HttpServer(bench, plain).start()
    assert plain.read_text() == "precious"
    assert (await ask(path, "GET", "/x"))[1] == b'{"length":0}\n'


async def test_a_path_that_is_too_long_is_named(bench: Bench, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="at most 107 bytes"):
        await HttpServer(bench, tmp_path / ("x" * 108)).start()


async def test_a_successors_socket_is_not_taken_away(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "api.sock"
    server = HttpServer(bench, path)
    await server.start()
    path.unlink()
    path.write_text("somebody else's")
    await server.stop()
    assert path.exists()


# -- whole answers ---------------------------------------------------------------------------------


async def test_a_connection_serves_many_requests(path: Path, bench: Bench) -> None:
    async with client(path) as caller:
        for body in (b"", b"abc"):
            caller.request("POST", "/x?a=%20b", body)
            head = await caller.head()
            assert head.startswith(b"HTTP/1.1 200 OK\r\n")
            assert b"Content-Type: application/json\r\n" in head
            assert await caller.exactly(len(b'{"length":0}\n')) == b'{"length":%d}\n' % len(body)
        caller.request("GET", "/nothing")
        assert b"Content-Length" not in await caller.head()
        caller.request("GET", "/x")
        assert (await caller.head()).startswith(b"HTTP/1.1 200")
    assert bench.asked[0].query == {"a": " b"}


async def test_a_bug_is_an_answer_and_is_told(path: Path) -> None:
    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    head, body = await ask(path, "GET", "/bug")
    assert head.startswith(b"HTTP/1.1 500 ")
    assert b"Content-Type: application/json\r\n" in head
    assert "a bug in the node" in json.loads(body)["message"]
    assert isinstance(told[0]["exception"], ZeroDivisionError)


async def test_a_body_has_a_limit(path: Path, bench: Bench) -> None:
    _, body = await ask(path, "POST", "/x", bytes(BODY_BYTES_MAX))
    assert json.loads(body) == {"length": BODY_BYTES_MAX}
    head, body = await ask(path, "POST", "/x", bytes(BODY_BYTES_MAX + 1))
    assert head.startswith(b"HTTP/1.1 413 ")
    assert "more than 4194304 bytes" in json.loads(body)["message"]
    assert len(bench.asked) == 1


async def test_headers_have_limits(path: Path) -> None:
    for headers in (b"X: " + b"y" * 40_000 + b"\r\n", b"".join(b"X%d: y\r\n" % n for n in range(200))):
        async with client(path) as caller:
            caller.request("GET", "/x", headers=headers)
            assert (await caller.rest()).startswith(b"HTTP/1.0 400 ")


async def test_connections_have_a_limit(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "CONNECTIONS_MAX", 2)
    async with client(path) as first, client(path) as second:
        for caller in (first, second):
            caller.request("GET", "/x")
            assert (await caller.head()).startswith(b"HTTP/1.1 200")
        head, body = await ask(path, "GET", "/x")
        assert head.startswith(b"HTTP/1.1 503 ")
        assert "too many connections" in json.loads(body)["message"]
    while (await ask(path, "GET", "/x"))[0].startswith(b"HTTP/1.1 503 "):
        pass


# -- streams ---------------------------------------------------------------------------------------


async def test_the_head_comes_before_anything_has_happened(path: Path, bench: Bench) -> None:
    async with client(path) as caller:
        caller.request("GET", "/stream")
        head = await caller.head()
        assert b"Transfer-Encoding: chunked" in head
        assert await caller.exactly(11) == b"6\r\nfirst\n\r\n"
        bench.gate.set()
        assert await caller.exactly(17) == b"7\r\nsecond\n\r\n0\r\n\r\n"
    await until(lambda: bench.closed == ["stream"])


async def test_a_reader_who_leaves_closes_the_stream(path: Path, bench: Bench) -> None:
    async with client(path) as caller:
        caller.request("GET", "/stream")
        await caller.exactly(10)
    await until(lambda: bench.closed == ["stream"])


async def test_a_change_that_has_begun_runs_to_its_end_without_its_client(path: Path, bench: Bench) -> None:
    for target in ("/slow", "/slow-stream"):
        async with client(path) as caller:
            caller.request("POST", target)
            await until(lambda target=target: bench.asked[-1:] != [] and bench.asked[-1].path == target)
    bench.gate.set()
    await until(lambda: bench.finished == ["slow"])
    await until(lambda: bench.closed == ["slow-stream"])


async def test_the_end_of_the_server_ends_streams_in_order(bench: Bench, tmp_path: Path) -> None:
    server = HttpServer(bench, tmp_path / "api.sock")
    await server.start()
    bench.talk = lambda connection: connection.gone()
    async with client(tmp_path / "api.sock") as reader, client(tmp_path / "api.sock") as talker:
        reader.request("GET", "/stream")
        talker.request("POST", "/talk", headers=UPGRADE)
        await reader.head()
        assert await talker.head() == HEAD_101
        async with asyncio.timeout(PATIENCE_S):
            await server.stop()
        assert (await reader.rest()).endswith(b"0\r\n\r\n"), "chunked, to its proper end"
        assert await talker.rest() == b""
    assert sorted(bench.closed) == ["stream", "talk"]


# -- hijacked connections --------------------------------------------------------------------------


async def test_a_half_close_costs_no_output(path: Path, bench: Bench) -> None:
    async with client(path) as caller:
        caller.request("POST", "/talk", b"{}", UPGRADE)
        assert await caller.head() == HEAD_101
        caller.send(b"typed")
        caller.writer.write_eof()
        assert await caller.rest() == b"TYPED."
    await until(lambda: bench.closed == ["talk"])


async def test_input_that_nobody_read_costs_no_output(path: Path, bench: Bench) -> None:
    bench.talk = lambda connection: connection.write(b"the end")
    async with client(path) as caller:
        caller.request("POST", "/talk", headers=UPGRADE)
        assert await caller.head() == HEAD_101
        caller.send(bytes(1024 * 1024))
        assert await caller.rest() == b"the end", "closed at once it would be reset"


async def test_without_an_upgrade_the_same_stream_follows_a_200(path: Path) -> None:
    async with client(path) as caller:
        caller.request("POST", "/talk")
        assert await caller.head() == b"HTTP/1.1 200 OK\r\nContent-Type: x/stream\r\n\r\n"
        caller.send(b"typed")
        assert await caller.exactly(5) == b"TYPED"
        caller.writer.write_eof()
        assert await caller.rest() == b"."


async def test_output_does_not_come_in_one_packet_with_the_head(path: Path, bench: Bench) -> None:
    bench.talk = lambda connection: connection.write(b"at once")
    with socket.socket(socket.AF_UNIX) as caller:
        await asyncio.to_thread(caller.connect, str(path))
        caller.sendall(b"POST /talk HTTP/1.1\r\nHost: d\r\n" + UPGRADE + b"\r\n")
        assert await asyncio.to_thread(caller.recv, 65536) == HEAD_101
        assert await asyncio.to_thread(caller.recv, 65536) == b"at once"
        assert await asyncio.to_thread(caller.recv, 65536) == b""


async def test_a_client_that_vanishes_is_noticed_though_nobody_writes(path: Path, bench: Bench) -> None:
    bench.talk = lambda connection: connection.gone()
    for half_closes in (False, True):
        async with client(path) as caller:
            caller.request("POST", "/talk", headers=UPGRADE)
            await caller.head()
            if half_closes:
                caller.writer.write_eof()
                await asyncio.sleep(0.01)
                assert bench.closed == ["talk"], "it still listens"
        await until(lambda n=2 if half_closes else 1: len(bench.closed) == n)


async def test_writing_to_a_client_that_is_gone_tells_so(path: Path, bench: Bench) -> None:
    outcome: list[type[BaseException]] = []

    async def talk(connection: Connection) -> None:
        await connection.gone()
        try:
            await connection.write(b"x")
        except ConnectionError as error:
            outcome.append(type(error))
            raise

    bench.talk = talk
    async with client(path) as caller:
        caller.request("POST", "/talk", headers=UPGRADE)
        await caller.head()
    await until(lambda: outcome == [ConnectionResetError] and bench.closed == ["talk"])


async def test_a_slow_reader_makes_the_program_wait(path: Path, bench: Bench) -> None:
    written = 0

    async def flood(connection: Connection) -> None:
        nonlocal written
        for _ in range(400):
            await connection.write(bytes(65536))
            written += 65536

    bench.talk = flood
    async with client(path) as caller:
        caller.writer.transport.pause_reading()
        caller.request("POST", "/talk", headers=UPGRADE)
        await until(lambda: written > 0)
        before = -1
        while written != before:
            before = written
            await asyncio.sleep(0.02)
        assert written < 4 * 1024 * 1024
        caller.writer.transport.resume_reading()
        await caller.head()
        assert len(await caller.rest()) == 400 * 65536


async def test_a_program_that_does_not_read_makes_the_client_wait(path: Path, bench: Bench) -> None:
    read = asyncio.Event()
    largest = 0

    async def later(connection: Connection) -> None:
        nonlocal largest
        await read.wait()
        while data := await connection.read():
            largest = max(largest, len(data))

    bench.talk = later
    async with client(path) as caller:
        caller.request("POST", "/talk", headers=UPGRADE)
        await caller.head()
        caller.send(bytes(8 * 1024 * 1024))
        await asyncio.sleep(0.05)
        assert caller.writer.transport.get_write_buffer_size() > 4 * 1024 * 1024
        read.set()
        caller.writer.write_eof()
        assert await caller.rest() == b""
    assert largest < 2 * UNREAD_MAX + 262_144


# -- junk ------------------------------------------------------------------------------------------


async def test_junk_never_stops_the_server(path: Path) -> None:
    chance = random.Random(5)
    starts = [
        b"",
        b"GET ",
        b"POST /x HTTP/1.1\r\n",
        b"POST /x HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\n\r\n",
    ]
    for number in range(150):
        async with client(path) as caller:
            caller.send(chance.choice(starts) + chance.randbytes(chance.randrange(300)))
            if number % 2:
                caller.writer.write_eof()
                await caller.rest()
    assert (await ask(path, "GET", "/x"))[1] == b'{"length":0}\n'


async def test_a_body_that_breaks_off_is_refused(path: Path, bench: Bench) -> None:
    async with client(path) as caller:
        caller.send(b"POST /x HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
        assert b" 400 " in await caller.rest()
    async with client(path) as caller:
        caller.send(b"POST /x HTTP/1.1\r\nHost: d\r\nContent-Length: 10\r\n\r\nabc")
    assert bench.asked == []


async def test_many_clients_come_and_go_and_leave_nothing(path: Path, bench: Bench) -> None:
    async def visit(number: int) -> None:
        async with client(path) as caller:
            match number % 4:
                case 0:
                    caller.request("GET", "/stream")
                    await caller.exactly(5)
                case 1:
                    caller.request("POST", "/talk", headers=UPGRADE)
                    await caller.head()
                    caller.send(b"x")
                case 2:
                    caller.request("GET", "/x")
                    await caller.head()
                case 3:
                    caller.send(b"GET /x")

    async def all_visits() -> None:
        await asyncio.gather(*(visit(number) for number in range(80)))
        await until(lambda: len(asyncio.all_tasks()) < 6)
        gc.collect()

    await all_visits()
    tracemalloc.start()
    try:
        before = tracemalloc.take_snapshot()
        for _ in range(3):
            bench.asked.clear()
            bench.closed.clear()
            await all_visits()
        after = tracemalloc.take_snapshot()
    finally:
        tracemalloc.stop()
    grown = sum(difference.size_diff for difference in after.compare_to(before, "filename"))
    assert grown < 300_000, "what 240 visits left behind"
