"""traceroute: which routers a packet passes, by letting it live for one more of them each time.

It sends echo requests, as `traceroute -I` does, where other systems send datagrams unless told otherwise.
"""

from __future__ import annotations

import argparse
import asyncio

from node.programs.arguments import Parser, UsageError
from node.programs.process import Process
from node.programs.resolve import NoAddress, address_of, name_of
from node.stack.echo import EchoError, EchoReply
from node.stack.sockets import EchoSocket
from node.wire import icmp

HOPS_MAX = 30
PROBES = 3
WAIT_S = 3.0
PAYLOAD_BYTES = 18
"""So that a packet has 46 bytes, as busybox's."""
MARKS = {icmp.NET_UNREACHABLE: "!N", icmp.HOST_UNREACHABLE: "!H", icmp.PROTOCOL_UNREACHABLE: "!P"}


async def traceroute(process: Process) -> int:
    """The program."""
    parser = Parser("traceroute")
    parser.add_argument("-n", action="store_true")
    parser.add_argument("-I", action="store_true")
    parser.add_argument("-m", type=int, default=HOPS_MAX)
    parser.add_argument("-q", type=int, default=PROBES)
    parser.add_argument("-w", type=float, default=WAIT_S)
    parser.add_argument("host")
    try:
        options = parser.parse(process.arguments[1:])
    except UsageError as error:
        return process.fail(f"traceroute: {error}")
    if not (1 <= options.m <= 255 and 1 <= options.q <= 10 and options.w > 0):
        return process.fail("traceroute: at most 255 hops and 10 probes for each")
    try:
        address = await address_of(process, options.host)
    except NoAddress:
        return process.fail(f"traceroute: bad address '{options.host}'")
    size = PAYLOAD_BYTES + 28
    process.stdout.write(
        f"traceroute to {options.host} ({address}), {options.m} hops max, {size} byte packets\n"
    )
    try:
        socket = process.sandbox.echo_socket()
    except OSError as error:
        return process.fail(f"traceroute: {error.strerror}")
    try:
        for hop in range(1, options.m + 1):
            if await _hop(process, socket, options, (address, hop)):
                break
    except OSError as error:
        return process.fail(f"traceroute: sendto: {error.strerror}")
    finally:
        socket.close()
    return 0


async def _hop(
    process: Process, socket: EchoSocket, options: argparse.Namespace, goal: tuple[str, int]
) -> bool:
    """One line of the list; whether the way ends here. Raises OSError."""
    address, hop = goal
    process.stdout.write(f"{hop:2d}")
    known, is_end = "", False
    for probe in range(options.q):
        sequence = hop * options.q + probe
        begun = process.clock.now()
        socket.send(address, sequence, bytes(PAYLOAD_BYTES), ttl=hop)
        heard = await _heard(socket, sequence, options.w)
        if heard is None:
            process.stdout.write("  *")
            continue
        if heard.source != known:
            known = heard.source
            name = "" if options.n else await name_of(process, known)
            process.stdout.write(f"  {known}" if options.n else f"  {name or known} ({known})")
        process.stdout.write(f"  {(heard.at - begun) * 1000:.3f} ms")
        if isinstance(heard, EchoReply):
            is_end = True
        elif heard.kind == icmp.UNREACHABLE:
            process.stdout.write(f"  {MARKS.get(heard.code, '!X')}")
            is_end = True
    process.stdout.write("\n")
    return is_end


async def _heard(socket: EchoSocket, sequence: int, wait_s: float) -> EchoReply | EchoError | None:
    """What comes back for this probe; None if nothing does in time."""
    try:
        async with asyncio.timeout(wait_s):
            while True:
                heard = await socket.receive()
                if heard.sequence == sequence:
                    return heard
    except TimeoutError:
        return None
