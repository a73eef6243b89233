"""Whose work something is: every task and callback of a simulated node runs in that node's context.

    loop.call_soon(step of a task of node-2) --> is node-2 frozen? --> put aside until it goes on

So a node can be frozen as SIGSTOP freezes a process, whatever it was doing: no part of it has to help.
"""

from __future__ import annotations

from contextvars import Context, ContextVar, copy_context


class Gate:
    """The mark of one node's work; the loop knows whether it is shut."""

    __slots__ = ("context", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.context: Context = copy_context()
        """What is begun here, and whatever that begins, belongs to the node."""


OUTSIDE = Gate("")
"""Of what belongs to no node; it is never shut."""
_CURRENT: ContextVar[Gate] = ContextVar("gate", default=OUTSIDE)


def gate_for(node: str) -> Gate:
    """A fresh gate, with a context that is marked as its own."""
    gate = Gate(node)
    gate.context.run(_CURRENT.set, gate)
    return gate


def gate_of(context: Context | None) -> Gate:
    """To whom a context belongs; None: the present one."""
    return _CURRENT.get() if context is None else context.get(_CURRENT, OUTSIDE)
