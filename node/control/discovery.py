"""Plugins learn who is there: those of this node's networks when it starts, and of nodes that come and go.

    start            every driver and IPAM that a network names is activated, so that `docker info` has it
    node comes       DiscoverNew to each active driver that connects nodes; to a new one for all nodes
    node goes        DiscoverDelete

What a plugin answers to news is told in the log and changes nothing (moby: libnetwork/agent.go).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from node.control.ipams import Ipams
from node.control.ledger import Ledger
from node.control.view import Change
from node.drivers.remote import RemoteDriver
from node.drivers.table import DriverTable
from node.errors import NodeError
from node.model.member import Member
from node.model.network import NetworkRecord
from node.seams import Telemetry


class Discovery:
    """See the module."""

    def __init__(
        self,
        node: str,
        ledgers: Mapping[str, Ledger],
        drivers: DriverTable,
        ipams: Ipams,
        telemetry: Telemetry,
    ) -> None:
        self._node = node
        self._ledgers = ledgers
        self._drivers = drivers
        self._ipams = ipams
        self._telemetry = telemetry
        self._told: dict[str, dict[str, Member]] = {}
        """What each driver has heard of, by driver and name of the node."""
        self._news = asyncio.Event()
        for ledger in ledgers.values():
            ledger.listeners.append(self._changed)

    def _changed(self, changes: tuple[Change, ...]) -> None:
        if any(isinstance(change.before or change.after, Member | NetworkRecord) for change in changes):
            self._news.set()

    async def run(self) -> None:
        """Find the plugins of networks that were there before, then pass on the news, for ever."""
        for network in [n for ledger in self._ledgers.values() for n in ledger.view.networks.values()]:
            try:
                await self._drivers.resolve(network.driver)
                await self._ipams.recall(network.ipam_driver)
            except NodeError as error:
                self._telemetry.tell("plugin.not_found", network=network.name, reason=str(error))
        while True:
            self._news.clear()
            await self._tell_all()
            await self._news.wait()

    async def _tell_all(self) -> None:
        swarm = self._ledgers.get("swarm")
        members = dict(swarm.view.members) if swarm is not None else {}
        for driver in list(self._drivers.values()):
            if isinstance(driver, RemoteDriver) and driver.active and driver.spans:
                await self._tell(driver, members)

    async def _tell(self, driver: RemoteDriver, members: Mapping[str, Member]) -> None:
        told = self._told.setdefault(driver.name, {})
        gone = [("DiscoverDelete", member) for name, member in told.items() if members.get(name) != member]
        come = [("DiscoverNew", member) for name, member in members.items() if told.get(name) != member]
        for method, member in [*gone, *come]:
            if method == "DiscoverNew":
                told[member.name] = member
            else:
                del told[member.name]
            try:
                is_self = member.name == self._node
                await driver.plugin.discovered(method, member.lan_address, is_self=is_self)
            except NodeError as error:
                self._telemetry.tell("plugin.not_told", plugin=driver.name, method=method, reason=str(error))
