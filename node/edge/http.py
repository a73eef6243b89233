"""The Engine API on a unix socket: aiohttp reads and writes HTTP, the app answers.

    connection --> aiohttp --> Request --> app.handle --> Response | Stream | Hijack --> connection

A client that goes away ends its streams, but never a change that has begun: whatever creates, starts
or removes something runs to its end. When the server stops, streams and hijacked connections are
ended, not left hanging.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from aiohttp import web

from node.api.app import App
from node.api.http import Answer, Hijack, Request, Response, Stream, json_bytes, json_response
from node.edge import unix_socket
from node.edge.hijack import Finished, hijack

BODY_BYTES_MAX = 4 * 1024 * 1024
HEADER_LINE_BYTES_MAX = 32 * 1024
"""Of the request line, with the filters in it, and of each header."""
HEADERS_MAX = 100
CONNECTIONS_MAX = 512
BODY_S = 30.0
"""A request's body must have arrived by then."""
IDLE_S = 75.0
"""A connection without a request is closed after that."""
LINGER_S = 1.0
"""How long a body that was refused is still read, so that the client gets to read why."""
STOP_S = 1.5
"""What is under way may take so long when the server stops."""

_LOG = logging.getLogger(__name__)
_LOG.addHandler(logging.NullHandler())
_LOG.propagate = False  # aiohttp logs every malformed request; the client gets a 400, which is enough


class HttpServer:
    """See the module."""

    def __init__(self, app: App, path: Path) -> None:
        self._app = app
        self._path = path
        self._listening: asyncio.Server | None = None
        self._file: tuple[int, int] | None = None
        self._http: web.Server | None = None
        self._stopping = asyncio.Event()
        self._working: dict[asyncio.Task[Answer], None] = {}
        """Requests that are being answered, whether or not their client is still there."""

    async def start(self) -> None:
        """Listen. Raises OSError, with a sentence that names the path."""
        listening = unix_socket.listen(self._path)
        self._file = unix_socket.identity(self._path)
        self._http = web.Server(
            self._serve,
            handler_cancellation=True,
            access_log=None,
            logger=_LOG,
            tcp_keepalive=False,
            keepalive_timeout=IDLE_S,
            max_line_size=HEADER_LINE_BYTES_MAX,
            max_field_size=HEADER_LINE_BYTES_MAX,
            max_headers=HEADERS_MAX,
            lingering_time=LINGER_S,
            auto_decompress=False,
        )
        self._listening = await asyncio.get_running_loop().create_unix_server(self._accept, sock=listening)

    def _accept(self) -> asyncio.Protocol:
        """A protocol for one more connection."""
        assert self._http is not None
        if len(self._http.connections) >= CONNECTIONS_MAX:
            return _Refusal()
        return self._http()

    async def stop(self) -> None:
        """Listen no more, end what streams, and wait a little for what else is under way."""
        if self._listening is None or self._http is None:
            return
        self._listening.close()
        if self._file is not None and unix_socket.identity(self._path) == self._file:
            self._path.unlink(missing_ok=True)
        self._stopping.set()
        self._http.pre_shutdown()
        await self._http.shutdown(STOP_S)
        for task in list(self._working):
            task.cancel()
        if self._working:
            await asyncio.wait(list(self._working), timeout=STOP_S)

    # -- one request ------------------------------------------------------------------------------

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            async with asyncio.timeout(BODY_S):
                body = await _read_body(request)
        except (TimeoutError, web.RequestPayloadError):
            return _refused(400, "the body of the request did not arrive, or not whole")
        if body is None:
            return _refused(413, f"the body of the request has more than {BODY_BYTES_MAX} bytes")
        answer = await self._ask(Request.of(request.method, request.raw_path, request.headers, body))
        if isinstance(answer, Response):
            return web.Response(status=answer.status, body=answer.body, headers=answer.headers)
        try:
            if isinstance(answer, Hijack):
                await self._until_stopped(hijack(request, answer))
                return Finished()
            return await self._stream(request, answer)
        finally:
            answer.close()

    async def _ask(self, request: Request) -> Answer:
        """The app's answer. When the client goes away meanwhile, the work goes on without it."""
        loop = asyncio.get_running_loop()
        work = loop.create_task(self._app.handle(request))
        self._working[work] = None
        work.add_done_callback(self._done)
        try:
            await asyncio.wait((work,))
        except asyncio.CancelledError:
            work.add_done_callback(_discard)
            raise
        if work.cancelled():
            return json_response({"message": "the node stops"}, 503)
        if (error := work.exception()) is not None:
            place = f"{request.method} {request.path}"
            loop.call_exception_handler({"message": f"{place} failed", "exception": error})
            return json_response({"message": f"{place} met a bug in the node: {error!r}"}, 500)
        return work.result()

    def _done(self, work: asyncio.Task[Answer]) -> None:
        self._working.pop(work, None)

    async def _stream(self, request: web.BaseRequest, answer: Stream) -> web.StreamResponse:
        """The head at once, then piece by piece."""
        response = web.StreamResponse(headers=answer.headers)
        await response.prepare(request)
        await self._until_stopped(_pump(response, answer))
        await response.write_eof()
        return response

    async def _until_stopped(self, work: Coroutine[Any, Any, None]) -> None:
        """Do it to its end, or until the server stops."""
        loop = asyncio.get_running_loop()
        working, stopping = loop.create_task(work), loop.create_task(self._stopping.wait())
        try:
            await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            working.cancel()
            await asyncio.wait((working,))
        if working.cancelled() or (error := working.exception()) is None:
            return
        if not isinstance(error, ConnectionError):
            loop.call_exception_handler({"message": "a stream broke off", "exception": error})


async def _read_body(request: web.BaseRequest) -> bytes | None:
    """The whole body; None if it is too large. Raises RequestPayloadError."""
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > BODY_BYTES_MAX:
            return None
    return bytes(body)


async def _pump(response: web.StreamResponse, answer: Stream) -> None:
    async with contextlib.aclosing(answer.pieces) as pieces:
        async for piece in pieces:
            await response.write(piece)


def _refused(status: int, sentence: str) -> web.Response:
    """An answer to what never reached the app."""
    answer = json_response({"message": sentence}, status)
    response = web.Response(status=status, body=answer.body, headers=answer.headers)
    response.force_close()
    return response


def _discard(work: asyncio.Task[Answer]) -> None:
    """Nobody is there any more to take the answer."""
    if work.cancelled():
        return
    if (error := work.exception()) is not None:
        work.get_loop().call_exception_handler({"message": "a request failed", "exception": error})
    elif not isinstance(answer := work.result(), Response):
        answer.close()


class _Refusal(asyncio.Protocol):
    """Says that there are too many connections, and ends."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Without waiting for a request; but what comes of one is read, or the answer would be lost."""
        body = json_bytes({"message": "too many connections to this node: close some and try again"})
        head = (
            "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\n"
            f"Connection: close\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        assert isinstance(transport, asyncio.Transport)
        transport.write(head.encode() + body)
        transport.write_eof()
        asyncio.get_running_loop().call_later(LINGER_S, transport.close)
