"""Which ports of the host are given out, and the next one to give (moby: libnetwork/portallocator).

Exactly what is asked for, or the next free one of a range after the one given last. Addresses are
compared as they are written: 0.0.0.0 and 127.0.0.1 do not know each other, but the host's stack does.
What stands open on all IPv4 addresses does so on all IPv6 addresses too, and may do so there alone.
"""

from __future__ import annotations

from node.errors import Failed
from node.model.published import ANY_IPV4, ANY_IPV6, PortWish

_EVERYWHERE = (ANY_IPV4, ANY_IPV6)

DYNAMIC = (32_768, 60_999)
"""Linux's net.ipv4.ip_local_port_range."""


class PortAllocator:
    """The ports of one node, over all its networks."""

    def __init__(self) -> None:
        self._taken: dict[tuple[str, str, int], None] = {}
        self._last: dict[tuple[str, str, int, int], int] = {}

    @property
    def taken(self) -> tuple[tuple[str, str, int], ...]:
        """Address, protocol and port of all that are given out."""
        return tuple(self._taken)

    def take(self, wish: PortWish) -> int:
        """A port that is free now. Raises Failed with the engine's words."""
        address, protocol = wish.host_address, wish.protocol
        first, last = (wish.first, wish.last) if wish.first else DYNAMIC
        if first == last:
            if holder := self._holder(address, protocol, first):
                raise Failed(f"Bind for {holder}:{first} failed: port is already allocated")
            self._taken[address, protocol, first] = None
            return first
        cursor = (address, protocol, first, last)
        size = last - first + 1
        begin = self._last.get(cursor, first - 1) + 1 - first
        for step in range(size):
            port = first + (begin + step) % size
            if not self._holder(address, protocol, port):
                self._taken[address, protocol, port] = None
                self._last[cursor] = port
                return port
        raise Failed("all ports are allocated")

    def _holder(self, address: str, protocol: str, port: int) -> str:
        """The address that the port is taken on and would be needed on, "" if it is free."""
        if (address, protocol, port) in self._taken:
            return address
        if address in _EVERYWHERE and any((other, protocol, port) in self._taken for other in _EVERYWHERE):
            return ANY_IPV6
        return ""

    def release(self, address: str, protocol: str, port: int) -> None:
        """Give a port back."""
        del self._taken[address, protocol, port]
