"""Stacks on one wire: what one sends, all others get, in order, and everything can be looked at."""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass, field

from scapy.layers.l2 import Ether

from node.datapath.drops import Counters, Drop
from node.model.address import parse_ipv4, parse_mac
from node.stack.echo import EchoBinding, EchoError, EchoReply, EchoRequest
from node.stack.stack import Stack
from node.stack.udptable import Address, UdpBinding


@dataclass
class Cable:
    """Frames wait in a queue, so that two stacks which answer each other do not nest."""

    frames: list[bytes] = field(default_factory=list)
    """Everything that was ever sent, for looking at."""
    cut: bool = False
    _ends: list[tuple[Stack, str]] = field(default_factory=list)
    _queue: deque[tuple[tuple[Stack, str], bytes]] = field(default_factory=deque)
    _is_moving: bool = False

    def plug(self, stack: Stack, name: str, mac: str, cidr: str, mtu: int = 1500) -> None:
        """Give a stack an interface on this cable."""
        end = (stack, name)

        def transmit(frame: bytes, now: float) -> None:
            self._queue.append((end, frame))
            self._move(now)

        self._ends.append(end)
        interface = stack.add_interface(name, parse_mac(mac), mtu, transmit)
        if cidr:
            interface.add_address(cidr)

    def packets(self) -> list[Ether]:
        """What was sent so far, as scapy reads it; the list begins anew."""
        decoded = [Ether(frame) for frame in self.frames]
        self.frames.clear()
        return decoded

    def _move(self, now: float) -> None:
        if self._is_moving:
            return
        self._is_moving = True
        while self._queue:
            sender, frame = self._queue.popleft()
            self.frames.append(frame)
            for stack, name in self._ends if not self.cut else []:
                if (stack, name) != sender:
                    stack.receive(name, frame, now)
        self._is_moving = False


class Host:
    """A stack with a program in it that pings and talks UDP, and a clock that is turned by hand."""

    def __init__(self, seed: int = 1) -> None:
        self.counters = Counters()
        self.stack = Stack(random.Random(seed), self.counters)
        self.echo: EchoBinding = self.stack.echo.open(lambda: None)

    def drops(self) -> dict[str, int]:
        """Every drop so far, by name."""
        return {name.value: count for (_, name), count in self.counters.drops.items()}

    def dropped(self, name: Drop) -> int:
        return self.counters.dropped(name)

    def ping(
        self,
        destination: str,
        now: float = 0.0,
        *,
        size: int = 56,
        ttl: int = 64,
        dont_fragment: bool = False,
    ) -> list[EchoReply | EchoError]:
        """Send one echo request (sequence 1); what has come back so far."""
        payload = bytes(n & 0xFF for n in range(size))
        request = EchoRequest(parse_ipv4(destination), 1, payload, ttl, dont_fragment)
        self.stack.icmp.request(self.echo, request, now)
        return self.answers()

    def answers(self) -> list[EchoReply | EchoError]:
        answers = list(self.echo.inbox)
        self.echo.inbox.clear()
        return answers

    def udp(self, address: str = "0.0.0.0", udp_port: int = 0) -> UdpBinding:
        """A bound UDP socket."""
        binding = UdpBinding(lambda: None)
        self.stack.udp.bind(binding, (parse_ipv4(address), udp_port))
        return binding

    def send(self, binding: UdpBinding, data: bytes, to: tuple[str, int] | None, now: float = 0.0) -> None:
        remote: Address | None = None if to is None else (parse_ipv4(to[0]), to[1])
        self.stack.udp.send(binding, data, remote, now)

    def let_time_pass(self, until: float) -> None:
        """Wake the stack whenever it wants to be, up to a time."""
        while self.stack.wake_at is not None and self.stack.wake_at <= until:
            self.stack.wake(self.stack.wake_at)


MAC_A = "02:42:0a:00:01:03"
MAC_B = "02:42:0a:00:01:04"


def pair(mtu: int = 1500) -> tuple[Host, Host, Cable]:
    """10.0.1.3 and 10.0.1.4 on one cable."""
    cable, a, b = Cable(), Host(1), Host(2)
    cable.plug(a.stack, "eth0", MAC_A, "10.0.1.3/24", mtu)
    cable.plug(b.stack, "eth0", MAC_B, "10.0.1.4/24", mtu)
    return a, b, cable
