"""How many ICMP errors a stack may send (RFC 1812 section 4.3.2.8): a bucket of tokens for each destination.

The figures are Linux's (net/ipv4/icmp.c, inet_peer_xrlim_allow): one error a second, and six at
once, so that a traceroute with three probes a hop never waits.
"""

from __future__ import annotations

INTERVAL_S = 1.0
BURST = 6
DESTINATIONS_MAX = 1024


class ErrorLimit:
    """The buckets of one stack."""

    def __init__(self) -> None:
        self._full_at: dict[bytes, float] = {}
        """When each destination's bucket will be full again; missing: it is full."""

    def allow(self, destination: bytes, now: float) -> bool:
        """Take a token; False if there is none, and then the error must not be sent."""
        full_at = max(self._full_at.pop(destination, now), now)
        if full_at - now > (BURST - 1) * INTERVAL_S:
            self._full_at[destination] = full_at
            return False
        if len(self._full_at) >= DESTINATIONS_MAX:
            del self._full_at[next(iter(self._full_at))]
        self._full_at[destination] = full_at + INTERVAL_S
        return True
