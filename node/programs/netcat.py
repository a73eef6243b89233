"""nc -u: datagrams from standard input, and what comes back; with -l, the other side."""

from __future__ import annotations

import argparse
import asyncio

from node.programs.arguments import Parser, UsageError
from node.programs.process import Process
from node.programs.resolve import NoAddress, address_of
from node.stack.sockets import UdpSocket

ANY_ADDRESS = "0.0.0.0"  # noqa: S104 - in a simulated sandbox
USAGE = "usage: nc -u [-w SECONDS] HOST PORT   or   nc -u -l -p PORT"


async def nc(process: Process) -> int:
    """The program."""
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
        return process.fail("nc: only datagrams are spoken here so far: use nc -u")
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
    sending = asyncio.get_running_loop().create_task(_pump(process, socket))
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
