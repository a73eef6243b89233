"""What every Control promises: gRPC between processes, and calls on the simulated fabric."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field

import pytest

from lab.sim.fabric import Fabric
from node.chaos.control import Unanswered
from node.edge.clock import SystemClock
from node.edge.control import GrpcControl
from node.seams import Control, Unreachable
from tests.edge_places import free_port, some_address
from tests.rpc_nodes import serving

TIMEOUT_S = 5.0
SHORT_S = 0.2


@dataclass
class Answers:
    """What a node says, and what it was told."""

    revision: int = 0
    told: list[tuple[str, int]] = field(default_factory=list)
    probes: list[str] = field(default_factory=list)
    refusal: Unreachable | None = None

    def probed(self, sender: str) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.probes.append(sender)

    def announced(self, sender: str, revision: int) -> int:
        if self.refusal is not None:
            raise self.refusal
        self.told.append((sender, revision))
        return self.revision


@dataclass(frozen=True)
class Pair:
    """A node that asks, and one that answers at an address until it is stopped."""

    asking: Control
    answering: Control
    address: str
    stop: Callable[[], Awaitable[None]]


@asynccontextmanager
async def fabric_pair() -> AsyncIterator[Pair]:
    """Two nodes on the simulated fabric."""
    fabric = Fabric(SystemClock(), random.Random(1))

    async def stop() -> None:
        fabric.disconnect("10.99.0.2")

    yield Pair(fabric.control("10.99.0.1"), fabric.control("10.99.0.2"), "10.99.0.2:2377", stop)


@asynccontextmanager
async def grpc_pair() -> AsyncIterator[Pair]:
    """Two nodes that speak gRPC."""
    address = some_address()
    port = free_port(address, socket.SOCK_STREAM)
    asking, answering = GrpcControl(SystemClock()), GrpcControl(SystemClock())
    async with serving(address, port, answering) as server:
        yield Pair(asking, answering, f"{address}:{port}", lambda: server.stop(0))
        await asking.close()


@pytest.fixture(params=[fabric_pair, grpc_pair], ids=["fabric", "grpc"])
async def pair(request: pytest.FixtureRequest) -> AsyncIterator[Pair]:
    """A pair of each kind."""
    opened: AbstractAsyncContextManager[Pair] = request.param()
    async with opened as made:
        yield made


async def test_a_probe_is_heard_and_measured(pair: Pair) -> None:
    answers = Answers()
    pair.answering.serve(answers)
    round_trip_s = await pair.asking.probe(pair.address, sender="node-1", timeout_s=TIMEOUT_S)
    assert 0 < round_trip_s < TIMEOUT_S
    assert answers.probes == ["node-1"]


async def test_an_announcement_is_answered_with_the_revision_of_the_others_view(pair: Pair) -> None:
    answers = Answers(revision=2**40)
    pair.answering.serve(answers)
    answer = await pair.asking.announce(pair.address, sender="node-1", revision=2**41, timeout_s=TIMEOUT_S)
    assert answer == 2**40
    assert answers.told == [("node-1", 2**41)]


async def test_many_calls_at_once(pair: Pair) -> None:
    answers = Answers()
    pair.answering.serve(answers)
    calls = [
        pair.asking.announce(pair.address, sender="node-1", revision=number, timeout_s=TIMEOUT_S)
        for number in range(50)
    ]
    await asyncio.gather(*calls)
    assert sorted(revision for _, revision in answers.told) == list(range(50))


async def test_a_node_that_does_not_answer_is_unreachable(pair: Pair) -> None:
    with pytest.raises(Unreachable):
        await pair.asking.probe(pair.address, sender="node-1", timeout_s=SHORT_S)


async def test_a_node_that_is_gone_is_unreachable(pair: Pair) -> None:
    pair.answering.serve(Answers())
    await pair.asking.probe(pair.address, sender="node-1", timeout_s=TIMEOUT_S)
    await pair.stop()
    with pytest.raises(Unreachable):
        await pair.asking.probe(pair.address, sender="node-1", timeout_s=SHORT_S)
    with pytest.raises(Unreachable):
        await pair.asking.announce(pair.address, sender="node-1", revision=1, timeout_s=SHORT_S)


@pytest.mark.parametrize("refusal", [Unreachable("refused"), Unanswered("swallowed")])
async def test_a_node_that_will_not_answer_is_unreachable(pair: Pair, refusal: Unreachable) -> None:
    pair.answering.serve(Answers(refusal=refusal))
    with pytest.raises(Unreachable):
        await pair.asking.probe(pair.address, sender="node-1", timeout_s=SHORT_S)
    with pytest.raises(Unreachable):
        await pair.asking.announce(pair.address, sender="node-1", revision=1, timeout_s=SHORT_S)
