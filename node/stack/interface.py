"""The interfaces of a stack: their addresses, their counters, and the way out."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import dataclass, field

from node.model.address import BROADCAST_IPV4, parse_cidr
from node.stack.errors import os_error

LOOPBACK = "lo"
ADDRESSES_MAX = 64

Transmit = Callable[[bytes, float], None]
"""Sends one Ethernet frame: (frame, now in seconds)."""
Observer = Callable[["Interface", bytes, float, bool], None]
"""Sees a frame that passes: (interface, frame, now in seconds, whether it goes out)."""


@dataclass(frozen=True, slots=True)
class InterfaceAddress:
    """An IPv4 address, and how many of its first bits name the network."""

    address: bytes
    prefix: int

    @property
    def network(self) -> bytes:
        """The first address of the network."""
        return (int.from_bytes(self.address, "big") & self._mask).to_bytes(4, "big")

    @property
    def broadcast(self) -> bytes | None:
        """The last address of the network; None if it is too small to have one (RFC 3021)."""
        if self.prefix >= 31:
            return None
        return (int.from_bytes(self.address, "big") | ~self._mask & 0xFFFFFFFF).to_bytes(4, "big")

    def covers(self, address: bytes) -> bool:
        """Whether an address lies in the same network."""
        return (int.from_bytes(address, "big") ^ int.from_bytes(self.address, "big")) & self._mask == 0

    @property
    def _mask(self) -> int:
        return 0xFFFFFFFF << (32 - self.prefix) & 0xFFFFFFFF


@dataclass(slots=True)
class Traffic:
    """What has gone one way through an interface."""

    packets: int = 0
    bytes: int = 0
    dropped: int = 0

    def count(self, size: int) -> None:
        """One packet of so many bytes."""
        self.packets += 1
        self.bytes += size


@dataclass(slots=True, eq=False)
class Interface:
    """An interface as the stack sees it. ``transmit`` is None on the loopback interface alone."""

    index: int
    name: str
    mac: bytes
    mtu: int
    """Bytes of the longest IPv4 packet."""
    transmit: Transmit | None
    changed: Callable[[Interface], None]
    """Tells the stack that the addresses are others now."""
    peer_index: int = 0
    """Index of the other end of the cable, shown as in ``eth0@if7``; 0: none is shown."""
    beneath: str = ""
    """The interface that a VLAN's is built upon, shown as in ``eth0.10@eth0``."""
    addresses: tuple[InterfaceAddress, ...] = ()
    received: Traffic = field(default_factory=Traffic)
    sent: Traffic = field(default_factory=Traffic)
    observers: tuple[Observer, ...] = ()
    """Who looks on: nobody, as a rule, and then it costs nothing."""

    def show(self, frame: bytes, now: float, *, is_outgoing: bool) -> None:
        """Let everybody who looks on see a frame."""
        for observer in self.observers:
            observer(self, frame, now, is_outgoing)

    def add_address(self, cidr: str) -> None:
        """Add "10.0.1.3/24"; raises ValueError, and OSError EEXIST or ENOSPC."""
        added = InterfaceAddress(*parse_cidr(cidr))
        if added in self.addresses:
            raise os_error(errno.EEXIST)
        if len(self.addresses) >= ADDRESSES_MAX:
            raise os_error(errno.ENOSPC)
        self.addresses = (*self.addresses, added)
        self.changed(self)

    def remove_address(self, cidr: str) -> None:
        """Remove an address; raises ValueError, and OSError EADDRNOTAVAIL if it is not there."""
        removed = InterfaceAddress(*parse_cidr(cidr))
        if removed not in self.addresses:
            raise os_error(errno.EADDRNOTAVAIL)
        self.addresses = tuple(address for address in self.addresses if address != removed)
        self.changed(self)

    def source_towards(self, next_hop: bytes) -> bytes | None:
        """The own address to send from: one in the next hop's network, else the first."""
        for own in self.addresses:
            if own.covers(next_hop):
                return own.address
        return self.addresses[0].address if self.addresses else None


class OwnAddresses:
    """The addresses under which a stack can be reached, over all of its interfaces."""

    def __init__(self) -> None:
        self._own: dict[bytes, int] = {}
        """How many interfaces have each."""
        self._broadcast: dict[bytes, int] = {}
        self._counted: dict[str, tuple[InterfaceAddress, ...]] = {}
        """What was counted of each interface, by name."""

    def update(self, interface: Interface) -> None:
        """An interface's addresses have changed."""
        for address in self._counted.pop(interface.name, ()):
            self._count(address, -1)
        for address in interface.addresses:
            self._count(address, 1)
        if interface.addresses:
            self._counted[interface.name] = interface.addresses

    def _count(self, address: InterfaceAddress, step: int) -> None:
        for table, key in ((self._own, address.address), (self._broadcast, address.broadcast)):
            if key is not None and not _add(table, key, step):
                del table[key]

    def hold(self, address: bytes) -> bool:
        """Whether an address is this stack's own; all of 127.0.0.0/8 is (RFC 1122 section 3.2.1.3)."""
        return address in self._own or is_loopback(address)

    def is_group(self, address: bytes) -> bool:
        """Whether an address stands for several hosts: a broadcast, or multicast."""
        return address in self._broadcast or address == BROADCAST_IPV4 or is_multicast(address)


def _add(table: dict[bytes, int], key: bytes, step: int) -> int:
    table[key] = table.get(key, 0) + step
    return table[key]


def is_loopback(address: bytes) -> bool:
    """In 127.0.0.0/8."""
    return address[0] == 127


def is_multicast(address: bytes) -> bool:
    """In 224.0.0.0/4."""
    return 224 <= address[0] < 240
