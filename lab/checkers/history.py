"""What somebody asked of a store, when, and what came of it: the stuff that histories are made of."""

from __future__ import annotations

from dataclasses import dataclass

from kvstore.store import Transaction


@dataclass(frozen=True, slots=True)
class Operation:
    """One transaction of one client. Times in seconds since the start.

    ``succeeded``: True: it was applied; False: it was refused, and changed nothing; None: nobody answered,
    so it may have been applied, at any time from its start on.
    """

    client: str
    store: str
    """"swarm", or the node whose own it is."""
    start: float
    end: float
    transaction: Transaction
    succeeded: bool | None
