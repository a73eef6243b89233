"""Mvcc against a naive model that keeps every revision of everything for ever."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from kvstore.errors import Compacted, LeaseExpired, Rewound, StoreError
from kvstore.mvcc import FIRST_REVISION, HISTORY_BATCHES_MAX, Change, Lease, Mvcc, State
from kvstore.store import (
    OPERATIONS_MAX,
    VALUE_BYTES_MAX,
    Batch,
    CommitResult,
    Compare,
    Delete,
    Event,
    KeyValue,
    Listing,
    Put,
    Transaction,
    absent,
)

KEYS = ("", "a", "a/", "a/1", "a/2", "a0", "b", "é", "\uffff", "\U0001f433")
keys = st.sampled_from(KEYS[1:])
prefixes = st.sampled_from(KEYS)
seconds = st.integers(0, 12).map(lambda quarters: quarters / 4)


class Model(RuleBasedStateMachine):
    """The model: a list of all states there ever were, and a table of leases."""

    leases = Bundle("leases")

    @initialize()
    def start(self) -> None:
        self.mvcc = Mvcc()
        self.now = 0.0
        self.states: list[dict[str, KeyValue]] = [{}, {}]  # by revision, from 0
        self.deadlines: dict[int, tuple[float, float]] = {}
        self.compacted = 0

    @property
    def items(self) -> dict[str, KeyValue]:
        return self.states[-1]

    @property
    def revision(self) -> int:
        return len(self.states) - 1

    def living(self, lease: int) -> bool:
        return lease in self.deadlines and self.deadlines[lease][0] > self.now

    def step(self, changes: dict[str, KeyValue | None]) -> Batch | None:
        """The model's next state; changes that change nothing make none."""
        real = {key: item for key, item in sorted(changes.items()) if item or key in self.items}
        if not real:
            return None
        after = {**self.items, **real}
        self.states.append({key: item for key, item in after.items() if item})
        return Batch(self.revision, tuple(Event(key, item) for key, item in real.items()))

    def end_lease(self, lease: int) -> Batch | None:
        del self.deadlines[lease]
        return self.step({key: None for key, item in self.items.items() if item.lease == lease})

    @rule(
        compared=st.lists(st.tuples(keys, st.sampled_from((0, 0, 0, 1, -1))), max_size=3),
        operations=st.dictionaries(keys, st.one_of(st.none(), st.binary(max_size=2)), max_size=4),
        lease=st.one_of(st.just(0), leases),
    )
    def apply(self, compared: list[tuple[str, int]], operations: dict[str, bytes | None], lease: int) -> None:
        standing = {key: self.items[key].modified if key in self.items else 0 for key, _ in compared}
        compares = tuple(Compare(key, max(0, standing[key] + error)) for key, error in compared)
        holds = all(standing[compare.key] == compare.modified for compare in compares)
        transaction = Transaction(
            compares,
            tuple(
                Delete(key) if value is None else Put(key, value, lease) for key, value in operations.items()
            ),
        )
        puts = [key for key, value in operations.items() if value is not None]
        if holds and lease and puts and not self.living(lease):
            with pytest.raises(LeaseExpired):
                self.mvcc.apply(transaction, self.now)
            return
        result, batch = self.mvcc.apply(transaction, self.now)
        if not holds:
            assert batch is None
            assert result == CommitResult(
                False, self.revision, {compare.key: self.items.get(compare.key) for compare in compares}
            )
            return
        following = self.revision + 1
        expected: dict[str, KeyValue | None] = {}
        for key, value in operations.items():
            created = self.items[key].created if key in self.items else following
            expected[key] = None if value is None else KeyValue(key, value, created, following, lease)
        assert batch == self.step(expected)
        assert result == CommitResult(True, self.revision)

    @rule(target=leases, ttl_s=seconds)
    def grant(self, ttl_s: float) -> object:
        if ttl_s == 0:
            with pytest.raises(ValueError, match="longer"):
                self.mvcc.grant(ttl_s, self.now)
            return multiple()
        lease = self.mvcc.grant(ttl_s, self.now)
        assert lease not in self.deadlines
        self.deadlines[lease] = (self.now + ttl_s, ttl_s)
        return lease

    @rule(lease=leases)
    def renew(self, lease: int) -> None:
        if self.living(lease):
            self.mvcc.renew(lease, self.now)
            _, ttl_s = self.deadlines[lease]
            self.deadlines[lease] = (self.now + ttl_s, ttl_s)
        else:
            with pytest.raises(LeaseExpired):
                self.mvcc.renew(lease, self.now)

    @rule(lease=leases)
    def revoke(self, lease: int) -> None:
        batch = self.mvcc.revoke(lease)
        assert batch == (self.end_lease(lease) if lease in self.deadlines else None)

    @rule(passed=seconds)
    def time_passes(self, passed: float) -> None:
        self.now += passed
        due = sorted((deadline, lease) for lease, (deadline, _) in self.deadlines.items())
        batches = [self.end_lease(lease) for deadline, lease in due if deadline <= self.now]
        assert list(self.mvcc.expire(self.now)) == [batch for batch in batches if batch]

    @rule(back=st.integers(-1, 3))
    def compact(self, back: int) -> None:
        revision = self.revision - back
        if revision > self.revision:
            with pytest.raises(StoreError, match="cannot compact"):
                self.mvcc.compact(revision)
        else:
            self.mvcc.compact(revision)
            self.compacted = max(self.compacted, revision)

    @rule(prefix=prefixes, back=st.integers(-3, 6))
    def look_back(self, prefix: str, back: int) -> None:
        revision = self.revision - back
        if revision < 1:
            with pytest.raises(ValueError, match="no revision"):
                self.mvcc.since(prefix, revision)
        elif revision > self.revision + 1:
            with pytest.raises(Rewound):
                self.mvcc.since(prefix, revision)
        elif max(revision, 2) <= self.compacted:
            with pytest.raises(Compacted) as caught:
                self.mvcc.since(prefix, revision)
            assert caught.value.revision == self.compacted
        else:
            assert self.mvcc.since(prefix, revision) == self.differences(prefix, revision)

    def differences(self, prefix: str, revision: int) -> list[Batch]:
        """What has changed from state to state, seen from outside."""
        batches = []
        for later in range(max(revision, 2), self.revision + 1):
            before, after = self.states[later - 1], self.states[later]
            changed = [key for key in sorted({*before, *after}) if before.get(key) != after.get(key)]
            events = tuple(Event(key, after.get(key)) for key in changed if key.startswith(prefix))
            if events:
                batches.append(Batch(later, events))
        return batches

    @invariant()
    def the_same_stands(self) -> None:
        if not hasattr(self, "mvcc"):
            return
        assert self.mvcc.revision == self.revision
        for prefix in KEYS:
            below = [item for key, item in sorted(self.items.items()) if key.startswith(prefix)]
            assert self.mvcc.listing(prefix) == Listing(self.revision, tuple(below))
        assert all(self.mvcc.get(key) == self.items.get(key) for key in KEYS)
        assert self.mvcc.next_deadline() == min((end for end, _ in self.deadlines.values()), default=None)


TestAgainstTheModel = Model.TestCase


def put(key: str, value: bytes = b"", lease: int = 0) -> Transaction:
    """Set one key."""
    return Transaction(operations=(Put(key, value, lease),))


def test_history_compacts_itself_beyond_its_bound() -> None:
    machine = Mvcc()
    for _ in range(HISTORY_BATCHES_MAX + 10):
        machine.apply(put("a"), now=0)
    newest = FIRST_REVISION + HISTORY_BATCHES_MAX + 10
    assert machine.revision == newest
    oldest = newest - HISTORY_BATCHES_MAX
    with pytest.raises(Compacted, match=f"up to revision {oldest} "):
        machine.since("", oldest)
    assert [batch.revision for batch in machine.since("", oldest + 1)] == list(range(oldest + 1, newest + 1))


@dataclass
class Paper:
    """A journal that keeps what it hears, or refuses it."""

    written: list[Change]
    full: bool = False

    def write(self, change: Change) -> None:
        if self.full:
            raise StoreError("no paper left")
        self.written.append(change)


def test_what_the_journal_refuses_has_not_happened() -> None:
    paper = Paper([])
    machine = Mvcc(paper.write)
    lease = machine.grant(10, now=0)
    machine.apply(put("a", b"1", lease), now=0)
    stood = machine.listing("")
    paper.full = True
    for attempt in (
        lambda: machine.apply(put("a", b"2"), now=1),
        lambda: machine.revoke(lease),
        lambda: machine.renew(lease, now=1),
        lambda: machine.grant(10, now=1),
        lambda: list(machine.expire(now=11)),
        lambda: machine.compact(machine.revision),
    ):
        with pytest.raises(StoreError, match="no paper"):
            attempt()
    assert machine.listing("") == stood
    assert machine.next_deadline() == 10
    assert len(machine.since("", 1)) == 1
    assert paper.written == [
        Change(lease=Lease(lease, 10, 10)),
        Change(batch=Batch(2, (Event("a", KeyValue("a", b"1", 2, 2, lease)),))),
    ]


def test_a_state_given_back_goes_on_where_it_was() -> None:
    item = KeyValue("a", b"1", created=7, modified=7, lease=3)
    batch = Batch(7, (Event("a", item),))
    machine = Mvcc(state=State(7, 6, [item], [batch], [Lease(3, 5, 20)], newest_lease=4))
    assert machine.since("", 7) == [batch]
    with pytest.raises(Compacted):
        machine.since("", 6)
    assert machine.grant(1, now=0) == 5
    assert list(machine.expire(now=20)) == [Batch(8, (Event("a", None),))]


@pytest.mark.parametrize(
    ("compares", "operations"),
    [
        ((), (Put("a", b""), Delete("a"))),
        ((), (Delete(""),)),
        ((absent(""),), ()),
        ((), (Put("a", bytes(VALUE_BYTES_MAX)), Put("b", b"x"))),
        ((), tuple(Delete(str(number)) for number in range(OPERATIONS_MAX + 1))),
        ((absent("a"),) * (OPERATIONS_MAX + 1), ()),
    ],
)
def test_a_transaction_that_etcd_would_refuse_cannot_be_made(
    compares: tuple[Compare, ...], operations: tuple[Put | Delete, ...]
) -> None:
    with pytest.raises(ValueError, match=r"transaction|empty"):
        Transaction(compares, operations)
