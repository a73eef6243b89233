"""The proxies that hold published ports on the host, as the engine's docker-proxy does.

    a program of the host,           proxy in the host's sandbox            container
    a container by the host's  --->  host address:port  ==  new connection  --->  address:port
    address, the real world          (its client is the bridge's gateway)

What comes from the LAN does not meet them: the host's firewall has sent it on already, and there the
container sees who really calls.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno

from node.seams import Clock
from node.stack.sandbox import Sandbox
from node.stack.sockets import TextAddress, UdpSocket
from node.stack.streams import TcpStream
from node.tasks import TaskScope

CLIENTS_MAX = 4096
BACKLOG = 4096
"""Go's, which takes the system's net.core.somaxconn."""
HANDSHAKES_MAX = 64
"""Under way at once towards one container."""
UDP_IDLE_S = 90.0
"""The engine's UDPConnTrackTimeout."""


class TcpProxy:
    """See the module. Raises OSError EADDRINUSE, EADDRNOTAVAIL."""

    def __init__(self, host: Sandbox, listen: TextAddress, serving: TextAddress, tasks: TaskScope) -> None:
        self._sandbox = host.share("docker-proxy")
        self._serving = serving
        self._tasks = tasks
        self._clients: dict[asyncio.Task[None], None] = {}
        self._handshakes = asyncio.Semaphore(HANDSHAKES_MAX)
        try:
            self._listener = self._sandbox.listen_tcp(*listen, BACKLOG)
        except OSError:
            self._sandbox.close()
            raise
        self._accepting = tasks.start(self._accept(), f"proxy {listen[0]}:{listen[1]}")

    async def _accept(self) -> None:
        while True:
            try:
                client = await self._listener.accept()
            except OSError as error:
                if error.errno == errno.EBADF:
                    return
                raise
            if len(self._clients) >= CLIENTS_MAX:
                client.abort()
                continue
            task = self._tasks.start(self._serve(client), f"proxy for {client.remote[0]}")
            self._clients[task] = None
            task.add_done_callback(lambda done: self._clients.pop(done, None))

    async def _serve(self, client: TcpStream) -> None:
        try:
            async with self._handshakes:
                server = await self._sandbox.connect_tcp(*self._serving)
        except OSError:
            client.abort()
            return
        await join(client, server)

    def close(self) -> None:
        """Give the port back; conversations end."""
        self._accepting.cancel()
        for task in list(self._clients):
            task.cancel()
        self._sandbox.close()


async def join(one: TcpStream, other: TcpStream) -> None:
    """Carry bytes both ways until both have ended, or one has broken off."""
    there = asyncio.ensure_future(_carry(one, other))
    back = asyncio.ensure_future(_carry(other, one))
    try:
        await asyncio.gather(there, back)
    except OSError:
        one.abort()
        other.abort()
    finally:
        there.cancel()
        back.cancel()
        one.close()
        other.close()


async def _carry(source: TcpStream, target: TcpStream) -> None:
    while data := await source.read():
        await target.write(data)
    target.finish()


class UdpProxy:
    """See the module: one socket towards the container for each client. Raises OSError EADDRINUSE."""

    def __init__(
        self, host: Sandbox, listen: TextAddress, serving: TextAddress, tasks: TaskScope, clock: Clock
    ) -> None:
        self._sandbox = host.share("docker-proxy")
        self._serving = serving
        self._tasks = tasks
        self._clock = clock
        self._clients: dict[TextAddress, tuple[UdpSocket, asyncio.Task[None]]] = {}
        self._heard: dict[TextAddress, float] = {}
        self._socket = self._sandbox.udp_socket()
        try:
            self._socket.bind(*listen)
        except OSError:
            self._sandbox.close()
            raise
        self._work = [
            tasks.start(self._take(), f"proxy {listen[0]}:{listen[1]}/udp"),
            tasks.start(self._forget_idle(), "proxy's idle clients"),
        ]

    async def _take(self) -> None:
        while True:
            data, client = await self._socket.receive()
            if client not in self._clients:
                if len(self._clients) >= CLIENTS_MAX:
                    continue
                towards = self._sandbox.udp_socket()
                towards.connect(*self._serving)
                task = self._tasks.start(self._answer(towards, client), f"proxy for {client[0]}/udp")
                self._clients[client] = towards, task
            self._heard[client] = self._clock.now()
            with contextlib.suppress(OSError):  # what ICMP said of an earlier one
                self._clients[client][0].send(data)

    async def _answer(self, towards: UdpSocket, client: TextAddress) -> None:
        while True:
            try:
                data, _ = await towards.receive()
                self._socket.send(data, client)
            except ConnectionRefusedError:
                continue  # nobody listens in the container: as silent as the engine's

    async def _forget_idle(self) -> None:
        while True:
            await self._clock.sleep(UDP_IDLE_S)
            for client in [c for c, at in self._heard.items() if self._clock.now() - at >= UDP_IDLE_S]:
                towards, task = self._clients.pop(client)
                del self._heard[client]
                task.cancel()
                towards.close()

    def close(self) -> None:
        """Give the port back."""
        for task in (*self._work, *(task for _, task in self._clients.values())):
            task.cancel()
        self._sandbox.close()


Proxy = TcpProxy | UdpProxy


class Datagrams:
    """A UDP socket of the host that talks with one container, as a Conversation (node/seams.py)."""

    def __init__(self, host: Sandbox, serving: TextAddress) -> None:
        """Raises OSError."""
        self._socket = host.udp_socket()
        self._socket.connect(*serving)

    async def read(self) -> bytes:
        """The next datagram."""
        while True:
            try:
                return (await self._socket.receive())[0]
            except ConnectionRefusedError:
                continue

    async def write(self, data: bytes) -> None:
        """Send a datagram."""
        with contextlib.suppress(ConnectionRefusedError):
            self._socket.send(data)

    def finish(self) -> None:
        """Datagrams have no end."""

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()
