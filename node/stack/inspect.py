"""What a namespace looks like from inside, as values for `ip addr`, `ip route` and `ip neigh`."""

from __future__ import annotations

from dataclasses import dataclass

from node.model.address import BROADCAST_MAC, format_ipv4, format_mac
from node.stack.interface import Interface, InterfaceAddress, Traffic
from node.stack.routes import Route
from node.stack.stack import Stack

ANY_ADDRESS = "0.0.0.0"  # noqa: S104 - a text


@dataclass(frozen=True, slots=True)
class AddressView:
    """One address of an interface; ``broadcast`` is empty if there is none."""

    cidr: str
    broadcast: str
    scope: str


@dataclass(frozen=True, slots=True)
class TrafficView:
    """What has gone one way; ``bytes`` count whole Ethernet frames, on lo IPv4 packets."""

    packets: int
    bytes: int
    dropped: int


@dataclass(frozen=True, slots=True)
class InterfaceView:
    """One interface. ``peer_index`` is 0 if there is no cable to show (else: ``eth0@if7``).

    ``beneath`` is empty unless it is built upon another one (``eth0.10@eth0``).
    """

    index: int
    name: str
    flags: tuple[str, ...]
    mtu: int
    state: str
    link: str
    """ "ether" or "loopback"."""
    mac: str
    broadcast_mac: str
    peer_index: int
    beneath: str
    addresses: tuple[AddressView, ...]
    received: TrafficView
    sent: TrafficView


@dataclass(frozen=True, slots=True)
class RouteView:
    """One route. Empty: not shown."""

    destination: str
    """ "default" or "10.0.1.0/24"."""
    gateway: str
    interface: str
    protocol: str
    """ "kernel", or "boot", which `ip route` does not show."""
    scope: str
    """ "link" or "global", which `ip route` does not show."""
    source: str


@dataclass(frozen=True, slots=True)
class NeighborView:
    """One neighbour. ``mac`` is empty while it is unknown; ``state`` is as `ip neigh` shows it."""

    address: str
    interface: str
    mac: str
    state: str


@dataclass(frozen=True, slots=True)
class SocketView:
    """One socket. ``state`` is as `netstat` shows it: "LISTEN", "ESTABLISHED"; "" of UDP, not connected."""

    protocol: str
    state: str
    local: tuple[str, int]
    remote: tuple[str, int]
    received: int
    """Bytes that nobody has read yet; of a listener, connections that nobody has accepted."""
    unsent: int
    """Bytes that the other end has not confirmed; of a listener, how many connections may wait."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """Everything at one moment."""

    interfaces: tuple[InterfaceView, ...]
    routes: tuple[RouteView, ...]
    neighbors: tuple[NeighborView, ...]


def inspect(stack: Stack, now: float) -> Inspection:
    """A stack as it stands."""
    return Inspection(
        tuple(_interface(interface) for interface in stack.interfaces.values()),
        tuple(_route(route) for route in stack.routes.listing()),
        tuple(
            NeighborView(
                format_ipv4(row.address),
                row.interface,
                "" if row.mac is None else format_mac(row.mac),
                row.state.value,
            )
            for row in stack.resolution.neighbors.listing(now)
        ),
    )


def sockets(stack: Stack) -> tuple[SocketView, ...]:
    """Every socket of a stack: UDP, TCP listeners, TCP connections; not those that serve behind others."""
    nobody = (ANY_ADDRESS, 0)
    shown = [
        SocketView(
            "udp",
            "" if binding.remote is None else "ESTABLISHED",
            _end(binding.local),
            nobody if binding.remote is None else _end(binding.remote),
            binding.inbox_bytes,
            0,
        )
        for binding in stack.udp.bindings()
        if not binding.is_hidden
    ]
    for listener in stack.tcp.table.listeners():
        if not listener.is_hidden:
            local = _end(listener.local)
            shown.append(SocketView("tcp", "LISTEN", local, nobody, len(listener.queue), listener.backlog))
    for connection in stack.tcp.table:
        block = connection.block
        unsent = max(block.sending.end - block.sending.unacknowledged, 0)
        ends = _end(block.ends.local), _end(block.ends.remote)
        state = connection.state.value
        shown.append(SocketView("tcp", state, *ends, block.receiving.readable_bytes, unsent))
    return tuple(shown)


def _end(address: tuple[bytes, int]) -> tuple[str, int]:
    return format_ipv4(address[0]), address[1]


def _interface(interface: Interface) -> InterfaceView:
    is_loopback = interface.transmit is None
    return InterfaceView(
        index=interface.index,
        name=interface.name,
        flags=("LOOPBACK", "UP", "LOWER_UP") if is_loopback else ("BROADCAST", "MULTICAST", "UP", "LOWER_UP"),
        mtu=interface.mtu,
        state="UNKNOWN" if is_loopback else "UP",
        link="loopback" if is_loopback else "ether",
        mac=format_mac(interface.mac),
        broadcast_mac=format_mac(interface.mac if is_loopback else BROADCAST_MAC),
        peer_index=interface.peer_index,
        beneath=interface.beneath,
        addresses=tuple(_address(address, is_loopback) for address in interface.addresses),
        received=_traffic(interface.received),
        sent=_traffic(interface.sent),
    )


def _address(own: InterfaceAddress, is_loopback: bool) -> AddressView:
    has_broadcast = own.broadcast is not None and not is_loopback
    return AddressView(
        f"{format_ipv4(own.address)}/{own.prefix}",
        format_ipv4(own.broadcast) if own.broadcast is not None and has_broadcast else "",
        "host" if is_loopback else "global",
    )


def _traffic(traffic: Traffic) -> TrafficView:
    return TrafficView(traffic.packets, traffic.bytes, traffic.dropped)


def _route(route: Route) -> RouteView:
    return RouteView(
        destination=f"{format_ipv4(route.destination)}/{route.prefix}" if route.prefix else "default",
        gateway="" if route.gateway is None else format_ipv4(route.gateway),
        interface=route.interface,
        protocol=route.protocol,
        scope="link" if route.gateway is None else "global",
        source="" if route.source is None else format_ipv4(route.source),
    )
