"""How long things take in a simulated world: the same in every run, or drawn once for each seed.

Seed 0 has the nominal times, and a scenario's steps happen exactly when its file says. Every other
seed has a fabric, a store and news of its own kind, so that what happens at once happens in another
order; that is where bugs hide.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from lab.sim.fabric import Latency

STORE = Latency(0.001, 0.0)
"""What one operation on the swarm's store takes."""
INSTANT = Latency(0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Timing:
    """The latencies of one world."""

    fabric: Latency = Latency()  # noqa: RUF009 - a frozen value
    store: Latency = STORE
    """Of each operation on the swarm's store, there and back."""
    news: Latency = INSTANT
    """From a change of the store to each watch that sees it."""
    steps_s: float = 0.0
    """How much later than its time a step of a scenario may happen."""


def timing_of(seed: int) -> Timing:
    """See the module."""
    if seed == 0:
        return Timing()
    chance = random.Random(f"{seed}/timing")
    return Timing(
        fabric=_drawn(chance, 0.000_02, 0.005),
        store=_drawn(chance, 0.000_2, 0.02),
        news=_drawn(chance, 0.000_05, 0.05),
        steps_s=_logarithmic(chance, 0.001, 0.1),
    )


def _drawn(chance: random.Random, least_s: float, most_s: float) -> Latency:
    floor_s = _logarithmic(chance, least_s, most_s)
    return Latency(floor_s, floor_s * chance.uniform(0.0, 4.0))


def _logarithmic(chance: random.Random, least: float, most: float) -> float:
    """Every order of magnitude is as likely as the next; rounded, since exp differs in its last digits."""
    return round(math.exp(chance.uniform(math.log(least), math.log(most))), 7)
