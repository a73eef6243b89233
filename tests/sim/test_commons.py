"""Nodes that know the same share a view; who knows less sees nothing of the rest."""

from __future__ import annotations

from kvstore.follow import Snapshot
from kvstore.store import Batch, Event, KeyValue
from lab.sim.commons import Commons
from lab.sim.store import together
from node.control import keys
from node.control.view import View


def batch(revision: int, text: str) -> Batch:
    item = KeyValue(keys.last_address("n"), text.encode(), 1, revision)
    return Batch(revision, (Event(item.key, item),))


def test_a_batch_is_folded_once_and_shows_to_those_who_heard_of_it() -> None:
    commons = Commons()
    start, _ = commons.fold(View(), Snapshot(1, ()))
    first, changes = commons.fold(start, batch(2, "10.0.0.2"))
    assert commons.fold(start, batch(2, "10.0.0.2")) == (first, changes)
    assert (first.last_address("n"), start.last_address("n")) == ("10.0.0.2", "")


def test_who_lists_the_store_joins_those_whose_view_is_equal_and_nobody_else() -> None:
    commons = Commons()
    start, _ = commons.fold(View(), Snapshot(1, ()))
    first, _ = commons.fold(start, batch(2, "10.0.0.2"))
    (event,) = batch(2, "10.0.0.2").events
    assert event.item is not None
    assert commons.fold(View(), Snapshot(2, (event.item,)))[0] is first
    assert commons.fold(View(), Snapshot(2, ()))[0] is not first


def test_gathered_news_are_one_batch_as_of_the_last() -> None:
    commons = Commons()
    gathered = together([batch(2, "10.0.0.2"), batch(3, "10.0.0.3")])
    view, _ = commons.fold(View(), gathered)
    assert (view.revision, view.last_address("n")) == (3, "10.0.0.3")
