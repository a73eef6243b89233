"""Who belongs to the swarm, as its managers change it: nodes removed, promoted, demoted, labelled.

The rules are the swarm's own (swarmkit: manager/controlapi/node.go). What a removed node owned goes free:
its endpoints are released, and no new one is made for a node without a record (plans.create_endpoint).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from kvstore.store import Compare, Delete, Put, Transaction
from node.control import keys
from node.control.codec import encode
from node.control.view import View
from node.errors import Failed, InvalidParameter
from node.model.facts import NodeSeen
from node.model.member import NodeWish
from node.model.network import EndpointRecord

_PRECONDITION = "rpc error: code = FailedPrecondition desc = "


def check_removal(seen: NodeSeen, *, force: bool) -> None:
    """A manager is demoted first, and who lives is only removed by force. Raises InvalidParameter."""
    begin = f"{_PRECONDITION}node {seen.record.id}"
    if seen.record.role == "manager":
        raise InvalidParameter(
            f"{begin} is a cluster manager and is a member of the raft cluster. "
            "It must be demoted to worker before removal"
        )
    if seen.member is not None and not force:
        raise InvalidParameter(f"{begin} is not down and can't be removed")


def check_update(nodes: Sequence[NodeSeen], seen: NodeSeen, version: int, wish: NodeWish) -> None:
    """Nobody wrote meanwhile, and enough managers remain. Raises InvalidParameter, Failed."""
    if wish.role == "worker" and seen.record.role == "manager":
        managers = [node for node in nodes if node.record.role == "manager"]
        if len(managers) == 1:
            raise InvalidParameter(f"{_PRECONDITION}attempting to demote the last manager of the swarm")
        reachable = sum(node.member is not None for node in managers if node.record.id != seen.record.id)
        if reachable < (len(managers) - 1) // 2 + 1:
            raise InvalidParameter(
                f"{_PRECONDITION}can't remove member from the raft: this would result in a loss of quorum"
            )
    if version != seen.version:
        raise Failed("rpc error: code = Unknown desc = update out of sequence")


def removal(view: View, name: str) -> Transaction:
    """A node without its record, alive or not; nothing to do when it has gone."""
    node, member = keys.node(name), keys.member(name)
    if not view.modified(node):
        return Transaction()
    compares = tuple(Compare(key, view.modified(key)) for key in (node, member))
    return Transaction(compares, (Delete(node), Delete(member)))


def update(view: View, name: str, wish: NodeWish) -> Transaction:
    """A node's record as its managers want it."""
    key = keys.node(name)
    record = msgspec.structs.replace(
        view.nodes[name], role=wish.role, availability=wish.availability, labels=wish.labels
    )
    return Transaction((Compare(key, view.modified(key)),), (Put(key, encode(record)),))


def ownerless(view: View) -> Iterator[EndpointRecord]:
    """Endpoints of nodes that do not belong to the swarm any more."""
    if view.owners() <= view.nodes.keys():
        return iter(())
    removed = sorted(view.owners() - view.nodes.keys())
    return (endpoint for node in removed for endpoint in view.endpoints_on(node).values())
