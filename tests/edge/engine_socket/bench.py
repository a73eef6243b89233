"""A server whose answers the test decides, and a client that says exactly what it is told to."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

from node.api.app import App
from node.api.http import Connection, Hijack, Request, Response, Stream, json_response
from tests.patience import PATIENCE_S

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
