"""Follow a prefix for ever: list it, watch it from there, resume where a watch broke off.

list ---> Snapshot ---> watch from its revision + 1 ---> Batch, Batch, Batch ...
  ^                         ^                                |
  |                         `---- away: wait, resume --------+
  `---------------------- history compacted: list again -----'
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from random import Random

from kvstore.errors import Compacted, StoreError
from kvstore.store import Batch, KeyValue, Store

BACKOFF_MIN_S = 0.05
BACKOFF_MAX_S = 1.0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything below the prefix as of a revision; it replaces whatever was known before."""

    revision: int
    items: tuple[KeyValue, ...]


def unheard(connected: bool, reason: str) -> None:
    """The ``on_state`` of a follower that does not care."""


async def follow(
    store: Store,
    prefix: str,
    *,
    sleep: Callable[[float], Awaitable[None]],
    random: Random,
    on_state: Callable[[bool, str], None] = unheard,
) -> AsyncGenerator[Snapshot | Batch, None]:
    """A Snapshot, then every later Batch, each once, in order, without a gap, until closed.

    A Snapshot in between means that history was lost and what is known is to be replaced.
    ``on_state(connected, reason)`` hears when the store goes away, with a sentence that says why,
    and when it is back. Between attempts ``sleep`` is awaited, for 50 ms at first and up to 1 s,
    shortened at random by up to a half so that many followers do not return in step.
    """
    state = Connectivity(on_state)
    revision: int | None = None
    delay = BACKOFF_MIN_S
    while True:
        try:
            if revision is None:
                listing = await store.list(prefix)
                revision = listing.revision
                yield Snapshot(listing.revision, listing.items)
            async with store.watch(prefix, revision + 1) as batches:
                state.became(True, "")
                delay = BACKOFF_MIN_S
                async for batch in batches:
                    revision = batch.revision
                    yield batch
        except Compacted:
            revision = None
        except StoreError as error:
            state.became(False, str(error))
        await sleep(delay * random.uniform(0.5, 1.0))
        delay = min(2 * delay, BACKOFF_MAX_S)


class Connectivity:
    """Tells of a connection when it comes and when it goes, once each."""

    def __init__(self, tell: Callable[[bool, str], None]) -> None:
        self._tell = tell
        self._connected: bool | None = None

    def became(self, connected: bool, reason: str) -> None:
        """It is so now, perhaps still."""
        if connected != self._connected:
            self._connected = connected
            self._tell(connected, reason)
