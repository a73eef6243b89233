"""Deliberate defects of tables, names and frames, and of what is to be given back."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import msgspec

from node.chaos.faults import Direction, Scope, Traffic
from node.chaos.underlay import FaultyUnderlay
from node.control import portallocator, publishing, reconciler
from node.control.lives import Lives
from node.datapath.switchboard import Switchboard
from node.dns.zone import Zone
from node.drivers import firewall, overlay
from tests.defects.planting import defect, nothing, swap

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
