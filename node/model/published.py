"""Published ports: what a user asks for, and what a running container has."""

from __future__ import annotations

import msgspec

ANY_IPV4, ANY_IPV6 = "0.0.0.0", "::"  # noqa: S104 - as Docker shows them; nothing binds to them here


class PublishedPort(msgspec.Struct, frozen=True):
    """A port of the host that leads into a container."""

    container_port: int
    protocol: str
    host_address: str
    host_port: int


class PortWish(msgspec.Struct, frozen=True):
    """What is asked for: host ports from ``first`` to ``last``, or any if they are 0."""

    container_port: int
    protocol: str
    host_address: str
    first: int = 0
    last: int = 0
