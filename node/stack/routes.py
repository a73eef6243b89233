"""Which way a packet goes: the routes of one stack, longest prefix first (RFC 1812 section 5.2.4.3)."""

from __future__ import annotations

import errno
from collections.abc import Container, Sequence
from dataclasses import dataclass

from node.model.address import parse_cidr, parse_ipv4
from node.stack.errors import os_error

ROUTES_MAX = 32_768


@dataclass(frozen=True, slots=True)
class Route:
    """One row. A route without a gateway leads to neighbours of its interface."""

    destination: bytes
    prefix: int
    gateway: bytes | None
    interface: str
    source: bytes | None = None
    """The address to send from; None: the interface's that fits best."""
    protocol: str = "boot"
    """Who made it: "kernel" with an address, "boot" by hand."""


class RouteTable:
    """The routes of one stack."""

    def __init__(self, interfaces: Container[str]) -> None:
        """``interfaces`` holds the names of those that exist."""
        self._interfaces = interfaces
        self._by_prefix: dict[int, dict[int, list[Route]]] = {}
        self._masks: list[tuple[int, dict[int, list[Route]]]] = []
        self._by_interface: dict[str, list[Route]] = {}
        self._count = 0

    def add(self, destination: str, gateway: str | None, interface: str) -> None:
        """Add a route by hand, "10.0.2.0/24" or "default".

        Raises ValueError for what is no address, and OSError as `ip route add` would: ENODEV,
        ENETUNREACH if the gateway is no neighbour, EEXIST, ENOSPC.
        """
        network, prefix = _parse_destination(destination)
        if interface not in self._interfaces:
            raise os_error(errno.ENODEV)
        next_hop = None if gateway is None else parse_ipv4(gateway)
        if next_hop is not None and not self._is_neighbor(next_hop, interface):
            raise os_error(errno.ENETUNREACH)
        if self._rows(network, prefix):
            raise os_error(errno.EEXIST)
        self.insert(Route(network, prefix, next_hop, interface))

    def remove(self, destination: str, gateway: str | None = None, interface: str | None = None) -> None:
        """Remove the first route that fits what is given; raises ValueError, and OSError ESRCH."""
        network, prefix = _parse_destination(destination)
        next_hop = None if gateway is None else parse_ipv4(gateway)
        for route in self._rows(network, prefix):
            if (gateway is None or route.gateway == next_hop) and interface in (None, route.interface):
                self.delete(route)
                return
        raise os_error(errno.ESRCH)

    def listing(self) -> tuple[Route, ...]:
        """Every route, in the order in which `ip route` shows them: by destination."""
        rows = [route for _, table in self._masks for rows in table.values() for route in rows]
        return tuple(sorted(rows, key=lambda route: (route.destination, route.prefix)))

    def find(self, destination: bytes) -> Route | None:
        """The route to an address, or None."""
        number = int.from_bytes(destination, "big")
        for mask, table in self._masks:
            rows = table.get(number & mask)
            if rows is not None:
                return rows[0]
        return None

    def insert(self, route: Route) -> None:
        """Add a route behind those to the same destination; raises OSError EEXIST or ENOSPC."""
        if route in self._rows(route.destination, route.prefix):
            raise os_error(errno.EEXIST)
        if self._count >= ROUTES_MAX:
            raise os_error(errno.ENOSPC)
        table = self._by_prefix.setdefault(route.prefix, {})
        table.setdefault(int.from_bytes(route.destination, "big"), []).append(route)
        self._by_interface.setdefault(route.interface, []).append(route)
        self._count += 1
        self._order()

    def delete(self, route: Route) -> None:
        """Remove a route that is in the table."""
        table = self._by_prefix[route.prefix]
        number = int.from_bytes(route.destination, "big")
        table[number].remove(route)
        if not table[number]:
            del table[number]
        if not table:
            del self._by_prefix[route.prefix]
        held = self._by_interface[route.interface]
        held.remove(route)
        if not held:
            del self._by_interface[route.interface]
        self._count -= 1
        self._order()

    def of_interface(self, interface: str) -> tuple[Route, ...]:
        """Every route through one interface."""
        return tuple(self._by_interface.get(interface, ()))

    def replace_connected(self, interface: str, connected: Sequence[Route]) -> None:
        """Let an interface lead to these networks; routes over gateways that were there are removed."""
        for route in self.of_interface(interface):
            if route.protocol == "kernel" and route not in connected:
                self.delete(route)
        for route in connected:
            if route not in self._rows(route.destination, route.prefix):
                self.insert(route)
        for route in self.of_interface(interface):
            if route.gateway is not None and not self._is_neighbor(route.gateway, interface):
                self.delete(route)

    def _rows(self, network: bytes, prefix: int) -> list[Route]:
        return self._by_prefix.get(prefix, {}).get(int.from_bytes(network, "big"), [])

    def _is_neighbor(self, address: bytes, interface: str) -> bool:
        number = int.from_bytes(address, "big")
        return any(
            route.gateway is None and route.interface == interface
            for mask, table in self._masks
            for route in table.get(number & mask, ())
        )

    def _order(self) -> None:
        self._masks = [
            (0xFFFFFFFF << (32 - prefix) & 0xFFFFFFFF, self._by_prefix[prefix])
            for prefix in sorted(self._by_prefix, reverse=True)
        ]


def _parse_destination(text: str) -> tuple[bytes, int]:
    if text == "default":
        return bytes(4), 0
    network, prefix = parse_cidr(text)
    if int.from_bytes(network, "big") & (0xFFFFFFFF >> prefix if prefix else 0xFFFFFFFF):
        raise ValueError(f"{text} is not a network: bits are set behind its prefix")
    return network, prefix
