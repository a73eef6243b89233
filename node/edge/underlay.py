"""The Underlay seam on real UDP sockets.

    send --> one of 8 senders, chosen by the flow --udp--> address:4789 --> drained in a loop --> receive
             (ports 49152-65535)                           address:8472

The outer source port carries the inner flow's hash, so that a network between the nodes can spread
flows over its links and still keep each in order (RFC 7348 section 5). A kernel's vtep does the same,
so nothing may be learned from a peer's port: answers always go to the channel's own port.

Two details follow the VXLAN that Linux sends for Docker. The outer UDP checksum is on (RFC 7348 would
rather have zero, and obliges receivers to accept both): the kernel does it for next to nothing, and
SO_NO_CHECK would stand in the way of UDP_SEGMENT. Don't Fragment is off, so that an outer network
with a small MTU is slow and not mute.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import struct
from collections.abc import Callable, Mapping

from node.errors import Unavailable
from node.seams import Channel

SENDERS = 8
"""A power of two: the flow's hash is cut down to it."""
BUFFER_BYTES = 8 * 1024 * 1024
"""What is asked for per socket; the kernel grants at most net.core.rmem_max and wmem_max."""
DATAGRAM_BYTES_MAX = 65_535
DRAIN_MAX = 64
"""Datagrams taken at one wake-up, before timers and other sockets have their turn."""

_FIRST_SENDER_PORT = 49_152
_SENDER_PORTS = (65_536 - _FIRST_SENDER_PORT) // SENDERS
_SENDER_ATTEMPTS = 16

# Values of Linux that Python's socket module does not name.
_IP_MTU_DISCOVER = 10
_IP_PMTUDISC_DONT = 0
_SO_MEMINFO = 55
_MEMINFO = struct.Struct("9I")
_MEMINFO_DROPS = 8

_REFUSED = frozenset(
    {
        errno.EAGAIN,
        errno.ENOBUFS,
        errno.ENOMEM,
        errno.ECONNREFUSED,
        errno.EHOSTUNREACH,
        errno.ENETUNREACH,
        errno.ENETDOWN,
        errno.EMSGSIZE,
        errno.EPERM,  # a packet filter of this machine
        errno.EINVAL,  # from a loopback address to one that is not
    }
)

Receive = Callable[[Channel, str, bytes], None]


class UdpUnderlay:
    """See node/seams.py."""

    def __init__(self, address: str, udp_ports: Mapping[Channel, int]) -> None:
        """Open all sockets. Raises Unavailable, with what to do, if an address or port is not to be had."""
        self._udp_ports = dict(udp_ports)
        self._receivers: dict[Channel, socket.socket] = {}
        self._senders: list[socket.socket] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        try:
            for channel, port in self._udp_ports.items():
                self._receivers[channel] = _open(address, port)
            self._senders.extend(_open_sender(address, index) for index in range(SENDERS))
        except OSError as error:
            self.close()
            raise Unavailable(_explain(address, self._udp_ports, error)) from error

    @property
    def overrun(self) -> int:
        """Datagrams that the kernel dropped because they were not fetched in time (SO_MEMINFO)."""
        return sum(_kernel_drops(receiver) for receiver in self._receivers.values())

    def send(self, channel: Channel, destination: str, flow_hash: int, datagram: bytes) -> bool:
        """See node/seams.py."""
        try:
            self._senders[flow_hash % SENDERS].sendto(datagram, (destination, self._udp_ports[channel]))
        except OSError as error:
            if error.errno not in _REFUSED:
                raise
            return False
        return True

    def listen(self, receive: Receive) -> None:
        """See node/seams.py. Needs the running event loop; once only."""
        assert self._loop is None, "an underlay has one listener"
        self._loop = asyncio.get_running_loop()
        for channel, receiver in self._receivers.items():
            self._loop.add_reader(receiver.fileno(), _drain, channel, receiver, receive)

    def close(self) -> None:
        """Give the ports back; nothing is delivered any more, and nothing may be sent."""
        if self._loop is not None:
            for receiver in self._receivers.values():
                self._loop.remove_reader(receiver.fileno())
            self._loop = None
        for each in (*self._receivers.values(), *self._senders):
            each.close()


def _drain(channel: Channel, receiver: socket.socket, receive: Receive) -> None:
    """Deliver what has come; what is left makes the event loop call again at once.

    recvfrom with a fresh buffer is quicker than recvfrom_into with a lasting one, which needs a
    copy and a slice of it: 2.2 against 2.5 microseconds for 100 bytes, 2.4 against 3.0 for 1500.
    """
    for _ in range(DRAIN_MAX):
        try:
            datagram, (source, _port) = receiver.recvfrom(DATAGRAM_BYTES_MAX)
        except BlockingIOError:
            return
        receive(channel, source, datagram)


def _open(address: str, port: int) -> socket.socket:
    """A bound UDP socket. Never SO_REUSEPORT: two nodes would take each other's datagrams."""
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
        opened.setsockopt(socket.IPPROTO_IP, _IP_MTU_DISCOVER, _IP_PMTUDISC_DONT)
        opened.bind((address, port))
    except BaseException:
        opened.close()
        raise
    return opened


def _open_sender(address: str, index: int) -> socket.socket:
    """A socket on a free port of its own eighth of the dynamic ports, else on any free port."""
    first = _FIRST_SENDER_PORT + index * _SENDER_PORTS
    for port in range(first, first + _SENDER_ATTEMPTS):
        try:
            sender = _open(address, port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
        else:
            break
    else:
        sender = _open(address, 0)
    # Nobody reads here: what a stranger sends to this port must not pile up.
    sender.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 0)
    return sender


def _kernel_drops(receiver: socket.socket) -> int:
    state = receiver.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _MEMINFO.size)
    return int(_MEMINFO.unpack(state)[_MEMINFO_DROPS])


def _explain(address: str, udp_ports: Mapping[Channel, int], error: OSError) -> str:
    ports = " and ".join(str(port) for port in udp_ports.values())
    if error.errno == errno.EADDRINUSE:
        return (
            f"UDP port {ports} of {address} is in use: stop what uses it"
            f" (see `ss -lunp src {address}`), or give the node another underlay_address"
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return f"this machine has no address {address}: give the node one of its own as underlay_address"
    if error.errno == errno.EACCES:
        return f"not allowed to open UDP port {ports} of {address}: choose ports of 1024 and above"
    return f"cannot open UDP port {ports} of {address}: {error.strerror}"
