"""One watch on etcd: a stream of its own, whose responses become one Batch for every revision.

create ---> created ---> events, events, ... ---> batches
              |            |
              |            `- silent for QUIET_S: ask for a sign of life; none: broken
              `- does its history reach back far enough?
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import groupby

import grpc.aio
from aetcd import rpc

from kvstore.errors import Compacted, Rewound, StoreError, StoreUnavailable
from kvstore.etcd_connection import BROKEN, told
from kvstore.etcd_messages import event, prefix_range
from kvstore.store import Batch

CREATE_S = 2.0
"""How long a watch may take to stand."""

QUIET_S = 1.0
"""After so long without a word, ask etcd for one."""

SIGN_OF_LIFE_S = 2.0
"""No word for so long after that: the watch is broken, whatever TCP believes."""

ONLY_WITH_LEADER = (("hasleader", "true"),)
"""A member that has lost the others ends the watch instead of going quiet (etcd: v3rpc/interceptor.go)."""


class EtcdWatch(AsyncIterator[Batch]):
    """Batches from ``revision`` on, for one reader; open() first, close() at the end."""

    def __init__(self, stub: rpc.WatchStub, prefix: str, revision: int) -> None:
        """Raises ValueError if there is no such revision."""
        if revision < 1:
            raise ValueError(f"there is no revision {revision}")
        self._stub = stub
        self._range = prefix_range(prefix)
        self._revision = revision
        self._batches: deque[Batch] = deque()
        self._unfinished: list[rpc.Event] = []
        self._reading: asyncio.Task[rpc.WatchResponse] | None = None
        self._ended: StoreError | None = None

    async def open(self, newest: Callable[[], Awaitable[int]]) -> None:
        """Return when the watch stands; ``newest()`` asks for the store's revision.

        Raises StoreUnavailable.
        """
        stands = await self._create(self._revision)
        if stands >= self._revision:
            # It begins in the past. etcd refuses history that was compacted, but not at the very
            # revision compacted: there it leaves out deletions (mvcc/key_index.go, compact). It
            # must be able to tell of the revision before as well, or it may not tell of all.
            self._call.cancel()
            await self._create(max(self._revision - 1, 1))
        elif stands < self._revision - 1 and (stands := await newest()) < self._revision - 1:
            # Not just this member lags behind: the store never reached what was seen before.
            self._ended = Rewound(stands, self._revision)

    async def close(self) -> None:
        """Tell etcd that nobody listens any more."""
        self._call.cancel()
        if self._reading is not None:
            await asyncio.wait([self._reading])
            self._reading = None

    def end(self, error: StoreError) -> None:
        """Let the reader have this error next."""
        self._ended = error
        self._call.cancel()

    async def __anext__(self) -> Batch:
        while not self._batches:
            if self._ended is not None:
                raise self._ended
            self._take(await self._response())
        return self._batches.popleft()

    # -- the stream -------------------------------------------------------------------------------

    async def _create(self, start: int) -> int:
        """Begin a stream; the revision at which etcd stands comes back."""
        key, range_end = self._range
        create = rpc.WatchCreateRequest(key=key, range_end=range_end, start_revision=start, fragment=True)
        self._call = self._stub.Watch(metadata=ONLY_WITH_LEADER, wait_for_ready=True)
        try:
            async with asyncio.timeout(CREATE_S):
                await self._call.write(rpc.WatchRequest(create_request=create))
                created = await self._call.read()
        except TimeoutError as error:
            raise StoreUnavailable("etcd did not open a watch in time") from error
        except BROKEN as error:
            raise StoreUnavailable(f"etcd did not open a watch: {told(error)}") from error
        if created is grpc.aio.EOF or created.canceled:
            raise ended(created)
        return int(created.header.revision)

    async def _response(self) -> rpc.WatchResponse:
        """The next response; a pending read outlives a reader that is cancelled meanwhile."""
        if self._reading is None:
            self._reading = asyncio.ensure_future(self._call.read())
        reading = self._reading
        await asyncio.wait([reading], timeout=QUIET_S)
        try:
            if not reading.done():
                await self._ask_for_sign_of_life(reading)
            if reading.cancelled() or self._ended is not None:
                raise self._ended or StoreUnavailable("the watch is closed")
            response = reading.result()
        except TimeoutError as error:
            self._ended = StoreUnavailable("etcd has gone silent")
            raise self._ended from error
        except BROKEN as error:
            self._ended = StoreUnavailable(f"the watch on etcd broke off: {told(error)}")
            raise self._ended from error
        self._reading = None
        return response

    async def _ask_for_sign_of_life(self, reading: asyncio.Task[rpc.WatchResponse]) -> None:
        """etcd answers at once, between events. TCP alone would trust a frozen peer for minutes."""
        async with asyncio.timeout(SIGN_OF_LIFE_S):
            await self._call.write(rpc.WatchRequest(progress_request=rpc.WatchProgressRequest()))
            await asyncio.wait([reading])

    def _take(self, response: rpc.WatchResponse) -> None:
        """Make batches of events: a response may hold many revisions, or a fragment of them."""
        if response is grpc.aio.EOF or response.canceled:
            self._ended = ended(response)
            raise self._ended
        self._unfinished.extend(response.events)
        revisions = [list(events) for _, events in groupby(self._unfinished, key=revision_of)]
        # etcd cuts fragments at any event: the last revision may go on in the next one.
        self._unfinished = revisions.pop() if response.fragment and revisions else []
        for events in revisions:
            if revision_of(events[0]) >= self._revision:
                changes = sorted(map(event, events), key=lambda change: change.key)
                self._batches.append(Batch(revision_of(events[0]), tuple(changes)))


def revision_of(message: rpc.Event) -> int:
    """The revision at which this change was made; a deletion's too."""
    return int(message.kv.mod_revision)


def ended(response: rpc.WatchResponse) -> StoreError:
    """Why etcd itself has ended the watch."""
    if response is grpc.aio.EOF:
        return StoreUnavailable("etcd has ended the watch")
    if response.compact_revision:
        return Compacted(response.compact_revision)
    return StoreUnavailable(f"etcd has ended the watch: {response.cancel_reason}")
