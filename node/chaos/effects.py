"""What each kind of fault does to one piece of traffic: small state machines, chance and time given.

Fate: is it lost? when does it leave? how often? which bit is wrong?
  ^
  '--- Partition, MtuLimit, Loss, Corrupt, Duplicate, Bandwidth, Delay, Reorder, in this order:
       what is lost is not delayed, and what waits for bandwidth is delayed after it
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import Protocol, TypeVar

from node.chaos.faults import Traffic
from node.chaos.kinds import (
    Bandwidth,
    ClockSkew,
    Corrupt,
    Delay,
    Duplicate,
    Flows,
    Kind,
    Loss,
    Mode,
    MtuLimit,
    Partition,
    Reorder,
    StalledWatch,
)

LINKS_MAX = 4096
"""Links whose state one fault remembers; when full, the oldest starts afresh."""

State = TypeVar("State")
Link = tuple[str, str, str]
"""Plane, direction and peer: one way of one wire."""


@dataclass(slots=True)
class Fate:
    """What becomes of one piece of traffic, in the making."""

    mode: Mode | None = None
    """None: it gets through."""
    delay_s: float = 0.0
    copies: int = 1
    flipped_bit: int | None = None
    """Counted from the beginning of the carried frame."""


class Effect(Protocol):
    """The working of one fault."""

    def act(self, fate: Fate, traffic: Traffic, now: float, chance: random.Random) -> bool:
        """Change the fate; whether anything was changed."""


class PartitionEffect:
    """Does not let through."""

    def __init__(self, kind: Partition, start: float) -> None:
        self._kind = kind
        self._start = start

    def act(self, fate: Fate, traffic: Traffic, now: float, chance: random.Random) -> bool:
        """See Effect."""
        flows = self._kind.flows
        if self.next_cut(now) > now:
            return False
        if flows is not Flows.ALL and traffic.established is not (flows is Flows.ESTABLISHED):  # nor unknown
            return False
        fate.mode = self._kind.mode
        return True

    @property
    def is_whole(self) -> bool:
        """It spares no conversations."""
        return self._kind.flows is Flows.ALL

    def next_cut(self, now: float) -> float:
        """``now`` if it is cut; else when it will be again."""
        period_s = self._kind.period_s
        if not period_s or (now - self._start) % (2 * period_s) < period_s:
            return now
        return self._start + (math.floor((now - self._start) / (2 * period_s)) + 1) * 2 * period_s


class LossEffect:
    """Loses a fraction: each by itself, or in runs, as a link that is good for a while and then bad."""

    def __init__(self, kind: Loss) -> None:
        self._kind = kind
        self._bad: dict[Link, bool] = {}

    def act(self, fate: Fate, traffic: Traffic, now: float, chance: random.Random) -> bool:
        """See Effect."""
        if not self._loses(_link(traffic), chance):
            return False
        fate.mode = Mode.DROP
        return True

    def _loses(self, link: Link, chance: random.Random) -> bool:
        rate, burst = self._kind.rate, self._kind.burst
        if burst == 1:
            return chance.random() < rate
        # Gilbert (1960): bad ends with probability 1/burst, and begins so often that `rate` of all is bad.
        bad = self._bad.get(link, False)
        leave = 1 / burst if bad else rate / ((1 - rate) * burst)
        bad = bad is not (chance.random() < leave)
        _remember(self._bad, link, bad)
        return bad


class DelayEffect:
    """Makes late, and lets nothing overtake on one link."""

    def __init__(self, kind: Delay) -> None:
        self._kind = kind
        self._last: dict[Link, float] = {}

    def act(self, fate: Fate, traffic: Traffic, now: float, chance: random.Random) -> bool:
        """See Effect."""
        kind, link = self._kind, _link(traffic)
        wait = kind.delay_s + (chance.uniform(-kind.jitter_s, kind.jitter_s) if kind.jitter_s else 0.0)
        due = max(now + fate.delay_s + wait, self._last.get(link, 0.0))
        _remember(self._last, link, due)
        fate.delay_s = due - now
        return True


class ReorderEffect:
    """Holds some back."""

    def __init__(self, kind: Reorder) -> None:
        self._kind = kind

    def act(self, fate: Fate, traffic: Traffic, now: float, chance: random.Random) -> bool:
        """See Effect."""
        if chance.random() >= self._kind.rate:
            return False
        fate.delay_s += self._kind.hold_s
        return True


class DuplicateEffect:
    """Doubles some."""

    def __init__(self, kind: Duplicate) -> None:
        self._kind = kind

    def act(self, fate: Fate, traffic: Traffic, now: float, chance: random.Random) -> bool:
        """See Effect."""
        if chance.random() >= self._kind.rate:
            return False
        fate.copies = 2
        return True


class CorruptEffect:
    """Flips a bit in some."""

    def __init__(self, kind: Corrupt) -> None:
        self._kind = kind

    def act(self, fate: Fate, traffic: Traffic, now: float, chance: random.Random) -> bool:
        """See Effect."""
        if chance.random() >= self._kind.rate:
            return False
        fate.flipped_bit = chance.randrange(1 << 30)
        return True


class BandwidthEffect:
    """A link that takes one datagram after the other, and a queue before it that overflows."""

    def __init__(self, kind: Bandwidth) -> None:
        self._kind = kind
        self._free_at: dict[Link, float] = {}

    def act(self, fate: Fate, traffic: Traffic, now: float, chance: random.Random) -> bool:
        """See Effect."""
        kind, link = self._kind, _link(traffic)
        wait = max(0.0, self._free_at.get(link, 0.0) - now)
        if wait * kind.bits_per_s / 8 + traffic.bytes > kind.queue_bytes:
            fate.mode = Mode.DROP
            return True
        leaves = now + wait + traffic.bytes * 8 / kind.bits_per_s
        _remember(self._free_at, link, leaves)
        fate.delay_s += leaves - now
        return True


class MtuLimitEffect:
    """Swallows what is too long."""

    def __init__(self, kind: MtuLimit) -> None:
        self._kind = kind

    def act(self, fate: Fate, traffic: Traffic, now: float, chance: random.Random) -> bool:
        """See Effect."""
        if traffic.bytes <= self._kind.mtu:
            return False
        fate.mode = Mode.DROP
        return True


class NoEffect:
    """Of faults that are not judged piece by piece: whoever they concern asks the table for them."""

    def act(self, fate: Fate, traffic: Traffic, now: float, chance: random.Random) -> bool:
        """See Effect."""
        return False


ORDER: tuple[type[Kind], ...] = (
    Partition,
    MtuLimit,
    Loss,
    Corrupt,
    Duplicate,
    Bandwidth,
    Delay,
    Reorder,
    StalledWatch,
    ClockSkew,
)


def effect_of(kind: Kind, start: float) -> Effect:
    """The working of one fault, fresh."""
    match kind:
        case Partition():
            return PartitionEffect(kind, start)
        case Loss():
            return LossEffect(kind)
        case Delay():
            return DelayEffect(kind)
        case Reorder():
            return ReorderEffect(kind)
        case Duplicate():
            return DuplicateEffect(kind)
        case Corrupt():
            return CorruptEffect(kind)
        case Bandwidth():
            return BandwidthEffect(kind)
        case MtuLimit():
            return MtuLimitEffect(kind)
        case StalledWatch() | ClockSkew():
            return NoEffect()


def _link(traffic: Traffic) -> Link:
    return traffic.plane, traffic.direction, traffic.peer


def _remember(states: dict[Link, State], link: Link, state: State) -> None:
    if link not in states and len(states) >= LINKS_MAX:
        del states[next(iter(states))]
    states[link] = state
