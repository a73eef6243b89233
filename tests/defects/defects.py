"""Deliberate defects, each planted in the product for as long as a with-block lasts.

They prove that the checkers see: exploring seeds of a scenario must find every one of them. No product
code knows of this; what a defect changes is swapped from outside.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import msgspec

from kvstore import mvcc
from kvstore.follow import Snapshot, follow
from kvstore.store import Batch, Delete, Transaction
from node.chaos.faults import Direction, Scope, Traffic
from node.chaos.store import FaultyStore
from node.chaos.underlay import FaultyUnderlay
from node.control import keys, ledger, membership, plans, portallocator, publishing, reconciler, view, vni
from node.control.connections import Connections
from node.control.lives import Lives
from node.datapath.switchboard import Switchboard
from node.dns.zone import Zone
from node.drivers import firewall, overlay

Plant = Callable[[], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True)
class Defect:
    """``scenario`` is the file that finds it; ``seeds`` how many of its seeds must be enough."""

    name: str
    sentence: str
    scenario: str
    plant: Plant
    seeds: int = 1


DEFECTS: dict[str, Defect] = {}


def defect(scenario: str, seeds: int = 1) -> Callable[[Callable[[ExitStack], None]], None]:
    """Register a function that swaps parts; its name and docstring are the defect's."""

    def register(function: Callable[[ExitStack], None]) -> None:
        @contextmanager
        def plant() -> Iterator[None]:
            with ExitStack() as stack:
                function(stack)
                yield

        name = function.__name__.replace("_", "-")
        DEFECTS[name] = Defect(name, str(function.__doc__), scenario, plant, seeds)

    return register


def swap(stack: ExitStack, owner: Any, name: str, make: Callable[[Any], Any]) -> None:
    """Put ``make(original)`` in the place of a function or value, until the stack is closed."""
    original = owner.__dict__[name]
    setattr(owner, name, make(original))
    stack.callback(setattr, owner, name, original)


def nothing(*_: Any, **__: Any) -> None:
    """What is left out."""


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


# -- tables and names -----------------------------------------------------------------------------


@defect("churn")
def peer_row_stays(stack: ExitStack) -> None:
    """What is written into the tables for an endpoint elsewhere is never taken out."""

    def lazy(self: overlay.OverlayDriver, network_id: str, endpoint: str) -> None:
        self._peers.get(network_id, {}).pop(endpoint, None)

    swap(stack, overlay.OverlayDriver, "remove_peer", lambda _: lazy)


@defect("churn")
def stale_row_after_reuse(stack: ExitStack) -> None:
    """A forwarding row stays when its endpoint goes, and is not overwritten when the address comes back."""

    def keep(erase: Any) -> Any:
        def lazy(subnetwork: Any, peer: Any) -> None:
            rows = dict(subnetwork.vtep.static)
            erase(subnetwork, peer)
            subnetwork.vtep.static.update(rows)

        return lazy

    def first(write: Any) -> Any:
        def stubborn(subnetwork: Any, peer: Any) -> None:
            rows = dict(subnetwork.vtep.static)
            write(subnetwork, peer)
            subnetwork.vtep.static.update(rows)

        return stubborn

    swap(stack, overlay, "_erase", keep)
    swap(stack, overlay, "_write", first)


@defect("outages")
def returned_member_not_welcomed(stack: ExitStack) -> None:
    """The endpoints of a node that comes back are not written into the tables again."""

    def make(_: Any) -> Any:
        def cold(self: Any, member: Any) -> None:
            if member.name != self._node:
                self._machine.add_to_lan(member.underlay_address)

        return cold

    swap(stack, reconciler.Reconciler, "_welcome", make)


@defect("outages")
def dead_names_stay(stack: ExitStack) -> None:
    """A zone keeps the names of endpoints that have gone."""
    swap(stack, reconciler.Reconciler, "_unname", lambda _: nothing)


@defect("churn")
def names_of_other_networks(stack: ExitStack) -> None:
    """A name server answers with names of every network of its node."""

    def make(name: Any) -> Any:
        def everywhere(self: Any, endpoint: Any) -> None:
            name(self, endpoint)
            for identity in list(self._connections.zones):
                name(self, msgspec.structs.replace(endpoint, network=identity))

        return everywhere

    swap(stack, reconciler.Reconciler, "_name", make)


@defect("churn")
def shared_alias_forgotten(stack: ExitStack) -> None:
    """When one of two endpoints with the same alias goes, the alias goes for both."""

    def make(remove: Any) -> Any:
        def thorough(self: Zone, endpoint: str) -> None:
            entry = self._entries.get(endpoint)
            remove(self, endpoint)
            for name in entry.names if entry is not None else ():
                for other in list(self._names.get(name, {})):
                    remove(self, other)

        return thorough

    swap(stack, Zone, "remove", make)


# -- frames ---------------------------------------------------------------------------------------


@defect("churn")
def reply_lost(stack: ExitStack) -> None:
    """The bridge loses every twentieth frame, and counts it nowhere."""

    def make(deliver: Any) -> Any:
        count = 0

        def forgetful(self: Switchboard, *arguments: Any) -> None:
            nonlocal count
            count += 1
            if count % 20:
                deliver(self, *arguments)

        return forgetful

    swap(stack, Switchboard, "_deliver", make)


@defect("churn")
def frames_leak(stack: ExitStack) -> None:
    """What goes to everybody goes to everybody in all networks of the node."""

    def make(flood: Any) -> Any:
        def wide(self: Switchboard, segment: Any, port: Any, frame: bytes, now: float) -> None:
            flood(self, segment, port, frame, now)
            for other in self.segments.values():
                if other is not segment:
                    for out in list(other.bridge.ports.values()):
                        self.counters.copies += 1
                        self._deliver(other, out, frame, now)

        return wide

    swap(stack, Switchboard, "_flood", make)


@defect("churn")
def bridges_not_isolated(stack: ExitStack) -> None:
    """The host forwards from one of its bridges to another."""
    swap(stack, firewall.Firewall, "judge", lambda _: lambda self, crossing: None)


@defect("outages")
def one_way_partition(stack: ExitStack) -> None:
    """A partition in both directions cuts only what its own node sends."""

    def make(covers: Any) -> Any:
        def deaf_to_incoming(self: Scope, traffic: Traffic) -> bool:
            incoming = traffic.direction is Direction.INCOMING and self.direction is Direction.BOTH
            return not incoming and covers(self, traffic)

        return deaf_to_incoming

    swap(stack, Scope, "covers", make)


@defect("outages")
def late_datagrams_vanish(stack: ExitStack) -> None:
    """Every third datagram that a fault delays is never sent."""

    def make(later: Any) -> Any:
        count = 0

        def forgetful(self: FaultyUnderlay, verdict: Any, act: Any) -> Any:
            nonlocal count
            count += 1
            return later(self, verdict, act if count % 3 else nothing)

        return forgetful

    swap(stack, FaultyUnderlay, "_later", make)


# -- what is given back ---------------------------------------------------------------------------


@defect("churn")
def port_not_released(stack: ExitStack) -> None:
    """A published port stays taken when its container goes."""
    swap(stack, portallocator.PortAllocator, "release", lambda _: nothing)


@defect("churn")
def proxy_goes_on(stack: ExitStack) -> None:
    """The proxy of a published port serves on when its container has gone."""
    swap(stack, publishing.TcpProxy, "close", lambda _: nothing)


@defect("churn")
def watcher_stays(stack: ExitStack) -> None:
    """The task that waits for a container's end does not end with it."""

    def make(watch: Any) -> Any:
        async def idle(self: Lives, *arguments: Any) -> None:
            await watch(self, *arguments)
            await self._clock.sleep(1e6)

        return idle

    swap(stack, Lives, "_watch", make)
