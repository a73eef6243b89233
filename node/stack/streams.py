"""TCP for programs: they connect, accept, read and write, and wait where that takes time.

Errors are OSErrors with the number that Linux would give. Time limits are the caller's.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from node.model.address import format_ipv4, parse_ipv4
from node.stack.errors import os_error
from node.stack.namespace import Namespace
from node.stack.sockets import Socket, TextAddress
from node.stack.tcp.connection import Connection
from node.stack.tcp.state import HANDSHAKING, State

READ_BYTES_MAX = 65_536


@dataclass(frozen=True, slots=True)
class TcpInfo:
    """What Linux tells of a connection under TCP_INFO: bytes, seconds, and segments sent again."""

    segment_bytes: int
    congestion_window_bytes: int
    round_trip_s: float
    retransmits: int


class TcpStream(Socket):
    """One end of a TCP connection."""

    def __init__(self, namespace: Namespace, owned: dict[Socket, None], connection: Connection) -> None:
        """Raises OSError EMFILE; then the connection is not ours, and stays as it is."""
        super().__init__(namespace, owned)
        self._tcp = namespace.stack.tcp
        self._connection = connection
        connection.notify = self._notify
        self._open()

    @property
    def local(self) -> TextAddress:
        """Our own end."""
        address, tcp_port = self._connection.block.ends.local
        return format_ipv4(address), tcp_port

    @property
    def remote(self) -> TextAddress:
        """The other end."""
        address, tcp_port = self._connection.block.ends.remote
        return format_ipv4(address), tcp_port

    @property
    def info(self) -> TcpInfo:
        """How it is going."""
        sending = self._connection.block.sending
        smoothed_s = sending.round_trip.smoothed_s
        return TcpInfo(sending.mss, sending.congestion_window, smoothed_s, sending.resent)

    async def connected(self) -> None:
        """Wait for the handshake; ECONNREFUSED, ETIMEDOUT, EHOSTUNREACH."""
        while self._connection.state in HANDSHAKING:
            await self._news()
            self._check_open()
        if self._connection.state is State.CLOSED and self._connection.error:
            raise os_error(self._connection.error)

    async def read(self, bytes_max: int = READ_BYTES_MAX) -> bytes:
        """What has come, as soon as anything has; empty at the end. ECONNRESET, ETIMEDOUT."""
        while True:
            self._check_open()
            data = self._connection.read(bytes_max)
            if data is not None:
                self._flush()
                return data
            await self._news()

    async def write(self, data: bytes) -> None:
        """Send, waiting for room where there is none; EPIPE, ECONNRESET, ETIMEDOUT."""
        rest = memoryview(data)
        while True:
            self._check_open()
            taken = self._connection.write(bytes(rest), self._namespace.clock.now()) if rest else 0
            self._flush()
            rest = rest[taken:]
            if not rest:
                return
            if self._connection.room == 0:
                await self._news()

    def finish(self) -> None:
        """Say that nothing more will be sent; reading goes on (shutdown)."""
        self._check_open()
        self._connection.finish(self._namespace.clock.now())
        self._flush()

    def abort(self) -> None:
        """End at once, with RST, and close."""
        if self in self._owned:
            self._connection.abort()
            self.close()

    def _release(self) -> None:
        self._connection.close(self._namespace.clock.now())
        self._connection.notify = _nobody
        self._flush()

    def _flush(self) -> None:
        self._tcp.flush(self._connection, self._namespace.clock.now())
        self._namespace.arm()


class TcpListener(Socket):
    """A TCP port that takes connections."""

    def __init__(
        self,
        namespace: Namespace,
        owned: dict[Socket, None],
        local: TextAddress,
        backlog: int,
        *,
        is_hidden: bool = False,
    ) -> None:
        """Raises OSError EADDRINUSE, EADDRNOTAVAIL, EMFILE."""
        super().__init__(namespace, owned)
        self._tcp = namespace.stack.tcp
        address = parse_ipv4(local[0]), local[1]
        self._listener = self._tcp.listen(address, backlog, self._notify, is_hidden=is_hidden)
        self._open()

    @property
    def local(self) -> TextAddress:
        """Where it listens."""
        address, tcp_port = self._listener.local
        return format_ipv4(address), tcp_port

    async def accept(self) -> TcpStream:
        """Wait for a connection."""
        while True:
            self._check_open()
            if self._listener.queue:
                stream = TcpStream(self._namespace, self._owned, self._listener.queue[0])
                self._listener.queue.popleft()
                return stream
            await self._news()

    def _release(self) -> None:
        self._tcp.unlisten(self._listener, self._namespace.clock.now())
        self._namespace.arm()


async def connect(
    namespace: Namespace, owned: dict[Socket, None], remote: TextAddress, source: str = ""
) -> TcpStream:
    """Open a connection, and wait until it stands. Raises OSError: why it does not."""
    tcp = namespace.stack.tcp
    bound = parse_ipv4(source) if source else None
    connection = tcp.connect((parse_ipv4(remote[0]), remote[1]), bound, _nobody, namespace.clock.now())
    try:
        stream = TcpStream(namespace, owned, connection)
    except OSError:
        connection.abort()
        tcp.flush(connection, namespace.clock.now())
        raise
    namespace.arm()
    try:
        await stream.connected()
    except (OSError, asyncio.CancelledError):
        stream.abort()
        raise
    return stream


def _nobody() -> None:
    """Nobody waits."""
