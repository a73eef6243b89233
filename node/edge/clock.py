"""The machine's clocks and the running event loop's timers, as a node's Clock."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from node.seams import Timer


class SystemClock:
    """See node/seams.py. now() is what the event loop's own timers count in (Linux: CLOCK_MONOTONIC)."""

    def now(self) -> float:
        """Monotonic seconds."""
        return time.monotonic()

    def wall(self) -> float:
        """Seconds since 1970 UTC."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Return after so many seconds."""
        await asyncio.sleep(seconds)

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        """Make a call when now() reaches ``when``; only where an event loop runs."""
        return asyncio.get_running_loop().call_at(when, callback)
