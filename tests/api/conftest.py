"""The Engine API over an in-memory backend."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from node.api.app import App
from node.edge.clock import SystemClock
from node.model.facts import NodeSeen, SwarmFacts
from node.model.member import Member, NodeRecord, Role
from tests.api.memory import Node
from tests.api.memory_backend import memory_backend


@pytest.fixture
async def node() -> AsyncIterator[Node]:
    """The state behind the API."""
    state = Node(SystemClock())
    yield state
    await state.close()


@pytest.fixture
def app(node: Node) -> App:
    """The API over it."""
    return App(memory_backend(node), node.clock)


@pytest.fixture
def swarm(node: Node) -> None:
    """Three nodes: a leader, which is this one, a manager that is down, and a worker."""
    node.nodes = [seen(1, leader=True), seen(2, alive=False), seen(3, "worker")]
    managers = tuple((n.record.id, f"{n.record.lan_address}:2377") for n in node.nodes[:2])
    node.swarm = SwarmFacts(
        state="active",
        node_id="1" * 25,
        node_address="192.168.65.2",
        manager=True,
        managers=managers,
        nodes=3,
        cluster_id="c" * 25,
        created="2026-01-01T00:00:00Z",
        version=5,
    )


def seen(number: int, role: Role = "manager", *, alive: bool = True, leader: bool = False) -> NodeSeen:
    """A node of the swarm as a manager sees it."""
    name, address = f"node-{number}", f"192.168.65.{number + 1}"
    record = NodeRecord(
        id=f"{number}" * 25, name=name, role=role, created="2026-01-01T00:00:00Z", lan_address=address
    )
    member = Member(
        id=record.id,
        name=name,
        lan_address=address,
        underlay_address=f"127.0.0.{number}",
        control_address=f"127.0.0.{number}:2377",
        started="2026-01-01T00:00:00Z",
    )
    return NodeSeen(record=record, member=member if alive else None, leader=leader, version=7)
