"""The command line of curl(1)."""

from __future__ import annotations

import base64

from node.programs.curl.report import Facts, Meter, written_out
from node.programs.curl.transfer import (
    VERSION,
    Failed,
    Transfer,
    Wish,
)
from node.programs.options import BadValue, MissingValue, OptionError, Options, read
from node.programs.process import Process

HINT = "curl: try 'curl --help' or 'curl --manual' for more information"
USAGE_ERROR = 2
CONNECT_S = 300.0
REDIRECTS_MAX = 50
FORM = "application/x-www-form-urlencoded"
SHORT = "sSiIfvVLkOGgN4o:w:m:X:A:H:d:u:e:b:h"
LONG = (
    *("silent", "show-error", "include", "head", "fail", "fail-with-body", "verbose", "version", "location"),
    *("insecure", "remote-name", "get", "globoff", "no-buffer", "ipv4", "no-progress-meter", "help"),
    *("output=", "write-out=", "max-time=", "connect-timeout=", "max-redirs=", "request=", "user-agent="),
    *("header=", "data=", "data-raw=", "data-binary=", "data-ascii=", "json=", "user=", "referer=", "url="),
    *("cookie=", "http1.1"),
)
USAGE = """\
Usage: curl [options...] <url>
 -A, --user-agent <name>    Send User-Agent <name> to server
 -b, --cookie <data>        Send cookies from string
     --connect-timeout <seconds> Maximum time allowed for connection
 -d, --data <data>          HTTP POST data
 -f, --fail                 Fail fast with no output on HTTP errors
 -G, --get                  Put the post data in the URL and use GET
 -H, --header <header>      Pass custom header(s) to server
 -h, --help                 Get help for commands
 -i, --include              Include protocol response headers in the output
 -I, --head                 Show document info only
 -L, --location             Follow redirects
     --max-redirs <num>     Maximum number of redirects allowed
 -m, --max-time <seconds>   Maximum time allowed for transfer
 -o, --output <file>        Write to file instead of stdout
 -O, --remote-name          Write output to a file named as the remote file
 -s, --silent               Silent mode
 -S, --show-error           Show error even when -s is used
 -u, --user <user:password> Server user and password
 -v, --verbose              Make the operation more talkative
 -V, --version              Show version number and quit
 -w, --write-out <format>   Use output FORMAT after completion
 -X, --request <method>     Specify request method to use
"""


async def curl(process: Process) -> int:
    """The program."""
    try:
        options = read(process.arguments[1:], SHORT, LONG)
        if options.has("-h", "--help"):
            process.stdout.write(USAGE)
            return 0
        if options.has("-V", "--version"):
            process.stdout.write(f"curl {VERSION} (a program of a simulated container)\n")
            return 0
        urls = [*options.all("--url"), *options.words]
        if not urls:
            return process.fail(f"curl: (2) no URL specified\n{HINT}", USAGE_ERROR)
        wishes = [_wish(process, options, url, index) for index, url in enumerate(urls)]
    except OptionError as error:
        return process.fail(f"curl: option {_complaint(error)}\n{HINT}", USAGE_ERROR)
    except TwoMethods:
        return process.fail(
            "Warning: You can only select one HTTP request method! You asked for both POST \n"
            "Warning: (-d, --data) and HEAD (-I, --head).",
            USAGE_ERROR,
        )
    code = 0
    for wish in wishes:
        code = await _fetch(process, options, wish)
    return code


class TwoMethods(Exception):
    """-d and -I at once."""


async def _fetch(process: Process, options: Options, wish: Wish) -> int:
    """One URL, with what is told of it; the exit code."""
    is_silent = options.has("-s", "--silent")
    hides = is_silent or (options.has("--no-progress-meter", "-I", "--head") and not wish.output)
    meter = Meter(process, is_wanted=not hides and (bool(wish.output) or not process.tty))
    facts = Facts(wish.url)
    transfer = Transfer(process, wish, facts)
    meter.begin(facts)
    try:
        await transfer.run()
    except Failed as error:
        facts.exitcode, facts.errormsg = error.code, str(error)
    finally:
        facts.time_total = transfer.elapsed
        meter.end(facts)
    if facts.exitcode and (not is_silent or options.has("-S", "--show-error")):
        process.stderr.write(f"curl: ({facts.exitcode}) {facts.errormsg}\n")
    if form := options.text("-w", "--write-out"):
        written_out(process, form, facts)
    return facts.exitcode


def _wish(process: Process, options: Options, url: str, index: int) -> Wish:
    data = _data(process, options)
    is_head = options.has("-I", "--head")
    is_query = options.has("-G", "--get")
    if data is not None and is_head and not is_query:
        raise TwoMethods
    if data is not None and is_query:
        url += ("&" if "?" in url else "?") + data.decode("latin-1")
        data = None
    names = options.all("-o", "--output")
    output = names[index] if index < len(names) else ""
    if options.has("-O", "--remote-name") and not output:
        output = url.partition("://")[2].partition("?")[0].partition("/")[2].rpartition("/")[2]
        if not output:
            raise_name_missing(process)
    return Wish(
        url=url,
        method=options.text("-X", "--request"),
        is_head=is_head,
        data=data,
        fields=_fields(options, has_data=data is not None),
        output=output,
        shows_head=options.has("-i", "--include") or is_head,
        is_verbose=options.has("-v", "--verbose"),
        fails=options.has("-f", "--fail"),
        fails_with_body=options.has("--fail-with-body"),
        redirects_max=_redirects(options),
        connect_s=options.seconds("--connect-timeout", default=CONNECT_S) or CONNECT_S,
        total_s=options.seconds("-m", "--max-time", default=0.0),
    )


def raise_name_missing(process: Process) -> None:
    """-O of a URL that ends with a slash. Raises BadValue after the warning."""
    process.stderr.write("curl: Remote file name has no length!\n")
    raise BadValue("-O", "")


def _redirects(options: Options) -> int | None:
    """How many are followed; None for none at all."""
    if not options.has("-L", "--location"):
        return None
    text = options.text("--max-redirs", default=str(REDIRECTS_MAX))
    return 1_000_000 if text == "-1" else options.whole("--max-redirs", default=REDIRECTS_MAX)


def _data(process: Process, options: Options) -> bytes | None:
    """What is posted; several pieces are joined. "@name" means a file."""
    pieces: list[bytes] = []
    for name, value in options.given:
        if name not in ("-d", "--data", "--data-ascii", "--data-binary", "--data-raw", "--json"):
            continue
        piece = value.encode()
        if value.startswith("@") and name != "--data-raw":
            piece = process.userland.files.read(process.path(value[1:])) or b""
            piece = piece if name == "--data-binary" else piece.replace(b"\r", b"").replace(b"\n", b"")
        pieces.append(piece)
    return b"&".join(pieces) if pieces else None


def _fields(options: Options, *, has_data: bool) -> tuple[tuple[str, str], ...]:
    """Header fields: curl's own, unless the user gives them otherwise, and the user's."""
    own = {"User-Agent": options.text("-A", "--user-agent", default=f"curl/{VERSION}"), "Accept": "*/*"}
    if user := options.text("-u", "--user"):
        own = {"Authorization": f"Basic {base64.b64encode(user.encode()).decode()}", **own}
    if referer := options.text("-e", "--referer"):
        own["Referer"] = referer
    if cookie := options.text("-b", "--cookie"):
        own["Cookie"] = cookie
    if options.has("--json"):
        own |= {"Content-Type": "application/json", "Accept": "application/json"}
    elif has_data:
        own["Content-Type"] = FORM
    given = [text.partition(":")[::2] for text in options.all("-H", "--header") if ":" in text]
    taken = {name.strip().lower() for name, _ in given}
    kept = [(name, value) for name, value in own.items() if name.lower() not in taken]
    return (*kept, *((name.strip(), value.strip()) for name, value in given if value.strip()))


def _complaint(error: OptionError) -> str:
    if isinstance(error, MissingValue):
        return f"{error.option}: requires parameter"
    if isinstance(error, BadValue):
        return f"{error.option}: expected a proper numerical parameter"
    return f"{error.option}: is unknown"
