"""Histories of addresses: the search against a naive one, and what is told of a bad history."""

from __future__ import annotations

import math
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from kvstore.store import Delete, Put, Transaction, absent
from lab.checkers.history import Operation
from lab.checkers.linear import Linear
from lab.checkers.registers import FREE, Use, possible
from node.control import keys
from tests.checkers.moments import moment

KEY = keys.address("n1", "10.0.1.2")


@st.composite
def uses(draw: st.DrawFn) -> list[Use]:
    """A few operations of two holders, some overlapping, some never answered."""
    found = []
    for _ in range(draw(st.integers(1, 5))):
        start = draw(st.integers(0, 8))
        end = draw(st.one_of(st.integers(start, 9), st.just(math.inf)))
        holder = draw(st.sampled_from("ab"))
        taking = draw(st.booleans())
        found.append(
            Use(start, end, takes=holder) if taking else Use(start, end, releases=frozenset({holder}))
        )
    return found


def every_order(found: list[Use]) -> frozenset[str]:
    """The same by trying all orders of all subsets."""
    states: set[str] = set()
    must = {index for index, use in enumerate(found) if math.isfinite(use.end)}
    for size in range(len(found) + 1):
        for order in permutations(range(len(found)), size):
            if not must <= {*order} or any(
                found[later].end < found[earlier].start
                for place, earlier in enumerate(order)
                for later in order[place + 1 :]
            ):
                continue
            state: str | None = FREE
            for index in order:
                state = found[index].after(state) if state is not None else None
            if state is not None:
                states.add(state)
    return frozenset(states)


@given(uses())
def test_the_search_finds_what_trying_every_order_finds(found: list[Use]) -> None:
    assert possible({FREE}, found) == every_order(found)


def take(holder: str, start: float, end: float, succeeded: bool | None = True) -> Operation:
    transaction = Transaction((absent(KEY),), (Put(KEY, holder.encode()),))
    return Operation("node-1", "swarm", start, end, transaction, succeeded)


def release(holder: str, start: float, end: float, succeeded: bool | None = True) -> Operation:
    transaction = Transaction((), (Delete(keys.endpoint("n1", holder)), Delete(KEY)))
    return Operation("node-1", "swarm", start, end, transaction, succeeded)


def told(*operations: Operation) -> list[str]:
    """What is said when these have ended, and long after."""
    checker = Linear()
    for operation in operations:
        assert not list(checker.operation(operation))
        assert not list(checker.check(moment(operation.end)))
    return [v.what for at in (100.0, 200.0) for v in checker.check(moment(at))]


def test_an_address_goes_from_hand_to_hand() -> None:
    assert told(take("a", 0, 1), release("a", 2, 3), take("b", 4, 5)) == []
    assert told(take("b", 0, 5), release("a", 1, 4), take("a", 0.5, 3)) == [], "they overlap"
    assert told(take("a", 0, 1), take("b", 2, 3, succeeded=False)) == []


def test_an_unanswered_release_may_have_happened_at_any_time_or_never() -> None:
    assert told(take("a", 0, 1), release("a", 2, 3, None), take("b", 30, 31)) == []
    assert told(take("a", 0, 1), release("a", 2, 3, None), release("a", 30, 31)) == []


def test_two_who_take_the_same_address_are_found() -> None:
    (what,) = told(take("a", 0, 1), take("b", 2, 3))
    assert what == (
        "10.0.1.2 in network web: no order explains what was done to it: "
        "taken by a between 0.000 s and 1.000 s, taken by b between 2.000 s and 3.000 s"
    )


def test_a_release_of_what_is_anothers_by_now_is_found() -> None:
    (what,) = told(take("a", 0, 1), release("a", 2, 3), take("b", 4, 5), release("a", 6, 7))
    assert "released by a between 6.000 s and 7.000 s" in what


def test_what_is_under_way_may_explain_what_has_ended() -> None:
    checker = Linear()
    for operation in (take("a", 0, 1), take("b", 5, 6)):
        list(checker.operation(operation))
    assert not list(checker.check(moment(6.5))), "a release may be under way"
    list(checker.operation(release("a", 4, 7)))
    assert not list(checker.check(moment(50)))


def test_what_a_frozen_node_has_begun_may_explain_what_has_ended() -> None:
    checker = Linear()
    for operation in (take("a", 0, 1), take("b", 5, 6)):
        list(checker.operation(operation))
    assert not list(checker.check(moment(4.5, frozen=("node-2",)))), "its release was applied before it froze"
    assert not list(checker.check(moment(50, frozen=("node-2",))))
    assert not list(checker.check(moment(50.5))), "it has just woken up"
    list(checker.operation(release("a", 4, 51)))
    assert not list(checker.check(moment(60)))
    again = Linear()
    for operation in (take("a", 0, 1), take("b", 5, 6)):
        list(again.operation(operation))
    list(again.check(moment(4.5, frozen=("node-2",))))
    assert list(again.check(moment(60))), "nothing came of it"


def test_what_networks_reserve_goes_with_them() -> None:
    network = Transaction((), (Put(KEY, b"gateway"),))
    removal = Transaction((), (Delete(KEY),))
    assert (
        told(
            Operation("node-1", "swarm", 0, 1, network, True),
            Operation("node-2", "swarm", 2, 3, removal, True),
        )
        == []
    )
