"""What happened on a node, remembered for a while and told to whoever listens.

The engine keeps the last 256 events (moby: daemon/events/events.go); a listener that is too slow
loses events and is told so by the end of its stream, never by unbounded memory.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from node.model.event import EngineEvent
from node.seams import Clock

REMEMBERED_MAX = 256
LISTENER_BACKLOG_MAX = 1024
NANOSECONDS = 1_000_000_000


class Events:
    """The node's own record of events, and its live listeners."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._remembered: deque[EngineEvent] = deque(maxlen=REMEMBERED_MAX)
        self._listeners: dict[int, asyncio.Queue[EngineEvent | None]] = {}
        self._next = 0

    def tell(
        self, kind: str, action: str, actor: str, attributes: dict[str, str], scope: str = "local"
    ) -> None:
        """One thing that happened now."""
        event = EngineEvent(
            kind=kind,
            action=action,
            actor=actor,
            attributes=attributes,
            scope=scope,
            time_ns=round(self._clock.wall() * NANOSECONDS),
        )
        self._remembered.append(event)
        for number, queue in list(self._listeners.items()):
            if queue.qsize() >= LISTENER_BACKLOG_MAX:
                del self._listeners[number]
                queue.put_nowait(None)
            else:
                queue.put_nowait(event)

    @property
    def listeners(self) -> int:
        """How many listen now (`docker info`: NEventsListener)."""
        return len(self._listeners)

    def since(self, time_ns: int) -> list[EngineEvent]:
        """Remembered events from this time on."""
        return [event for event in self._remembered if event.time_ns >= time_ns]

    async def listen(self) -> AsyncIterator[EngineEvent]:
        """Events from now on, for ever, or until the listener has fallen too far behind."""
        queue: asyncio.Queue[EngineEvent | None] = asyncio.Queue()
        number, self._next = self._next, self._next + 1
        self._listeners[number] = queue
        try:
            while (event := await queue.get()) is not None:
                yield event
        finally:
            self._listeners.pop(number, None)
