"""The sandbox of a container: a network namespace, the files that name things in it, and open sockets.

    container a            container b (--network container:a)       a process of the host network
    Sandbox --------+      Sandbox.share() --------+                 Sandbox.share() ---+
      sockets       |        sockets of its own    |                   sockets, files   |
      files         +---> Namespace <--------------+                   of its own       +---> Namespace
                          stack, timer                                                        of the host

The words are the Container Network Model's (moby: libnetwork/docs/design.md).
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable

from node.datapath.drops import Counters
from node.model.address import parse_mac
from node.seams import Clock
from node.stack import streams
from node.stack.capture import CaptureSocket, Wanted
from node.stack.inspect import Inspection, inspect
from node.stack.interface import Interface, Transmit
from node.stack.namespace import Namespace
from node.stack.sockets import Answer, EchoSocket, Socket, UdpServer, UdpSocket
from node.stack.stack import Stack
from node.stack.streams import TcpListener, TcpStream

BACKLOG = 128
"""Connections that wait to be accepted, where a program does not say: Python's and many others' choice."""


class Sandbox:
    """What one container, or the host, sees of the network. It has lo, up, from the start."""

    def __init__(self, name: str, clock: Clock, chance: random.Random, counters: Counters) -> None:
        self.name = name
        self.hostname = name
        self.files: dict[str, str] = {}
        """Texts by path, such as /etc/hosts; a sandbox that shares may have others: assign a new dict."""
        self._namespace = Namespace(clock, chance, counters)
        self._sockets: dict[Socket, None] = {}
        self._is_closed = False

    @property
    def stack(self) -> Stack:
        """The IP stack; whoever calls into it, except through this sandbox, may miss its timers."""
        return self._namespace.stack

    @property
    def clock(self) -> Clock:
        """The time by which its stack lives."""
        return self._namespace.clock

    def share(self, name: str) -> Sandbox:
        """The same network with sockets of its own: for a container that uses another's, for a process.

        Hostname and files are the same until others are assigned. The network lives until all who
        share it are closed.
        """
        other = copy.copy(self)
        other.name = name
        other._sockets = {}
        other._is_closed = False
        self._namespace.hold()
        return other

    def attach(self, name: str, mac: str, mtu: int, transmit: Transmit, address: str) -> Interface:
        """Add an interface; ``address`` has its prefix length, or is empty. ValueError, OSError EEXIST."""
        interface = self.stack.add_interface(name, parse_mac(mac), mtu, transmit)
        if address:
            interface.add_address(address)
        return interface

    def detach(self, name: str) -> None:
        """Remove an interface with its addresses, routes and neighbours; OSError ENODEV."""
        self.stack.remove_interface(name)

    def announce(self, name: str) -> None:
        """Tell the neighbours of an interface, unasked, which addresses are here now (RFC 5227).

        Engine 28 does so on bridge networks when a container joins; the cable must be plugged in.
        """
        interface = self.stack.interfaces[name]
        for own in interface.addresses:
            self.stack.resolution.announce(interface, own.address, self._namespace.clock.now())

    def receiver(self, name: str) -> Callable[[bytes, float], None]:
        """What takes the frames that arrive at an interface: (frame, now)."""
        namespace = self._namespace
        receive, arm = namespace.stack.receive, namespace.arm

        def take(frame: bytes, now: float) -> None:
            receive(name, frame, now)
            arm()

        return take

    def set_default_route(self, gateway: str, interface: str) -> None:
        """Send what is for far away to this gateway from now on; OSError ENETUNREACH, ENODEV."""
        self.clear_default_route()
        self.stack.routes.add("default", gateway, interface)

    def clear_default_route(self) -> None:
        """Know no way to far away; harmless if there is none."""
        for route in self.stack.routes.listing():
            if route.prefix == 0:
                self.stack.routes.delete(route)

    def udp_socket(self) -> UdpSocket:
        """Open a UDP socket; OSError EMFILE."""
        return UdpSocket(self._namespace, self._sockets)

    def echo_socket(self) -> EchoSocket:
        """Open a socket for pings; OSError EMFILE, ENFILE."""
        return EchoSocket(self._namespace, self._sockets)

    def serve_udp(self, address: str, udp_port: int, answer: Answer) -> UdpServer:
        """Answer every datagram to a UDP port at once, until closed; OSError EADDRINUSE and others."""
        return UdpServer(self._namespace, self._sockets, (address, udp_port), answer)

    def serve_behind(self, address: str, number: int, answer: Answer) -> tuple[UdpServer, TcpListener]:
        """Serve a UDP and a TCP port as if packets were redirected from it: programs may still bind it."""
        at = address, number
        datagrams = UdpServer(self._namespace, self._sockets, at, answer, is_hidden=True)
        return datagrams, TcpListener(self._namespace, self._sockets, at, BACKLOG, is_hidden=True)

    async def connect_tcp(self, address: str, tcp_port: int, source: str = "") -> TcpStream:
        """Open a TCP connection, and wait until it stands; OSError ECONNREFUSED, ENETUNREACH, ..."""
        return await streams.connect(self._namespace, self._sockets, (address, tcp_port), source)

    def listen_tcp(self, address: str, tcp_port: int, backlog: int = BACKLOG) -> TcpListener:
        """Take TCP connections; OSError EADDRINUSE, EADDRNOTAVAIL, EMFILE."""
        return TcpListener(self._namespace, self._sockets, (address, tcp_port), backlog)

    def inspect(self) -> Inspection:
        """Interfaces, routes and neighbours at this moment."""
        return inspect(self.stack, self._namespace.clock.now())

    def close(self) -> None:
        """Close this sandbox's own sockets; those of others who share the network stay open."""
        for socket in list(self._sockets):
            socket.close()
        if not self._is_closed:
            self._is_closed = True
            self._namespace.release()


def capture(sandbox: Sandbox, interfaces: tuple[str, ...], wanted: Wanted) -> CaptureSocket:
    """See the frames that pass through interfaces of a sandbox, until closed; OSError ENODEV, EMFILE."""
    return CaptureSocket(sandbox._namespace, sandbox._sockets, interfaces, wanted)
