"""wget, as busybox has it (networking/wget.c)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from urllib.parse import urljoin

from node.programs import fetch, http
from node.programs.fetch import BadPort, BadUrl, Response, Url, parse_url
from node.programs.http import BadMessage, CutOff
from node.programs.options import BadValue, OptionError, busybox_complaint, read
from node.programs.process import NoSpace, Process
from node.programs.resolve import NoAddress, address_of
from node.stack.streams import TcpStream

TIMEOUT_S = 900.0
"""busybox's own."""
REDIRECTIONS_MAX = 5
AGENT = "Wget"
FORM = "application/x-www-form-urlencoded"
LONG = ("spider", "header=", "post-data=", "no-check-certificate", "user-agent=", "timeout=", "quiet", "help")
USAGE = """\
Usage: wget [-cqS] [--spider] [-O FILE] [--header STR]
	[--post-data STR] [-P DIR] [-U AGENT] [-T SEC] URL...

Retrieve files via HTTP

	--spider	Only check URL existence: $? is 0 if exists
	--header STR	Add STR (of form 'header: value') to headers
	--post-data STR	Send STR using POST method
	-c		Continue retrieval of aborted transfer
	-q		Quiet
	-P DIR		Save to DIR (default .)
	-S    		Show server response
	-T SEC		Network read timeout is SEC seconds
	-O FILE		Save to FILE ('-' for stdout)
	-U STR		Use STR for User-Agent header
"""


class Failed(Exception):
    """Why a file could not be fetched, in busybox's words."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user asked for, whatever the URL."""

    fields: tuple[tuple[str, str], ...]
    output: str
    directory: str
    data: str | None
    timeout_s: float
    is_quiet: bool
    is_spider: bool
    is_continued: bool
    shows_response: bool


async def wget(process: Process) -> int:
    """The program."""
    try:
        options = read(process.arguments[1:], "cqSO:T:U:P:", LONG)
        given = [text.partition(":")[::2] for text in options.all("--header")]
        wish = Wish(
            fields=(
                ("User-Agent", options.text("-U", "--user-agent", default=AGENT)),
                *((name.strip(), value.strip()) for name, value in given),
                ("Connection", "close"),
            ),
            output=options.text("-O"),
            directory=options.text("-P"),
            data=options.text("--post-data") if options.has("--post-data") else None,
            timeout_s=options.seconds("-T", "--timeout", default=TIMEOUT_S),
            is_quiet=options.has("-q", "--quiet"),
            is_spider=options.has("--spider"),
            is_continued=options.has("-c"),
            shows_response=options.has("-S"),
        )
    except BadValue as error:
        return process.fail(f"wget: invalid number '{error.value}'")
    except OptionError as error:
        return process.fail(f"{busybox_complaint('wget', error)}\n\n{USAGE}")
    if options.has("--help") or not options.words:
        return process.fail(USAGE.rstrip(), 0 if options.has("--help") else 1)
    for text in options.words:
        try:
            async with asyncio.timeout(wish.timeout_s):
                await _fetch(process, parse_url(text), wish)
        except BadPort as error:
            return process.fail(f"wget: bad port '{error}'")
        except BadUrl:
            return process.fail(f"wget: not an http or ftp url: {text}")
        except TimeoutError:
            return process.fail("wget: download timed out")
        except (Failed, NoSpace) as error:
            return process.fail(f"wget: {error}")
    return 0


async def _fetch(process: Process, url: Url, wish: Wish) -> None:
    """One file, through redirections; it is named after the first URL.

    Raises Failed, NoSpace, BadUrl, TimeoutError.
    """
    name = wish.output or url.target.partition("?")[0].rpartition("/")[2] or "index.html"
    if wish.directory and not wish.output:
        name = f"{wish.directory.rstrip('/')}/{name}"
    path = process.path(name)
    is_kept = not wish.output and not wish.is_spider
    if is_kept and not wish.is_continued and process.userland.files.read(path) is not None:
        raise Failed(f"can't open '{name}': File exists")
    for _ in range(REDIRECTIONS_MAX + 1):
        stream = await _connect(process, url, wish)
        try:
            target = await _exchange(process, stream, url, wish, name)
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
        if not target:
            return
        url = parse_url(urljoin(f"http://{url.authority}{url.target}", target))
    raise Failed("too many redirections")


async def _connect(process: Process, url: Url, wish: Wish) -> TcpStream:
    try:
        address = await address_of(process, url.host)
    except NoAddress:
        raise Failed(f"bad address '{url.host}'") from None
    _say(process, wish, f"Connecting to {url.authority} ({address}:{url.tcp_port})")
    try:
        return await fetch.connect(process, address, url.tcp_port)
    except OSError as error:
        raise Failed(f"can't connect to remote host ({address}): {error.strerror}") from None


async def _exchange(process: Process, stream: TcpStream, url: Url, wish: Wish, name: str) -> str:
    """One request; where its response sends us, or empty: it was done. Failed, NoSpace, OSError, ..."""
    fields, method, body = list(wish.fields), "HEAD" if wish.is_spider else "GET", ""
    if wish.data is not None and not wish.is_spider:
        method, body = "POST", wish.data
        fields += [("Content-Type", FORM), ("Content-Length", str(len(body.encode())))]
    request = fetch.request_text(url, method, fields) + body.encode().decode("latin-1")
    response = await fetch.ask(stream, request, method)
    if wish.shows_response:
        lines = [response.status_line, *(f"{field}: {value}" for field, value in response.headers), ""]
        process.stderr.write("".join(f"  {line}\n" for line in lines))
    status = response.status.status
    location = http.value(response.headers, "Location")
    if status in (301, 302, 303, 307, 308) and location:
        return location
    if status >= 300:
        raise Failed(f"server returned error: {response.status_line}")
    if wish.is_spider:
        _say(process, wish, "remote file exists")
        return ""
    to_stdout = name == "-"
    _say(process, wish, "writing to stdout" if to_stdout else f"saving to '{name}'")
    size = await _save(process, response, "" if to_stdout else process.path(name))
    if size:
        _say(process, wish, f"{name.rpartition('/')[2][:20]:<20} 100% |{'*' * 32}| {size:>5}  0:00:00 ETA")
    _say(process, wish, "written to stdout" if to_stdout else f"'{name}' saved")
    return ""


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


def _say(process: Process, wish: Wish, text: str) -> None:
    if not wish.is_quiet:
        process.stderr.write(f"{text}\n")
