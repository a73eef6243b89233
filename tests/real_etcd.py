"""A real etcd for a test, on free loopback ports."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

from lab.launch.etcd import EtcdMember, EtcdProcess


def free_ports(count: int) -> list[int]:
    """TCP ports of 127.0.0.1 that nobody has at this moment."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


def some_member(directory: Path, name: str = "etcd-1") -> EtcdMember:
    """A member that nobody else is."""
    client_port, peer_port = free_ports(2)
    return EtcdMember(name, directory, client_port, peer_port)


@asynccontextmanager
async def running_etcd(directory: Path) -> AsyncIterator[EtcdProcess]:
    """One etcd that answers; gone afterwards, whatever the test did to it."""
    etcd = EtcdProcess(some_member(directory))
    try:
        etcd.start()
        await etcd.wait_ready()
        yield etcd
    finally:
        etcd.kill()
