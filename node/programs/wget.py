"""wget, as busybox has it."""

from __future__ import annotations

import argparse
import asyncio

from node.programs import fetch
from node.programs.arguments import Parser, UsageError
from node.programs.fetch import BadPort, BadUrl, Response, Url, parse_url
from node.programs.http import BadMessage, CutOff
from node.programs.process import NoSpace, Process
from node.programs.resolve import NoAddress, address_of

TIMEOUT_S = 900.0
"""busybox's own."""
AGENT = "Wget"
USAGE = "Usage: wget [-cqS] [--spider] [-O FILE] [-T SEC] [--header STR] URL..."


async def wget(process: Process) -> int:
    """The program."""
    parser = Parser("wget")
    for flag in ("-q", "-c", "-S", "--spider"):
        parser.add_argument(flag, action="store_true")
    parser.add_argument("-O", default="")
    parser.add_argument("-T", type=float, default=TIMEOUT_S)
    parser.add_argument("-U", default=AGENT)
    parser.add_argument("--header", action="append", default=[])
    parser.add_argument("urls", nargs="+")
    try:
        options = parser.parse(process.arguments[1:])
    except UsageError as error:
        return process.fail(f"wget: {error}\n{USAGE}")
    for text in options.urls:
        try:
            url = parse_url(text)
            async with asyncio.timeout(options.T):
                await _fetch(process, url, options)
        except BadPort as error:
            return process.fail(f"wget: bad port '{error}'")
        except BadUrl:
            return process.fail(f"wget: not an http or ftp url: {text}")
        except TimeoutError:
            return process.fail("wget: download timed out")
        except (Failed, NoSpace) as error:
            return process.fail(f"wget: {error}")
    return 0


class Failed(Exception):
    """Why a file could not be fetched, in busybox's words."""


async def _fetch(process: Process, url: Url, options: argparse.Namespace) -> None:
    name = options.O or url.target.partition("?")[0].rpartition("/")[2] or "index.html"
    to_stdout = name == "-"
    path = "" if to_stdout else process.path(name)
    if not options.O and not options.spider and process.userland.files.read(path) is not None:
        raise Failed(f"can't open '{name}': File exists")
    try:
        address = await address_of(process, url.host)
    except NoAddress:
        raise Failed(f"bad address '{url.host}'") from None
    _say(process, options, f"Connecting to {url.authority} ({address}:{url.tcp_port})")
    try:
        stream = await fetch.connect(process, address, url.tcp_port)
    except OSError as error:
        raise Failed(f"can't connect to remote host ({address}): {error.strerror}") from None
    try:
        fields = [
            ("User-Agent", options.U),
            *(_field(text) for text in options.header),
            ("Connection", "close"),
        ]
        method = "HEAD" if options.spider else "GET"
        response = await fetch.ask(stream, fetch.request_text(url, method, fields), method)
        if response.status.status >= 300:
            raise Failed(f"server returned error: {response.status_line}")
        if options.spider:
            _say(process, options, "remote file exists")
            return
        _say(process, options, "writing to stdout" if to_stdout else f"saving to '{name}'")
        size = await _save(process, response, path)
        if size:
            _say(process, options, f"{name[:20]:<20} 100% |{'*' * 32}| {size:>5}  0:00:00 ETA")
        _say(process, options, "written to stdout" if to_stdout else f"'{name}' saved")
    except CutOff as error:
        reason = "connection closed prematurely" if error.missing_bytes else "error getting response"
        raise Failed(reason) from None
    except BadMessage:
        raise Failed("error getting response") from None
    except TimeoutError:
        raise
    except OSError as error:
        raise Failed(f"error getting response: {error.strerror}") from None
    finally:
        stream.close()


async def _save(process: Process, response: Response, path: str) -> int:
    """To standard output, or to a file; how many bytes. Raises BadMessage, CutOff, OSError, NoSpace."""
    size, kept = 0, b""
    while data := await response.body.read():
        size += len(data)
        if path:
            kept += data
            process.userland.files.write(path, kept)
        else:
            process.stdout.write(data)
            await process.stdout.drain()
    if path and not kept:
        process.userland.files.write(path, b"")
    return size


def _field(text: str) -> tuple[str, str]:
    name, _, value = text.partition(":")
    return name.strip(), value.strip()


def _say(process: Process, options: argparse.Namespace, text: str) -> None:
    if not options.q:
        process.stderr.write(f"{text}\n")
