"""The faults of one node, and the one function that judges what they do.

inject ---> [ fault, fault, ... ] ---> judge(traffic, now) ---> Verdict
              each ends by itself
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from node.chaos.effects import ORDER, Effect, Fate, PartitionEffect, effect_of
from node.chaos.faults import Fault, Injection, Traffic
from node.chaos.kinds import ClockSkew, Mode, Plane, StalledWatch
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
    delay_s: float = 0.0
    copies: int = 1
    flipped_bit: int | None = None
    """Which bit of a carried frame is wrong, modulo its length."""


DELIVER = Verdict()


@dataclass(frozen=True, slots=True)
class FaultSeen:
    """A fault in force, as listed. ``hits`` counts what it has lost, delayed, doubled or changed."""

    fault: Fault
    remaining_s: float
    hits: int


@dataclass(frozen=True, slots=True)
class ClockPace:
    """How a node's clock runs until ``until`` (seconds of its true clock)."""

    rate: float
    offset_s: float
    until: float


@dataclass(slots=True)
class _Active:
    fault: Fault
    effect: Effect
    hits: int = 0


def _rank(active: _Active) -> tuple[int, bool]:
    """Dropping comes before rejecting: what is lost on the way is never refused."""
    kind = active.fault.kind
    return ORDER.index(type(kind)), getattr(kind, "mode", None) is Mode.REJECT


class FaultTable:
    """See the module. ``now`` is always seconds of the node's true Clock, which never runs backwards."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.listeners: list[Callable[[], None]] = []
        """Called after every injection and healing, for what must follow at once (open watches, clocks)."""
        self._active: dict[str, _Active] = {}
        self._next_end = math.inf

    @property
    def empty(self) -> bool:
        """No fault can be in force; one that has just ended may still count."""
        return not self._active

    def inject(self, injection: Injection, now: float) -> Fault:
        """Put a fault into force. Raises Conflict if its id is, and Unavailable beyond FAULTS_MAX."""
        self._expire(now)
        if len(self._active) >= FAULTS_MAX:
            raise Unavailable(f"{FAULTS_MAX} faults are in force already: heal some first")
        if injection.id in self._active:
            raise Conflict(f"fault {injection.id} is in force already: heal it first, or choose another id")
        identity = injection.id or self._draw_id()
        fault = Fault(identity, injection.kind, injection.scope, now, now + injection.duration_s)
        self._active[identity] = _Active(fault, effect_of(fault.kind, now))
        self._next_end = min(self._next_end, fault.end)
        self._tell()
        return fault

    def _draw_id(self) -> str:
        while True:
            identity = "".join(self._chance.choice(_DIGITS) for _ in range(ID_LENGTH))
            if identity not in self._active:
                return identity

    def heal(self, ids: Sequence[str], now: float) -> tuple[str, ...]:
        """End faults before their time; those that ended are returned, others are no error."""
        self._expire(now)
        healed = tuple(identity for identity in dict.fromkeys(ids) if identity in self._active)
        self._remove(healed)
        if healed:
            self._tell()
        return healed

    def list(self, now: float) -> tuple[FaultSeen, ...]:
        """The faults in force, in the order in which they were injected."""
        self._expire(now)
        return tuple(
            FaultSeen(active.fault, active.fault.end - now, active.hits) for active in self._active.values()
        )

    # -- judging ----------------------------------------------------------------------------------

    def judge(self, traffic: Traffic, now: float) -> Verdict:
        """What becomes of one piece of traffic; the faults act in the order of effects.ORDER."""
        if not self._active:
            return DELIVER
        self._expire(now)
        applying = [active for active in self._active.values() if active.fault.scope.covers(traffic)]
        if not applying:
            return DELIVER
        applying.sort(key=_rank)
        fate = Fate()
        for active in applying:
            if active.effect.act(fate, traffic, now, self._chance):
                active.hits += 1
            if fate.mode is Mode.DROP:
                return Verdict(Mode.DROP)
        if fate.mode is not None:
            return Verdict(fate.mode)
        return Verdict(None, fate.delay_s, fate.copies, fate.flipped_bit)

    def next_cut(self, plane: Plane, now: float) -> float:
        """When a partition cuts all traffic of a plane, one way or both: ``now`` if one does, or inf.

        Nothing is judged by asking.
        """
        self._expire(now)
        cuts = (
            active.effect.next_cut(now)
            for active in self._active.values()
            if isinstance(active.effect, PartitionEffect)
            and active.effect.is_whole
            and plane in active.fault.scope.planes
        )
        return min(cuts, default=math.inf)

    def stalled_until(self, now: float) -> float:
        """Until when the store's watches bring no news, on the true clock; ``now`` if they do."""
        self._expire(now)
        stalls = [a for a in self._active.values() if isinstance(a.fault.kind, StalledWatch)]
        for active in stalls:
            active.hits += 1
        return max((active.fault.end for active in stalls), default=now)

    def pace(self, now: float) -> ClockPace:
        """How the node's clock runs from now on, and until when that holds."""
        self._expire(now)
        rate, offset_s, until = 1.0, 0.0, math.inf
        for active in self._active.values():
            kind = active.fault.kind
            if isinstance(kind, ClockSkew) and Plane.CLOCK in active.fault.scope.planes:
                rate, offset_s = rate * kind.rate, offset_s + kind.offset_s
                until = min(until, active.fault.end)
        return ClockPace(rate, offset_s, until)

    # -- ending -----------------------------------------------------------------------------------

    def _expire(self, now: float) -> None:
        if now >= self._next_end:
            self._remove(tuple(a.fault.id for a in self._active.values() if now >= a.fault.end))

    def _remove(self, ids: tuple[str, ...]) -> None:
        for identity in ids:
            del self._active[identity]
        self._next_end = min((active.fault.end for active in self._active.values()), default=math.inf)

    def _tell(self) -> None:
        for listener in tuple(self.listeners):
            listener()
