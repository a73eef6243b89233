"""Networks come and go: whoever must agree is asked before the commit, never inside a plan.

    make:     plan -> driver.create -> commit, if the plan is still the same -> it exists
    remove:   commit -> driver.delete -> it is gone

A plan is made again whenever others were quicker (ledger.py), so that it must not wait for anybody.
"""

from __future__ import annotations

from collections.abc import Mapping

from kvstore.store import Transaction
from node.control import plans
from node.control.ipam import DefaultPools
from node.control.ledger import ATTEMPTS_MAX, Ledger
from node.control.view import View
from node.drivers.base import Driver
from node.errors import NodeError, Unavailable
from node.model.network import NetworkRecord, NetworkSpec


class Overtaken(Exception):
    """Others changed what a network was planned upon while its driver was asked."""


class Making:
    """See the module."""

    def __init__(self, ledgers: Mapping[str, Ledger], drivers: Mapping[str, Driver]) -> None:
        self._ledgers = ledgers
        self._drivers = drivers
        self.pools = DefaultPools()
        """Of this node; the agent says which."""

    async def make(self, spec: NetworkSpec, draft: plans.Draft) -> None:
        """Commit a network whose draft is decided; it exists here when this returns. Raises NodeError.

        If others were quicker meanwhile, so that it would be another network now, all begins again.
        """
        driver = self._drivers[plans.driver_of(spec)]
        ledger = self._ledgers[draft.scope]
        for _ in range(ATTEMPTS_MAX):
            asked, _ = self._plan(ledger.view, spec, draft)
            await driver.create(asked)

            def plan(view: View, asked: NetworkRecord = asked) -> Transaction:
                record, transaction = self._plan(view, spec, draft)
                if record != asked:
                    raise Overtaken
                return transaction

            try:
                await ledger.change(plan)
            except Overtaken:
                await driver.delete(asked)
            except NodeError:
                await driver.delete(asked)
                raise
            else:
                return
        raise Unavailable(f"network {spec.name} met other changes {ATTEMPTS_MAX} times: try again")

    def _plan(self, view: View, spec: NetworkSpec, draft: plans.Draft) -> tuple[NetworkRecord, Transaction]:
        """The network as it would be now. Raises NodeError."""
        whole = plans.configured(self._ledgers["local"].view, spec)
        record, transaction = plans.create_network(view, whole, draft, self.pools)
        siblings = [n for n in view.networks.values() if n.driver == record.driver]
        self._drivers[record.driver].check_beside(record, siblings)
        return record, transaction

    async def remove(self, network: NetworkRecord) -> None:
        """Remove a network that nobody stands in. Raises NodeError."""
        await self._ledgers[network.scope].change(lambda view: plans.remove_network(view, network))
        await self._drivers[network.driver].delete(network)
