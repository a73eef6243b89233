"""nc as Debian, Ubuntu and netshoot have it (netcat-openbsd): ports in ranges, -N, -k, its own words.

What differs from busybox's: the end of standard input does not end the connection unless -N says so, and
nothing is said of a refusal without -v.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from node.programs.options import BadValue, OptionError, Options, complaint, read
from node.programs.process import Process
from node.programs.resolve import NoAddress, address_of
from node.stack.sockets import UdpSocket
from node.stack.streams import TcpListener, TcpStream

ANY_ADDRESS = "0.0.0.0"  # noqa: S104 - in a simulated sandbox
READ_BYTES_MAX = 65_536
UDP_PROBES = 4
UDP_PROBE_INTERVAL_S = 1.0
USAGE = (
    "usage: nc [-46CDdFhklNnrStUuvZz] [-I length] [-i interval] [-M ttl]\n"
    "\t  [-m minttl] [-O length] [-P proxy_username] [-p source_port]\n"
    "\t  [-q seconds] [-s sourceaddr] [-T keyword] [-V rtable] [-W recvlimit]\n"
    "\t  [-w timeout] [-X proxy_protocol] [-x proxy_address[:port]]\n"
    "\t  [destination] [port]"
)


class Refused(Exception):
    """The program ends with these words."""


async def nc(process: Process) -> int:
    """nc [-Nklnuvz] [-p PORT] [-q SECONDS] [-w SECONDS] [HOST] PORT[-PORT]"""
    try:
        options = read(process.arguments[1:], "4Nklnuvzp:q:w:")
        idle_s = options.seconds("-w", default=0.0)
    except BadValue as error:
        return process.fail(f"nc: timeout is not a number: {error.value}")
    except OptionError as error:
        return process.fail(f"{complaint('nc', error)}\n{USAGE}")
    try:
        if options.has("-l"):
            return await _serve(process, options)
        return await _call(process, options, idle_s)
    except Refused as error:
        return process.fail(str(error))


def ports(text: str) -> range:
    """ "80" or "80-82". Raises Refused."""
    first, dash, last = text.partition("-")
    bounds = (first, last) if dash else (first, first)
    for bound in bounds:
        if not bound.isdecimal() or not bound.isascii() or not 0 < int(bound[:6]) < 65536:
            raise Refused(f"nc: port number invalid: {bound}")
    low, high = sorted(map(int, bounds))
    return range(low, high + 1)


# -- asking -----------------------------------------------------------------------------------------


async def _call(process: Process, options: Options, idle_s: float) -> int:
    if len(options.words) != 2:
        raise Refused(USAGE)
    host, wanted = options.words[0], ports(options.words[1])
    try:
        address = await address_of(process, host)
    except NoAddress:
        raise Refused(
            f'nc: getaddrinfo for host "{host}" port {wanted[0]}: Name or service not known'
        ) from None
    code = 1
    for number in wanted:
        reach = _reach_udp if options.has("-u") else _reach_tcp
        if await reach(process, options, (host, address, number), idle_s):
            code = 0
    return code


async def _reach_tcp(process: Process, options: Options, place: tuple[str, str, int], idle_s: float) -> bool:
    _, address, number = place
    try:
        async with asyncio.timeout(idle_s or None):
            stream = await process.sandbox.connect_tcp(address, number)
    except TimeoutError:
        _complain(process, options, place, "timed out: Operation now in progress")
        return False
    except OSError as error:
        _complain(process, options, place, f"failed: {error.strerror}")
        return False
    try:
        _tell_success(process, options, place)
        if not options.has("-z"):
            await _converse(process, stream, ends=options.has("-N"), idle_s=idle_s)
    finally:
        stream.close()
    return True


async def _reach_udp(process: Process, options: Options, place: tuple[str, str, int], idle_s: float) -> bool:
    """A datagram port answers nothing: it counts as open until an ICMP says that it is not."""
    _, address, number = place
    socket = process.sandbox.udp_socket()
    try:
        socket.connect(address, number)
        if options.has("-z", "-v"):
            for _ in range(UDP_PROBES):
                socket.send(b"X", None)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(UDP_PROBE_INTERVAL_S):
                        process.stdout.write((await socket.receive())[0])
            _tell_success(process, options, place)
        if options.has("-z"):
            return True
        await _exchange(process, socket, idle_s)
    except OSError:
        return False
    else:
        return True
    finally:
        socket.close()


def _tell_success(process: Process, options: Options, place: tuple[str, str, int]) -> None:
    if options.has("-v"):
        kind = "udp" if options.has("-u") else "tcp"
        process.stderr.write(
            f"Connection to {_shown(options, place)} {place[2]} port [{kind}/*] succeeded!\n"
        )


def _complain(process: Process, options: Options, place: tuple[str, str, int], why: str) -> None:
    if options.has("-v"):
        process.stderr.write(f"nc: connect to {_shown(options, place)} port {place[2]} (tcp) {why}\n")


def _shown(options: Options, place: tuple[str, str, int]) -> str:
    host, address, _ = place
    return host if options.has("-n") or host == address else f"{host} ({address})"


# -- serving ----------------------------------------------------------------------------------------


async def _serve(process: Process, options: Options) -> int:
    given = options.words[-1] if options.words else options.text("-p")
    number = ports(given)[0] if given else 0
    if not number:
        raise Refused(USAGE)
    if options.has("-u"):
        return await _serve_udp(process, options, number)
    try:
        listener = process.sandbox.listen_tcp(ANY_ADDRESS, number)
    except OSError as error:
        raise Refused(f"nc: {error.strerror}") from None
    if options.has("-v"):
        process.stderr.write(f"Listening on {ANY_ADDRESS} {number}\n")
    try:
        async for stream in _callers(listener, again=options.has("-k")):
            if options.has("-v"):
                process.stderr.write(f"Connection received on {stream.remote[0]} {stream.remote[1]}\n")
            try:
                await _converse(process, stream, ends=options.has("-N"), idle_s=0.0)
            finally:
                stream.close()
    finally:
        listener.close()
    return 0


async def _callers(listener: TcpListener, *, again: bool) -> AsyncIterator[TcpStream]:
    """The first caller, and with -k every further one, one after the other."""
    while True:
        yield await listener.accept()
        if not again:
            return


async def _serve_udp(process: Process, options: Options, number: int) -> int:
    socket = process.sandbox.udp_socket()
    try:
        socket.bind(ANY_ADDRESS, number)
        if options.has("-v"):
            process.stderr.write(f"Bound on {ANY_ADDRESS} {number}\n")
        data, sender = await socket.receive()
        if options.has("-v"):
            process.stderr.write(f"Connection received on {sender[0]} {sender[1]}\n")
        process.stdout.write(data)
        socket.connect(*sender)
        await _exchange(process, socket, 0.0)
    except OSError as error:
        raise Refused(f"nc: {error.strerror}") from None
    finally:
        socket.close()
    return 0


# -- talking ----------------------------------------------------------------------------------------


async def _converse(process: Process, stream: TcpStream, *, ends: bool, idle_s: float) -> None:
    """Until the other end has ended, or is silent for ``idle_s`` (0: for ever)."""
    sending = process.start(_pump, process, stream, ends)
    try:
        while True:
            async with asyncio.timeout(idle_s or None):
                data = await stream.read()
            if not data:
                return
            process.stdout.write(data)
            await process.stdout.drain()
    except (OSError, TimeoutError):
        return  # the original is silent, too
    finally:
        sending.cancel()


async def _pump(process: Process, stream: TcpStream, ends: bool) -> None:
    """Standard input to the other end. -N: its end is ours (shutdown); else the connection stays open."""
    with contextlib.suppress(OSError):  # the reader hears of it too
        while data := await process.stdin.read(READ_BYTES_MAX):
            await stream.write(data)
        if ends:
            stream.finish()


async def _exchange(process: Process, socket: UdpSocket, idle_s: float) -> None:
    """Lines out, datagrams in, until nothing has come for ``idle_s`` (0: for ever). Raises OSError."""
    sending = process.start(_send_lines, process, socket)
    try:
        while True:
            async with asyncio.timeout(idle_s or None):
                data, _ = await socket.receive()
            process.stdout.write(data)
            await process.stdout.drain()
    except TimeoutError:
        return
    finally:
        sending.cancel()


async def _send_lines(process: Process, socket: UdpSocket) -> None:
    while data := await process.stdin.read_line():
        socket.send(data, None)
