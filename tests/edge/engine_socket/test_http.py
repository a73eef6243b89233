"""The Engine API's socket: who may use it, what streams, what ends, what junk does to it."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import random
import socket
import stat
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from aiohttp.web_protocol import RequestHandler

from node.edge import http
from node.edge.http import BODY_BYTES_MAX, HttpServer
from tests.edge.engine_socket.bench import HEAD_101, UPGRADE, Bench, ask, client
from tests.patience import PATIENCE_S, until

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


def nobody_is_connected() -> bool:
    gc.collect()
    return not any(isinstance(it, RequestHandler) for it in gc.get_objects())


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
        await until(lambda: len(asyncio.all_tasks()) == 1)
        bench.asked.clear()
        bench.closed.clear()
        await until(nobody_is_connected)  # what the last ones still hold would hide what was left behind

    tracemalloc.start()
    try:
        await all_visits()  # what the first ones leave is there once and for all
        before = tracemalloc.take_snapshot()
        for _ in range(3):
            await all_visits()
        after = tracemalloc.take_snapshot()
    finally:
        tracemalloc.stop()
    grown = sum(difference.size_diff for difference in after.compare_to(before, "filename"))
    assert grown < 100_000, "what 240 visits left behind"
