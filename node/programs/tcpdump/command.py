"""The program tcpdump: reads its options, looks on, prints, and sums up when it ends."""

from __future__ import annotations

import errno
from datetime import UTC, datetime

from node.model.address import format_ipv4
from node.programs.options import MissingValue, OptionError, Options, UnknownOption, complaint, read
from node.programs.process import Process
from node.programs.resolve import NoAddress, address_of, name_of
from node.programs.signals import SIGINT, SIGTERM
from node.programs.tcpdump.expression import ExpressionError, parse, subject
from node.programs.tcpdump.lines import Lines, Style
from node.stack.capture import Captured, CaptureSocket
from node.stack.interface import LOOPBACK
from node.stack.sandbox import capture

USAGE = "Usage: tcpdump [-elnpqStUv] [-c count] [-i interface] [-s snaplen] [expression]"
NAMES_MAX = 1_000
ANY = "any"
_NOT_SIMULATED = {
    "-w": "writing packets to a file", "-r": "reading packets from a file", "-A": "printing packets' bytes",
    "-x": "printing packets' bytes", "-X": "printing packets' bytes",
}  # fmt: skip


async def tcpdump(process: Process) -> int:
    """The program."""
    try:
        options = read(process.arguments[1:], "nelvtSpqUi:c:s:w:r:AxX")
    except (UnknownOption, MissingValue) as error:
        return process.fail(f"{complaint('tcpdump', error)}\n{USAGE}")
    for option, what in _NOT_SIMULATED.items():
        if options.has(option):
            return process.fail(f"tcpdump: {option}: {what} is not simulated")
    try:
        count = options.whole("-c", default=0)
    except OptionError:
        count = 0
    if options.has("-c") and count == 0:
        return process.fail(f"tcpdump: invalid packet count {options.text('-c')}")
    try:
        test = await parse(" ".join(options.words), lambda name: _address(process, name))
    except ExpressionError as error:
        return process.fail(f"tcpdump: {error}")
    present = list(process.sandbox.stack.interfaces)
    name = options.text("-i", default=next((each for each in present if each != LOOPBACK), LOOPBACK))
    try:
        socket = capture(
            process.sandbox, tuple(present) if name == ANY else (name,), lambda frame: test(subject(frame))
        )
    except OSError as error:
        if error.errno != errno.ENODEV:
            return process.fail(f"tcpdump: {name}: {error.strerror}")
        return process.fail(f"tcpdump: {name}: No such device exists\n(No such device exists)")
    return await Tcpdump(process, options, socket).run(name, count)


async def _address(process: Process, name: str) -> str:
    try:
        return await address_of(process, name)
    except NoAddress:
        raise ExpressionError(f"unknown host '{name}'") from None


class Tcpdump:
    """One run."""

    def __init__(self, process: Process, options: Options, socket: CaptureSocket) -> None:
        self.process = process
        self.options = options
        self.socket = socket
        self.captured = 0
        self._names: dict[bytes, str] = {}
        style = Style(options.has("-v"), options.has("-e"), options.has("-n"), options.has("-S"))
        self._numeric = style.numeric
        self._lines = Lines(style, lambda address: self._names.get(address, format_ipv4(address)))

    async def run(self, interface: str, count: int) -> int:
        """Print until so many are printed (0: without end) or a signal comes; the exit code."""
        for signal in (SIGINT, SIGTERM):
            self.process.signals.on(signal, self.socket.close)
        self._head(interface)
        try:
            while not count or self.captured < count:
                await self._print(await self.socket.receive(), named=interface == ANY)
        except OSError:
            self.process.stdout.write("\n")  # closed by a signal: ^C stands on this line
        finally:
            self.socket.close()
        for number, what in (
            (self.captured, "captured"),
            (self.socket.received, "received by filter"),
            (self.socket.dropped, "dropped by kernel"),
        ):
            self.process.stderr.write(f"{number} packet{'' if number == 1 else 's'} {what}\n")
        return 0

    def _head(self, interface: str) -> None:
        hint = "verbose output suppressed, use -v[v]... for full protocol decode\n"
        link = "LINUX_SLL2 (Linux cooked v2)" if interface == ANY else "EN10MB (Ethernet)"
        text = f"listening on {interface}, link-type {link}, snapshot length 262144 bytes\n"
        self.process.stderr.write("tcpdump: " + ("" if self.options.has("-v") else hint) + text)

    async def _print(self, seen: Captured, *, named: bool) -> None:
        if not self._numeric:
            await self._learn(seen.frame)
        self.captured += 1
        where = f"{seen.interface:<5} {'Out' if seen.is_outgoing else 'In':<3} " if named else ""
        text = self._lines.show(seen.frame)
        self.process.stdout.write(f"{self._time(seen.at)}{where}{text}\n")
        await self.process.stdout.drain()

    def _time(self, at: float) -> str:
        if self.options.has("-t"):
            return ""
        clock = self.process.clock
        moment = datetime.fromtimestamp(clock.wall() - (clock.now() - at), UTC)
        return moment.strftime("%H:%M:%S.%f ")

    async def _learn(self, frame: bytes) -> None:
        """Ask for the names of both ends."""
        about = subject(frame)
        for address in (about.source, about.destination):
            if address and address not in self._names and len(self._names) < NAMES_MAX:
                text = format_ipv4(address)
                self._names[address] = await name_of(self.process, text) or text
