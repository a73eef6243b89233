"""gRPC connections to other nodes, a bounded number, kept while they are used."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc

from node.seams import Clock

CHANNELS_MAX = 128
"""Connections kept beyond their use; those in use come on top."""
IDLE_S = 60.0
"""A connection that nobody used for so long is closed at the next occasion."""
ANSWER_BYTES_MAX = 16 * 1024 * 1024
"""The tables of a node with thousands of endpoints."""

OPTIONS = (
    ("grpc.enable_http_proxy", 0),  # nodes talk to each other directly, whatever the environment says
    ("grpc.max_receive_message_length", ANSWER_BYTES_MAX),
    # A node that comes back is found again within a second; gRPC's own pauses grow to two minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 500),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    # A peer that is frozen, or whose machine has gone, does not say good-bye.
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 5_000),
)


def connect(address: str) -> Any:
    """An insecure channel to "IPv4 address:port"; it connects when it is first used."""
    return grpc.aio.insecure_channel(f"ipv4:{address}", options=OPTIONS)


@dataclass(slots=True)
class _Kept:
    channel: Any
    users: int
    used_at: float


class Channels:
    """See the module."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: dict[str, _Kept] = {}  # the one used last comes last

    def __len__(self) -> int:
        return len(self._kept)

    @asynccontextmanager
    async def use(self, address: str) -> AsyncIterator[Any]:
        """The channel to an address, for one call."""
        kept = self._kept.pop(address, None) or _Kept(connect(address), 0, 0.0)
        self._kept[address] = kept
        kept.users += 1
        try:
            await self._tidy()
            yield kept.channel
        finally:
            kept.users -= 1
            kept.used_at = self._clock.now()

    async def _tidy(self) -> None:
        """Close what is idle for too long, or too many."""
        long_ago = self._clock.now() - IDLE_S
        idle = [address for address, kept in self._kept.items() if not kept.users]
        surplus = len(self._kept) - CHANNELS_MAX
        for position, address in enumerate(idle):
            if position >= surplus and self._kept[address].used_at > long_ago:
                return
            await self._kept.pop(address).channel.close()

    async def close(self) -> None:
        """Close all; calls under way end with CANCELLED."""
        while self._kept:
            _, kept = self._kept.popitem()
            await kept.channel.close()
