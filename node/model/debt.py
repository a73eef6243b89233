"""A debt: a call that a node still owes a plugin, so that the plugin can give back what it holds."""

from __future__ import annotations

from typing import Any

import msgspec


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One request to a plugin: ``method`` as in "NetworkDriver.Leave", ``body`` as JSON has it."""

    plugin: str
    method: str
    body: dict[str, Any]


class DebtRecord(msgspec.Struct, frozen=True, kw_only=True):
    """``number`` tells the order in which debts came; they are paid the other way round."""

    number: int
    holder: str
    """The id of the network or endpoint that the plugin holds something for."""
    call: Call
    network_scope: str = ""
    """For a debt of a network, the ledger that knows whether it still exists; else empty."""
