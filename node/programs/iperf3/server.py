"""The server: one test after the other, and no two at once."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass

from node.programs.iperf3.control import (
    COOKIE_BYTES,
    INITIAL_WAIT_S,
    Control,
    ControlClosed,
    Failed,
    State,
    read_exactly,
)
from node.programs.iperf3.plan import Plan, Results, read_plan, read_results
from node.programs.iperf3.reporter import Reporter
from node.programs.iperf3.stream import UDP_CONNECT_REPLY, Stream, stream_id
from node.programs.iperf3.transfer import Transfer
from node.programs.process import Process
from node.programs.signals import SIGHUP, SIGINT, SIGTERM
from node.stack.sockets import TextAddress, UdpSocket
from node.stack.streams import TcpListener, TcpStream

RULE = "-" * 59 + "\n"
WAITING_DATAGRAMS_MAX = 1024


@dataclass(frozen=True, slots=True)
class Duty:
    """What a user asked of a server."""

    address: str
    port: int
    interval_s: float
    form: str
    as_json: bool
    is_single: bool


async def serve(process: Process, duty: Duty) -> int:
    """Until it is interrupted, or has done its one test; the exit code."""
    try:
        listener = process.sandbox.listen_tcp(duty.address, duty.port)
    except OSError as error:
        reason = f"unable to start listener for connections: {error.strerror}"
        return process.fail(f"iperf3: error - {reason}\niperf3: exiting")
    interrupted = asyncio.Event()
    for signal in (SIGINT, SIGTERM, SIGHUP):
        process.signals.on(signal, interrupted.set)
    number = 0
    try:
        while not interrupted.is_set() and not (duty.is_single and number):
            number += 1
            reporter = Reporter(process, duty.form, as_json=duty.as_json, is_server=True)
            reporter.say(f"{RULE}Server listening on {duty.port} (test #{number})\n{RULE}")
            test = process.start(_Test(process, duty, listener, reporter).run)
            stopping = process.start(interrupted.wait)
            try:
                await asyncio.wait((test, stopping), return_when=asyncio.FIRST_COMPLETED)
            finally:
                test.cancel()
                stopping.cancel()
                await asyncio.wait((test,))
            if not test.cancelled():
                test.result()
                reporter.close()
    finally:
        listener.close()
    if interrupted.is_set():
        return process.fail("iperf3: interrupt - the server has terminated")
    return 0


class _Test:
    """One test."""

    def __init__(self, process: Process, duty: Duty, listener: TcpListener, reporter: Reporter) -> None:
        self._process = process
        self._duty = duty
        self._listener = listener
        self._reporter = reporter
        self._sockets: list[TcpStream | UdpSocket] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._transfer: Transfer | None = None

    async def run(self) -> None:
        """From the first connection to the last word."""
        stream = await self._listener.accept()
        self._sockets.append(stream)
        try:
            async with asyncio.timeout(INITIAL_WAIT_S):
                control = Control(stream, await read_exactly(stream, COOKIE_BYTES))
                remote = stream.remote
                self._reporter.say(f"Accepted connection from {remote[0]}, port {remote[1]}\n")
                await control.say(State.PARAM_EXCHANGE)
                plan = read_plan(await control.read_json())
                await control.say(State.CREATE_STREAMS)
                streams = await self._accept_streams(control, plan)
            await self._measure(control, plan, streams)
        except ControlClosed:
            self._reporter.fail("the client has unexpectedly closed the connection")
        except Failed as error:
            self._reporter.fail(f"error - {error}")
        except OSError as error:  # TimeoutError is one too
            reason = error.strerror or "the client says nothing"
            self._reporter.fail(f"error - unable to receive control message: {reason}")
        except asyncio.CancelledError:
            if self._transfer is not None:
                await control.say(State.SERVER_TERMINATE)
            raise
        finally:
            self._end_data()
            stream.close()

    def _end_data(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._transfer is not None:
            self._transfer.stop()
        for socket in self._sockets[1:]:
            socket.close()

    async def _measure(self, control: Control, plan: Plan, streams: list[Stream]) -> None:
        """Raises Failed, OSError."""
        self._reporter.begin(plan, streams)
        await control.say(State.TEST_START)
        await control.say(State.TEST_RUNNING)
        transfer = Transfer(self._process, plan, streams, self._duty.interval_s, self._reporter.interval)
        self._transfer = transfer
        self._tasks.append(self._process.start(self._deny))
        transfer.start()
        state = await control.hear()
        self._end_data()
        if state is State.CLIENT_TERMINATE:
            self._reporter.finish(transfer, None)
            self._reporter.fail("the client has terminated")
            return
        if state is not State.TEST_END:
            raise Failed("received an unknown control message")
        await control.say(State.EXCHANGE_RESULTS)
        async with asyncio.timeout(INITIAL_WAIT_S):
            theirs = read_results(await control.read_json())
            own = tuple(stream.result(transfer.seconds) for stream in streams)
            sends = plan.reverse and plan.tcp
            await control.send_json(Results(sender_has_retransmits=1 if sends else -1, streams=own).wire())
            await control.say(State.DISPLAY_RESULTS)
            self._reporter.finish(transfer, theirs)
            await control.hear()

    async def _deny(self) -> None:
        """Whoever else comes while a test runs."""
        while True:
            stream = await self._listener.accept()
            try:
                await Control(stream, b"").say(State.ACCESS_DENIED)
            except OSError:
                continue  # it has gone already
            finally:
                stream.close()

    async def _accept_streams(self, control: Control, plan: Plan) -> list[Stream]:
        """Raises Failed, OSError."""
        if plan.udp:
            return await self._accept_datagrams(plan)
        streams: list[Stream] = []
        while len(streams) < plan.parallel:
            tcp = await self._listener.accept()
            self._sockets.append(tcp)
            if await read_exactly(tcp, COOKIE_BYTES) != control.cookie:
                await Control(tcp, b"").say(State.ACCESS_DENIED)
                continue
            index = len(streams)
            number = 5 if index == 0 else 6 + 2 * index
            streams.append(Stream(stream_id(index), number, tcp.local, tcp.remote, plan.reverse, tcp=tcp))
        return streams

    async def _accept_datagrams(self, plan: Plan) -> list[Stream]:
        """All come to one port, and are told apart by their senders. Raises OSError."""
        socket = self._process.sandbox.udp_socket()
        self._sockets.append(socket)
        socket.bind(self._duty.address, self._duty.port)
        ways: dict[TextAddress, _Way] = {}
        while len(ways) < plan.parallel:
            _, sender = await socket.receive()
            if sender not in ways:
                ways[sender] = _Way(socket, sender)
                socket.send(UDP_CONNECT_REPLY, sender)
        self._tasks.append(self._process.start(_share_out, socket, ways))
        local = self._sockets[0].local[0], self._duty.port
        return [
            Stream(stream_id(index), 5 + index, local, sender, plan.reverse, udp=way)
            for index, (sender, way) in enumerate(ways.items())
        ]


class _Way:
    """To one sender of datagrams, over the socket that all share."""

    def __init__(self, socket: UdpSocket, remote: TextAddress) -> None:
        self.inbox: deque[bytes] = deque()
        self.came = asyncio.Event()
        self._socket = socket
        self._remote = remote

    def send(self, data: bytes) -> None:
        """Raises OSError."""
        self._socket.send(data, self._remote)

    async def receive(self) -> bytes:
        """The next one."""
        while not self.inbox:
            self.came.clear()
            await self.came.wait()
        return self.inbox.popleft()


async def _share_out(socket: UdpSocket, ways: dict[TextAddress, _Way]) -> None:
    while True:
        try:
            data, sender = await socket.receive()
        except ConnectionRefusedError:
            continue  # a client that has gone
        way = ways.get(sender)
        if way is not None and len(way.inbox) < WAITING_DATAGRAMS_MAX:
            way.inbox.append(data)
            way.came.set()
