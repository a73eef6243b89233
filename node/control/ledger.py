"""One scope's truth on a node: a store, the view folded from its watch, and a way to change both.

    commit ---> Store ---> watch ---> View.fold ---> listeners (the reconciler)
       \\                                 |
        `--- waits until the view has the revision of its own change

A node has two: the swarm's, shared over etcd, and its own, for what is local to it.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

from kvstore.errors import OutcomeUnknown, StoreUnavailable
from kvstore.follow import Snapshot, follow
from kvstore.store import Batch, Store, Transaction
from node.control import keys
from node.control.view import Change, View
from node.errors import Unavailable
from node.seams import Clock

CHANGE_TIMEOUT_S = 4.0
"""How long a change may take altogether; a caller hears why within five seconds."""
ATTEMPTS_MAX = 64
"""Retries of one change against others that were quicker."""

Plan = Callable[[View], Transaction]
Fold = Callable[[View, Snapshot | Batch], tuple[View, tuple[Change, ...]]]
"""The view with the news in it, perhaps another one, and what has changed by them."""


def fold_in_place(view: View, news: Snapshot | Batch) -> tuple[View, tuple[Change, ...]]:
    """How a node folds that has its view for itself."""
    return view, view.fold(news)


class Ledger:
    """See the module. ``listeners`` hear every fold, in the order in which they were added."""

    def __init__(self, name: str, store: Store, clock: Clock, chance: random.Random) -> None:
        self.name = name
        self.store = store
        self.view = View()
        self.connected = False
        self.reason = "not connected yet"
        self.since = clock.now()
        """Since when it has been connected, or away, on the node's clock."""
        self.committed = 0
        """The newest revision that this node committed itself."""
        self.folded_at = clock.now()
        """When the view last changed, on the node's clock."""
        self.fold: Fold = fold_in_place
        self.listeners: list[Callable[[tuple[Change, ...]], None]] = []
        self._clock = clock
        self._chance = chance
        self._folded: asyncio.Event | None = None
        """Set by the next fold; None: nobody waits for it."""

    async def follow(self) -> None:
        """Fold what the store says, for ever: the one path by which state arrives."""
        async for news in follow(
            self.store, keys.ROOT, sleep=self._clock.sleep, random=self._chance, on_state=self._on_state
        ):
            self.view, changes = self.fold(self.view, news)
            self.folded_at = self._clock.now()
            for listener in self.listeners:
                listener(changes)
            if self._folded is not None:
                folded, self._folded = self._folded, None
                folded.set()

    def _on_state(self, connected: bool, reason: str) -> None:
        self.connected = connected
        self.reason = reason
        self.since = self._clock.now()

    async def until(self, condition: Callable[[View], bool]) -> None:
        """Return as soon as the view meets the condition."""
        while not condition(self.view):
            if self._folded is None:
                self._folded = asyncio.Event()
            await self._folded.wait()

    async def change(self, plan: Plan) -> int:
        """Commit what ``plan`` makes of the view, and return its revision once the view shows it.

        When somebody else was quicker, the plan is made again from the newer view; a plan that
        has become impossible raises its own error. Raises Unavailable when the store is away.
        """
        deadline = asyncio.get_running_loop().time() + CHANGE_TIMEOUT_S
        try:
            committed = self.committed = await self._commit(plan, deadline)
        except StoreUnavailable as error:
            raise self._unavailable(str(error)) from None
        except OutcomeUnknown as error:
            raise Unavailable(
                f"the {self.name} store did not confirm the change, so it may have happened or not "
                f"({error}); look before you try again"
            ) from None
        try:
            async with asyncio.timeout_at(deadline):
                await self.until(lambda view: view.revision >= committed)
        except TimeoutError:
            raise Unavailable(
                f"the change was made (revision {committed} of the {self.name} store), "
                "but this node has not heard of it yet: its watch is stalled"
            ) from None
        return committed

    async def _commit(self, plan: Plan, deadline: float) -> int:
        for _ in range(ATTEMPTS_MAX):
            transaction = plan(self.view)
            if not transaction.operations:
                return self.view.revision
            try:
                async with asyncio.timeout_at(deadline):
                    result = await self.store.commit(transaction)
            except TimeoutError:
                raise OutcomeUnknown("it did not answer in time") from None
            if result.succeeded:
                return result.revision
            try:
                async with asyncio.timeout_at(deadline):
                    await self.until(disagrees(transaction))
            except TimeoutError:
                raise self._unavailable("its watch is silent") from None
        raise Unavailable(f"the {self.name} store is too busy: {ATTEMPTS_MAX} attempts met other changes")

    def _unavailable(self, reason: str) -> Unavailable:
        return Unavailable(
            f"the {self.name} store cannot be reached, so nothing was changed ({reason}); "
            "running containers are not affected"
        )


def disagrees(transaction: Transaction) -> Callable[[View], bool]:
    """Whether a view shows by now what a transaction failed on."""

    def check(view: View) -> bool:
        return any(view.modified(compare.key) != compare.modified for compare in transaction.compares)

    return check
