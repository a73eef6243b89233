"""Looking on: a socket that sees the frames of interfaces, as they pass (Linux: packet(7))."""

from __future__ import annotations

import errno
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from node.stack.errors import os_error
from node.stack.interface import Interface
from node.stack.namespace import Namespace
from node.stack.sockets import Socket

WAITING_FRAMES_MAX = 1_000
"""Frames that nobody has taken yet; those beyond it are counted, and not kept."""

Wanted = Callable[[bytes], bool]
"""Whether a frame is of interest."""


@dataclass(frozen=True, slots=True)
class Captured:
    """A frame, and when (seconds) and where it passed; on lo it has a header of zeros."""

    frame: bytes
    at: float
    interface: str
    is_outgoing: bool


class CaptureSocket(Socket):
    """Sees the frames of some interfaces that are there when it is opened, and changes nothing."""

    def __init__(
        self, namespace: Namespace, owned: dict[Socket, None], names: tuple[str, ...], wanted: Wanted
    ) -> None:
        """Raises OSError ENODEV if there is no such interface, and EMFILE."""
        super().__init__(namespace, owned)
        interfaces = namespace.stack.interfaces
        if any(name not in interfaces for name in names):
            raise os_error(errno.ENODEV)
        self.received = 0
        """Frames that were wanted."""
        self.dropped = 0
        """Those among them that came while too many waited."""
        self._wanted = wanted
        self._inbox: deque[Captured] = deque()
        self._interfaces = [interfaces[name] for name in names]
        self._observer = self._observe  # one object, to be found again
        for interface in self._interfaces:
            interface.observers = (*interface.observers, self._observer)
        self._open()

    async def receive(self) -> Captured:
        """Wait for the next frame."""
        while True:
            self._check_open()
            if self._inbox:
                return self._inbox.popleft()
            await self._news()

    def _observe(self, interface: Interface, frame: bytes, now: float, is_outgoing: bool) -> None:
        if not self._wanted(frame):
            return
        self.received += 1
        if len(self._inbox) >= WAITING_FRAMES_MAX:
            self.dropped += 1
            return
        self._inbox.append(Captured(frame, now, interface.name, is_outgoing))
        self._notify()

    def _release(self) -> None:
        for interface in self._interfaces:
            interface.observers = tuple(each for each in interface.observers if each is not self._observer)
        self._inbox.clear()
