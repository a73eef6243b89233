"""Hijacked connections: bytes both ways, half-closes, clients that are slow, far ahead or gone."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

from node.api.http import Connection
from node.edge.hijack import UNREAD_MAX, Hijacked
from tests.edge.engine_socket.bench import HEAD_101, UPGRADE, Bench, client
from tests.patience import until

PIECES = 128
PIECE_BYTES = 65_536
READ_AT_ONCE_MAX = 256 * 1024
"""What an event loop takes from a socket in one go (asyncio: selector_events.py, max_size)."""


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
    async with client(path) as caller:
        caller.request("POST", "/talk", headers=UPGRADE)
        await caller.head()
    await until(lambda: bench.closed == ["talk"])


async def test_a_client_that_has_sent_its_last_may_still_vanish(path: Path, bench: Bench) -> None:
    at_end = asyncio.Event()

    async def talk(connection: Connection) -> None:
        assert await connection.read() == b""
        at_end.set()
        await connection.gone()

    bench.talk = talk
    async with client(path) as caller:
        caller.request("POST", "/talk", headers=UPGRADE)
        await caller.head()
        caller.writer.write_eof()
        await at_end.wait()
        await turns()
        assert bench.closed == [], "it still listens"
    await until(lambda: bench.closed == ["talk"])


async def turns() -> None:
    """Let everything happen that is ready to."""
    for _ in range(100):
        await asyncio.sleep(0)


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
    unsent: list[int] = []

    async def flood(connection: Connection) -> None:
        assert isinstance(connection, Hijacked)
        for _ in range(PIECES):
            await connection.write(bytes(PIECE_BYTES))
            unsent.append(connection._transport.get_write_buffer_size())

    bench.talk = flood
    async with client(path) as caller:
        caller.writer.transport.pause_reading()
        caller.request("POST", "/talk", headers=UPGRADE)
        await until(lambda: bool(unsent))
        caller.writer.transport.resume_reading()
        await caller.head()
        assert len(await caller.rest()) == PIECES * PIECE_BYTES
    assert max(unsent) <= 2 * PIECE_BYTES


async def test_a_program_that_does_not_read_makes_the_client_wait(path: Path, bench: Bench) -> None:
    first: list[int] = []
    total = 0

    async def late(connection: Connection) -> None:
        nonlocal total
        assert isinstance(connection, Hijacked)
        await until(lambda: len(connection._unread) > UNREAD_MAX)
        await turns()
        while data := await connection.read():
            first.append(len(data))
            total += len(data)

    bench.talk = late
    async with client(path) as caller:
        caller.request("POST", "/talk", headers=UPGRADE)
        await caller.head()
        caller.send(bytes(PIECES * PIECE_BYTES))
        caller.writer.write_eof()
        assert await caller.rest() == b""
    assert total == PIECES * PIECE_BYTES
    assert first[0] < UNREAD_MAX + READ_AT_ONCE_MAX
