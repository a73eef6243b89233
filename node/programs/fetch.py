"""One HTTP request and its response, for wget and curl: URL --> address --> connection --> response."""

from __future__ import annotations

import re
from dataclasses import dataclass

from node.programs.http import Body, Headers, Reader, StatusLine, read_headers, status_line
from node.programs.process import Process
from node.stack.streams import TcpStream

_URL = re.compile(r"(?:(\w+)://)?([^/:?#\s]+)(?::(\d{1,5}))?([/?][^#\s]*)?(?:#\S*)?")


class BadUrl(Exception):
    """It names nothing that can be fetched here."""


class BadPort(BadUrl):
    """Its port is no port; the text is what stands there."""


@dataclass(frozen=True, slots=True)
class Url:
    """Where to ask, and for what."""

    host: str
    tcp_port: int
    target: str

    @property
    def authority(self) -> str:
        """As the Host field has it."""
        return self.host if self.tcp_port == 80 else f"{self.host}:{self.tcp_port}"


@dataclass(frozen=True, slots=True)
class Response:
    """What a server said, and what it still has to say."""

    status_line: str
    status: StatusLine
    headers: Headers
    body: Body


def parse_url(text: str) -> Url:
    """ "web", "http://web:8080/page". Raises BadUrl, BadPort."""
    match = _URL.fullmatch(text)
    if match is None or (match[1] or "http").lower() != "http":
        raise BadUrl(text)
    if not 0 < int(match[3] or 80) <= 65_535:
        raise BadPort(match[3])
    target = match[4] or "/"
    return Url(match[2], int(match[3] or 80), target if target.startswith("/") else f"/{target}")


def request_text(url: Url, method: str, headers: list[tuple[str, str]]) -> str:
    """A request as it goes over the wire; the last one of its connection."""
    fields = [("Host", url.authority), *headers]
    return "".join((f"{method} {url.target} HTTP/1.1\r\n", *(f"{n}: {v}\r\n" for n, v in fields), "\r\n"))


async def ask(stream: TcpStream, request: str, method: str) -> Response:
    """Send a request and read the head of its response. Raises BadMessage, CutOff, OSError."""
    await stream.write(request.encode("latin-1"))
    reader = Reader(stream)
    line = await reader.line()
    status = status_line(line)
    headers = await read_headers(reader)
    is_empty = method == "HEAD" or status.status in (204, 304)
    body = Body(reader, () if is_empty else headers, until_close=not is_empty)
    return Response(line, status, headers, body)


async def connect(process: Process, address: str, tcp_port: int) -> TcpStream:
    """Raises OSError."""
    return await process.sandbox.connect_tcp(address, tcp_port)
