"""The same story played on Mvcc and on a real etcd: results, revisions and events must agree."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from kvstore.errors import Compacted, LeaseExpired, StoreError
from kvstore.etcd import EtcdStore
from kvstore.mvcc import Mvcc, State
from kvstore.store import Batch, Compare, Delete, Event, KeyValue, Put, Transaction
from lab.launch.etcd import EtcdProcess
from tests.store_benches import empty

KEYS = ("a", "a/", "a/1", "a/é", "a0", "b")
PREFIXES = ("", "a", "a/", "b")
NEVER_GRANTED = 4711
LONG_S = 1000.0


@dataclass(frozen=True)
class Commit:
    """Compares as (key, error in the revision); operations as (key, value or None, which lease)."""

    compares: tuple[tuple[str, int], ...]
    operations: tuple[tuple[str, bytes | None, int], ...]


@dataclass(frozen=True)
class Grant:
    """A new lease."""


@dataclass(frozen=True)
class Revoke:
    """End the lease that was granted in this place."""

    place: int


@dataclass(frozen=True)
class Compact:
    """Forget all but the newest revisions; below 0: one to come."""

    kept: int


Step = Commit | Grant | Revoke | Compact

keys = st.sampled_from(KEYS)
operations = st.tuples(keys, st.one_of(st.none(), st.binary(max_size=2)), st.integers(0, 4))
steps = st.one_of(
    st.builds(
        Commit,
        st.lists(st.tuples(keys, st.sampled_from((0, 0, 0, 1, -1))), max_size=3).map(tuple),
        st.lists(operations, max_size=4, unique_by=lambda operation: operation[0]).map(tuple),
    ),
    st.builds(Grant),
    st.builds(Revoke, st.integers(1, 4)),
    st.builds(Compact, st.integers(-1, 4)),
)


class Play:
    """One story on both; leases have different names in each."""

    def __init__(self, store: EtcdStore, revision: int) -> None:
        self.store = store
        self.mvcc = Mvcc(state=State(revision, revision))
        self.start = revision
        self.theirs = {0: 0}

    def lease(self, place: int) -> int:
        """Our name of the lease granted in this place; 0 is none."""
        return place if place in self.theirs else NEVER_GRANTED

    async def step(self, step: Step) -> None:
        """Do it on both, and compare."""
        match step:
            case Grant():
                ours = self.mvcc.grant(LONG_S, 0)
                self.theirs[ours] = await self.store.grant(LONG_S)
            case Revoke(place):
                self.mvcc.revoke(self.lease(place))
                await self.store.revoke(self.theirs.get(place, NEVER_GRANTED))
            case Compact(kept):
                await self.compact(max(self.mvcc.revision - kept, self.start))
            case Commit():
                await self.commit(step)
        assert await self.store.list("") == replace(
            self.mvcc.listing(""), items=tuple(map(self.translated, self.mvcc.listing("").items))
        )

    async def compact(self, revision: int) -> None:
        """Ours and theirs refuse the same."""
        refused = []
        for attempt in (self.ours_compacted(revision), self.store.compact(revision)):
            try:
                await attempt
            except StoreError as error:
                refused.append(str(error))
        assert len(set(refused)) == (1 if refused else 0)
        assert len(refused) in (0, 2)

    async def ours_compacted(self, revision: int) -> None:
        """Ours, as a coroutine."""
        self.mvcc.compact(revision)

    async def commit(self, step: Commit) -> None:
        """One transaction."""
        compares = []
        for key, error in step.compares:
            item = self.mvcc.get(key)
            compares.append(Compare(key, max(0, (item.modified if item else 0) + error)))
        ours, theirs = (
            Transaction(
                tuple(compares),
                tuple(
                    Delete(key) if value is None else Put(key, value, names(place))
                    for key, value, place in step.operations
                ),
            )
            for names in (self.lease, lambda place: self.theirs.get(place, NEVER_GRANTED))
        )
        try:
            result, _ = self.mvcc.apply(ours, 0)
        except LeaseExpired:
            try:
                await self.store.commit(theirs)
            except LeaseExpired:
                return
            raise
        current = {key: item and self.translated(item) for key, item in result.current.items()}
        assert await self.store.commit(theirs) == replace(result, current=current)

    def translated(self, item: KeyValue) -> KeyValue:
        """Our item with their lease."""
        return replace(item, lease=self.theirs[item.lease])

    async def look_back(self, prefix: str, revision: int) -> None:
        """What a watch sees from there, up to a last put."""
        last, _ = self.mvcc.apply(Transaction(operations=(Put(prefix + "end", b""),)), 0)
        await self.store.commit(Transaction(operations=(Put(prefix + "end", b""),)))
        expected: Sequence[Batch] | int
        try:
            expected = [
                Batch(
                    batch.revision,
                    tuple(Event(e.key, e.item and self.translated(e.item)) for e in batch.events),
                )
                for batch in self.mvcc.since(prefix, revision)
            ]
        except Compacted as error:
            expected = error.revision
        assert await self.watched(prefix, revision, last.revision) == expected

    async def watched(self, prefix: str, revision: int, last: int) -> list[Batch] | int:
        """The batches up to this revision, or the one that is compacted."""
        batches = []
        async with asyncio.timeout(10), self.store.watch(prefix, revision) as watch:
            try:
                async for batch in watch:
                    batches.append(batch)
                    if batch.revision >= last:
                        return batches
            except Compacted as error:
                return error.revision
        raise AssertionError("the watch ended")


@settings(max_examples=30)
@given(
    story=st.lists(steps, min_size=1, max_size=25), prefix=st.sampled_from(PREFIXES), back=st.integers(0, 6)
)
def test_a_story_is_the_same_on_etcd(
    shared_etcd: EtcdProcess, story: list[Step], prefix: str, back: int
) -> None:
    async def play() -> None:
        await shared_etcd.wait_ready()
        store = EtcdStore([shared_etcd.member.endpoint])
        await empty(store)
        both = Play(store, (await store.list("")).revision)
        for step in story:
            await both.step(step)
        await both.look_back(prefix, max(both.start + 1, both.mvcc.revision - back))
        for lease in both.theirs.values():
            await store.revoke(lease)
        await store.close()

    asyncio.run(play())
