"""Address allocation is linearizable: what clients did to each address has an order that explains it.

transactions -> uses of addresses -> (everything that has surely ended) -> search -> possible holders
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from kvstore.store import Delete, Put
from lab.checkers.checker import Checker, Violation
from lab.checkers.history import Operation
from lab.checkers.leaks import is_reserved
from lab.checkers.registers import FREE, OPERATIONS_MAX, States, Use, possible
from lab.checkers.seen import Seen
from node.control import keys
from node.control.ledger import CHANGE_TIMEOUT_S

Place = tuple[str, str, str]
"""Store, network id, address."""


@dataclass(slots=True)
class Register:
    """One address: whose it may have been when all judged uses had ended, and the uses since."""

    states: States = frozenset({FREE})
    uses: list[Use] = field(default_factory=list)


class Linear(Checker):
    """Judged with a delay: what is still under way may explain what has ended."""

    name = "linear"
    sentence = "Taking and releasing addresses is linearizable, whoever is cut off from whom."

    def __init__(self) -> None:
        super().__init__()
        self._registers: dict[Place, Register] = {}
        self._changed: dict[Place, None] = {}
        self._reserved: dict[Place, str] = {}
        self._frozen: dict[str, tuple[float, float]] = {}
        """Nodes that stand still, or did so just now: since when, and until when at least."""

    def operation(self, operation: Operation) -> Iterable[Violation]:
        """See Checker."""
        if operation.succeeded is False:
            return ()
        for place, use in self._uses(operation):
            self._registers.setdefault(place, Register()).uses.append(use)
            self._changed[place] = None
        return ()

    def _uses(self, operation: Operation) -> Iterator[tuple[Place, Use]]:
        """What a transaction does to addresses; who lets go of one is who goes in the same transaction."""
        end = operation.end if operation.succeeded else math.inf
        gone = frozenset(
            act.key.rpartition("/")[2]
            for act in operation.transaction.operations
            if isinstance(act, Delete) and act.key.startswith(keys.ENDPOINTS)
        )
        for act in operation.transaction.operations:
            if not act.key.startswith(keys.ADDRESSES):
                continue
            network, _, address = act.key.removeprefix(keys.ADDRESSES).partition("/")
            place = operation.store, network, address
            if isinstance(act, Put):
                holder = act.value.decode()
                if is_reserved(holder):
                    self._reserved[place] = holder
                yield place, Use(operation.start, end, takes=holder)
            else:
                reserved = self._reserved.get(place)
                yield place, Use(operation.start, end, releases=gone | ({reserved} if reserved else set()))

    def check(self, seen: Seen) -> Iterable[Violation]:
        """See Checker."""
        for node in seen.frozen:
            self._frozen[node] = self._frozen.get(node, (seen.at, seen.at))[0], seen.at
        for node, (_, last) in list(self._frozen.items()):
            if seen.at - last > CHANGE_TIMEOUT_S:
                del self._frozen[node]
        # What began before this has ended, or will never be answered.
        until = min((seen.at, *(since for since, _ in self._frozen.values()))) - CHANGE_TIMEOUT_S
        names = {network.id: network.name for network in seen.networks}
        for place in list(self._changed):
            register = self._registers[place]
            waiting = [use for use in register.uses if use.start > until]
            if not waiting:
                del self._changed[place]
            if (what := _judge(register, until)) is not None:
                _, network, address = place
                yield Violation(
                    self.name, seen.at, f"{address} in network {names.get(network, network[:12])}: {what}"
                )


def _judge(register: Register, until: float) -> str | None:
    """Search through what began before ``until`` and forget what is explained, or say that nothing does."""
    known = [use for use in register.uses if use.start <= until]
    if not any(math.isfinite(use.end) for use in known) or len(known) > OPERATIONS_MAX:
        return None
    judged = [use if use.end <= until else replace(use, end=math.inf) for use in known]
    states = possible(register.states, judged)
    if not states:
        told = ", ".join(_words(use) for use in known)
        register.states = frozenset({use.takes or FREE for use in known})
        register.uses = [use for use in register.uses if use not in known]
        return f"no order explains what was done to it: {told}"
    if all(math.isfinite(use.end) for use in judged):
        register.states = states
        register.uses = [use for use in register.uses if use not in known]
    return None


def _words(use: Use) -> str:
    act = f"taken by {use.takes[:12]}" if use.takes else f"released by {', '.join(_short(use))}"
    end = f"{use.end:.3f} s" if math.isfinite(use.end) else "nobody knows when"
    return f"{act} between {use.start:.3f} s and {end}"


def _short(use: Use) -> list[str]:
    return sorted(holder[:12] for holder in use.releases) or ["nobody"]
