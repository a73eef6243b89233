"""Published ports for real: a socket of this machine at the node's underlay address.

curl 127.0.0.2:8080  --->  real socket  ===  conversation in the simulation  --->  container port 80
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import struct
from collections.abc import Awaitable, Callable

from node.seams import Conversation, Opened

CLIENTS_MAX = 4096
HANDSHAKES_MAX = 64
"""Under way at once for one port: all callers of a second would overflow a small backlog."""
BYTES_MAX = 65_536
DATAGRAMS_WAITING_MAX = 256
UDP_IDLE_S = 90.0

Connect = Callable[[], Awaitable[Conversation]]


class RealOutside:
    """See Outside in node/seams.py. ``told(text)`` hears of ports that this user may not open."""

    def __init__(self, address: str, told: Callable[[int], None]) -> None:
        self._address = address
        self._told = told

    async def open(self, protocol: str, host_port: int, connect: Connect) -> Opened | None:
        """See Outside. A port below 1024 needs rights that a student has not: it stays inside."""
        try:
            if protocol == "tcp":
                real = RealTcpPort(connect)
                await real.listen(self._address, host_port)
                return real
            loop = asyncio.get_running_loop()
            _, served = await loop.create_datagram_endpoint(
                lambda: RealUdpPort(connect), local_addr=(self._address, host_port)
            )
            return served
        except PermissionError:
            self._told(host_port)
            return None


class RealTcpPort:
    """A listening socket, and its connections."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._handshakes = asyncio.Semaphore(HANDSHAKES_MAX)
        self._server: asyncio.Server | None = None
        self._clients: dict[asyncio.Task[None], None] = {}

    async def listen(self, address: str, port: int) -> None:
        """Raises OSError."""
        self._server = await asyncio.start_server(
            self._serve, address, port, family=socket.AF_INET, limit=BYTES_MAX, backlog=1024
        )

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        if len(self._clients) >= CLIENTS_MAX:
            _reset(writer)
            return
        self._clients[task] = None
        inside: Conversation | None = None
        try:
            async with self._handshakes:
                inside = await self._connect()
            await asyncio.gather(_carry_in(reader, inside), _carry_out(inside, writer))
        except (OSError, asyncio.CancelledError):
            _reset(writer)
        finally:
            self._clients.pop(task, None)
            if inside is not None:
                inside.close()
            writer.close()

    def close(self) -> None:
        """See Opened."""
        if self._server is not None:
            self._server.close()
        for task in list(self._clients):
            task.cancel()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Break a connection off so that the other end is told (RST), whatever was read of it already."""
    with contextlib.suppress(OSError):
        connection = writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def _carry_in(reader: asyncio.StreamReader, inside: Conversation) -> None:
    while data := await reader.read(BYTES_MAX):
        await inside.write(data)
    inside.finish()


async def _carry_out(inside: Conversation, writer: asyncio.StreamWriter) -> None:
    while data := await inside.read():
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        with contextlib.suppress(OSError):
            writer.write_eof()


class RealUdpPort(asyncio.DatagramProtocol):
    """A UDP socket, with one conversation for each client that sends to it."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._transport: asyncio.DatagramTransport | None = None
        self._clients: dict[tuple[str, int], tuple[asyncio.Queue[bytes], asyncio.Task[None]]] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is there."""
        assert isinstance(transport, asyncio.DatagramTransport)
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """A client has sent something; what comes too fast is lost, as with any socket."""
        if addr not in self._clients:
            if len(self._clients) >= CLIENTS_MAX:
                return
            queue: asyncio.Queue[bytes] = asyncio.Queue(DATAGRAMS_WAITING_MAX)
            self._clients[addr] = queue, asyncio.ensure_future(self._serve(addr, queue))
        with contextlib.suppress(asyncio.QueueFull):
            self._clients[addr][0].put_nowait(data)

    async def _serve(self, client: tuple[str, int], queue: asyncio.Queue[bytes]) -> None:
        answers: asyncio.Future[None] | None = None
        inside: Conversation | None = None
        try:
            inside = await self._connect()
            answers = asyncio.ensure_future(self._answer(inside, client))
            with contextlib.suppress(TimeoutError):
                while True:
                    await inside.write(await asyncio.wait_for(queue.get(), UDP_IDLE_S))
        except OSError as error:
            if error.errno != errno.ECONNREFUSED:
                raise
        finally:
            del self._clients[client]
            if answers is not None:
                answers.cancel()
            if inside is not None:
                inside.close()

    async def _answer(self, inside: Conversation, client: tuple[str, int]) -> None:
        while True:
            data = await inside.read()
            if self._transport is not None:
                self._transport.sendto(data, client)

    def close(self) -> None:
        """See Opened."""
        if self._transport is not None:
            self._transport.close()
        for _, task in list(self._clients.values()):
            task.cancel()
