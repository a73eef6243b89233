"""The sockets that programs use: they wait, while everything that decides is in the stack.

Addresses are text. Errors are OSErrors with the number that Linux would give. Time limits are the
caller's: ``async with asyncio.timeout(1): await socket.receive()``.
"""

from __future__ import annotations

import asyncio
import errno
from collections import deque
from collections.abc import Callable

from node.datapath.drops import Drop
from node.model.address import format_ipv4, parse_ipv4
from node.stack.echo import EchoError, EchoReply, EchoRequest
from node.stack.errors import os_error
from node.stack.namespace import Namespace
from node.stack.udptable import Address, UdpBinding, UdpError
from node.wire import ipv4

TextAddress = tuple[str, int]
"""IPv4 address and UDP port."""


SOCKETS_MAX = 8192
"""Open at once with one owner. A container of a real engine may open a million, which no laptop holds."""


class Socket:
    """What all sockets have: they are open or closed, and someone may wait for news."""

    def __init__(self, namespace: Namespace, owned: dict[Socket, None]) -> None:
        """``owned`` holds the open sockets of one owner. Raises OSError EMFILE."""
        if len(owned) >= SOCKETS_MAX:
            raise os_error(errno.EMFILE)
        self._namespace = namespace
        self._owned = owned
        self._waiting: list[asyncio.Future[None]] = []

    def close(self) -> None:
        """Give back what the socket holds; whoever waits gets EBADF. Harmless if closed already."""
        if self in self._owned:
            del self._owned[self]
            self._release()
            self._notify()

    def _open(self) -> None:
        """The last thing that opening does: from now on it has to be closed."""
        self._owned[self] = None

    def _release(self) -> None:
        raise NotImplementedError

    def _check_open(self) -> None:
        if self not in self._owned:
            raise os_error(errno.EBADF)

    def _notify(self) -> None:
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)

    async def _news(self) -> None:
        future = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        try:
            await future
        finally:
            if future in self._waiting:
                self._waiting.remove(future)


class UdpSocket(Socket):
    """A UDP socket (RFC 768). Programs get theirs from their sandbox."""

    def __init__(self, namespace: Namespace, owned: dict[Socket, None]) -> None:
        super().__init__(namespace, owned)
        self._udp = namespace.stack.udp
        self._binding = UdpBinding(self._notify)
        self._open()

    @property
    def local(self) -> TextAddress:
        """Where the socket is bound; ("0.0.0.0", 0) before it is."""
        address, udp_port = self._binding.local
        return format_ipv4(address), udp_port

    @property
    def remote(self) -> TextAddress | None:
        """What the socket is connected to."""
        if self._binding.remote is None:
            return None
        address, udp_port = self._binding.remote
        return format_ipv4(address), udp_port

    def bind(self, address: str, udp_port: int) -> None:
        """Take a UDP port, 0 for a free one; EADDRINUSE, EADDRNOTAVAIL, EINVAL if bound already."""
        self._check_open()
        self._udp.bind(self._binding, (parse_ipv4(address), udp_port))

    def connect(self, address: str, udp_port: int) -> None:
        """Talk with one address only, and hear of its ICMP errors; ENETUNREACH."""
        self._check_open()
        self._udp.connect(self._binding, (parse_ipv4(address), udp_port))

    def send(self, data: bytes, to: TextAddress | None = None, ttl: int = ipv4.TTL_DEFAULT) -> None:
        """Send a datagram that lives for ``ttl`` hops.

        Raises EMSGSIZE, ENETUNREACH, EDESTADDRREQ, or an error reported before.
        """
        self._check_open()
        remote = None if to is None else (parse_ipv4(to[0]), to[1])
        self._udp.send(self._binding, data, remote, self._namespace.clock.now(), ttl)
        self._namespace.arm()

    async def receive(self) -> tuple[bytes, TextAddress]:
        """Wait for a datagram; an error that ICMP has reported is raised instead (ECONNREFUSED)."""
        while True:
            self._check_open()
            datagram = self._binding.take()
            if datagram is not None:
                data, (address, udp_port) = datagram
                return data, (format_ipv4(address), udp_port)
            await self._news()

    def report_errors(self) -> None:
        """From now on what ICMP says of datagrams is for receive_error() alone (Linux: IP_RECVERR)."""
        self._binding.errors = deque()

    async def receive_error(self) -> UdpError:
        """Wait for what ICMP says of a datagram that was sent."""
        while True:
            self._check_open()
            if self._binding.errors:
                return self._binding.errors.popleft()
            await self._news()

    def _release(self) -> None:
        self._udp.release(self._binding)


class EchoSocket(Socket):
    """A socket for ICMP echo requests, as ping uses it."""

    def __init__(self, namespace: Namespace, owned: dict[Socket, None]) -> None:
        super().__init__(namespace, owned)
        self._binding = namespace.stack.echo.open(self._notify)
        self._open()

    @property
    def identifier(self) -> int:
        """What tells this socket's requests from others' of the sandbox."""
        return self._binding.identifier

    def send(
        self,
        destination: str,
        sequence: int,
        payload: bytes,
        ttl: int = 64,
        dont_fragment: bool = False,
    ) -> None:
        """Send one request; ENETUNREACH, EINVAL, or MessageTooLong with the MTU of the path."""
        self._check_open()
        request = EchoRequest(parse_ipv4(destination), sequence, payload, ttl, dont_fragment)
        self._namespace.stack.icmp.request(self._binding, request, self._namespace.clock.now())
        self._namespace.arm()

    async def receive(self) -> EchoReply | EchoError:
        """Wait for what comes back: a reply, or an error about one of the requests."""
        while True:
            self._check_open()
            if self._binding.inbox:
                return self._binding.inbox.popleft()
            await self._news()

    def _release(self) -> None:
        self._namespace.stack.echo.release(self._binding)


Answer = Callable[[bytes, TextAddress], bytes | None]
"""From a datagram and its sender to the datagram that answers it, or None."""


class UdpServer(Socket):
    """Answers each datagram to one UDP port as it comes, without waiting for anything."""

    def __init__(
        self,
        namespace: Namespace,
        owned: dict[Socket, None],
        local: TextAddress,
        answer: Answer,
        *,
        is_hidden: bool = False,
    ) -> None:
        """Raises OSError as UdpSocket.bind does."""
        super().__init__(namespace, owned)
        self._answer = answer
        self._binding = UdpBinding(self._serve, is_hidden=is_hidden)
        namespace.stack.udp.bind(self._binding, (parse_ipv4(local[0]), local[1]))
        self._open()

    def send(self, data: bytes, to: TextAddress) -> None:
        """Send an answer that took its time; without effect once closed, counted if there is no way."""
        if self in self._owned:
            self._reply(data, (parse_ipv4(to[0]), to[1]))
            self._namespace.arm()

    def _serve(self) -> None:
        while (datagram := self._binding.take()) is not None:
            data, sender = datagram
            answer = self._answer(data, (format_ipv4(sender[0]), sender[1]))
            if answer is not None:
                self._reply(answer, sender)

    def _reply(self, answer: bytes, to: Address) -> None:
        namespace = self._namespace
        try:
            namespace.stack.udp.send(self._binding, answer, to, namespace.clock.now())
        except OSError:
            namespace.counters.drop(Drop.NO_ROUTE)

    def _release(self) -> None:
        self._namespace.stack.udp.release(self._binding)
