"""Who has which hardware address: the neighbour table of one stack.

                 wanted                 reply
    (unknown) ----------> INCOMPLETE ----------> REACHABLE ---- 30 s ----> STALE
                              |                    ^   ^                     |
                              | 3 requests,        |   | reply               | used
                              | 1 s apart          |   +--------------+      v
                              v                    | reply            +--- DELAY
                           FAILED <------------- PROBE <---- 5 s ----------+
                                    3 requests

The states are those of Linux (net/core/neighbour.c), as `ip neigh` shows them. REACHABLE becomes
STALE without a timer: whoever looks compares the time. The table decides and tells; the stack sends.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum

REACHABLE_S = 30.0
DELAY_S = 5.0
RETRY_S = 1.0
REQUESTS_MAX = 3
NEIGHBORS_MAX = 1024
"""Linux's gc_thresh3."""
WAITING_PER_NEIGHBOR_MAX = 101
"""Linux's unres_qlen: a datagram of 64 KiB in 45 fragments must not be cut short by its own ARP."""
WAITING_MAX = 1024
"""Packets that wait, over all neighbours of a stack (1.5 MB)."""

Key = tuple[str, bytes]
"""Interface name and IPv4 address."""


class NeighborState(StrEnum):
    """How much is known about a neighbour."""

    INCOMPLETE = "INCOMPLETE"
    REACHABLE = "REACHABLE"
    STALE = "STALE"
    DELAY = "DELAY"
    PROBE = "PROBE"
    FAILED = "FAILED"
    PERMANENT = "PERMANENT"


_TIMED = (NeighborState.INCOMPLETE, NeighborState.DELAY, NeighborState.PROBE)


@dataclass(frozen=True, slots=True)
class Neighbor:
    """One row of the table, as it stands at a moment; ``mac`` is None while unknown."""

    interface: str
    address: bytes
    mac: bytes | None
    state: NeighborState


@dataclass(frozen=True, slots=True)
class Request:
    """Send an ARP request: to ``mac`` alone, or to all if it is None."""

    interface: str
    address: bytes
    mac: bytes | None


@dataclass(frozen=True, slots=True)
class Unreachable:
    """Nobody answered: these packets will never leave."""

    interface: str
    address: bytes
    packets: tuple[bytes, ...]


@dataclass(slots=True)
class _Entry:
    state: NeighborState
    mac: bytes | None = None
    since: float = 0.0
    """When the neighbour was last confirmed."""
    deadline: float = 0.0
    requests: int = 0
    waiting: deque[bytes] = field(default_factory=deque)


class NeighborTable:
    """The neighbours of every interface of one stack."""

    def __init__(self) -> None:
        self._entries: dict[Key, _Entry] = {}
        self._waiting = 0
        self.wake_at: float | None = None
        """When due() may have something to do, in seconds; None if never."""

    def find(self, interface: str, address: bytes, now: float) -> bytes | None:
        """The hardware address to send to, or None: then the packet has to wait()."""
        entry = self._entries.get((interface, address))
        if entry is None:
            return None
        if entry.state is NeighborState.REACHABLE and now - entry.since >= REACHABLE_S:
            entry.state = NeighborState.STALE
        if entry.state is NeighborState.STALE:
            # Still good enough to send to, but from now on it has to show that it lives.
            entry.state = NeighborState.DELAY
            self._set_deadline(entry, now + DELAY_S)
        return entry.mac

    def wait(self, interface: str, address: bytes, packet: bytes, now: float) -> tuple[bool, int]:
        """Keep a packet until its neighbour is known.

        The first value tells to send a request; the second, how many packets had to be given up
        (the oldest ones, or this one if the table is full).
        """
        key = (interface, address)
        entry = self._entries.get(key)
        is_new = entry is None or entry.state is NeighborState.FAILED
        if entry is None:
            if len(self._entries) >= NEIGHBORS_MAX and not self._evict():
                return False, 1
            entry = self._entries[key] = _Entry(NeighborState.INCOMPLETE)
        if is_new:
            entry.state, entry.mac, entry.requests = NeighborState.INCOMPLETE, None, 1
            self._set_deadline(entry, now + RETRY_S)
        given_up = 0
        if len(entry.waiting) >= WAITING_PER_NEIGHBOR_MAX:
            entry.waiting.popleft()
            self._waiting -= 1
            given_up = 1
        if self._waiting >= WAITING_MAX:
            return is_new, given_up + 1
        entry.waiting.append(packet)
        self._waiting += 1
        return is_new, given_up

    def hear(
        self, interface: str, address: bytes, mac: bytes, now: float, *, is_reply: bool
    ) -> tuple[bytes, ...]:
        """A neighbour has spoken: update its row if there is one; the packets that may now leave.

        ``is_reply``: it answered a request of ours, so it can also hear us (RFC 4861 section 7.3.1
        says why that matters); otherwise it only has told its address.
        """
        key = (interface, address)
        entry = self._entries.get(key)
        if entry is None or entry.state is NeighborState.PERMANENT:
            return ()
        if is_reply:
            entry.state, entry.since = NeighborState.REACHABLE, now
        elif mac != entry.mac:
            entry.state = NeighborState.STALE
        entry.mac = mac
        return self._release(entry)

    def learn(self, interface: str, address: bytes, mac: bytes, now: float) -> tuple[bytes, ...]:
        """A neighbour asks for us: it will want an answer soon, so remember it (RFC 826)."""
        key = (interface, address)
        if key not in self._entries and (len(self._entries) < NEIGHBORS_MAX or self._evict()):
            self._entries[key] = _Entry(NeighborState.STALE, mac)
        return self.hear(interface, address, mac, now, is_reply=False)

    def due(self, now: float) -> list[Request | Unreachable]:
        """What the passing of time asks for; call when ``wake_at`` is reached."""
        actions: list[Request | Unreachable] = []
        for key, entry in self._entries.items():
            if entry.state not in _TIMED or entry.deadline > now:
                continue
            if entry.state is NeighborState.DELAY:
                entry.state, entry.requests = NeighborState.PROBE, 0
            if entry.requests < REQUESTS_MAX:
                entry.requests += 1
                self._set_deadline(entry, now + RETRY_S)
                actions.append(Request(*key, entry.mac))
            else:
                entry.state, entry.mac = NeighborState.FAILED, None
                actions.append(Unreachable(*key, self._release(entry)))
        deadlines = (entry.deadline for entry in self._entries.values() if entry.state in _TIMED)
        self.wake_at = min(deadlines, default=None)
        return actions

    def set_permanent(self, interface: str, address: bytes, mac: bytes) -> tuple[bytes, ...]:
        """Fix a row that ARP never changes; the packets that may now leave."""
        entry = self._entries.setdefault((interface, address), _Entry(NeighborState.PERMANENT))
        entry.state, entry.mac = NeighborState.PERMANENT, mac
        return self._release(entry)

    def forget(self, interface: str, address: bytes | None = None) -> int:
        """Remove one row, or all of an interface; how many waiting packets were given up."""
        keys = [
            key for key in self._entries if key[0] == interface and (address is None or key[1] == address)
        ]
        return sum(len(self._release(self._entries.pop(key))) for key in keys)

    def listing(self, now: float) -> tuple[Neighbor, ...]:
        """Every row, in the order in which they came."""
        return tuple(Neighbor(*key, entry.mac, _state_at(entry, now)) for key, entry in self._entries.items())

    def _set_deadline(self, entry: _Entry, deadline: float) -> None:
        entry.deadline = deadline
        if self.wake_at is None or deadline < self.wake_at:
            self.wake_at = deadline

    def _release(self, entry: _Entry) -> tuple[bytes, ...]:
        packets = tuple(entry.waiting)
        entry.waiting.clear()
        self._waiting -= len(packets)
        return packets

    def _evict(self) -> bool:
        """Make room: the oldest row that nothing waits for; False if there is none."""
        for state in (NeighborState.FAILED, NeighborState.STALE, NeighborState.REACHABLE):
            for key, entry in self._entries.items():
                if entry.state is state:
                    del self._entries[key]
                    return True
        return False


def _state_at(entry: _Entry, now: float) -> NeighborState:
    if entry.state is NeighborState.REACHABLE and now - entry.since >= REACHABLE_S:
        return NeighborState.STALE
    return entry.state
