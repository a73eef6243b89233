"""UDP of one stack (RFC 768): datagrams out, datagrams in, and what ICMP says about them."""

from __future__ import annotations

import errno
from collections.abc import Iterator

from node.datapath.drops import Counters, Drop
from node.model.address import format_ipv4
from node.stack.errors import os_error
from node.stack.icmp import Icmp, Quotation
from node.stack.interface import OwnAddresses
from node.stack.output import Output
from node.stack.udptable import ANY, Address, UdpBinding, UdpError, UdpTable
from node.wire import icmp, ipv4, udp
from node.wire.ipv4 import Packet
from node.wire.malformed import Malformed

_ERRORS = {
    icmp.NET_UNREACHABLE: errno.ENETUNREACH,
    icmp.HOST_UNREACHABLE: errno.EHOSTUNREACH,
    icmp.PROTOCOL_UNREACHABLE: errno.ENOPROTOOPT,
    icmp.PORT_UNREACHABLE: errno.ECONNREFUSED,
    icmp.FRAGMENTATION_NEEDED: errno.EMSGSIZE,
    icmp.ADMINISTRATIVELY_PROHIBITED: errno.EHOSTUNREACH,
}
"""What a program sees of each kind of "unreachable" (Linux: icmp_err_convert)."""


class Udp:
    """The UDP part of one stack."""

    def __init__(
        self, output: Output, own: OwnAddresses, icmp_part: Icmp, table: UdpTable, counters: Counters
    ) -> None:
        self._output = output
        self._own = own
        self._icmp = icmp_part
        self._table = table
        self._counters = counters

    def bindings(self) -> Iterator[UdpBinding]:
        """Who stands where, in the order of ports."""
        return iter(self._table)

    def bind(self, binding: UdpBinding, local: Address) -> None:
        """Stand at an own address, or at all of them (ANY). Raises OSError EADDRNOTAVAIL, EADDRINUSE..."""
        if local[0] != ANY and not self._own.hold(local[0]) and not self._own.is_group(local[0]):
            raise os_error(errno.EADDRNOTAVAIL)
        self._table.bind(binding, local)

    def release(self, binding: UdpBinding) -> None:
        """Give a binding's port back."""
        self._table.release(binding)

    def is_bound(self, local: Address, remote: Address) -> bool:
        """Whether a datagram from ``remote`` would find somebody at ``local``."""
        return self._table.find(local, remote) is not None

    def connect(self, binding: UdpBinding, remote: Address) -> None:
        """Talk with one address only. Raises OSError ENETUNREACH, EINVAL, EADDRINUSE."""
        if remote[1] == 0:
            raise os_error(errno.EINVAL)
        path = self._output.path_to(remote[0], _given(binding))
        if binding.local[1] == 0:
            self._table.bind(binding, (path.source, 0))
        elif binding.local[0] == ANY:
            binding.local = (path.source, binding.local[1])
        binding.remote = remote

    def send(
        self, binding: UdpBinding, data: bytes, to: Address | None, now: float, ttl: int = ipv4.TTL_DEFAULT
    ) -> None:
        """Send a datagram. Raises OSError: one reported before, EDESTADDRREQ, EMSGSIZE, ENETUNREACH..."""
        if binding.error:
            number, binding.error = binding.error, 0
            raise os_error(number)
        remote = to or binding.remote
        if remote is None:
            raise os_error(errno.EDESTADDRREQ)
        if remote[1] == 0:
            raise os_error(errno.EINVAL)
        if len(data) > udp.PAYLOAD_BYTES_MAX:
            raise os_error(errno.EMSGSIZE)
        if binding.local[1] == 0:
            self._table.bind(binding, (ANY, 0))
        path = self._output.path_to(remote[0], _given(binding))
        datagram = udp.Datagram(binding.local[1], remote[1], data).emit(path.source, remote[0])
        packet = Packet(
            path.source,
            remote[0],
            ipv4.PROTOCOL_UDP,
            datagram,
            ttl=ttl,
            identification=self._output.identification(),
        )
        self._output.send(packet, path, now)

    def receive(self, packet: Packet, now: float) -> None:
        """Take a datagram to whoever listens; nobody: port unreachable."""
        try:
            datagram = udp.parse(packet.payload, packet.source, packet.destination)
        except Malformed:
            self._counters.drop(Drop.MALFORMED_PACKET)
            return
        local = (packet.destination, datagram.destination_port)
        sender = (packet.source, datagram.source_port)
        if self._own.is_group(packet.destination):
            listeners = self._table.find_all(local, sender)
        else:
            listener = self._table.find(local, sender)
            listeners = [] if listener is None else [listener]
        if not listeners:
            self._counters.drop(Drop.NO_LISTENER)
            self._icmp.refuse(packet, icmp.UNREACHABLE, icmp.PORT_UNREACHABLE, now)
        for listener in listeners:
            if not listener.put(datagram.payload, sender):
                self._counters.drop(Drop.SOCKET_QUEUE_FULL)

    def refused(self, quotation: Quotation, error: icmp.Error, source: bytes, now: float) -> None:
        """Tell a connected socket; others cannot know which of their datagrams it was about.

        Linux tells of no more unless the program asks for it (IP_RECVERR), which many do.
        """
        local = (quotation.source, int.from_bytes(quotation.payload[0:2], "big"))
        remote = (quotation.destination, int.from_bytes(quotation.payload[2:4], "big"))
        binding = self._table.find(local, remote)
        if binding is None:
            self._counters.drop(Drop.NO_LISTENER)
        elif binding.errors is not None:
            told = (format_ipv4(remote[0]), remote[1])
            binding.hear(UdpError(told, format_ipv4(source), error.kind, error.code, now))
        elif binding.remote is not None and error.kind == icmp.UNREACHABLE:
            binding.fail(_ERRORS.get(error.code, errno.EHOSTUNREACH))


def _given(binding: UdpBinding) -> bytes | None:
    return None if binding.local[0] == ANY else binding.local[0]
