"""The client: it does what the server's states tell it to, and ends the test."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import msgspec

from node.programs.iperf3.control import (
    INITIAL_WAIT_S,
    Control,
    ControlClosed,
    Failed,
    State,
    new_cookie,
)
from node.programs.iperf3.plan import Plan, Results, read_results
from node.programs.iperf3.reporter import Reporter
from node.programs.iperf3.stream import UDP_CONNECT, Connected, Stream, stream_id
from node.programs.iperf3.transfer import Transfer
from node.programs.process import Process
from node.programs.resolve import NoAddress, address_of
from node.programs.signals import SIGINT, SIGTERM
from node.stack.sockets import UdpSocket
from node.stack.streams import TcpStream


@dataclass(frozen=True, slots=True)
class Wish:
    """What a user asked of a client."""

    host: str
    port: int
    plan: Plan
    interval_s: float
    connect_s: float
    """0: as long as it takes."""
    source: str = ""


class Client:
    """One test."""

    def __init__(self, process: Process, wish: Wish, reporter: Reporter) -> None:
        self._process = process
        self._wish = wish
        self._plan = wish.plan
        self._reporter = reporter
        self._sockets: list[TcpStream | UdpSocket] = []
        self._streams: list[Stream] = []
        self._transfer: Transfer | None = None
        self._interrupted = asyncio.Event()

    async def run(self) -> int:
        """The exit code."""
        for signal in (SIGINT, SIGTERM):
            self._process.signals.on(signal, self._interrupted.set)
        try:
            await self._converse()
        except Failed as error:
            self._reporter.fail(f"error - {error}")
            return 1
        except Interrupted:
            self._reporter.fail("interrupt - the client has terminated")
            return 1
        except OSError as error:
            self._reporter.fail(f"error - control socket has closed unexpectedly: {error.strerror}")
            return 1
        finally:
            if self._transfer is not None:
                self._transfer.stop()
            for socket in self._sockets:
                socket.close()
            self._reporter.close()
        return 0

    async def _converse(self) -> None:
        """State by state. Raises Failed, Interrupted, OSError."""
        stream, address = await self._connect()
        control = Control(stream, new_cookie(self._process.chance))
        await stream.write(control.cookie)
        self._reporter.say(f"Connecting to host {self._wish.host}, port {self._wish.port}\n")
        if self._plan.reverse:
            self._reporter.say(f"Reverse mode, remote host {self._wish.host} is sending\n")
        results: Results | None = None
        while True:
            state = await self._heard(control)
            match state:
                case State.PARAM_EXCHANGE:
                    if self._plan.len == 0:
                        self._plan = _with_length(self._plan, stream.info.segment_bytes)
                    await control.send_json(self._plan.wire())
                case State.CREATE_STREAMS:
                    for index in range(self._plan.parallel):
                        self._streams.append(await self._new_stream(control, address, index))
                case State.TEST_START:
                    self._reporter.begin(self._plan, self._streams)
                case State.TEST_RUNNING:
                    await self._measure(control)
                case State.EXCHANGE_RESULTS:
                    assert self._transfer is not None, "results are exchanged after a test"
                    seconds = self._transfer.seconds
                    own = tuple(one.result(seconds) for one in self._streams)
                    sends = not self._plan.reverse and self._plan.tcp
                    await control.send_json(
                        Results(sender_has_retransmits=1 if sends else -1, streams=own).wire()
                    )
                    results = read_results(await control.read_json())
                case State.DISPLAY_RESULTS:
                    assert self._transfer is not None, "results are shown after a test"
                    self._reporter.finish(self._transfer, results)
                    self._reporter.say("\niperf Done.\n")
                    await control.say(State.IPERF_DONE)
                    return
                case State.ACCESS_DENIED:
                    raise Failed("the server is busy running a test. try again later")
                case State.SERVER_TERMINATE:
                    raise Failed("the server has terminated")
                case State.SERVER_ERROR:
                    raise Failed("the server has reported an error")
                case _:
                    raise Failed("received an unknown control message")

    async def _connect(self) -> tuple[TcpStream, str]:
        wish = self._wish
        try:
            address = await address_of(self._process, wish.host)
        except NoAddress:
            raise Failed("unable to connect to server: Name or service not known") from None
        try:
            async with asyncio.timeout(wish.connect_s or None):
                stream = await self._process.sandbox.connect_tcp(address, wish.port, wish.source)
        except TimeoutError:
            raise Failed("unable to connect to server: Connection timed out") from None
        except OSError as error:
            raise Failed(f"unable to connect to server: {error.strerror}") from None
        self._sockets.append(stream)
        return stream, address

    async def _heard(self, control: Control) -> State:
        """The server's next word, unless the user wants no more. Raises Interrupted, Failed, OSError."""
        hearing = self._process.start(control.hear)
        stopping = self._process.start(self._interrupted.wait)
        try:
            await asyncio.wait((hearing, stopping), return_when=asyncio.FIRST_COMPLETED)
            if hearing.done():
                return hearing.result()
            raise Interrupted
        finally:
            hearing.cancel()
            stopping.cancel()

    async def _new_stream(self, control: Control, address: str, index: int) -> Stream:
        sandbox, port = self._process.sandbox, self._wish.port
        is_sender = not self._plan.reverse
        identity, number = stream_id(index), 5 + 2 * index
        try:
            if self._plan.tcp:
                tcp = await sandbox.connect_tcp(address, port, self._wish.source)
                self._sockets.append(tcp)
                await tcp.write(control.cookie)
                return Stream(identity, number, tcp.local, tcp.remote, is_sender, tcp=tcp)
            udp = sandbox.udp_socket()
            self._sockets.append(udp)
            udp.connect(address, port)
            udp.send(UDP_CONNECT)
            async with asyncio.timeout(INITIAL_WAIT_S):
                await udp.receive()
        except TimeoutError:
            raise Failed("unable to read from stream socket: Resource temporarily unavailable") from None
        except OSError as error:
            raise Failed(f"unable to connect stream: {error.strerror}") from None
        return Stream(identity, number, udp.local, (address, port), is_sender, udp=Connected(udp))

    async def _measure(self, control: Control) -> None:
        """Until time is up, the user or the server. Raises Failed, Interrupted, OSError."""
        transfer = Transfer(
            self._process, self._plan, self._streams, self._wish.interval_s, self._reporter.interval
        )
        self._transfer = transfer
        transfer.start()
        waits = [
            self._process.start(transfer.finished),
            self._process.start(control.hear),
            self._process.start(self._interrupted.wait),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            finished, hearing, stopping = waits
            transfer.stop()
            if hearing.done():
                self._reporter.finish(transfer, None)
                if hearing.exception() is None and hearing.result() is State.SERVER_TERMINATE:
                    raise Failed("the server has terminated")
                raise ControlClosed("control socket has closed unexpectedly")
            if stopping.done():
                self._reporter.finish(transfer, None)
                await control.say(State.CLIENT_TERMINATE)
                raise Interrupted
            finished.result()
        finally:
            for wait in waits:
                wait.cancel()
        await control.say(State.TEST_END)


class Interrupted(Exception):
    """The user wants no more."""


def _with_length(plan: Plan, segment_bytes: int) -> Plan:
    """Of a datagram, where the user did not say: what goes through in one piece."""
    return msgspec.structs.replace(plan, len=segment_bytes)
