"""A VXLAN tunnel endpoint (RFC 7348): which node is a hardware address on, and the datagram for it.

    static    rows that the control plane wrote: this MAC is at that tunnel endpoint
    learned   senders of received frames, only where the segment learns (the LAN): the address of the
              datagram, never its port, which is a hash of the inner flow
    peers     every tunnel endpoint of the segment, for what goes to all

Docker's overlay knows every endpoint beforehand and sends nothing else: `flood` is off there, and a
frame for an unknown address is dropped. The LAN between the hosts floods and learns like a switch.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from node.model.address import ZERO_MAC
from node.wire import vlan, vxlan

AGEING_S = 300.0
LEARNED_MAX = 4096
PEERS_MAX = 2048
FLOWS_MAX = 4096
"""Flows whose hash is remembered; when full, all are forgotten."""

_WITH_PORTS = (b"\x06", b"\x11")
"""TCP and UDP, as they stand in an IPv4 header."""


@dataclass(slots=True)
class LearnedPeer:
    """Behind which tunnel endpoint an address was seen last, and when."""

    endpoint: str
    seen: float


class Vtep:
    """Tunnel endpoints are underlay addresses, as text."""

    def __init__(
        self, vni: int, *, flood: bool = False, learning: bool = False, vlan_number: int = 0
    ) -> None:
        self.vni = vni
        self.vlan = vlan_number
        """Its frames carry a tag of this VLAN within the tunnel; 0: none."""
        self.tag = vlan.tag(vlan_number) if vlan_number else b""
        self.flood = flood
        """Unknown and group addresses go to all peers (head-end replication), not nowhere."""
        self.learning = learning
        self.peers_only = False
        """Drop what comes from an address that is no peer; Docker's kernel does not check, nor do we."""
        self.static: dict[bytes, str] = {}
        self.learned: dict[bytes, LearnedPeer] = {}
        self.peers: dict[str, int] = {}
        """How many reasons there are to count each as a peer."""
        self.header = vxlan.header(vni)
        """What stands before every frame of the network."""
        self._flows: dict[bytes, int] = {}

    def add_peer(self, endpoint: str) -> None:
        """One more reason to count this tunnel endpoint as a peer."""
        assert endpoint in self.peers or len(self.peers) < PEERS_MAX, f"no room for peer {endpoint}"
        self.peers[endpoint] = self.peers.get(endpoint, 0) + 1

    def remove_peer(self, endpoint: str) -> None:
        """One reason less; with the last, what was learned behind it is forgotten."""
        count = self.peers.get(endpoint, 0) - 1
        if count > 0:
            self.peers[endpoint] = count
            return
        self.peers.pop(endpoint, None)
        for mac in [mac for mac, entry in self.learned.items() if entry.endpoint == endpoint]:
            del self.learned[mac]

    def learn(self, mac: bytes, endpoint: str, now: float) -> None:
        """A frame with this source came from that tunnel endpoint."""
        if mac in self.static or mac[0] & 1 or mac == ZERO_MAC:
            return
        entry = self.learned.pop(mac, None)
        if entry is None:
            if len(self.learned) >= LEARNED_MAX:
                del self.learned[next(iter(self.learned))]
            entry = LearnedPeer(endpoint, now)
        entry.endpoint, entry.seen = endpoint, now
        self.learned[mac] = entry

    def find(self, mac: bytes, now: float) -> str | None:
        """The tunnel endpoint that an address is behind."""
        endpoint = self.static.get(mac)
        if endpoint is not None:
            return endpoint
        entry = self.learned.get(mac)
        if entry is None:
            return None
        if now - entry.seen > AGEING_S:
            del self.learned[mac]
            return None
        return entry.endpoint

    def flow_hash(self, frame: bytes) -> int:
        """flow_hash() of the frame, remembered for the flows seen lately: it is the same every time."""
        # Bytes 26 to 34 are the IPv4 addresses; for TCP and UDP the ports follow.
        key = frame[26:38] if frame[23:24] in _WITH_PORTS else frame[26:34]
        value = self._flows.get(key)
        if value is None:
            if len(self._flows) >= FLOWS_MAX:
                self._flows.clear()
            value = self._flows[key] = flow_hash(frame)
        return value


def flow_hash(frame: bytes) -> int:
    """A number that is the same for all frames of one inner flow, in both directions.

    RFC 7348 section 5 takes the outer source port from it, so that the underlay can spread flows
    over paths without reordering any. Addresses and ports are combined so that swapping source and
    destination changes nothing, as in Linux (skb_get_hash).
    """
    if frame[12:14] != b"\x08\x00" or len(frame) < 34:
        return zlib.crc32(bytes(a ^ b for a, b in zip(frame[0:6], frame[6:12], strict=True)))
    both = int.from_bytes(frame[26:30], "big") ^ int.from_bytes(frame[30:34], "big")
    protocol = frame[23]
    if protocol in (6, 17) and frame[14] == 0x45 and len(frame) >= 38 and not (frame[20] & 0x3F or frame[21]):
        both ^= (int.from_bytes(frame[34:36], "big") ^ int.from_bytes(frame[36:38], "big")) << 8
    # Multiplicative hashing (Knuth, volume 3, 6.4): quick, and it spreads neighbouring values.
    return ((both ^ protocol) * 2654435761) >> 7 & 0xFFFFFFFF
