"""One seed, many independent streams of chance, each with a name.

A component draws from its own stream only, so that one more draw here changes nothing there.
"""

from __future__ import annotations

import random


class Chance:
    """Streams by name. The same seed and name give the same stream on every machine and Python."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def stream(self, name: str) -> random.Random:
        """A fresh generator for one component (seeded by text: Python hashes it with SHA-512)."""
        return random.Random(f"{self.seed}/{name}")
