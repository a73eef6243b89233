"""A connection that has stopped being HTTP: bytes both ways until both sides have had their say.

    client ---- POST .../attach, Upgrade: tcp ----> aiohttp
    client <--- HTTP/1.1 101 UPGRADED ------------- here on: Hijacked, its own asyncio.Protocol
    client <================ bytes ===============> Hijacked <== talk ==> a program's terminal

A protocol of its own, because aiohttp's closes the connection when the client has sent its last byte
(half-close), while the program's answer to it is still to come. Input that is sent before the 101 has
arrived is lost: no client does that, and aiohttp would take it for a further request.
"""

from __future__ import annotations

import asyncio
import contextlib
import select

from aiohttp import web

from node.api.http import Hijack

UNREAD_MAX = 64 * 1024
"""Bytes that the client may be ahead of the program; then its socket is not read for a while."""
HEAD_PAUSE_S = 0.01
"""docker-py loses output that arrives in one packet with the head."""
LINGER_S = 2.0
"""How long a client may take to close after everything was said. What it has not read yet would be lost
if this side closed at once while input is on its way."""

_UPGRADED = "HTTP/1.1 101 UPGRADED\r\nContent-Type: {}\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
_PLAIN = "HTTP/1.1 200 OK\r\nContent-Type: {}\r\n\r\n"


class Hijacked(asyncio.Protocol):
    """A hijacked connection, as node/api/http.py describes it (Connection)."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._unread = bytearray()
        self._at_end = False
        self._readable = asyncio.Event()
        self._writable = asyncio.Event()
        self._gone = asyncio.Event()
        self._hangup: select.epoll | None = None
        self._writable.set()
        transport.set_protocol(self)
        transport.resume_reading()

    # -- what the event loop tells ----------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """The client has sent something."""
        self._unread += data
        if len(self._unread) > UNREAD_MAX:
            self._transport.pause_reading()
        self._readable.set()

    def eof_received(self) -> bool:
        """The client has sent its last; it may still want to read."""
        self._at_end = True
        self._readable.set()
        self._watch_hangup()
        return True

    def _watch_hangup(self) -> None:
        """The event loop reads nothing after the last byte, and so would never see the client go."""
        if self._hangup is None and not self._gone.is_set():
            self._hangup = select.epoll()
            self._hangup.register(self._transport.get_extra_info("socket").fileno(), 0)  # hang-ups only
            asyncio.get_running_loop().add_reader(self._hangup.fileno(), self._leave)

    def pause_writing(self) -> None:
        """The client reads slower than the program writes."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """It has caught up."""
        self._writable.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is no more."""
        self._leave()

    def _leave(self) -> None:
        self._at_end = True
        for condition in (self._gone, self._readable, self._writable):
            condition.set()
        if self._hangup is not None:
            asyncio.get_running_loop().remove_reader(self._hangup.fileno())
            self._hangup.close()
            self._hangup = None

    # -- what the conversation asks ---------------------------------------------------------------

    async def read(self) -> bytes:
        """What the client sent next; b"" once it has sent its last, or is gone."""
        while not self._unread and not self._at_end:
            self._readable.clear()
            await self._readable.wait()
        data = bytes(self._unread)
        self._unread.clear()
        if not self._at_end:
            self._transport.resume_reading()
        return data

    async def write(self, data: bytes) -> None:
        """Send, waiting while the client is slow. Raises ConnectionResetError when it is gone."""
        if not self._gone.is_set():
            self._transport.write(data)
            await self._writable.wait()
        if self._gone.is_set():
            raise ConnectionResetError("the client is gone")

    async def gone(self) -> None:
        """Return when the client neither sends nor receives any more."""
        await self._gone.wait()

    async def finish(self) -> None:
        """Everything was said: let the client read it and close."""
        if self._gone.is_set():
            return
        self._transport.write_eof()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LINGER_S):
                while await self.read():
                    pass  # nobody wants it any more

    def close(self) -> None:
        """End the connection whatever is left unsaid."""
        self._transport.close()
        self._leave()


class Finished(web.StreamResponse):
    """What aiohttp is told when the answer went out long ago."""

    def __init__(self) -> None:
        super().__init__()
        self.force_close()

    async def prepare(self, request: web.BaseRequest) -> None:
        """No head."""

    async def write_eof(self, data: bytes = b"") -> None:
        """No end."""


async def hijack(request: web.BaseRequest, answer: Hijack) -> None:
    """Take the connection over, and return when the talk and the connection have ended."""
    handler, transport = request.protocol, request.transport
    if transport is None:
        return
    connection = Hijacked(transport)
    try:
        head = _UPGRADED if answer.upgrades else _PLAIN
        transport.write(head.format(answer.content_type).encode())
        await asyncio.sleep(HEAD_PAUSE_S)
        await answer.talk(connection)
        await connection.finish()
    finally:
        connection.close()
        # aiohttp counts the connection as open until its own protocol hears that it is lost.
        asyncio.get_running_loop().call_soon(handler.connection_lost, None)
