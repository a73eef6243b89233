"""What a gate says of something that wants to pass: at once, late, not at all, or refused.

A part that has a gate asks it about every question or packet, and does not know who decides.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Passage:
    """One decision. What is neither lost nor refused passes after ``delay_s``."""

    lost: bool = False
    refused: bool = False
    """Whoever sent it is told."""
    delay_s: float = 0.0


OPEN = Passage()

Gate = Callable[[], Passage]
"""For what comes from nobody in particular."""
PortGate = Callable[[bytes, bool], Passage]
"""(IPv4 address of who sent it, whether it belongs to a conversation that stands)."""


def always_open() -> Passage:
    """The gate of a part that nobody holds up."""
    return OPEN
