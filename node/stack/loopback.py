"""Packets from a stack to itself: one after the other, never one inside the other."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from node.datapath.drops import Counters, Drop
from node.model.address import ZERO_MAC
from node.stack.interface import Interface
from node.wire import ethernet

WAITING_MAX = 1_000
"""Linux's net.core.netdev_max_backlog."""
IN_A_ROW_MAX = 10_000
"""Two programs that answer each other for ever must not stop the node."""

_HEADER = ZERO_MAC + ZERO_MAC + ethernet.IPV4
"""What Linux shows observers before a packet on lo; they see it once, as it comes in."""


class Loopback:
    """The work list behind the interface lo."""

    def __init__(
        self, interface: Interface, counters: Counters, deliver: Callable[[Interface, bytes, float], None]
    ) -> None:
        """``deliver`` takes each packet in again."""
        self._interface = interface
        self._counters = counters
        self._waiting: deque[bytes] = deque()
        self._deliver = deliver
        self._is_delivering = False

    def put(self, packet: bytes, now: float) -> None:
        """Deliver a packet: now, or when those before it are done."""
        if len(self._waiting) >= WAITING_MAX:
            self._drop()
            return
        self._waiting.append(packet)
        if self._is_delivering:
            return
        self._is_delivering = True
        try:
            self._deliver_all(now)
        finally:
            self._is_delivering = False

    def _deliver_all(self, now: float) -> None:
        for _ in range(IN_A_ROW_MAX):
            if not self._waiting:
                return
            packet = self._waiting.popleft()
            self._interface.sent.count(len(packet))
            self._interface.received.count(len(packet))
            if self._interface.observers:
                self._interface.show(_HEADER + packet, now, is_outgoing=False)
            self._deliver(self._interface, packet, now)
        while self._waiting:
            self._waiting.popleft()
            self._drop()

    def _drop(self) -> None:
        self._interface.sent.dropped += 1
        self._counters.drop(Drop.LOOPBACK_FULL)
