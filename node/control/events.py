"""What happened on a node, remembered for a while and told to whoever listens.

The engine keeps the last 256 events (moby: daemon/events/events.go); a listener that is too slow
loses its place and is told so by the end of its stream, never by unbounded memory.
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


class Listener:
    """Events from when it was made until it is closed, or has fallen too far behind."""

    def __init__(self, events: Events) -> None:
        self._events = events
        self._queue: asyncio.Queue[EngineEvent | None] = asyncio.Queue()
        self._ended = False

    def tell(self, event: EngineEvent) -> None:
        """One more; too many unread ones end it."""
        if self._queue.qsize() >= LISTENER_BACKLOG_MAX:
            self.close()
        else:
            self._queue.put_nowait(event)

    def close(self) -> None:
        """Nobody reads any more; without effect the second time."""
        if not self._ended:
            self._ended = True
            self._events.forget(self)
            self._queue.put_nowait(None)

    async def __aiter__(self) -> AsyncIterator[EngineEvent]:
        while (event := await self._queue.get()) is not None:
            yield event


class Events:
    """The node's own record of events, and its live listeners."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._remembered: deque[EngineEvent] = deque(maxlen=REMEMBERED_MAX)
        self._listeners: dict[Listener, None] = {}

    def tell(
        self, kind: str, action: str, actor: str, attributes: dict[str, str], scope: str = "local"
    ) -> None:
        """One thing that happened now."""
        now_ns = round(self._clock.wall() * NANOSECONDS)
        event = EngineEvent(
            kind=kind, action=action, actor=actor, attributes=attributes, scope=scope, time_ns=now_ns
        )
        self._remembered.append(event)
        for listener in list(self._listeners):
            listener.tell(event)

    @property
    def listeners(self) -> int:
        """How many listen now (`docker info`: NEventsListener)."""
        return len(self._listeners)

    def since(self, time_ns: int) -> list[EngineEvent]:
        """Remembered events from this time on."""
        return [event for event in self._remembered if event.time_ns >= time_ns]

    def listen(self) -> Listener:
        """Events from now on."""
        listener = Listener(self)
        self._listeners[listener] = None
        return listener

    def forget(self, listener: Listener) -> None:
        """Tell it nothing more."""
        self._listeners.pop(listener, None)
