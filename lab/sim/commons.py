"""One view for all nodes that know the same: a batch is folded once, whoever hears of it.

    node-1: view 7 --batch 8--> folded: view 8 --.
    node-2: view 7 --batch 8---------------------+--> the very same view 8, and its changes
    node-3: view 5 (its watch is stalled)             a view of its own time, as ever

Nothing is known too early: a node goes to the next view when it hears of the batch, not before. And
nothing is known by hearsay: only who has the very same view shares what is folded into it, and who has
come to an equal view in another way shares that. Shared views are never changed: the next is a fork.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from kvstore.follow import Snapshot
from kvstore.store import Batch
from node.control.view import Change, View

FOLDS_MAX = 16
"""Folds that are remembered: nodes hear of a batch at nearly the same time."""


@dataclass(frozen=True, slots=True)
class Folded:
    """What came of a view and of news. The view that was is kept, so that its identity stays its own."""

    before: View
    after: View
    changes: tuple[Change, ...]


class Commons:
    """The views of one store's followers. ``fold`` is a Fold (node/control/ledger.py)."""

    def __init__(self) -> None:
        self._folds: OrderedDict[tuple[int, int], Folded] = OrderedDict()
        """By the identity of the view that was, and the revision of the news."""

    def fold(self, view: View, news: Snapshot | Batch) -> tuple[View, tuple[Change, ...]]:
        """The next view of a node, and what has changed for it."""
        place = id(view), news.revision
        folded = self._folds.get(place)
        if folded is None or isinstance(news, Snapshot):
            after = view.fork()
            changes = after.fold(news)
            folded = Folded(view, self._equal(after), changes)
            self._folds[place] = folded
            if len(self._folds) > FOLDS_MAX:
                self._folds.popitem(last=False)
        return folded.after, folded.changes

    def _equal(self, view: View) -> View:
        """The view that others have already, if it is the same."""
        for folded in reversed(self._folds.values()):
            if folded.after.revision == view.revision and folded.after.revisions == view.revisions:
                return folded.after
        return view
