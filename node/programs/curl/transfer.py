"""One URL, fetched: through redirects, to standard output or a file (curl(1), EXIT CODES)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from urllib.parse import urljoin

from node.programs import fetch, http
from node.programs.curl.report import Facts
from node.programs.fetch import BadPort, BadUrl, Response, Url, parse_url
from node.programs.http import BadMessage, CutOff
from node.programs.process import NoSpace, Process
from node.programs.resolve import NoAddress, address_of
from node.stack.streams import TcpStream

VERSION = "8.14.1"
BAD_SCHEME, BAD_URL, NO_HOST, NO_CONNECTION, CUT_OFF, HTTP_ERROR, NO_WRITE = 1, 3, 6, 7, 18, 22, 23
TIMED_OUT, TOO_MANY_REDIRECTS, EMPTY, NO_RECEIVE = 28, 47, 52, 56
REDIRECTING = (301, 302, 303, 307, 308)
BECOMING_GET = (301, 302, 303)
"""After these a POST is not repeated."""


class Failed(Exception):
    """Why it did not work, with curl's exit code."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user asked for. ``redirects_max`` is None where none are followed."""

    url: str
    method: str
    is_head: bool
    data: bytes | None
    fields: tuple[tuple[str, str], ...]
    output: str
    shows_head: bool
    is_verbose: bool
    fails: bool
    fails_with_body: bool
    redirects_max: int | None
    connect_s: float
    total_s: float


class Transfer:
    """See the module. What is found out on the way goes into ``facts``."""

    def __init__(self, process: Process, wish: Wish, facts: Facts) -> None:
        self._process = process
        self._wish = wish
        self._facts = facts
        self._begun = process.clock.now()
        self._kept = b""
        self._data = wish.data

    @property
    def elapsed(self) -> float:
        """Seconds since the beginning."""
        return self._process.clock.now() - self._begun

    async def run(self) -> None:
        """Raises Failed."""
        try:
            async with asyncio.timeout(self._wish.total_s or None):
                await self._follow()
        except TimeoutError:
            facts = self._facts
            of = f" out of {facts.expected}" if facts.expected is not None and facts.http_code else ""
            took = round(self.elapsed * 1000)
            told = f"Operation timed out after {took} milliseconds with"
            raise Failed(TIMED_OUT, f"{told} {facts.size_download}{of} bytes received") from None
        finally:
            self._store()

    async def _follow(self) -> None:
        url, facts, limit = self._wish.url, self._facts, self._wish.redirects_max
        while True:
            facts.url_effective = url if "://" in url else f"http://{url}"
            target = await self._fetch(facts.url_effective)
            if not target or limit is None:
                return
            if facts.num_redirects >= limit:
                raise Failed(TOO_MANY_REDIRECTS, f"Maximum ({limit}) redirects followed")
            facts.num_redirects += 1
            facts.time_redirect = self.elapsed
            facts.redirect_url = ""
            self._tell(f"* Issue another request to this URL: '{target}'")
            url = target

    async def _fetch(self, text: str) -> str:
        """One request; where its response sends us. Raises Failed, TimeoutError."""
        url = _parsed(text)
        stream = await self._connect(url)
        try:
            return await self._exchange(stream, url)
        except CutOff as error:
            if error.missing_bytes:
                reason = f"transfer closed with {error.missing_bytes} bytes remaining to read"
                raise Failed(CUT_OFF, reason) from None
            raise Failed(EMPTY, "Empty reply from server") from None
        except BadMessage:
            raise Failed(1, "Received HTTP/0.9 when not allowed") from None
        except TimeoutError:
            raise
        except OSError as error:
            raise Failed(NO_RECEIVE, f"Recv failure: {error.strerror}") from None
        finally:
            stream.close()

    async def _connect(self, url: Url) -> TcpStream:
        facts, process = self._facts, self._process
        try:
            address = await address_of(process, url.host)
        except NoAddress:
            raise Failed(NO_HOST, f"Could not resolve host: {url.host}") from None
        facts.time_namelookup = self.elapsed
        begun = process.clock.now()
        try:
            async with asyncio.timeout(self._wish.connect_s):
                stream = await fetch.connect(process, address, url.tcp_port)
        except OSError as error:  # TimeoutError is one too
            took = round((process.clock.now() - begun) * 1000)
            is_late = isinstance(error, TimeoutError)
            why = "Timeout was reached" if is_late else "Could not connect to server"
            place = f"{url.host} port {url.tcp_port} after {took} ms"
            raise Failed(
                TIMED_OUT if is_late else NO_CONNECTION, f"Failed to connect to {place}: {why}"
            ) from None
        facts.num_connects += 1
        facts.time_connect = self.elapsed
        (facts.remote_ip, facts.remote_port), (facts.local_ip, facts.local_port) = stream.remote, stream.local
        self._tell(f"* Connected to {url.host} ({address}) port {url.tcp_port}")
        return stream

    async def _exchange(self, stream: TcpStream, url: Url) -> str:
        wish, facts = self._wish, self._facts
        usual = "HEAD" if wish.is_head else "GET" if self._data is None else "POST"
        facts.method = method = wish.method or usual
        fields = list(wish.fields)
        if self._data is None:
            fields = [field for field in fields if wish.data is None or field[0] != "Content-Type"]
        else:
            fields.insert(-1, ("Content-Length", str(len(self._data))))
        request = fetch.request_text(url, method, fields)
        for line in request.splitlines():
            self._tell(f"> {line}")
        facts.size_upload = len(self._data or b"")
        text = request + (self._data or b"").decode("latin-1")
        response = await fetch.ask(stream, text, "HEAD" if wish.is_head else method)
        self._note(response)
        target = _target(facts, response)
        head = [response.status_line, *(f"{name}: {value}" for name, value in response.headers), ""]
        for line in head:
            self._tell(f"< {line}")
        is_bad = response.status.status >= 400
        if wish.fails and is_bad:
            raise Failed(HTTP_ERROR, f"The requested URL returned error: {response.status.status}")
        if wish.shows_head:
            self._put("".join(f"{line}\r\n" for line in head).encode("latin-1"))
        follows = bool(target) and wish.redirects_max is not None
        while data := await response.body.read():
            if not follows:
                facts.size_download += len(data)
                self._put(data)
                await self._process.stdout.drain()
        if is_bad and wish.fails_with_body:
            raise Failed(HTTP_ERROR, f"The requested URL returned error: {response.status.status}")
        if follows and response.status.status in BECOMING_GET:
            self._data = None
        return target

    def _note(self, response: Response) -> None:
        facts = self._facts
        facts.time_starttransfer = self.elapsed
        facts.http_code = response.status.status
        facts.http_version = response.status_line[5:8].removesuffix(".0")
        facts.content_type = http.value(response.headers, "Content-Type")
        facts.num_headers = len(response.headers)
        facts.size_header += len(response.status_line) + 4
        facts.size_header += sum(len(name) + len(value) + 4 for name, value in response.headers)
        facts.expected = response.body.length

    def _put(self, data: bytes) -> None:
        if self._wish.output in ("", "-"):
            self._process.stdout.write(data)
        else:
            self._kept += data

    def _store(self) -> None:
        """What came, to its file. Raises Failed."""
        name = self._wish.output
        if name in ("", "-", "/dev/null") or not self._kept:
            return
        try:
            self._process.userland.files.write(self._process.path(name), self._kept)
        except NoSpace:
            raise Failed(NO_WRITE, "Failure writing output to destination") from None

    def _tell(self, line: str) -> None:
        if self._wish.is_verbose:
            self._process.stderr.write(f"{line}\n")


def _target(facts: Facts, response: Response) -> str:
    """Where a response sends us, as a whole URL; empty: nowhere."""
    location = http.value(response.headers, "Location")
    if response.status.status not in REDIRECTING or not location:
        return ""
    facts.redirect_url = urljoin(facts.url_effective, location)
    return facts.redirect_url


def _parsed(text: str) -> Url:
    try:
        return parse_url(text)
    except BadPort:
        raise Failed(BAD_URL, "URL using bad/illegal format or missing URL") from None
    except BadUrl:
        scheme, mark, _ = text.partition("://")
        if not mark:
            raise Failed(BAD_URL, "URL using bad/illegal format or missing URL") from None
        raise Failed(BAD_SCHEME, f'Protocol "{scheme}" not supported') from None
