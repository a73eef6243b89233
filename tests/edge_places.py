"""Addresses and ports of this machine that a test may use: each node gets a loopback address of its own."""

from __future__ import annotations

import itertools
import os
import socket

_numbers = itertools.count()


def some_address() -> str:
    """An address in 127.1.0.0/16 that no other test of this process has, nor likely one of another."""
    number = (os.getpid() * 101 + next(_numbers)) % 62_500
    return f"127.1.{number // 250 + 1}.{number % 250 + 1}"


def free_port(address: str, kind: socket.SocketKind) -> int:
    """A port that is free at this moment."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])
