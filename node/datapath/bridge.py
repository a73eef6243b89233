"""A learning bridge (IEEE 802.1D-2004 section 7): which port is a hardware address behind?

    static    the addresses of what is plugged in: known, never aged, cannot be taken over
    learned   addresses seen behind a port: aged, bounded, moved when seen elsewhere

It decides only; switchboard.py moves the frames.
"""

from __future__ import annotations

from dataclasses import dataclass

from node.datapath.port import Port
from node.model.address import ZERO_MAC

AGEING_S = 300.0
"""The standard's default ageing time, and Linux's."""
LEARNED_MAX = 4096
"""Learned addresses; when full, the one not seen for the longest time makes room."""


@dataclass(slots=True)
class Learned:
    """Where an address was seen last, and when."""

    port: Port
    seen: float


class Bridge:
    """Ports in the order in which they were plugged in, and what is behind them."""

    def __init__(self) -> None:
        self.ports: dict[str, Port] = {}
        self.static: dict[bytes, Port] = {}
        self.learned: dict[bytes, Learned] = {}

    def plug(self, port: Port) -> None:
        """Add a port; its own address is behind it from now on."""
        assert port.name not in self.ports, f"port {port.name} is plugged in already"
        self.ports[port.name] = port
        self.static[port.mac] = port
        self.learned.pop(port.mac, None)

    def unplug(self, port: Port) -> None:
        """Remove a port and forget everything behind it."""
        del self.ports[port.name]
        if self.static.get(port.mac) is port:
            del self.static[port.mac]
        for mac in [mac for mac, entry in self.learned.items() if entry.port is port]:
            del self.learned[mac]

    def learn(self, mac: bytes, port: Port, now: float) -> None:
        """The address was seen behind this port. Group addresses and zero are nobody's."""
        if mac in self.static or mac[0] & 1 or mac == ZERO_MAC:
            return
        entry = self.learned.pop(mac, None)
        if entry is None:
            if len(self.learned) >= LEARNED_MAX:
                del self.learned[next(iter(self.learned))]
            entry = Learned(port, now)
        entry.port, entry.seen = port, now
        self.learned[mac] = entry  # last in the order: seen most recently

    def find(self, mac: bytes, now: float) -> Port | None:
        """The port that an address is behind, if known and not too long ago."""
        port = self.static.get(mac)
        if port is not None:
            return port
        entry = self.learned.get(mac)
        if entry is None:
            return None
        if now - entry.seen > AGEING_S:
            del self.learned[mac]
            return None
        return entry.port
