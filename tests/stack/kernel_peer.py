"""A network namespace of the Linux kernel, joined to one of our sandboxes by a TAP device.

kernel sockets -- kernel's IP stack, 10.99.0.1 -- tap0 ==== our sandbox, 10.99.0.2
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import fcntl
import os
import random
import secrets
import socket
import struct
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from node.datapath.drops import Counters
from node.edge.clock import SystemClock
from node.stack.sandbox import Sandbox
from node.wire import icmp, ipv4

KERNEL, OURS = "10.99.0.1", "10.99.0.2"
OUR_MAC = "02:42:0a:63:00:02"
TUN = Path("/dev/net/tun")

_TUNSETIFF = 0x400454CA
_TAP_WITHOUT_HEADER = 0x0002 | 0x1000
_FRAME_MAX_BYTES = 65_550


@dataclass(frozen=True)
class Trouble:
    """What a bad link does to frames; all zero is a good one. Shares are between 0 and 1."""

    loss: float = 0.0
    duplicate: float = 0.0
    corrupt: float = 0.0
    delay_s: float = 0.0
    jitter_s: float = 0.0
    chance: random.Random = field(default_factory=lambda: random.Random(7))

    def carry(self, frame: bytes, deliver: Callable[[bytes], None]) -> None:
        """Deliver a frame never, at once, later, twice or broken."""
        chance = self.chance.random
        if chance() < self.loss:
            return
        if chance() < self.corrupt:
            place = self.chance.randrange(len(frame))
            frame = frame[:place] + bytes((frame[place] ^ 0x10,)) + frame[place + 1 :]
        for _ in range(2 if chance() < self.duplicate else 1):
            delay = self.delay_s + self.jitter_s * chance()
            if delay:
                asyncio.get_running_loop().call_later(delay, deliver, frame)
            else:
                deliver(frame)


class KernelPeer:
    """The kernel's side: commands and sockets inside the namespace."""

    def __init__(self, namespace: str, tap: int) -> None:
        self.namespace = namespace
        self._tap = tap

    def run(self, *command: str) -> str:
        """Run a command inside; its output."""
        done = subprocess.run(
            ["ip", "netns", "exec", self.namespace, *command], capture_output=True, text=True, check=True
        )
        return done.stdout

    def open(self, kind: socket.SocketKind, protocol: int = 0) -> socket.socket:
        """A kernel socket that lives inside, for use from here: a thread goes in and makes it."""
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(self._open, kind, protocol).result()

    def _open(self, kind: socket.SocketKind, protocol: int) -> socket.socket:
        libc = ctypes.CDLL(None, use_errno=True)
        with Path("/run/netns", self.namespace).open() as handle:
            if libc.setns(handle.fileno(), 0) != 0:
                raise OSError(ctypes.get_errno(), "setns")
        made = socket.socket(socket.AF_INET, kind, protocol)
        made.setblocking(False)
        return made

    @contextlib.contextmanager
    def on_answering_processor(self) -> Iterator[None]:
        """Stay on a processor whose kernel answers pings; a skip if there is none.

        The kernel has one small buffer a processor for the ICMP of all namespaces. Packets that are stuck
        in anybody's slow queue fill it, and then it answers no ping and sends no error there.
        """
        allowed = os.sched_getaffinity(0)
        try:
            for processor in sorted(allowed):
                os.sched_setaffinity(0, {processor})
                if self._answers():
                    yield
                    return
            pytest.skip("this machine's kernel answers no pings at present, not even its own")
        finally:
            os.sched_setaffinity(0, allowed)

    def _answers(self) -> bool:
        """Whether the kernel answers itself."""
        with self.open(socket.SOCK_RAW, socket.IPPROTO_ICMP) as raw:
            raw.settimeout(1)
            raw.sendto(icmp.Echo(True, 1, 1, b"").emit(), ("127.0.0.1", 0))
            try:
                while icmp.parse(ipv4.parse(raw.recv(65535)).payload) != icmp.Echo(False, 1, 1, b""):
                    pass
            except TimeoutError:
                return False
            return True

    def join(self, mtu: int = 1500, trouble: Trouble | None = None) -> tuple[Sandbox, Counters]:
        """Our side; frames flow while the running loop runs, through a bad link if one is asked for."""
        counters = Counters()
        sandbox = Sandbox("ours", SystemClock(), random.Random(1), counters)
        tap, clock = self._tap, SystemClock()
        bad = trouble or Trouble()

        def out(frame: bytes, _: float) -> None:
            bad.carry(frame, lambda heavy: _write(tap, heavy))

        sandbox.attach("eth0", OUR_MAC, mtu, out, f"{OURS}/24")
        receive = sandbox.receiver("eth0")

        def read() -> None:
            with contextlib.suppress(BlockingIOError):
                while True:
                    frame = os.read(tap, _FRAME_MAX_BYTES)
                    bad.carry(frame, lambda heavy: receive(heavy, clock.now()))

        asyncio.get_running_loop().add_reader(tap, read)
        return sandbox, counters

    def leave(self, sandbox: Sandbox) -> None:
        asyncio.get_running_loop().remove_reader(self._tap)
        sandbox.close()


def _write(tap: int, frame: bytes) -> None:
    os.write(tap, frame)


@contextlib.contextmanager
def kernel_peer() -> Iterator[KernelPeer]:
    """A namespace of its own for one test, gone afterwards."""
    if not TUN.exists():
        pytest.skip("this test makes a TAP device: /dev/net/tun is missing (modprobe tun)")
    unique = secrets.token_hex(4)
    namespace, device = f"shoal-{unique}", f"tap{unique}"
    subprocess.run(["ip", "netns", "add", namespace], check=True)
    tap = os.open(TUN, os.O_RDWR | os.O_NONBLOCK)
    try:
        fcntl.ioctl(tap, _TUNSETIFF, struct.pack("16sH", device.encode(), _TAP_WITHOUT_HEADER))
        subprocess.run(["ip", "link", "set", device, "netns", namespace], check=True)
        peer = KernelPeer(namespace, tap)
        peer.run("sysctl", "-q", "-w", "net.ipv6.conf.all.disable_ipv6=1")
        peer.run("ip", "link", "set", "lo", "up")
        peer.run("ip", "address", "add", f"{KERNEL}/24", "dev", device)
        peer.run("ip", "link", "set", device, "name", "tap0")
        peer.run("ip", "link", "set", "tap0", "up")
        yield peer
    finally:
        os.close(tap)
        subprocess.run(["ip", "netns", "delete", namespace], check=True)
