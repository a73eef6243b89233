"""The faults of one node, and the one function that judges what they do.

inject ---> [ fault, fault, ... ] ---> judge(plane, direction, peer, now) ---> Verdict
              each ends by itself
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from node.chaos.faults import Direction, Fault, Injection, Mode, Plane
from node.errors import Conflict, Unavailable

FAULTS_MAX = 64
"""Faults in force at one time: each is looked at for every datagram."""
ID_LENGTH = 4

_DIGITS = "23456789abcdefghjkmnpqrstuvwxyz"
"""Without 0 o 1 i l, which people mistake for each other."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of one datagram, call or operation. ``mode`` None: it gets through."""

    mode: Mode | None = None


DELIVER = Verdict()


@dataclass(frozen=True, slots=True)
class FaultSeen:
    """A fault in force, as listed. ``hits`` counts what it has kept from getting through."""

    fault: Fault
    remaining_s: float
    hits: int


class FaultTable:
    """See the module. ``now`` is always seconds of the node's Clock, which never runs backwards."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.listeners: list[Callable[[], None]] = []
        """Called after every injection, for what must break at once (open watches)."""
        self._faults: dict[str, Fault] = {}
        self._hits: dict[str, int] = {}
        self._next_end = math.inf

    @property
    def empty(self) -> bool:
        """No fault can be in force; one that has just ended may still count."""
        return not self._faults

    def inject(self, injection: Injection, now: float) -> Fault:
        """Put a fault into force. Raises Conflict if its id is, and Unavailable beyond FAULTS_MAX."""
        self._expire(now)
        if len(self._faults) >= FAULTS_MAX:
            raise Unavailable(f"{FAULTS_MAX} faults are in force already: heal some first")
        if injection.id in self._faults:
            raise Conflict(f"fault {injection.id} is in force already: heal it first, or choose another id")
        identity = injection.id or self._draw_id()
        fault = Fault(identity, injection.kind, injection.scope, now, now + injection.duration_s)
        self._faults[identity] = fault
        self._hits[identity] = 0
        self._next_end = min(self._next_end, fault.end)
        for listener in self.listeners:
            listener()
        return fault

    def _draw_id(self) -> str:
        while True:
            identity = "".join(self._chance.choice(_DIGITS) for _ in range(ID_LENGTH))
            if identity not in self._faults:
                return identity

    def heal(self, ids: Sequence[str], now: float) -> tuple[str, ...]:
        """End faults before their time; those that ended are returned, others are no error."""
        self._expire(now)
        healed = tuple(identity for identity in dict.fromkeys(ids) if identity in self._faults)
        self._remove(healed)
        return healed

    def list(self, now: float) -> tuple[FaultSeen, ...]:
        """The faults in force, in the order in which they were injected."""
        self._expire(now)
        return tuple(
            FaultSeen(fault, fault.end - now, self._hits[fault.id]) for fault in self._faults.values()
        )

    def judge(self, plane: Plane, direction: Direction, peer: str, now: float) -> Verdict:
        """What becomes of traffic to (OUTGOING) or from (INCOMING) a peer; the store's peer is "".

        Where several faults apply, dropping beats rejecting: what is lost on the way is never refused.
        """
        if not self._faults:
            return DELIVER
        self._expire(now)
        applying = [fault for fault in self._faults.values() if fault.scope.covers(plane, direction, peer)]
        if not applying:
            return DELIVER
        decisive = min(applying, key=lambda fault: fault.kind.mode is not Mode.DROP)
        self._hits[decisive.id] += 1
        return Verdict(decisive.kind.mode)

    def _expire(self, now: float) -> None:
        if now >= self._next_end:
            self._remove(tuple(fault.id for fault in self._faults.values() if now >= fault.end))

    def _remove(self, ids: tuple[str, ...]) -> None:
        for identity in ids:
            del self._faults[identity], self._hits[identity]
        self._next_end = min((fault.end for fault in self._faults.values()), default=math.inf)
