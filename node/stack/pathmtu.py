"""How long a packet may be on its way to each destination (RFC 1191), as routers have told."""

from __future__ import annotations

EXPIRY_S = 600.0
"""RFC 1191 section 6.3 recommends 10 minutes: the path may have become wider."""
DESTINATIONS_MAX = 1024
MTU_MIN_BYTES = 552
"""Linux's net.ipv4.route.min_pmtu: below it, a report is more likely an attack than a link."""

_PLATEAUS_BYTES = (32_000, 17_914, 8_166, 4_352, 2_002, 1_492, 1_006, 508)
"""MTUs of links that exist, for routers that do not tell theirs (RFC 1191 section 7)."""


class PathMtu:
    """The narrow destinations of one stack."""

    def __init__(self) -> None:
        self._narrow: dict[bytes, tuple[int, float]] = {}

    def of(self, destination: bytes, link_mtu: int, now: float) -> int:
        """Bytes of the longest packet that may be sent to a destination over a link."""
        known = self._narrow.get(destination)
        if known is None:
            return link_mtu
        mtu, expiry = known
        if now >= expiry:
            del self._narrow[destination]
            return link_mtu
        return min(mtu, link_mtu)

    def learn(self, destination: bytes, reported: int, refused_bytes: int, now: float) -> int:
        """A router could not pass on a packet of ``refused_bytes``; the figure to use from now on.

        ``reported`` is the next link's MTU, 0 if the router does not say.
        """
        if reported == 0:
            reported = next((mtu for mtu in _PLATEAUS_BYTES if mtu < refused_bytes), MTU_MIN_BYTES)
        mtu = max(reported, MTU_MIN_BYTES)
        self._narrow.pop(destination, None)
        if len(self._narrow) >= DESTINATIONS_MAX:
            del self._narrow[next(iter(self._narrow))]
        self._narrow[destination] = (mtu, now + EXPIRY_S)
        return mtu
