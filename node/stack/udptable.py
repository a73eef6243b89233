"""The UDP ports of one stack: who listens where, and what waits to be read (RFC 768).

The rules of binding are Linux's (net/ipv4/udp.c, inet_connection_sock.c) without SO_REUSEADDR and
SO_REUSEPORT; errors are OSErrors with the number that a program would see.
"""

from __future__ import annotations

import errno
import random
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from node.stack.errors import os_error

EPHEMERAL_PORTS = range(32_768, 61_000)
"""Linux's net.ipv4.ip_local_port_range."""
BINDINGS_MAX = 4096
INBOX_MAX_DATAGRAMS = 256
INBOX_MAX_BYTES = 212_992
"""Linux's net.core.rmem_default."""

ANY = bytes(4)

Address = tuple[bytes, int]
"""IPv4 address and UDP port."""


@dataclass(frozen=True, slots=True)
class UdpError:
    """What ICMP says of a datagram to ``remote``: type and code, from whom, and when it came (s)."""

    remote: tuple[str, int]
    source: str
    kind: int
    code: int
    at: float


@dataclass(slots=True, eq=False)
class UdpBinding:
    """One program's hold on a UDP port: where it stands, and its inbox."""

    notify: Callable[[], None]
    """Called when there is something new to take out."""
    local: Address = (ANY, 0)
    """Port 0: not bound yet."""
    remote: Address | None = None
    """The only address that it talks with, once connected."""
    inbox: deque[tuple[bytes, Address]] = field(default_factory=deque)
    inbox_bytes: int = 0
    is_hidden: bool = False
    """As if it stood elsewhere and packets were redirected to it: programs may bind its port too, and
    what is for its very address is for it."""
    error: int = 0
    """The number of an error that a router or the remote end has reported."""
    errors: deque[UdpError] | None = None
    """Every error in full, for a program that asks for that (Linux: IP_RECVERR)."""

    def put(self, data: bytes, sender: Address) -> bool:
        """Add a datagram that has come; False if the inbox is full."""
        if len(self.inbox) >= INBOX_MAX_DATAGRAMS or self.inbox_bytes + len(data) > INBOX_MAX_BYTES:
            return False
        self.inbox.append((data, sender))
        self.inbox_bytes += len(data)
        self.notify()
        return True

    def take(self) -> tuple[bytes, Address] | None:
        """The oldest datagram, or None; raises the error that was reported, once."""
        if self.error:
            number, self.error = self.error, 0
            raise os_error(number)
        if not self.inbox:
            return None
        data, sender = self.inbox.popleft()
        self.inbox_bytes -= len(data)
        return data, sender

    def fail(self, number: int) -> None:
        """An ICMP error has come back for something that was sent from here."""
        self.error = number
        self.notify()

    def hear(self, error: UdpError) -> None:
        """As fail(), for a program that asks for errors in full; beyond the inbox they are lost."""
        if self.errors is not None and len(self.errors) < INBOX_MAX_DATAGRAMS:
            self.errors.append(error)
            self.notify()

    def accepts(self, local: bytes, sender: Address) -> bool:
        """Whether a datagram to one of the stack's addresses is for this binding."""
        return self.local[0] in (ANY, local) and self.remote in (None, sender)


class UdpTable:
    """Every binding of one stack, by port number."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._bindings: dict[int, list[UdpBinding]] = {}
        self._count = 0

    def __iter__(self) -> Iterator[UdpBinding]:
        """In the order of their ports."""
        for number in sorted(self._bindings):
            yield from self._bindings[number]

    def bind(self, binding: UdpBinding, local: Address) -> None:
        """Take a port; number 0 takes a free one by chance. Raises OSError EADDRINUSE, EINVAL, ENFILE."""
        address, number = local
        if binding.local[1]:
            raise os_error(errno.EINVAL)
        if self._count >= BINDINGS_MAX:
            raise os_error(errno.ENFILE)
        if number == 0:
            number = self._free_port(address)
        elif self._is_taken(address, number):
            raise os_error(errno.EADDRINUSE)
        binding.local = (address, number)
        holders = self._bindings.setdefault(number, [])
        holders.insert(0 if binding.is_hidden else len(holders), binding)
        self._count += 1

    def release(self, binding: UdpBinding) -> None:
        """Give the port back; without effect if it was not bound."""
        holders = self._bindings.get(binding.local[1], [])
        if binding in holders:
            holders.remove(binding)
            self._count -= 1
            if not holders:
                del self._bindings[binding.local[1]]

    def find(self, local: Address, sender: Address) -> UdpBinding | None:
        """Whom a datagram is for; hidden bindings apart, no two stand at the same address and port."""
        for binding in self._bindings.get(local[1], ()):
            if binding.accepts(local[0], sender):
                return binding
        return None

    def find_all(self, local: Address, sender: Address) -> list[UdpBinding]:
        """Whom a broadcast is for."""
        return [b for b in self._bindings.get(local[1], ()) if b.accepts(local[0], sender)]

    def _is_taken(self, address: bytes, number: int) -> bool:
        holders = [holder for holder in self._bindings.get(number, ()) if not holder.is_hidden]
        return any(address == ANY or holder.local[0] in (ANY, address) for holder in holders)

    def _free_port(self, address: bytes) -> int:
        start = self._chance.randrange(len(EPHEMERAL_PORTS))
        for step in range(len(EPHEMERAL_PORTS)):
            number = EPHEMERAL_PORTS[(start + step) % len(EPHEMERAL_PORTS)]
            if not self._is_taken(address, number):
                return number
        raise os_error(errno.EADDRINUSE)
