"""ping: echo requests at an interval, what came back, and what it amounts to.

Two faces: BusyBox's, in Alpine, and iputils', elsewhere.
"""

from __future__ import annotations

import argparse
import asyncio
import errno
from dataclasses import dataclass, field
from functools import cache

from node.programs.arguments import Parser, UsageError
from node.programs.process import Process
from node.programs.resolve import NoAddress, address_of
from node.programs.signals import SIGINT
from node.stack.echo import EchoError, EchoReply
from node.stack.sockets import EchoSocket
from node.wire import icmp

SIZE_DEFAULT_BYTES = 56
SIZE_MAX_BYTES = 65507
USAGE = (
    "Usage: ping [-4qn] [-c COUNT] [-i SECONDS] [-s SIZE] [-t TTL] [-M do|want|dont] "
    "[-W SECONDS] [-w SECONDS] HOST"
)
LINGER_S = 10.0
"""How long the last answer is waited for."""
UNREACHABLE = {
    icmp.NET_UNREACHABLE: "Destination Net Unreachable",
    icmp.HOST_UNREACHABLE: "Destination Host Unreachable",
    icmp.PROTOCOL_UNREACHABLE: "Destination Protocol Unreachable",
    icmp.PORT_UNREACHABLE: "Destination Port Unreachable",
    icmp.ADMINISTRATIVELY_PROHIBITED: "Packet filtered",
}


@dataclass(slots=True)
class Score:
    """What was sent, what came back."""

    sent: int = 0
    errors: int = 0
    started: float = 0.0
    sent_at: dict[int, float] = field(default_factory=dict)
    answered: dict[int, None] = field(default_factory=dict)
    duplicates: int = 0
    times_ms: list[float] = field(default_factory=list)


class Ping:
    """One run."""

    def __init__(self, process: Process, options: argparse.Namespace, address: str) -> None:
        self.process = process
        self.options = options
        self.address = address
        self.score = Score()
        self.done = asyncio.Event()
        self.gnu = process.userland.family == "gnu"

    async def run(self) -> int:
        """Send and receive until the count, the deadline or an interrupt; the exit code."""
        socket = self.process.sandbox.echo_socket()
        self.process.signals.on(SIGINT, self.done.set)
        self._head()
        self.score.started = self.process.clock.now()
        receiving = self.process.start(self._receive, socket)
        try:
            code = await self._send(socket)
        finally:
            receiving.cancel()
            socket.close()
        if code is not None:
            return code
        self._summary()
        return 0 if self.score.answered else 1

    async def _send(self, socket: EchoSocket) -> int | None:
        """Requests at their interval; an exit code where nothing can be sent at all."""
        options = self.options
        clock = self.process.clock
        deadline = clock.now() + options.w if options.w else None
        sequence = 1 if self.gnu else 0
        while not self.done.is_set():
            payload = bytes(index & 0xFF for index in range(options.s))
            self.score.sent_at[sequence & 0xFFFF] = clock.now()
            try:
                socket.send(self.address, sequence & 0xFFFF, payload, options.t, options.M == "do")
            except OSError as error:
                if (code := self._not_sent(error)) is not None:
                    return code
            self.score.sent += 1
            sequence += 1
            last = bool(options.c) and self.score.sent >= options.c
            wait = (options.W or LINGER_S) if last else options.i
            if deadline is not None:
                wait = min(wait, max(0.0, deadline - clock.now()))
            await self._pause(wait)
            if last or (deadline is not None and clock.now() >= deadline):
                return None
        return None

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self.done.wait()
        except TimeoutError:
            return

    def _not_sent(self, error: OSError) -> int | None:
        name = "ping"
        if error.errno == errno.EMSGSIZE:
            mtu = getattr(error, "mtu", 0)
            if self.gnu:
                self.process.fail(f"{name}: local error: message too long, mtu={mtu}")
                self.score.errors += 1
                return None
            return self.process.fail(f"{name}: sendto: Message too large")
        if self.gnu:
            return self.process.fail(f"{name}: connect: {error.strerror}", 2)
        text = {errno.ENETUNREACH: "Network unreachable", errno.EHOSTUNREACH: "Host is unreachable"}
        return self.process.fail(f"{name}: sendto: {text.get(error.errno or 0, error.strerror)}")

    async def _receive(self, socket: EchoSocket) -> None:
        while True:
            came = await socket.receive()
            if isinstance(came, EchoReply):
                self._reply(came)
            else:
                self._error(came)
            if self.options.c and len(self.score.answered) + self.score.errors >= self.options.c:
                self.done.set()

    def _reply(self, reply: EchoReply) -> None:
        sent_at = self.score.sent_at.get(reply.sequence)
        if sent_at is None:
            return
        time_ms = (reply.at - sent_at) * 1000
        again = reply.sequence in self.score.answered
        self.score.answered[reply.sequence] = None
        if again:
            self.score.duplicates += 1
        else:
            self.score.times_ms.append(time_ms)
        if self.options.q:
            return
        size = len(reply.payload) + 8
        mark = " (DUP!)" if again else ""
        if self.gnu:
            text = f"icmp_seq={reply.sequence} ttl={reply.ttl} time={_gnu_time(time_ms)} ms"
        else:
            text = f"seq={reply.sequence} ttl={reply.ttl} time={time_ms:.3f} ms"
        self.process.stdout.write(f"{size} bytes from {reply.source}: {text}{mark}\n")

    def _error(self, error: EchoError) -> None:
        self.score.errors += 1
        if self.options.q or not self.gnu:
            return  # BusyBox says nothing about errors
        if error.kind == icmp.TIME_EXCEEDED:
            text = "Time to live exceeded"
        elif error.code == icmp.FRAGMENTATION_NEEDED:
            text = f"Frag needed and DF set (mtu = {error.mtu})"
        else:
            text = UNREACHABLE.get(error.code, f"Dest Unreachable, Bad Code: {error.code}")
        self.process.stdout.write(f"From {error.source} icmp_seq={error.sequence} {text}\n")

    def _head(self) -> None:
        size, name = self.options.s, self.options.host
        if self.gnu:
            self.process.stdout.write(f"PING {name} ({self.address}) {size}({size + 28}) bytes of data.\n")
        else:
            self.process.stdout.write(f"PING {name} ({self.address}): {size} data bytes\n")

    def _summary(self) -> None:
        score = self.score
        received = len(score.answered)
        lost = round(100 * (score.sent - received) / score.sent) if score.sent else 0
        out = f"\n--- {self.options.host} ping statistics ---\n"
        if self.gnu:
            errors = f", +{score.errors} errors" if score.errors else ""
            duplicates = f", +{score.duplicates} duplicates" if score.duplicates else ""
            elapsed = round((self.process.clock.now() - score.started) * 1000)
            out += (
                f"{score.sent} packets transmitted, {received} received{duplicates}{errors}, "
                f"{lost}% packet loss, time {elapsed}ms\n"
            )
            out += _gnu_times(score.times_ms)
        else:
            duplicates = f"{score.duplicates} duplicates, " if score.duplicates else ""
            out += (
                f"{score.sent} packets transmitted, {received} packets received, "
                f"{duplicates}{lost}% packet loss\n"
            )
            if times := score.times_ms:
                average = sum(times) / len(times)
                out += f"round-trip min/avg/max = {min(times):.3f}/{average:.3f}/{max(times):.3f} ms\n"
        self.process.stdout.write(out)


def _gnu_time(time_ms: float) -> str:
    """Three significant digits or so, as iputils has it."""
    if time_ms < 1:
        return f"{time_ms:.3f}"
    if time_ms < 10:
        return f"{time_ms:.2f}"
    return f"{time_ms:.1f}" if time_ms < 100 else f"{time_ms:.0f}"


def _gnu_times(times: list[float]) -> str:
    if not times:
        return "\n"
    average = sum(times) / len(times)
    spread = max(0.0, sum(time * time for time in times) / len(times) - average * average) ** 0.5
    return f"rtt min/avg/max/mdev = {min(times):.3f}/{average:.3f}/{max(times):.3f}/{spread:.3f} ms\n"


@cache
def _parser() -> Parser:
    """It remembers nothing of what it parses, and making it takes longer than a ping."""
    parser = Parser("ping")
    parser.add_argument("-c", type=int, default=0)
    parser.add_argument("-i", type=float, default=1.0)
    parser.add_argument("-W", type=float, default=0.0)
    parser.add_argument("-w", type=float, default=0.0)
    parser.add_argument("-s", type=int, default=SIZE_DEFAULT_BYTES)
    parser.add_argument("-t", type=int, default=64)
    parser.add_argument("-M", choices=("do", "want", "dont"), default="want")
    for flag in ("-q", "-n", "-4"):
        parser.add_argument(flag, action="store_true")
    parser.add_argument("-I")
    parser.add_argument("host")
    return parser


async def ping(process: Process) -> int:
    """The program."""
    gnu = process.userland.family == "gnu"
    if {"-h", "--help"} & set(process.arguments[1:]):
        return process.fail(USAGE, 2 if gnu else 0)
    try:
        options = _parser().parse(process.arguments[1:])
        if (
            not 0 <= options.s <= SIZE_MAX_BYTES
            or not 0 < options.t < 256
            or options.i < 0.002
            or options.c < 0
        ):
            raise UsageError("a number is out of range")
    except UsageError as error:
        return process.fail(f"ping: {error}\n{USAGE}", 2 if gnu else 1)
    try:
        address = await address_of(process, options.host)
    except NoAddress as error:
        if not gnu:
            return process.fail(f"ping: bad address '{options.host}'")
        reason = "Temporary failure in name resolution" if error.temporary else "Name or service not known"
        return process.fail(f"ping: {options.host}: {reason}", 2)
    return await Ping(process, options, address).run()
