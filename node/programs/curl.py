"""curl: requests over HTTP, with its exit codes (curl(1), EXIT CODES)."""

from __future__ import annotations

import argparse
import asyncio
import re

from node.programs import fetch
from node.programs.arguments import Parser, UsageError
from node.programs.fetch import BadPort, BadUrl, Response, Url, parse_url
from node.programs.http import BadMessage, CutOff
from node.programs.process import NoSpace, Process
from node.programs.resolve import NoAddress, address_of
from node.stack.streams import TcpStream

VERSION = "8.14.1"
HINT = "curl: try 'curl --help' or 'curl --manual' for more information"
CONNECT_S = 300.0
BAD_SCHEME, NO_URL, BAD_URL, NO_HOST, NO_CONNECTION, HTTP_ERROR, NO_WRITE = 1, 2, 3, 6, 7, 22, 23
TIMED_OUT, TOO_MANY_REDIRECTS, EMPTY, NO_RECEIVE = 28, 47, 52, 56
CUT_OFF = 18


class Failed(Exception):
    """Why it did not work, with curl's exit code."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


async def curl(process: Process) -> int:
    """The program."""
    try:
        options = _parser().parse(process.arguments[1:])
    except UsageError as error:
        return process.fail(
            f"curl: {error}\ncurl: try 'curl --help' or 'curl --manual' for more information", 2
        )
    if options.V:
        process.stdout.write(f"curl {VERSION} (a program of a simulated container)\n")
        return 0
    code = 0
    for text in options.urls:
        begun = process.clock.now()
        try:
            code = await _within(process, text, options, begun)
        except Failed as error:
            code = error.code
            if not options.s or options.S:
                process.stderr.write(f"curl: ({code}) {error}\n")
    return code if options.urls else process.fail("curl: (2) no URL specified", NO_URL)


def _parser() -> Parser:
    parser = Parser("curl")
    for names in (("-s", "--silent"), ("-S", "--show-error"), ("-i", "--include"), ("-I", "--head")):
        parser.add_argument(*names, action="store_true", dest=names[0][1])
    for names in (("-f", "--fail"), ("-v", "--verbose"), ("-V", "--version"), ("-L", "--location")):
        parser.add_argument(*names, action="store_true", dest=names[0][1])
    parser.add_argument("-o", "--output", default="", dest="o")
    parser.add_argument("-w", "--write-out", default="", dest="w")
    parser.add_argument("-m", "--max-time", type=float, default=0.0, dest="m")
    parser.add_argument("-X", "--request", default="", dest="X")
    parser.add_argument("-A", "--user-agent", default=f"curl/{VERSION}", dest="A")
    parser.add_argument("-H", "--header", action="append", default=[], dest="H")
    parser.add_argument("--connect-timeout", type=float, default=CONNECT_S, dest="connect_timeout")
    parser.add_argument("urls", nargs="*")
    return parser


async def _within(process: Process, text: str, options: argparse.Namespace, begun: float) -> int:
    try:
        async with asyncio.timeout(options.m or None):
            return await _fetch(process, text, options)
    except TimeoutError:
        took = round((process.clock.now() - begun) * 1000)
        raise Failed(
            TIMED_OUT, f"Operation timed out after {took} milliseconds with 0 bytes received"
        ) from None


async def _fetch(process: Process, text: str, options: argparse.Namespace) -> int:
    try:
        url = parse_url(text)
    except BadPort:
        raise Failed(BAD_URL, "URL using bad/illegal format or missing URL") from None
    except BadUrl:
        scheme = text.partition("://")[0]
        raise Failed(BAD_SCHEME, f'Protocol "{scheme}" not supported') from None
    try:
        address = await address_of(process, url.host)
    except NoAddress:
        raise Failed(NO_HOST, f"Could not resolve host: {url.host}") from None
    begun = process.clock.now()
    try:
        async with asyncio.timeout(options.connect_timeout):
            stream = await fetch.connect(process, address, url.tcp_port)
    except TimeoutError:
        took = round((process.clock.now() - begun) * 1000)
        place = f"{url.host} port {url.tcp_port} after {took} ms"
        raise Failed(TIMED_OUT, f"Failed to connect to {place}: Timeout was reached") from None
    except OSError:
        took = round((process.clock.now() - begun) * 1000)
        place = f"{url.host} port {url.tcp_port} after {took} ms"
        raise Failed(NO_CONNECTION, f"Failed to connect to {place}: Could not connect to server") from None
    _tell(process, options, f"* Connected to {url.host} ({address}) port {url.tcp_port}")
    try:
        return await _exchange(process, stream, url, options)
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


async def _exchange(process: Process, stream: TcpStream, url: Url, options: argparse.Namespace) -> int:
    method = options.X or ("HEAD" if options.I else "GET")
    given = [(name.strip(), value.strip()) for name, _, value in (text.partition(":") for text in options.H)]
    fields = [("User-Agent", options.A), ("Accept", "*/*"), *given]
    request = fetch.request_text(url, method, fields)
    for line in request.splitlines():
        _tell(process, options, f"> {line}")
    response = await fetch.ask(stream, request, method)
    head = [response.status_line, *(f"{name}: {value}" for name, value in response.headers), ""]
    for line in head:
        _tell(process, options, f"< {line}")
    if options.L and 300 <= response.status.status < 400:
        raise Failed(TOO_MANY_REDIRECTS, "Maximum (0) redirects followed")
    if options.f and response.status.status >= 400:
        raise Failed(HTTP_ERROR, f"The requested URL returned error: {response.status.status}")
    shown = "".join(f"{line}\r\n" for line in head).encode("latin-1") if options.i or options.I else b""
    await _put(process, response, shown, options.o)
    if options.w:
        process.stdout.write(_written_out(options.w, response))
    return 0


async def _put(process: Process, response: Response, head: bytes, name: str) -> None:
    """Header fields, where they are wanted, and the body: to standard output or a file."""
    kept = head
    if not name:
        process.stdout.write(head)
    while data := await response.body.read():
        if name:
            kept += data
        else:
            process.stdout.write(data)
            await process.stdout.drain()
    if name and name != "/dev/null":
        try:
            process.userland.files.write(process.path(name), kept)
        except NoSpace:
            raise Failed(NO_WRITE, "Failure writing output to destination") from None


def _written_out(text: str, response: Response) -> str:
    """The variables of -w that are known here, and its escapes."""
    known = {"http_code": f"{response.status.status:03}", "response_code": f"{response.status.status:03}"}
    filled = re.sub(r"%\{(\w+)\}", lambda match: known.get(match[1], ""), text)
    return filled.replace("\\n", "\n").replace("\\t", "\t")


def _tell(process: Process, options: argparse.Namespace, line: str) -> None:
    if options.v:
        process.stderr.write(f"{line}\n")
