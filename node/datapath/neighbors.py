"""The addresses of remote endpoints, from which a segment answers ARP by itself.

An overlay never sends ARP over the wire: whoever joins is written into this table on every node, and
a request is answered here, as Linux does for a VXLAN device with its `proxy` flag.
"""

from __future__ import annotations

from node.model.address import format_ipv4

ENTRIES_MAX = 65_536


class NeighborTable:
    """IPv4 address (four bytes) to hardware address (six)."""

    def __init__(self) -> None:
        self.entries: dict[bytes, bytes] = {}

    def set(self, address: bytes, mac: bytes) -> None:
        """Write a row; asserts that the table has room: the pool of a network is smaller."""
        assert len(self.entries) < ENTRIES_MAX, f"no room for neighbor {format_ipv4(address)}"
        self.entries[address] = mac

    def remove(self, address: bytes, mac: bytes) -> None:
        """Take a row away, unless the address belongs to another by now."""
        if self.entries.get(address) == mac:
            del self.entries[address]

    def find(self, address: bytes) -> bytes | None:
        """The hardware address that has an IPv4 address."""
        return self.entries.get(address)
