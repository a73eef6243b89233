"""HTTP/1.1 messages as they come from a TCP stream (RFC 9112): first line, header fields, body.

    GET / HTTP/1.1            Reader.line() -> request_line()       HTTP/1.1 200 OK  -> status_line()
    Host: web                 read_headers()                        ...
                              (an empty line)
    ...                       Body.read(), piece by piece

Servers and clients both read with this; whatever they send, they write as text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus

from node.stack.streams import TcpStream

LINE_BYTES_MAX = 8192
"""A request line, a header field, a chunk's size: as much as nginx takes."""
HEADERS_BYTES_MAX = 32_768
HEADERS_MAX = 100

_NAME = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_REQUEST_LINE = re.compile(rf"({_NAME}) ([\x21-\x7e]+) HTTP/(\d)\.(\d)")
_STATUS_LINE = re.compile(r"HTTP/1\.[01] (\d{3})(?: ([\t\x20-\x7e\x80-\xff]*))?")
_HEADER = re.compile(rf"({_NAME}):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*")
_CHUNK = re.compile(r"([0-9A-Fa-f]{1,8})[ \t]*(?:;.*)?")

Headers = tuple[tuple[str, str], ...]
"""Names and values in the order in which they came; bytes beyond ASCII as in Latin-1."""


class BadMessage(Exception):
    """It is no HTTP, or exceeds a limit. ``status`` is what a server answers to it."""

    def __init__(self, text: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(text)
        self.status = status


class CutOff(Exception):
    """The stream ended within a message; ``missing_bytes`` is what a body still lacks, if that is known."""

    def __init__(self, missing_bytes: int = 0) -> None:
        super().__init__("the connection ended within a message")
        self.missing_bytes = missing_bytes


@dataclass(frozen=True, slots=True)
class RequestLine:
    """What a client wants; ``minor`` is the x of HTTP/1.x."""

    method: str
    target: str
    minor: int


@dataclass(frozen=True, slots=True)
class StatusLine:
    """What a server says to it."""

    status: int
    reason: str


class Reader:
    """A stream, read in lines and pieces."""

    def __init__(self, stream: TcpStream) -> None:
        self._stream = stream
        self._buffer = bytearray()

    async def line(self) -> str:
        """A line without its end; CutOff where there is no whole one. Raises BadMessage, OSError."""
        while (index := self._buffer.find(b"\n", 0, LINE_BYTES_MAX)) < 0:
            if len(self._buffer) >= LINE_BYTES_MAX:
                raise BadMessage("a line is too long")
            if not await self._more():
                raise CutOff
        line = self._buffer[:index].removesuffix(b"\r")  # LF alone will do (RFC 9112 section 2.2)
        del self._buffer[: index + 1]
        return line.decode("latin-1")

    async def read(self, bytes_max: int) -> bytes:
        """What has come, at least one byte; empty at the end. Raises OSError."""
        if not self._buffer:
            await self._more()
        data = bytes(self._buffer[:bytes_max])
        del self._buffer[:bytes_max]
        return data

    @property
    def has_begun(self) -> bool:
        """Something of the next message has come."""
        return bool(self._buffer)

    async def _more(self) -> bool:
        data = await self._stream.read()
        self._buffer += data
        return bool(data)


def request_line(line: str) -> RequestLine:
    """Take a request's first line apart. Raises BadMessage."""
    match = _REQUEST_LINE.fullmatch(line)
    if match is None:
        raise BadMessage("no request line")
    if match[3] != "1" or match[4] not in "01":
        raise BadMessage("another version of HTTP", HTTPStatus.HTTP_VERSION_NOT_SUPPORTED)
    return RequestLine(match[1], match[2], int(match[4]))


def status_line(line: str) -> StatusLine:
    """Take a response's first line apart. Raises BadMessage."""
    match = _STATUS_LINE.fullmatch(line)
    if match is None:
        raise BadMessage("no status line")
    return StatusLine(int(match[1]), match[2] or "")


async def read_headers(reader: Reader) -> Headers:
    """Header fields up to the empty line. Raises BadMessage, CutOff, OSError."""
    headers: list[tuple[str, str]] = []
    size = 0
    while line := await reader.line():
        size += len(line)
        if len(headers) >= HEADERS_MAX or size > HEADERS_BYTES_MAX:
            raise BadMessage("too many header fields", HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        match = _HEADER.fullmatch(line)
        if match is None:
            raise BadMessage("no header field")
        headers.append((match[1], match[2]))
    return tuple(headers)


def values(headers: Headers, name: str) -> list[str]:
    """Every value of a header field, lists taken apart at their commas."""
    found = [value for each, value in headers if each.lower() == name.lower()]
    return [item.strip() for value in found for item in value.split(",") if item.strip()]


def value(headers: Headers, name: str, default: str = "") -> str:
    """The first value of a header field, whole."""
    return next((value for each, value in headers if each.lower() == name.lower()), default)


def says(headers: Headers, name: str, word: str) -> bool:
    """Whether a header field lists a word."""
    return word in [item.lower() for item in values(headers, name)]


class Body:
    """What follows the header fields, as long as they say (RFC 9112 section 6)."""

    def __init__(self, reader: Reader, headers: Headers, *, until_close: bool) -> None:
        """``until_close``: where no length is told, it lasts as long as the connection; else it is empty.

        Raises BadMessage.
        """
        self._reader = reader
        self.length = _length(headers)
        """In bytes, None where the header fields do not tell."""
        codings = [item.lower() for item in values(headers, "Transfer-Encoding")]
        if codings not in ([], ["chunked"]):
            raise BadMessage("an unknown transfer coding", HTTPStatus.NOT_IMPLEMENTED)
        self._is_chunked = bool(codings)
        if self._is_chunked and self.length is not None:
            raise BadMessage("two lengths")  # which one counts is how requests are smuggled (section 11.2)
        self._left: int | None
        if self._is_chunked:
            self._left = 0
        else:
            self._left = None if self.length is None and until_close else self.length or 0
        self._is_first_chunk = True
        self._is_over = False

    async def read(self) -> bytes:
        """The next piece; empty at the end. Raises BadMessage, CutOff, OSError."""
        if self._is_chunked and not self._left and not self._is_over:
            await self._next_chunk()
        if self._left == 0:
            return b""
        data = await self._reader.read(65_536 if self._left is None else self._left)
        if self._left is not None:
            if not data:
                raise CutOff(self._left)
            self._left -= len(data)
        return data

    async def _next_chunk(self) -> None:
        if not self._is_first_chunk and await self._reader.line():
            raise BadMessage("a chunk is longer than it says")
        self._is_first_chunk = False
        match = _CHUNK.fullmatch(await self._reader.line())
        if match is None:
            raise BadMessage("no size of a chunk")
        self._left = int(match[1], 16)
        if self._left == 0:
            self._is_over = True
            await read_headers(self._reader)  # trailers, which nobody here wants


def _length(headers: Headers) -> int | None:
    found = values(headers, "Content-Length")
    if not found:
        return None
    if len(found) > 1 or not re.fullmatch(r"[0-9]{1,15}", found[0]):
        raise BadMessage("no length")
    return int(found[0])
