"""A small HTTP/1.1 server: any path leads to the one page of its site.

    accept() --> connection --> request --> site.page() --> response --> access log
                     ^                                          |
                     +------------- keep-alive -----------------+

Each connection is a task of its own. All of them are the program's: a paused container neither accepts
anybody nor answers on a connection that stands.
"""

from __future__ import annotations

import asyncio
import errno
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from typing import Protocol

from node.programs import http
from node.programs.http import BadMessage, Body, CutOff, Headers, Reader, RequestLine
from node.programs.process import Process
from node.stack.streams import TcpListener, TcpStream
from node.tasks import TaskScope

CONNECTIONS_MAX = 4096
"""The nginx image's 1024 worker_connections, on a machine of four processors."""
IDLE_S = 65.0
"""How long a request may take to come, the next one of a connection too; nginx's keepalive_timeout."""
REQUESTS_MAX = 1000
"""On one connection (keepalive_requests)."""
REQUEST_BODY_BYTES_MAX = 1_048_576
"""client_max_body_size"""
SEND_S = 60.0
"""How long a response may take to go (send_timeout)."""
LINGER_S = 5.0
ACCEPT_PAUSE_S = 0.5
"""After an accept() that failed, as in nginx."""


@dataclass(frozen=True, slots=True)
class Request:
    """What came, and from where to where."""

    line: RequestLine
    text: str
    """The request line as it came."""
    headers: Headers
    local: tuple[str, int]
    remote: tuple[str, int]


@dataclass(frozen=True, slots=True)
class Access:
    """What the access log tells of one request; without header fields if it was none."""

    remote: tuple[str, int]
    text: str
    headers: Headers
    status: int
    body_bytes: int


@dataclass(frozen=True, slots=True)
class Page:
    """A response: plain text; ``headers`` are further header lines, each with its end."""

    body: bytes
    status: HTTPStatus = HTTPStatus.OK
    headers: str = ""


class Site(Protocol):
    """What a server serves, and how it talks of it."""

    headers: str
    """Header lines of its own, each with its end."""

    def page(self, request: Request) -> Page:
        """The answer."""

    def accessed(self, access: Access) -> None:
        """A request was answered."""

    def refused(self, reason: str) -> None:
        """A connection could not be served."""


class Server:
    """Serves one site from one listener."""

    def __init__(self, process: Process, listener: TcpListener, site: Site) -> None:
        self._process = process
        self._listener = listener
        self._site = site
        self._connections: dict[TcpStream, None] = {}
        self._bug: BaseException | None = None

    async def run(self) -> None:
        """Serve until the listener is closed."""
        scope = TaskScope(self._failed)
        try:
            while True:
                try:
                    stream = await self._listener.accept()
                except OSError as error:
                    if error.errno == errno.EBADF:
                        break
                    self._site.refused(f"accept() failed ({error.errno}: {error.strerror})")
                    await self._process.clock.sleep(ACCEPT_PAUSE_S)
                    continue
                if len(self._connections) >= CONNECTIONS_MAX:
                    stream.close()
                    self._site.refused(f"{CONNECTIONS_MAX} worker_connections are not enough")
                    continue
                self._connections[stream] = None
                scope.start(self._process.gated(self._serve, stream), f"connection from {stream.remote[0]}")
        finally:
            self._listener.close()
            await scope.close()
            for stream in list(self._connections):  # of tasks that were ended before they began
                stream.close()
        if self._bug is not None:
            raise self._bug

    def _failed(self, name: str, error: BaseException) -> None:
        self._bug = error
        self._listener.close()

    async def _serve(self, stream: TcpStream) -> None:
        """One connection."""
        reader = Reader(stream)
        try:
            for number in range(1, REQUESTS_MAX + 1):
                if not await self._exchange(stream, reader, is_last=number == REQUESTS_MAX):
                    break
            await self._linger(stream)
        except OSError:
            return  # the client has gone, or does not listen: TimeoutError is an OSError too
        finally:
            stream.close()
            del self._connections[stream]

    async def _exchange(self, stream: TcpStream, reader: Reader, *, is_last: bool) -> bool:
        """One request and its response; whether another may follow. Raises OSError."""
        text = ""
        try:
            async with asyncio.timeout(IDLE_S):
                text = await reader.line() or await reader.line()  # an empty one may be left from before
                line = http.request_line(text)
                headers = await http.read_headers(reader)
                await _skip_body(reader, headers)
            _check_host(line, headers)
        except BadMessage as error:
            await self._refuse(stream, text, error.status)
            return False
        except CutOff:
            if text or reader.has_begun:
                await self._refuse(stream, text, HTTPStatus.BAD_REQUEST)
            return False
        except TimeoutError:
            if text or reader.has_begun:
                self._log(stream, text, (), HTTPStatus.REQUEST_TIMEOUT, 0)
            return False
        page = self._site.page(Request(line, text, headers, stream.local, stream.remote))
        is_kept = not is_last and _wants_more(line, headers)
        shown = b"" if line.method == "HEAD" else page.body
        await _send(stream, self._head(page, is_kept=is_kept) + shown)
        self._log(stream, text, headers, page.status, len(shown))
        await self._process.stdout.drain()
        return is_kept

    async def _refuse(self, stream: TcpStream, text: str, status: HTTPStatus) -> None:
        page = plain(status)
        await _send(stream, self._head(page, is_kept=False) + page.body)
        self._log(stream, text, (), status, len(page.body))

    def _head(self, page: Page, *, is_kept: bool) -> bytes:
        text = (
            f"HTTP/1.1 {page.status.value} {page.status.phrase}\r\n"
            f"{self._site.headers}"
            f"Date: {formatdate(self._process.clock.wall(), usegmt=True)}\r\n"
            "Content-Type: text/plain\r\n"
            f"Content-Length: {len(page.body)}\r\n"
            f"{page.headers}"
            f"Connection: {'keep-alive' if is_kept else 'close'}\r\n\r\n"
        )
        return text.encode()

    def _log(
        self, stream: TcpStream, text: str, headers: Headers, status: HTTPStatus, body_bytes: int
    ) -> None:
        self._site.accessed(Access(stream.remote, text, headers, status.value, body_bytes))

    async def _linger(self, stream: TcpStream) -> None:
        """Read what still comes: closed with something unread, the client might lose the response to an RST.

        RFC 9112 section 9.6.
        """
        stream.finish()
        try:
            async with asyncio.timeout(LINGER_S):
                while await stream.read():
                    pass
        except TimeoutError:
            return


def plain(status: HTTPStatus, headers: str = "") -> Page:
    """A page that says its status and nothing else."""
    return Page(f"{status.value} {status.phrase}\n".encode(), status, headers)


async def _send(stream: TcpStream, data: bytes) -> None:
    async with asyncio.timeout(SEND_S):
        await stream.write(data)


async def _skip_body(reader: Reader, headers: Headers) -> None:
    body = Body(reader, headers, until_close=False)
    total = body.length or 0
    while total <= REQUEST_BODY_BYTES_MAX and (data := await body.read()):
        total += len(data) if body.length is None else 0
    if total > REQUEST_BODY_BYTES_MAX:
        raise BadMessage("too large a body", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)


def _check_host(line: RequestLine, headers: Headers) -> None:
    """RFC 9112 section 3.2: one Host, and never none in HTTP/1.1."""
    hosts = sum(name.lower() == "host" for name, _ in headers)
    if hosts > 1 or (hosts == 0 and line.minor >= 1):
        raise BadMessage("no Host, or several")


def _wants_more(line: RequestLine, headers: Headers) -> bool:
    """Whether the client will ask again on this connection (section 9.3)."""
    if line.minor == 0:
        return http.says(headers, "Connection", "keep-alive")
    return not http.says(headers, "Connection", "close")
