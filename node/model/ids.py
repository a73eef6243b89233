"""The identities that objects go by, drawn from a given source of chance.

What one node makes (local networks, endpoints, sandboxes, containers) has 64 hexadecimal digits;
what the swarm makes (networks, nodes) has 25 base-36 ones (swarmkit: identity/randomid.go).
"""

from __future__ import annotations

import random

SHORT_LENGTH = 12
"""Digits of an identity that people are shown."""

_BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"


def local_id(chance: random.Random) -> str:
    """64 hexadecimal digits; never all decimal in its first 12, which a hostname must not be."""
    while True:
        identity = f"{chance.getrandbits(256):064x}"
        if not identity[:SHORT_LENGTH].isdecimal():
            return identity


def swarm_id(chance: random.Random) -> str:
    """25 lower-case base-36 digits."""
    return "".join(_BASE36[chance.randrange(36)] for _ in range(25))


def short(identity: str) -> str:
    """The first twelve digits, as people are shown them."""
    return identity[:SHORT_LENGTH]
