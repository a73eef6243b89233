"""What this node owes plugins: calls that let them give back what they hold, kept over a crash.

    owe (own store) -> ask the plugin -> ... -> the holder goes -> pay: the undoing calls, latest first

A plugin is a program of somebody else: no transaction covers it. So before a plugin is asked for
something under a name that is ours (CreateNetwork, CreateEndpoint, Join), the call that undoes it is
written down; what the plugin names itself (a pool, an address) is written down as soon as its answer is
here. Whatever then happens - the plugin refuses, answers nonsense, is killed; a transaction fails; this
node is killed - a debt is left whose holder does not exist, and the collector pays it:

    holder in flight, or an endpoint that stands      (held)      not due
    holder a network in the store of its scope                    not due, nor while that is away
    anything else                                                 due

A plugin that is away is told when it is back. Only the moment between a pool or an address being
given by a plugin and its being written down is not covered: a crash there is a loss to that plugin.
"""

from __future__ import annotations

from collections.abc import Mapping

from kvstore.errors import StoreError
from kvstore.store import Delete, Put, Transaction, absent
from node.control import keys
from node.control.codec import encode
from node.control.ledger import Ledger
from node.control.view import View
from node.drivers.plugin import PluginLacks, PluginRefused, PluginTable
from node.errors import Failed, Unavailable
from node.model.debt import Call, DebtRecord
from node.seams import Clock, PluginAway, Telemetry

DEBTS_MAX = 4096
"""More than that means that something is badly wrong with a plugin; no more is asked of any."""
SILENCE_S = 2.0
"""For so long a plugin that did not answer is not told anything again, so that nobody waits for each call."""
PAUSE_MIN_S, PAUSE_MAX_S = 1.0, 30.0
"""Between two rounds of the collector: longer and longer while a plugin does not answer."""


class DebtBook:
    """See the module. ``held``: holders in flight, and endpoints that stand."""

    def __init__(
        self, ledgers: Mapping[str, Ledger], plugins: PluginTable, clock: Clock, telemetry: Telemetry
    ) -> None:
        self.held: dict[str, None] = {}
        self._ledgers = ledgers
        self._own = ledgers["local"]
        self._plugins = plugins
        self._clock = clock
        self._telemetry = telemetry
        self._silent: dict[str, float] = {}
        """When each plugin that does not answer was last tried."""
        self._being_paid: set[int] = set()
        self._last_number = 0
        """No number is given twice: who is about to pay a debt that was paid meanwhile must not take
        another for it."""

    async def owe(self, holder: str, call: Call, network_scope: str = "") -> None:
        """Write a call down that will be due once the holder is gone. Raises Unavailable, Failed."""

        def plan(view: View) -> Transaction:
            if len(view.debts) >= DEBTS_MAX:
                raise Failed(f"{DEBTS_MAX} calls are owed to plugins that do not answer")
            self._last_number = number = max(self._last_number, max(view.debts, default=0)) + 1
            debt = DebtRecord(number=number, holder=holder, call=call, network_scope=network_scope)
            key = keys.debt(number)
            return Transaction((absent(key),), (Put(key, encode(debt)),))

        await self._own.change(plan)

    async def forgive(self, holder: str, method: str) -> None:
        """The plugin has refused: there is nothing to undo."""
        await self._strike([d for d in self._of(holder) if d.call.method == method])

    async def pay(self, holder: str, methods: str = "") -> bool:
        """Make the calls of a holder, latest first; False if a plugin could not be told now.

        ``methods``: only those that begin like this, "NetworkDriver" for instance.
        """
        due = [d for d in self._of(holder) if d.call.method.startswith(methods)]
        paid = [await self._pay(debt) for debt in due]
        return all(paid)

    def _of(self, holder: str) -> list[DebtRecord]:
        debts = self._own.view.debts.values()
        return sorted((d for d in debts if d.holder == holder), key=lambda d: -d.number)

    async def _pay(self, debt: DebtRecord) -> bool:
        if debt.number in self._being_paid or debt.number not in self._own.view.debts:
            return True
        call = debt.call
        if self._clock.now() - self._silent.get(call.plugin, -SILENCE_S) < SILENCE_S:
            return False
        self._being_paid.add(debt.number)
        try:
            await self._plugins[call.plugin].tell(call)
        except (PluginRefused, PluginLacks) as error:
            # It knows of nothing to give back, or does not want to hear of it: all was said.
            self._telemetry.tell("plugin.refused", plugin=call.plugin, method=call.method, reason=str(error))
        except (PluginAway, Failed) as error:
            self._silent[call.plugin] = self._clock.now()
            self._telemetry.tell("plugin.not_told", plugin=call.plugin, method=call.method, reason=str(error))
            return False
        finally:
            self._being_paid.discard(debt.number)
        try:
            await self._strike([debt])
        except Unavailable:
            return False  # it will be said twice, which plugins have to bear
        return True

    async def _strike(self, debts: list[DebtRecord]) -> None:
        def plan(view: View) -> Transaction:
            left = [keys.debt(d.number) for d in debts if d.number in view.debts]
            return Transaction((), tuple(Delete(key) for key in left))

        await self._own.change(plan)

    # -- collecting -------------------------------------------------------------------------------

    async def collect(self) -> None:
        """Pay what is due, again and again, for ever."""
        pause = PAUSE_MIN_S
        while True:
            await self._clock.sleep(pause)
            done = await self.pay_due()
            pause = PAUSE_MIN_S if done else min(pause * 2, PAUSE_MAX_S)

    async def pay_due(self) -> bool:
        """One round of it; whether all was paid."""
        debts = sorted(self._own.view.debts.values(), key=lambda d: -d.number)
        paid = [await self._pay(debt) for debt in debts if await self._is_due(debt)]
        return all(paid)

    async def _is_due(self, debt: DebtRecord) -> bool:
        if debt.holder in self.held:
            return False
        if not debt.network_scope:
            return True
        ledger = self._ledgers.get(debt.network_scope)
        if ledger is None or debt.holder in ledger.view.networks:
            return False
        try:  # the view may be behind, and the network have been committed all the same
            return await ledger.store.get(keys.network(debt.holder)) is None
        except StoreError:
            return False
