"""Cutting packets up and putting them together again (RFC 791 section 3.2, RFC 815), with bounds.

    0            1480           2960     3008
    |   fragment  |   fragment   |  last  |         a packet is whole when its last fragment has told
                                                    the length and no byte is missing

Fragments that overlap are never reconciled: the whole packet is given up, because whoever does not
agree on the bytes of an overlap is lying to someone (RFC 5722; Linux does so for IPv4 as well).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from node.wire import ipv4
from node.wire.ipv4 import Packet

REASSEMBLY_S = 30.0
"""Linux's ipfrag_time. (RFC 1122 section 3.3.2 asks for 60 to 120 s, which nobody waits for.)"""
HELD_MAX_BYTES = 4_194_304
"""Linux's ipfrag_high_thresh."""
FRAGMENT_COST_BYTES = 256
"""What a fragment takes up besides its payload, so that very small ones are bounded too."""
PACKETS_MAX = 256
FRAGMENTS_PER_PACKET_MAX = 256
"""Enough for the largest packet over links of 296 bytes, the narrowest that RFC 1191 knew."""

_COPIED_OPTION = 0x80

Key = tuple[bytes, bytes, int, int]


@dataclass(frozen=True, slots=True)
class GivenUp:
    """Fragments that will never be a packet. ``first`` is the one with its beginning, if it came."""

    fragments: int
    first: Packet | None = None


@dataclass(slots=True)
class _Pile:
    deadline: float
    fragments: dict[int, Packet] = field(default_factory=dict)
    """By the offset of their first byte."""
    payload_bytes: int = 0
    length: int | None = None
    """Of the whole payload, once the last fragment has come."""


class Reassembly:
    """The incomplete packets of one stack."""

    def __init__(self) -> None:
        self._piles: dict[Key, _Pile] = {}
        self._held_bytes = 0

    @property
    def wake_at(self) -> float | None:
        """When the oldest packet expires, in seconds; None if nothing waits."""
        for pile in self._piles.values():
            return pile.deadline
        return None

    def add(self, fragment: Packet, now: float) -> Packet | GivenUp | None:
        """Take a fragment: the whole packet if it was the last missing one, or what had to be given up."""
        key = (fragment.source, fragment.destination, fragment.protocol, fragment.identification)
        pile = self._piles.get(key)
        if pile is None:
            if len(self._piles) >= PACKETS_MAX:
                return GivenUp(1)
            pile = self._piles[key] = _Pile(now + REASSEMBLY_S)
        if pile.fragments.get(fragment.fragment_offset) == fragment:
            return GivenUp(1)  # a copy: the one that is here will do
        if not _fits(pile, fragment):
            return GivenUp(1 + len(self._take(key).fragments))
        if self._held_bytes + _cost(fragment) > HELD_MAX_BYTES:
            if not pile.fragments:
                self._take(key)
            return GivenUp(1)
        pile.fragments[fragment.fragment_offset] = fragment
        pile.payload_bytes += len(fragment.payload)
        self._held_bytes += _cost(fragment)
        if not fragment.more_fragments:
            pile.length = fragment.fragment_offset + len(fragment.payload)
        return _join(self._take(key)) if pile.payload_bytes == pile.length else None

    def expire(self, now: float) -> list[GivenUp]:
        """The packets that have waited too long."""
        expired = []
        for key, pile in list(self._piles.items()):
            if pile.deadline > now:
                break
            self._take(key)
            expired.append(GivenUp(len(pile.fragments), pile.fragments.get(0)))
        return expired

    def _take(self, key: Key) -> _Pile:
        pile = self._piles.pop(key)
        self._held_bytes -= sum(_cost(fragment) for fragment in pile.fragments.values())
        return pile


def _cost(fragment: Packet) -> int:
    return FRAGMENT_COST_BYTES + len(fragment.payload)


def _fits(pile: _Pile, fragment: Packet) -> bool:
    """Whether a fragment can be a part of the packet that the others belong to."""
    begin, end = fragment.fragment_offset, fragment.fragment_offset + len(fragment.payload)
    header_bytes = ipv4.HEADER_BYTES + len(fragment.options)
    if begin == end or header_bytes + end > ipv4.PACKET_BYTES_MAX:
        return False
    if fragment.more_fragments:
        if len(fragment.payload) % 8 or (pile.length is not None and end >= pile.length):
            return False
    elif pile.length is not None:
        return False
    if len(pile.fragments) >= FRAGMENTS_PER_PACKET_MAX:
        return False
    for other_begin, other in pile.fragments.items():
        other_end = other_begin + len(other.payload)
        if begin < other_end and other_begin < end:
            return False
        if not fragment.more_fragments and other_end > begin:
            return False
    return True


def _join(pile: _Pile) -> Packet:
    payload = b"".join(pile.fragments[offset].payload for offset in sorted(pile.fragments))
    return replace(pile.fragments[0], payload=payload, more_fragments=False)


def split(packet: Packet, mtu: int) -> list[Packet]:
    """A packet in pieces of at most ``mtu`` bytes; one that is a fragment already is cut further.

    ``mtu`` must leave room for the header and eight bytes, which every link does (RFC 791: 68 bytes).
    """
    if packet.total_bytes <= mtu:
        return [packet]
    pieces = []
    options, begin = packet.options, 0
    while begin < len(packet.payload):
        room = (mtu - ipv4.HEADER_BYTES - len(options)) // 8 * 8
        assert room > 0, f"an MTU of {mtu} leaves no room for a fragment"
        end = min(begin + room, len(packet.payload))
        pieces.append(
            replace(
                packet,
                payload=packet.payload[begin:end],
                more_fragments=packet.more_fragments or end < len(packet.payload),
                fragment_offset=packet.fragment_offset + begin,
                options=options,
            )
        )
        options, begin = _copied(packet.options), end
    return pieces


def _copied(options: bytes) -> bytes:
    """The options that belong into every fragment: those whose first bit is set (RFC 791 section 3.1)."""
    copied, position = b"", 0
    while position < len(options) and options[position] != 0:
        length = 1
        if options[position] != 1:  # only "no operation" and "end of list" have no length
            length = options[position + 1] if position + 1 < len(options) else 0
            if length < 2 or position + length > len(options):
                break
        if options[position] & _COPIED_OPTION:
            copied += options[position : position + length]
        position += length
    return copied + bytes(-len(copied) % 4)
