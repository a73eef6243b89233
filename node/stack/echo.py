"""The ICMP echo identifiers of one stack: who is pinging, and what has come back (RFC 792)."""

from __future__ import annotations

import errno
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from node.stack.errors import os_error

IDENTIFIERS_MAX = 1024
INBOX_MAX = 256


@dataclass(frozen=True, slots=True)
class EchoRequest:
    """What to send where: ``destination`` is four bytes, ``sequence`` counts modulo 65536."""

    destination: bytes
    sequence: int
    payload: bytes
    ttl: int
    dont_fragment: bool


@dataclass(frozen=True, slots=True)
class EchoReply:
    """An answer: from whom, to which request, with what TTL it arrived, and when (seconds, monotonic)."""

    source: str
    sequence: int
    ttl: int
    payload: bytes
    at: float


@dataclass(frozen=True, slots=True)
class EchoError:
    """Someone on the way, or the stack itself, could not deliver a request.

    ``kind`` and ``code`` are the ICMP type and code (RFC 792); ``mtu`` comes with
    "fragmentation needed", 0 if the router did not tell.
    """

    source: str
    kind: int
    code: int
    sequence: int
    mtu: int | None
    at: float


@dataclass(slots=True, eq=False)
class EchoBinding:
    """One program's identifier, and its inbox."""

    identifier: int
    notify: Callable[[], None]
    inbox: deque[EchoReply | EchoError] = field(default_factory=deque)

    def put(self, event: EchoReply | EchoError) -> bool:
        """Add what has come back; False if the inbox is full."""
        if len(self.inbox) >= INBOX_MAX:
            return False
        self.inbox.append(event)
        self.notify()
        return True


class EchoTable:
    """Every echo binding of one stack, by identifier."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._bindings: dict[int, EchoBinding] = {}

    def open(self, notify: Callable[[], None]) -> EchoBinding:
        """Take a free identifier by chance; raises OSError ENFILE."""
        if len(self._bindings) >= IDENTIFIERS_MAX:
            raise os_error(errno.ENFILE)
        while (identifier := self._chance.randrange(0x10000)) in self._bindings:
            pass
        binding = self._bindings[identifier] = EchoBinding(identifier, notify)
        return binding

    def release(self, binding: EchoBinding) -> None:
        """Give the identifier back; without effect if that has happened already."""
        if self._bindings.get(binding.identifier) is binding:
            del self._bindings[binding.identifier]

    def find(self, identifier: int) -> EchoBinding | None:
        """Whose identifier it is."""
        return self._bindings.get(identifier)
