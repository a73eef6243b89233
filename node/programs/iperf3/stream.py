"""One stream of data: what carries it, and what is counted of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from node.programs.iperf3.plan import StreamResult
from node.stack.sockets import TextAddress, UdpSocket
from node.stack.streams import TcpStream

UDP_CONNECT = (0x36373839).to_bytes(4, "little")
"""A client's first datagram; both in the byte order of the machines that iperf3 mostly runs on."""
UDP_CONNECT_REPLY = (0x39383736).to_bytes(4, "little")
HEADER_BYTES = 12
"""Of each UDP datagram: seconds, microseconds, number."""
JITTER_SHARE = 16
"""RFC 1889 section 6.3.1"""


class Datagrams(Protocol):
    """A way for datagrams to one other end."""

    def send(self, data: bytes) -> None:
        """Raises OSError."""

    async def receive(self) -> bytes:
        """Raises OSError."""


class Connected:
    """A client's socket."""

    def __init__(self, socket: UdpSocket) -> None:
        self._socket = socket

    def send(self, data: bytes) -> None:
        """Raises OSError."""
        self._socket.send(data)

    async def receive(self) -> bytes:
        """Raises OSError."""
        return (await self._socket.receive())[0]


@dataclass(slots=True, eq=False)
class Stream:
    """``number`` is what reports call it (a file descriptor in the original), ``id`` what both ends do."""

    id: int
    number: int
    local: TextAddress
    remote: TextAddress
    is_sender: bool
    tcp: TcpStream | None = None
    udp: Datagrams | None = None
    carried_bytes: int = 0
    packets: int = 0
    """Of UDP: sent, or the highest number that has come."""
    lost: int = 0
    out_of_order: int = 0
    jitter_s: float = 0.0
    _transit_s: float | None = field(default=None)

    @property
    def retransmits(self) -> int:
        """Of TCP."""
        return self.tcp.info.retransmits if self.tcp is not None else 0

    def datagram(self, length: int, now: float) -> bytes:
        """The next one to send."""
        self.packets += 1
        self.carried_bytes += length
        seconds = int(now)
        microseconds = int((now - seconds) * 1_000_000)
        head = b"".join(value.to_bytes(4, "big") for value in (seconds, microseconds, self.packets))
        return head.ljust(length, b"\0")

    def take(self, datagram: bytes, now: float, number_bytes: int) -> None:
        """Count one that has come; ``number_bytes`` is 4, or 8 if a client asked for that."""
        if len(datagram) < 8 + number_bytes:
            return
        self.carried_bytes += len(datagram)
        seconds = int.from_bytes(datagram[0:4], "big") + int.from_bytes(datagram[4:8], "big") / 1_000_000
        number = int.from_bytes(datagram[8 : 8 + number_bytes], "big")
        if number > self.packets:
            self.lost += number - self.packets - 1
            self.packets = number
        else:
            self.out_of_order += 1
            self.lost = max(self.lost - 1, 0)
        transit = now - seconds
        if self._transit_s is not None:
            self.jitter_s += (abs(transit - self._transit_s) - self.jitter_s) / JITTER_SHARE
        self._transit_s = transit

    def result(self, seconds: float) -> StreamResult:
        """What this end has counted, as it is told to the other."""
        return StreamResult(
            id=self.id,
            bytes=self.carried_bytes,
            retransmits=self.retransmits if self.is_sender and self.tcp is not None else -1,
            jitter=self.jitter_s,
            errors=self.lost,
            packets=self.packets,
            end_time=seconds,
        )


def stream_id(index: int) -> int:
    """1, 3, 4, 5: so the original counts."""
    return 1 if index == 0 else index + 2
