"""traceroute: which routers a packet passes, by letting it live for one more of them each time.

    probe of one hop  -->  first router: time exceeded
    probe of two hops -->  second router: time exceeded
    ...
    probe of n hops   -->  the goal: port unreachable (datagrams), or an echo reply (-I)

Two faces: BusyBox's, in Alpine, which sends one probe after the other, and the one of
traceroute.sourceforge.net, elsewhere, which has sixteen under way.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass

from node.programs.options import (
    BadValue,
    MissingValue,
    OptionError,
    Options,
    busybox_complaint,
    read,
)
from node.programs.process import Process
from node.programs.resolve import NoAddress, address_of, name_of
from node.stack.echo import EchoReply
from node.wire import icmp

HOPS_MAX, PROBES = 30, 3
FIRST_PORT = 33_434
HEADERS_BYTES = 28
AT_ONCE = 16
MARKS = {
    icmp.NET_UNREACHABLE: "!N",
    icmp.HOST_UNREACHABLE: "!H",
    icmp.PROTOCOL_UNREACHABLE: "!P",
    icmp.FRAGMENTATION_NEEDED: "!F",
    icmp.ADMINISTRATIVELY_PROHIBITED: "!X",
}
BUSYBOX_USAGE = """\
Usage: traceroute [-In] [-f 1ST_TTL] [-m MAXTTL] [-q PROBES] [-p PORT] [-w WAIT_SEC] HOST [BYTES]

Trace the route to HOST

	-I	Use ICMP ECHO instead of UDP datagrams
	-n	Print numeric addresses
	-f N	First number of hops (default 1)
	-m N	Max number of hops
	-q N	Number of probes per hop (default 3)
	-p N	Base UDP port number used in probes (default 33434)
	-w N	Wait for a reply N seconds (default 3)
"""
USAGE = """\
Usage:
  traceroute [ -In ] [ -f first_ttl ] [ -m max_ttl ] [ -N squeries ] [ -p port ] [ -w MAX ] [ -q nqueries ] host [ packetlen ]
Options:
  -f first_ttl  --first=first_ttl
                              Start from the first_ttl hop (instead from 1)
  -I  --icmp                  Use ICMP ECHO for tracerouting
  -m max_ttl  --max-hops=max_ttl
                              Set the max number of hops (max TTL to be
                              reached). Default is 30
  -N squeries  --sim-queries=squeries
                              Set the number of probes to be tried
                              simultaneously (default is 16)
  -n                          Do not resolve IP addresses to their domain names
  -p port  --port=port        Set the destination port to use (incremented by
                              each probe, default is 33434)
  -w MAX  --wait=MAX          Wait for a probe no more than MAX (default 5.0)
                              seconds
  -q nqueries  --queries=nqueries
                              Set the number of probes per each hop. Default is
                              3
  --help                      Read this help and exit

Arguments:
+     host          The host to traceroute to
      packetlen     The full packet length (default is the length of an IP
                    header plus 40)
"""  # noqa: E501 - the original's first line is that long
LONG = ("icmp", "first=", "max-hops=", "sim-queries=", "port=", "wait=", "queries=", "help")


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for."""

    host: str
    address: str
    echo: bool
    numeric: bool
    first: int
    hops: int
    probes: int
    port: int
    wait_s: float
    at_once: int
    size: int
    """Bytes of a whole packet."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What came back; ``mark`` says why it went no further."""

    source: str
    at: float
    is_end: bool
    mark: str = ""


async def traceroute(process: Process) -> int:
    """The program."""
    is_busybox = process.userland.family == "busybox"
    try:
        options = read(process.arguments[1:], "Inf:m:q:p:w:N:", LONG)
        if options.has("--help") or not options.words:
            process.stderr.write(BUSYBOX_USAGE if is_busybox else USAGE)
            return int(is_busybox and not options.has("--help"))
        address = await address_of(process, options.words[0])
        wish = _wish(options, address, is_busybox=is_busybox)
    except OptionError as error:
        if is_busybox:
            return process.fail(f"{busybox_complaint('traceroute', error)}\n\n{BUSYBOX_USAGE}")
        return process.fail(_complaint(error, process.arguments), 2)
    except NoAddress as error:
        return _unknown(process, options.words[0], error)
    except WrongFigure as error:
        return process.fail(str(error), 1 if is_busybox else 2)
    head = f"traceroute to {wish.host} ({address}), {wish.hops} hops max, {wish.size} byte packets\n"
    if not is_busybox:
        process.stdout.write(head)
    try:
        probes = Probes(process, wish)
        try:
            probes.check()
            if is_busybox:
                process.stdout.write(head)
            await _trace(process, wish, probes)
        finally:
            probes.close()
    except OSError as error:
        if is_busybox:
            return process.fail(f"traceroute: can't connect to remote host ({address}): {error.strerror}")
        return process.fail(f"connect: {error.strerror}")
    return 0


class WrongFigure(Exception):
    """It is out of range, in the original's words."""


def _wish(options: Options, address: str, *, is_busybox: bool) -> Wish:
    hops = options.whole("-m", "--max-hops", default=HOPS_MAX)
    probes = options.whole("-q", "--queries", default=PROBES)
    first = options.whole("-f", "--first", default=1)
    size_text = options.words[1] if len(options.words) > 1 else ("46" if is_busybox else "60")
    if not 1 <= hops <= 255:
        raise WrongFigure("max hops cannot be more than 255" if hops else "first hop out of range")
    if not 1 <= probes <= 10:
        raise WrongFigure("no more than 10 probes per hop")
    if not 1 <= first <= hops:
        raise WrongFigure("first hop out of range")
    if not size_text.isdecimal() or not HEADERS_BYTES <= int(size_text) <= 1500:
        raise WrongFigure(f"traceroute: a packet of {size_text} bytes: between {HEADERS_BYTES} and 1500")
    return Wish(
        host=options.words[0],
        address=address,
        echo=options.has("-I", "--icmp"),
        numeric=options.has("-n"),
        first=first,
        hops=hops,
        probes=probes,
        port=options.whole("-p", "--port", default=FIRST_PORT),
        wait_s=options.seconds("-w", "--wait", default=3.0 if is_busybox else 5.0),
        at_once=1 if is_busybox else max(options.whole("-N", "--sim-queries", default=AT_ONCE), 1),
        size=int(size_text),
    )


def _complaint(error: OptionError, arguments: tuple[str, ...]) -> str:
    place = next(
        (index for index, word in enumerate(arguments) if index and word.startswith(error.option[:2])), 1
    )
    if isinstance(error, BadValue):
        return f"Cannot handle `{error.option}' option with arg `{error.value}' (argc {place + 1})"
    if isinstance(error, MissingValue):
        return f"Option `{error.option}' (argc {place}) requires an argument"
    return f"Bad option `{error.option}' (argc {place})"


def _unknown(process: Process, host: str, error: NoAddress) -> int:
    if process.userland.family == "busybox":
        return process.fail(f"traceroute: bad address '{host}'")
    reason = "Temporary failure in name resolution" if error.temporary else "Name or service not known"
    place = process.arguments.index(host)
    return process.fail(
        f'{host}: {reason}\nCannot handle "host" cmdline arg `{host}\' on position 1 (argc {place})', 2
    )


class Probes:
    """Sends probes, each with a number of its own, and hears what comes back for which."""

    def __init__(self, process: Process, wish: Wish) -> None:
        """Raises OSError."""
        self._process = process
        self._wish = wish
        self._waiting: dict[int, asyncio.Future[Heard]] = {}
        sandbox = process.sandbox
        self._echo = sandbox.echo_socket() if wish.echo else None
        self._udp = None if wish.echo else sandbox.udp_socket()
        if self._udp is not None:
            self._udp.report_errors()
            listeners = [process.start(self._hear_errors), process.start(self._hear_answers)]
        else:
            listeners = [process.start(self._hear_echoes)]
        self._listeners = listeners

    def check(self) -> None:
        """Raises OSError: there is no way to the goal."""
        self._process.sandbox.stack.output.path_to(bytes(map(int, self._wish.address.split("."))))

    def close(self) -> None:
        """Nothing more is wanted."""
        for listener in self._listeners:
            listener.cancel()
        for socket in (self._echo, self._udp):
            if socket is not None:
                socket.close()

    async def ask(self, number: int) -> tuple[Heard | None, float]:
        """Send a probe; what came back and when it had left, None if nothing did in time. OSError."""
        wish = self._wish
        hop = wish.first + number // wish.probes
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        begun = self._process.clock.now()
        payload = bytes(wish.size - HEADERS_BYTES)
        if self._echo is not None:
            self._echo.send(wish.address, number, payload, ttl=hop)
        elif self._udp is not None:
            self._udp.send(payload, (wish.address, self._port(number)), ttl=hop)
        try:
            async with asyncio.timeout(wish.wait_s):
                return await answer, begun
        except TimeoutError:
            return None, begun
        finally:
            del self._waiting[number]

    def _port(self, number: int) -> int:
        return (self._wish.port + number - 1) % 65_535 + 1

    def _heard(self, number: int, heard: Heard) -> None:
        waiting = self._waiting.get(number)
        if waiting is not None and not waiting.done():
            waiting.set_result(heard)

    async def _hear_errors(self) -> None:
        assert self._udp is not None
        while True:
            error = await self._udp.receive_error()
            is_port = (error.kind, error.code) == (icmp.UNREACHABLE, icmp.PORT_UNREACHABLE)
            mark = "" if is_port or error.kind != icmp.UNREACHABLE else _mark(error.code)
            heard = Heard(error.source, error.at, is_port or bool(mark), mark)
            self._heard(error.remote[1] - self._wish.port, heard)

    async def _hear_answers(self) -> None:
        """Somebody may listen on such a port, and answer."""
        assert self._udp is not None
        while True:
            _, sender = await self._udp.receive()
            heard = Heard(sender[0], self._process.clock.now(), is_end=True)
            self._heard(sender[1] - self._wish.port, heard)

    async def _hear_echoes(self) -> None:
        assert self._echo is not None
        while True:
            came = await self._echo.receive()
            is_reply = isinstance(came, EchoReply)
            mark = "" if isinstance(came, EchoReply) or came.kind != icmp.UNREACHABLE else _mark(came.code)
            self._heard(came.sequence, Heard(came.source, came.at, is_reply or bool(mark), mark))


def _mark(code: int) -> str:
    return MARKS.get(code, f"!<{code}>")


async def _trace(process: Process, wish: Wish, probes: Probes) -> None:
    """Hop by hop, some probes ahead of what is printed. Raises OSError."""
    total = (wish.hops - wish.first + 1) * wish.probes
    under_way: deque[asyncio.Task[tuple[Heard | None, float]]] = deque()
    sent = 0
    try:
        for hop in range(wish.first, wish.hops + 1):
            line = _Line(process, wish, hop)
            for _ in range(wish.probes):
                while sent < total and len(under_way) < wish.at_once:
                    under_way.append(process.start(probes.ask, sent))
                    sent += 1
                heard, begun = await under_way.popleft()
                await line.add(heard, begun)
            process.stdout.write("\n")
            if line.is_end:
                return
    finally:
        for task in under_way:
            task.cancel()


class _Line:
    """What is printed of one hop."""

    def __init__(self, process: Process, wish: Wish, hop: int) -> None:
        self.is_end = False
        self._process = process
        self._wish = wish
        self._known = ""
        self._is_busybox = process.userland.family == "busybox"
        process.stdout.write(f"{hop:2d}" if self._is_busybox else f"{hop:2d} ")

    async def add(self, heard: Heard | None, begun: float) -> None:
        """One more probe."""
        write = self._process.stdout.write
        gap = "  " if self._is_busybox else " "
        if heard is None:
            write(f"{gap}*")
            return
        self.is_end = self.is_end or heard.is_end
        if heard.source != self._known:
            self._known = heard.source
            name = None if self._wish.numeric else await name_of(self._process, heard.source)
            shown = heard.source if self._wish.numeric else f"{name or heard.source} ({heard.source})"
            write(f"{gap}{shown}")
        write(f"  {(heard.at - begun) * 1000:.3f} ms")
        if heard.mark:
            write(f" {heard.mark}")
