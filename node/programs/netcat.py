"""nc: standard input to somebody, and what comes back; with -l the other side, with -u over datagrams."""

from __future__ import annotations

import argparse
import asyncio
import contextlib

from node.programs import netcat_openbsd
from node.programs.arguments import Parser, UsageError
from node.programs.process import Process
from node.programs.resolve import NoAddress, address_of
from node.stack.sockets import UdpSocket
from node.stack.streams import TcpStream

ANY_ADDRESS = "0.0.0.0"  # noqa: S104 - in a simulated sandbox
READ_BYTES_MAX = 65_536
USAGE = "usage: nc [-u] [-v] [-z] [-w SECONDS] HOST PORT   or   nc [-u] -l -p PORT"


async def nc(process: Process) -> int:
    """The program, in the spelling that the image's users know."""
    if process.userland.family == "gnu":
        return await netcat_openbsd.nc(process)
    parser = Parser("nc")
    for flag in ("-u", "-l", "-n", "-v", "-z"):
        parser.add_argument(flag, action="store_true")
    parser.add_argument("-p", type=int, default=0)
    parser.add_argument("-w", type=float, default=0.0)
    parser.add_argument("rest", nargs="*")
    try:
        options = parser.parse(process.arguments[1:])
    except UsageError as error:
        return process.fail(f"nc: {error}\n{USAGE}")
    if not options.u:
        return await _stream(process, options)
    socket = process.sandbox.udp_socket()
    try:
        return await (_listen(process, socket, options) if options.l else _send(process, socket, options))
    except OSError as error:
        return process.fail(f"nc: {error.strerror}")
    finally:
        socket.close()


async def _send(process: Process, socket: UdpSocket, options: argparse.Namespace) -> int:
    if len(options.rest) != 2 or not options.rest[1].isdecimal():
        return process.fail(USAGE)
    try:
        address = await address_of(process, options.rest[0])
    except NoAddress:
        return process.fail(f"nc: bad address '{options.rest[0]}'")
    if options.p:
        socket.bind(ANY_ADDRESS, options.p)
    socket.connect(address, int(options.rest[1]))
    return await _both_ways(process, socket, options.w)


async def _listen(process: Process, socket: UdpSocket, options: argparse.Namespace) -> int:
    """Wait for a first datagram, and talk to whoever sent it."""
    numbers = [word for word in options.rest if word.isdecimal()]
    number = options.p or (int(numbers[-1]) if numbers else 0)
    if not 0 < number < 65536:
        return process.fail(USAGE)
    socket.bind(ANY_ADDRESS, number)
    data, sender = await socket.receive()
    process.stdout.write(data)
    socket.connect(*sender)
    return await _both_ways(process, socket, options.w)


async def _both_ways(process: Process, socket: UdpSocket, idle_s: float) -> int:
    """Until standard input ends and nothing has come for ``idle_s`` (0: for ever)."""
    sending = process.start(_pump, process, socket)
    try:
        while True:
            try:
                async with asyncio.timeout(idle_s or None):
                    data, _ = await socket.receive()
            except TimeoutError:
                if sending.done():
                    return 0
            else:
                process.stdout.write(data)
                await process.stdout.drain()
    finally:
        sending.cancel()


async def _pump(process: Process, socket: UdpSocket) -> None:
    while data := await process.stdin.read_line():
        socket.send(data, None)


# -- TCP --------------------------------------------------------------------------------------------


async def _stream(process: Process, options: argparse.Namespace) -> int:
    try:
        stream = await (_accept(process, options) if options.l else _connect(process, options))
    except Failed as error:
        return process.fail(str(error))
    if options.z:
        stream.close()
        return 0
    try:
        return await _converse(process, stream, options.w)
    except OSError as error:
        return process.fail(f"nc: {error.strerror}")
    finally:
        stream.close()


class Failed(Exception):
    """Why there is nobody to talk to, in busybox's words."""


async def _connect(process: Process, options: argparse.Namespace) -> TcpStream:
    if len(options.rest) != 2 or not options.rest[1].isdecimal() or not 0 < int(options.rest[1]) < 65536:
        raise Failed(USAGE)
    name, number = options.rest[0], int(options.rest[1])
    try:
        address = await address_of(process, name)
    except NoAddress:
        raise Failed(f"nc: bad address '{name}'") from None
    try:
        async with asyncio.timeout(options.w or None):
            stream = await process.sandbox.connect_tcp(address, number)
    except TimeoutError:
        raise Failed("nc: timed out") from None
    except OSError as error:
        raise Failed(f"nc: {name} ({address}:{number}): {error.strerror}") from None
    if options.v:
        process.stderr.write(f"{name} ({address}:{number}) open\n")
    return stream


async def _accept(process: Process, options: argparse.Namespace) -> TcpStream:
    """Wait for one caller; no other is taken."""
    numbers = [word for word in options.rest if word.isdecimal()]
    number = options.p or (int(numbers[-1]) if numbers else 0)
    if not 0 < number < 65536:
        raise Failed(USAGE)
    try:
        listener = process.sandbox.listen_tcp(ANY_ADDRESS, number)
    except OSError as error:
        raise Failed(f"nc: bind: {error.strerror}") from None
    try:
        stream = await listener.accept()
    finally:
        listener.close()
    if options.v:
        process.stderr.write(
            f"connect to {stream.local[0]}:{number} from {stream.remote[0]}:{stream.remote[1]}\n"
        )
    return stream


async def _converse(process: Process, stream: TcpStream, idle_s: float) -> int:
    """Until the other end has ended, or is silent for ``idle_s`` (0: for ever). Raises OSError."""
    sending = process.start(_pump_stream, process, stream)
    try:
        while True:
            try:
                async with asyncio.timeout(idle_s or None):
                    data = await stream.read()
            except TimeoutError:
                return 0
            if not data:
                return 0
            process.stdout.write(data)
            await process.stdout.drain()
    finally:
        sending.cancel()


async def _pump_stream(process: Process, stream: TcpStream) -> None:
    with contextlib.suppress(OSError):  # the reader hears of it too
        while data := await process.stdin.read(READ_BYTES_MAX):
            await stream.write(data)
        stream.finish()
