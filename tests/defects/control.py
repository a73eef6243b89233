"""Deliberate defects of the control plane: allocation, membership, views."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from typing import Any

from kvstore import mvcc
from kvstore.follow import Snapshot, follow
from kvstore.store import Batch, Delete, Transaction
from node.chaos.store import FaultyStore
from node.control import keys, ledger, membership, plans, reconciler, view, vni
from node.control.connections import Connections
from tests.defects.planting import defect, swap

# -- allocation -----------------------------------------------------------------------------------


@defect("outages")
def address_without_compare(stack: ExitStack) -> None:
    """An address is given out without a look at whether it is still free."""

    def make(create: Any) -> Any:
        def careless(*arguments: Any) -> Any:
            record, transaction = create(*arguments)
            return record, Transaction((), transaction.operations)

        return careless

    swap(stack, plans, "create_endpoint", make)


@defect("churn")
def gateway_not_set_aside(stack: ExitStack) -> None:
    """A network's gateway address is given to a container as well."""
    swap(stack, plans, "_reservations", lambda _: lambda network: [])


@defect("churn")
def vni_without_a_look(stack: ExitStack) -> None:
    """Every overlay gets the VNI after the last one that this node has made itself: the same for all."""
    swap(stack, vni, "choose", lambda _: lambda taken, last: vni.VNI_FIRST + 1)


@defect("churn", seeds=8)
def network_without_compare(stack: ExitStack) -> None:
    """A network takes its VNI and its subnet without a look at whether they are still free."""

    def make(create: Any) -> Any:
        def careless(*arguments: Any) -> Any:
            record, transaction = create(*arguments)
            return record, Transaction((), transaction.operations)

        return careless

    swap(stack, plans, "create_network", make)


@defect("churn")
def released_twice(stack: ExitStack) -> None:
    """An endpoint is released again a little later, whoever has its address by then."""

    def make(release: Any) -> Any:
        async def again(self: Connections, network: Any, endpoint: Any) -> None:
            await asyncio.sleep(0.3)
            address = endpoint.address.partition("/")[0]
            gone = Delete(keys.endpoint(network.id, endpoint.id)), Delete(keys.address(network.id, address))
            await self._ledgers["swarm"].store.commit(Transaction((), gone))

        async def twice(self: Connections, network: Any, endpoint: Any) -> None:
            await release(self, network, endpoint)
            if network.scope == "swarm":
                late.append(asyncio.get_running_loop().create_task(again(self, network, endpoint)))

        late: list[asyncio.Task[None]] = []
        return twice

    swap(stack, Connections, "_release", make)

    def lowest(choose: Any) -> Any:
        return lambda network, taken, last, serial: choose(network, taken, "", serial=False)

    swap(stack, plans.ipam, "choose_address", lowest)


@defect("churn")
def address_not_released(stack: ExitStack) -> None:
    """An endpoint goes, and its address stays taken."""

    def make(release: Any) -> Any:
        def half(*arguments: Any) -> Any:
            transaction = release(*arguments)
            return Transaction(transaction.compares, transaction.operations[:1])

        return half

    swap(stack, plans, "release_endpoint", make)


@defect("churn")
def network_leaves_keys(stack: ExitStack) -> None:
    """A network goes, and its other keys stay."""

    def make(remove: Any) -> Any:
        def half(*arguments: Any) -> Any:
            transaction = remove(*arguments)
            kept = (keys.ADDRESSES, keys.LAST_ADDRESS)
            operations = tuple(act for act in transaction.operations if not act.key.startswith(kept))
            return Transaction(transaction.compares, operations)

        return half

    swap(stack, plans, "remove_network", make)


@defect("outages")
def held_endpoint_swept(stack: ExitStack) -> None:
    """The sweeper releases an endpoint in which a container stands."""

    def make(sweep: Any) -> Any:
        async def careless(self: Any, telemetry: Any) -> None:
            held = self._connections.held
            forgotten = next(iter(held)) if len(held) > 2 else None
            if forgotten is not None:
                del held[forgotten]
            await sweep(self, telemetry)

        return careless

    swap(stack, reconciler.Reconciler, "release_left_overs", make)


@defect("churn", seeds=6)
def held_too_late(stack: ExitStack) -> None:
    """An endpoint counts as held only when its record is confirmed: the sweeper may come in between."""

    def make(record: Any) -> Any:
        async def late(self: Connections, network: Any, draft: Any, pinned: str, driver: Any) -> Any:
            recording = asyncio.get_running_loop().create_task(record(self, network, draft, pinned, driver))
            await asyncio.sleep(0)
            self.held.pop(draft.id, None)
            try:
                return await recording
            finally:
                self.held[draft.id] = None

        return late

    swap(stack, Connections, "_record", make)


@defect("outages")
def left_overs_not_swept(stack: ExitStack) -> None:
    """What a node could not release while the store was away, it never releases."""

    async def idle(self: Any, telemetry: Any) -> None:
        return

    swap(stack, reconciler.Reconciler, "release_left_overs", lambda _: idle)


# -- membership -----------------------------------------------------------------------------------


@defect("outages")
def lease_that_never_ends(stack: ExitStack) -> None:
    """A node's lease lasts a thousand times as long as it should."""

    def make(join: Any) -> Any:
        async def forever(self: Any, lease_s: float) -> None:
            await join(self, 1000 * lease_s)

        return forever

    swap(stack, membership.Membership, "join", make)


@defect("outages")
def lapsed_for_good(stack: ExitStack) -> None:
    """A node whose lease was lost once never becomes a member again."""

    def make(join: Any) -> Any:
        joined: dict[int, None] = {}

        async def once(self: Any, lease_s: float) -> None:
            if id(self) in joined:
                raise StoreUnavailableForGood("no more")
            joined[id(self)] = None
            await join(self, lease_s)

        return once

    swap(stack, membership.Membership, "join", make)


class StoreUnavailableForGood(membership.StoreUnavailable):
    """See lapsed_for_good."""


# -- views ----------------------------------------------------------------------------------------

News = AsyncIterator[Snapshot | Batch]


def _tells_of_an_end(news: Snapshot | Batch) -> bool:
    return isinstance(news, Batch) and any(event.item is None for event in news.events)


def _twisted(stack: ExitStack, twist: Callable[[News], News]) -> None:
    swap(
        stack,
        ledger,
        "follow",
        lambda _: (
            lambda store, *arguments, **options: (
                twist(follow(store, *arguments, **options))
                if isinstance(store, FaultyStore)  # the swarm's, not a node's own
                else follow(store, *arguments, **options)
            )
        ),
    )


@defect("churn")
def watch_skips_a_revision(stack: ExitStack) -> None:
    """Every second piece of news that something has gone is lost."""

    async def skip(news: News) -> News:
        count = 0
        async for one in news:
            count += _tells_of_an_end(one)
            if count % 2 or not _tells_of_an_end(one):
                yield one

    _twisted(stack, skip)


@defect("churn")
def news_out_of_order(stack: ExitStack) -> None:
    """News that something has gone is taken in after the next news."""

    async def exchange(news: News) -> News:
        late = None
        async for one in news:
            if late is None and _tells_of_an_end(one):
                late = one
                continue
            yield one
            if late is not None:
                yield late
                late = None

    _twisted(stack, exchange)


@defect("outages")
def relist_forgets_deletions(stack: ExitStack) -> None:
    """When history was lost and a view is listed again, what has gone meanwhile stays in it."""
    swap(stack, mvcc, "HISTORY_BATCHES_MAX", lambda _: 2)

    def make(fold: Any) -> Any:
        def lenient(self: view.View, news: Snapshot | Batch) -> Any:
            if isinstance(news, Snapshot):
                events = tuple(mvcc.Event(item.key, item) for item in news.items)
                news = Batch(news.revision, events)
            return fold(self, news)

        return lenient

    swap(stack, view.View, "fold", make)


@defect("outages")
def deaf_after_an_outage(stack: ExitStack) -> None:
    """A watch that broke off is never taken up again."""

    async def once(news: News) -> News:
        async for one in news:
            yield one

    def make(_: Any) -> Any:
        def deaf(*arguments: Any, sleep: Any, **options: Any) -> News:
            async def forever(seconds: float) -> None:
                await sleep(1e6)

            return once(follow(*arguments, sleep=forever, **options))

        return deaf

    swap(stack, ledger, "follow", make)
