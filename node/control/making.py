"""Networks come and go: whoever must agree is asked before the commit, never inside a plan.

    make:     pools -> plan -> driver.create -> commit, if the plan is still the same -> it exists
    remove:   commit -> driver.delete, pools given back -> it is gone

A plan is made again whenever others were quicker (ledger.py), so it must not wait for anybody. What a
plugin agreed to is owed to it from then on (debts.py), in the name of the network: while it is being
made nothing is due; once it is committed nothing is due until its record goes; and if it is not, for
whatever reason, everything is. A commit whose outcome is unknown needs no case of its own: the
collector looks whether the network is there.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import msgspec

from kvstore.store import Transaction
from node.control import plans
from node.control.debts import DebtBook
from node.control.ipam import DefaultPools
from node.control.ipams import Ipams
from node.control.ledger import ATTEMPTS_MAX, Ledger
from node.control.view import View
from node.drivers.base import Driver
from node.drivers.table import DriverTable
from node.errors import NodeError, Unavailable
from node.model.network import NetworkRecord, NetworkSpec


class Overtaken(Exception):
    """Others changed what a network was planned upon while its driver was asked."""


class Making:
    """See the module. ``ledgers`` has "local", and "swarm" if the node belongs to one."""

    def __init__(
        self, ledgers: Mapping[str, Ledger], drivers: DriverTable, ipams: Ipams, debts: DebtBook
    ) -> None:
        self.ledgers = ledgers
        self.drivers = drivers
        self.pools = DefaultPools()
        """Of this node; the agent says which."""
        self._ipams = ipams
        self._debts = debts

    async def make(self, spec: NetworkSpec, draft: plans.Draft) -> None:
        """Commit a network whose draft is decided; it exists here when this returns. Raises NodeError.

        If others were quicker meanwhile, so that it would be another network now, all begins again.
        """
        self._debts.held[draft.id] = None
        try:
            for _ in range(ATTEMPTS_MAX):
                if await self._try(spec, draft):
                    return
        finally:
            del self._debts.held[draft.id]
        raise Unavailable(f"network {spec.name} met other changes {ATTEMPTS_MAX} times: try again")

    async def _try(self, spec: NetworkSpec, draft: plans.Draft) -> bool:
        """Whether it worked; if others were quicker, nothing is left of it."""
        driver, ledger = self.drivers[plans.driver_of(spec)], self.ledgers[draft.scope]
        asked: NetworkRecord | None = None
        try:
            spec = plans.configured(self.ledgers["local"].view, spec)
            spec = await self._ipams.pools(spec, draft)
            asked, _ = self._plan(ledger.view, spec, draft)
            draft = dataclasses.replace(draft, driver_state=dict(await driver.create(asked)))
        except NodeError:
            await self._undo(driver, draft, asked)
            raise

        def plan(view: View) -> Transaction:
            record, transaction = self._plan(view, spec, draft)
            if record != msgspec.structs.replace(asked, driver_state=draft.driver_state):
                raise Overtaken
            return transaction

        try:
            await ledger.change(plan)
        except Unavailable:
            raise  # it may have happened or not: the collector looks
        except (Overtaken, NodeError) as error:
            await self._undo(driver, draft, asked)
            if isinstance(error, Overtaken):
                return False
            raise
        return True

    async def _undo(self, driver: Driver, draft: plans.Draft, asked: NetworkRecord | None) -> None:
        if asked is not None:
            await driver.delete(asked)
        await self._debts.pay(draft.id)

    def _plan(self, view: View, spec: NetworkSpec, draft: plans.Draft) -> tuple[NetworkRecord, Transaction]:
        """The network as it would be now. Raises NodeError."""
        record, transaction = plans.create_network(view, spec, draft, self.pools)
        siblings = list(view.index.of_driver.get(record.driver, {}).values())
        self.drivers[record.driver].check_beside(record, siblings)
        return record, transaction

    async def remove(self, network: NetworkRecord) -> None:
        """Remove a network that nobody stands in. Raises NodeError."""
        await self.ledgers[network.scope].change(lambda view: plans.remove_network(view, network))
        await self.drivers[network.driver].delete(network)
        await self._debts.pay(network.id)
