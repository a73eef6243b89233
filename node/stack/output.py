"""The way out of a stack: which interface, which next hop, which source; cut to fit, and on its way.

packet --> path --> own address? --> loopback --> in again
             |
             +----> fits the MTU? --> neighbour's hardware address --> frame
                         |
                         +--> no: cut up, or EMSGSIZE if that is forbidden
"""

from __future__ import annotations

import errno
import random
from dataclasses import dataclass

from node.model.address import ZERO_IPV4
from node.stack.arp import AddressResolution
from node.stack.errors import MessageTooLong, os_error
from node.stack.fragments import split
from node.stack.interface import LOOPBACK, Interface, OwnAddresses, is_loopback
from node.stack.loopback import Loopback
from node.stack.pathmtu import PathMtu
from node.stack.routes import RouteTable
from node.wire import ipv4
from node.wire.ipv4 import Packet

_LOCALHOST = bytes((127, 0, 0, 1))


@dataclass(frozen=True, slots=True)
class Path:
    """How to reach a destination, and the own address that it is reached from."""

    interface: Interface
    next_hop: bytes
    source: bytes


class Output:
    """Everything that leaves one stack passes here, except what it forwards for others."""

    def __init__(
        self,
        interfaces: dict[str, Interface],
        own: OwnAddresses,
        routes: RouteTable,
        resolution: AddressResolution,
        loopback: Loopback,
        chance: random.Random,
    ) -> None:
        self.path_mtu = PathMtu()
        self._interfaces = interfaces
        self._own = own
        self._routes = routes
        self._resolution = resolution
        self._loopback = loopback
        self._identification = chance.randrange(0x10000)

    def path_to(self, destination: bytes, source: bytes | None = None) -> Path:
        """The way to an address, from ``source`` if the sender insists.

        Raises OSError ENETUNREACH, or EINVAL from 127.0.0.0/8 to the outside.
        """
        if self._own.hold(destination):
            nearest = _LOCALHOST if is_loopback(destination) else destination
            return Path(self._interfaces[LOOPBACK], destination, source or nearest)
        route = self._routes.find(destination)
        if route is None or destination == ZERO_IPV4:
            raise os_error(errno.ENETUNREACH)
        interface = self._interfaces[route.interface]
        next_hop = route.gateway or destination
        if self._own.is_group(destination):
            next_hop = destination  # everybody on the link, not the router alone
        if source is not None and is_loopback(source):
            raise os_error(errno.EINVAL)
        source = source or route.source or interface.source_towards(next_hop)
        if source is None:
            raise os_error(errno.ENETUNREACH)
        return Path(interface, next_hop, source)

    def identification(self) -> int:
        """A number that no recent packet had, to tell fragments of different packets apart (RFC 6864)."""
        self._identification = (self._identification + 1) & 0xFFFF
        return self._identification

    def send(self, packet: Packet, path: Path, now: float) -> None:
        """Send a packet, in fragments if need be and allowed. Raises MessageTooLong."""
        mtu = path.interface.mtu
        if packet.dont_fragment:
            mtu = self.path_mtu.of(packet.destination, mtu, now)
        size = packet.total_bytes
        if size > ipv4.PACKET_BYTES_MAX or (size > mtu and packet.dont_fragment):
            raise MessageTooLong(min(mtu, ipv4.PACKET_BYTES_MAX))
        pieces = [packet] if size <= mtu else split(packet, mtu)
        for piece in pieces:
            if path.interface.transmit is None:
                self._loopback.put(piece.emit(), now)
            else:
                self._resolution.send(path.interface, path.next_hop, piece.emit(), now)
