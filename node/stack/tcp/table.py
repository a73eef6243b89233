"""Whom a TCP segment is for: connections by both ends, listeners by their own (RFC 9293 section 3.10).

Binding follows Linux with SO_REUSEADDR, which servers set: a port is taken while somebody listens on
it, not while old connections die away.
"""

from __future__ import annotations

import errno
import random
from collections import deque
from collections.abc import Callable, Iterator

from node.stack.errors import os_error
from node.stack.tcp.connection import Connection
from node.stack.tcp.controlblock import Address, Ends
from node.stack.udptable import ANY, EPHEMERAL_PORTS

CONNECTIONS_MAX = 16_384
BACKLOG_MAX = 4096
"""Linux's net.core.somaxconn."""


class Listener:
    """A port that takes connections, which wait in ``queue`` until they are accepted."""

    def __init__(
        self, local: Address, backlog: int, notify: Callable[[], None], *, is_hidden: bool = False
    ) -> None:
        """``is_hidden``: see UdpBinding."""
        self.local = local
        self.is_hidden = is_hidden
        self.backlog = max(1, min(backlog, BACKLOG_MAX))
        self.notify = notify
        self.queue: deque[Connection] = deque()
        self.pending: dict[Connection, None] = {}
        """Those whose handshake is under way."""

    @property
    def is_full(self) -> bool:
        """No more SYNs are taken."""
        return len(self.queue) + len(self.pending) >= self.backlog


class TcpTable:
    """Every connection and listener of one stack."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._connections: dict[tuple[Address, Address], Connection] = {}
        self._listeners: dict[int, list[Listener]] = {}

    def __iter__(self) -> Iterator[Connection]:
        return iter(self._connections.values())

    def listeners(self) -> Iterator[Listener]:
        """In the order of their ports."""
        for number in sorted(self._listeners):
            yield from self._listeners[number]

    def find(self, local: Address, remote: Address) -> Connection | None:
        """The connection between two ends."""
        return self._connections.get((local, remote))

    def find_listener(self, local: Address) -> Listener | None:
        """Who takes new connections there; one at the very address comes first."""
        found = None
        for listener in self._listeners.get(local[1], ()):
            if listener.local[0] == local[0]:
                return listener
            if listener.local[0] == ANY:
                found = listener
        return found

    def add(self, connection: Connection) -> None:
        """Raises OSError ENFILE, EADDRNOTAVAIL (such a connection exists)."""
        ends = connection.block.ends
        if len(self._connections) >= CONNECTIONS_MAX:
            raise os_error(errno.ENFILE)
        if (ends.local, ends.remote) in self._connections:
            raise os_error(errno.EADDRNOTAVAIL)
        self._connections[ends.local, ends.remote] = connection

    def remove(self, connection: Connection) -> None:
        """Forget a connection; harmless if that was done."""
        ends = connection.block.ends
        if self._connections.get((ends.local, ends.remote)) is connection:
            del self._connections[ends.local, ends.remote]

    def listen(self, listener: Listener) -> None:
        """Raises OSError EADDRINUSE; port 0 takes a free one."""
        address, number = listener.local
        if number == 0:
            number = self._free(lambda port: not self._is_taken(address, port))
            listener.local = (address, number)
        elif self._is_taken(address, number):
            raise os_error(errno.EADDRINUSE)
        self._listeners.setdefault(number, []).append(listener)

    def unlisten(self, listener: Listener) -> None:
        """Give the port back; harmless if that was done."""
        holders = self._listeners.get(listener.local[1], [])
        if listener in holders:
            holders.remove(listener)
            if not holders:
                del self._listeners[listener.local[1]]

    def ends_to(self, source: bytes, remote: Address) -> Ends:
        """A free own port for a connection to somebody. Raises OSError EADDRNOTAVAIL."""
        number = self._free(
            lambda port: port not in self._listeners and ((source, port), remote) not in self._connections
        )
        return Ends((source, number), remote)

    def _is_taken(self, address: bytes, number: int) -> bool:
        holders = [holder for holder in self._listeners.get(number, ()) if not holder.is_hidden]
        return any(address == ANY or holder.local[0] in (ANY, address) for holder in holders)

    def _free(self, is_free: Callable[[int], bool]) -> int:
        start = self._chance.randrange(len(EPHEMERAL_PORTS))
        for step in range(len(EPHEMERAL_PORTS)):
            number = EPHEMERAL_PORTS[(start + step) % len(EPHEMERAL_PORTS)]
            if is_free(number):
                return number
        raise os_error(errno.EADDRNOTAVAIL)
