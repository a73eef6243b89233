"""What a fault can do, one frozen value a kind; each says of which traffic it makes sense.

    gets lost        Partition, Loss, MtuLimit           late          Delay, Reorder, Bandwidth
    gets changed     Corrupt, Duplicate                  no news       StalledWatch
    counts wrongly   ClockSkew

The words are those of Linux' netem where it has one (tc-netem(8)).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from node.errors import InvalidParameter
from node.seams import Channel

DELAY_S_MAX = 60.0
FLAP_S_MIN, FLAP_S_MAX = 0.01, 1800.0
BURST_MAX = 10_000.0
"""Mean length of a run of losses, in datagrams."""
BITS_PER_S_MIN = 1_000.0
BITS_PER_S_MAX = 100_000_000_000.0
QUEUE_BYTES_MAX = 64 << 20
MTU_MIN = 68
MTU_MAX = 65_535
CLOCK_RATE_MIN, CLOCK_RATE_MAX = 0.01, 100.0
CLOCK_OFFSET_S_MAX = 366 * 86_400.0


class Plane(StrEnum):
    """What traffic belongs to."""

    DATA = "data"
    """Frames of overlay networks."""
    CABLE = "cable"
    """Frames of the LAN that joins the hosts."""
    CONTROL = "control"
    """Calls between nodes."""
    STORE = "store"
    """Operations on the swarm's store; it is no node, and has no name as a peer."""
    TELEMETRY = "telemetry"
    """What a node tells those who watch it."""
    NAMES = "names"
    """Questions of containers to their name server."""
    PORTS = "ports"
    """What comes to the published ports of a node, whichever way a fault looks at it is incoming."""
    CLOCK = "clock"
    """The time by which a node's leases and timers run."""


PLANE_OF = {Channel.DATA: Plane.DATA, Channel.CABLE: Plane.CABLE}
BETWEEN_NODES = (Plane.DATA, Plane.CABLE, Plane.CONTROL)
"""What a fault applies to unless it says otherwise, as far as its kind makes sense there."""
_DATAGRAMS = (Plane.DATA, Plane.CABLE)
_TRAFFIC = (*BETWEEN_NODES, Plane.STORE, Plane.TELEMETRY, Plane.NAMES)


class Mode(StrEnum):
    """How the sender learns that something does not get through."""

    DROP = "drop"
    """Not at all."""
    REJECT = "reject"
    """At once."""


class Flows(StrEnum):
    """Which conversations a partition cuts, of those that this node sends."""

    ALL = "all"
    ESTABLISHED = "established"
    """Those that sent something before the fault began: new ones get through, as past a stale table."""
    NEW = "new"
    """The others: what stands goes on, as behind a firewall that was closed just now."""


@dataclass(frozen=True, slots=True)
class Partition:
    """Traffic in the scope does not get through."""

    planes: ClassVar[tuple[Plane, ...]] = (*_TRAFFIC, Plane.PORTS)
    mode: Mode = Mode.DROP
    flows: Flows = Flows.ALL
    period_s: float = 0.0
    """It flaps: cut for so long, whole for so long, and so on; 0: cut all the time."""

    def __post_init__(self) -> None:
        if self.period_s and not FLAP_S_MIN <= self.period_s <= FLAP_S_MAX:
            raise InvalidParameter(
                f"a flapping cut changes every {FLAP_S_MIN:g} to {FLAP_S_MAX:g} seconds, "
                f"not {self.period_s:g}"
            )


@dataclass(frozen=True, slots=True)
class Loss:
    """A fraction ``rate`` is lost; with ``burst`` above 1 in runs of that mean length (Gilbert's model)."""

    planes: ClassVar[tuple[Plane, ...]] = _TRAFFIC
    rate: float
    burst: float = 1.0

    def __post_init__(self) -> None:
        _check_rate("loss", self.rate)
        if not 1 <= self.burst <= BURST_MAX:
            raise InvalidParameter(f"a burst of losses is 1 to {BURST_MAX:g} long, not {self.burst:g}")
        if self.burst > 1 and self.rate >= 1:
            raise InvalidParameter("everything is lost already: a burst needs a loss rate below 1")


@dataclass(frozen=True, slots=True)
class Delay:
    """Everything is late by ``delay_s``, give or take up to ``jitter_s``; order is kept."""

    planes: ClassVar[tuple[Plane, ...]] = _TRAFFIC
    delay_s: float
    jitter_s: float = 0.0

    def __post_init__(self) -> None:
        _check_seconds("a delay", self.delay_s)
        if not 0 <= self.jitter_s <= self.delay_s:
            raise InvalidParameter(f"jitter is 0 to the delay ({self.delay_s:g} s), not {self.jitter_s:g} s")


@dataclass(frozen=True, slots=True)
class Reorder:
    """A fraction ``rate`` is held back for ``hold_s``, so that what was sent later overtakes it."""

    planes: ClassVar[tuple[Plane, ...]] = _DATAGRAMS
    rate: float
    hold_s: float = 0.01

    def __post_init__(self) -> None:
        _check_rate("reordering", self.rate)
        _check_seconds("holding back", self.hold_s)


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A fraction ``rate`` arrives twice."""

    planes: ClassVar[tuple[Plane, ...]] = _DATAGRAMS
    rate: float

    def __post_init__(self) -> None:
        _check_rate("duplication", self.rate)


@dataclass(frozen=True, slots=True)
class Corrupt:
    """A fraction ``rate`` arrives with one bit of the carried frame flipped."""

    planes: ClassVar[tuple[Plane, ...]] = _DATAGRAMS
    rate: float

    def __post_init__(self) -> None:
        _check_rate("corruption", self.rate)


@dataclass(frozen=True, slots=True)
class Bandwidth:
    """At most ``bits_per_s`` get through to each peer; ``queue_bytes`` may wait, the rest is lost."""

    planes: ClassVar[tuple[Plane, ...]] = _DATAGRAMS
    bits_per_s: float
    queue_bytes: int = 256 << 10

    def __post_init__(self) -> None:
        if not BITS_PER_S_MIN <= self.bits_per_s <= BITS_PER_S_MAX:
            raise InvalidParameter(
                f"a bandwidth is {BITS_PER_S_MIN:.0f} to {BITS_PER_S_MAX:.0f} bit/s, not {self.bits_per_s:g}"
            )
        if not 0 < self.queue_bytes <= QUEUE_BYTES_MAX:
            raise InvalidParameter(f"a queue holds 1 to {QUEUE_BYTES_MAX} bytes, not {self.queue_bytes}")


@dataclass(frozen=True, slots=True)
class MtuLimit:
    """Datagrams whose IP packet is longer than ``mtu`` bytes vanish, and nobody is told: a black hole."""

    planes: ClassVar[tuple[Plane, ...]] = _DATAGRAMS
    mtu: int

    def __post_init__(self) -> None:
        if not MTU_MIN <= self.mtu <= MTU_MAX:
            raise InvalidParameter(f"an MTU is {MTU_MIN} to {MTU_MAX} bytes, not {self.mtu}")


@dataclass(frozen=True, slots=True)
class StalledWatch:
    """The store answers, but its watches bring no news while this lasts; then all of it at once."""

    planes: ClassVar[tuple[Plane, ...]] = (Plane.STORE,)


@dataclass(frozen=True, slots=True)
class ClockSkew:
    """The node's time runs ``rate`` times as fast, and its calendar is ``offset_s`` ahead."""

    planes: ClassVar[tuple[Plane, ...]] = (Plane.CLOCK,)
    rate: float = 1.0
    offset_s: float = 0.0

    def __post_init__(self) -> None:
        if not CLOCK_RATE_MIN <= self.rate <= CLOCK_RATE_MAX:
            raise InvalidParameter(
                f"a clock runs {CLOCK_RATE_MIN:g} to {CLOCK_RATE_MAX:g} times as fast, not {self.rate:g}"
            )
        if not abs(self.offset_s) <= CLOCK_OFFSET_S_MAX:
            raise InvalidParameter("a clock is at most a year ahead or behind")


Kind = (
    Partition | Loss | Delay | Reorder | Duplicate | Corrupt | Bandwidth | MtuLimit | StalledWatch | ClockSkew
)


def default_planes(kind: Kind | type[Kind]) -> tuple[Plane, ...]:
    """What a fault of this kind applies to unless it says otherwise."""
    return tuple(plane for plane in kind.planes if plane in BETWEEN_NODES) or kind.planes


def _check_rate(what: str, rate: float) -> None:
    if not 0 < rate <= 1:
        raise InvalidParameter(f"the rate of {what} is above 0 and at most 1, not {rate:g}")


def _check_seconds(what: str, seconds: float) -> None:
    if not (math.isfinite(seconds) and 0 < seconds <= DELAY_S_MAX):
        raise InvalidParameter(f"{what} takes above 0 and at most {DELAY_S_MAX:g} seconds, not {seconds:g}")
