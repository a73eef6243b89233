"""Worlds in which much happens, and nothing is wrong: no checker complains."""

from __future__ import annotations

import pytest

from lab.sim.world import World
from node.chaos.faults import Injection, Scope
from node.chaos.kinds import Duplicate, Loss, Partition, Plane
from tests.checkers.watched import violations
from tests.sim.play import address_of, overlay, reaches, settle, start


async def populate(world: World) -> None:
    """Two overlay networks, nine containers on three nodes."""
    await overlay(world, "web")
    await overlay(world, "app", "node-2")
    for number in range(9):
        await start(world, f"node-{number % 3 + 1}", f"c{number}", ("web", "app")[number % 2])
    await settle(world)
    assert await reaches(world, "node-1", "c0", address_of(world, "node-3", "c2"))
    assert not await reaches(world, "node-1", "c0", address_of(world, "node-1", "c3"))


@pytest.mark.parametrize("seed", [1, 2])
def test_a_node_dies_and_comes_back(seed: int) -> None:
    async def act(world: World) -> None:
        await populate(world)
        await world.kill("node-2")
        await settle(world, 10)
        await world.start("node-2")
        for number in (0, 2, 5):
            await world.agent(f"node-{number % 3 + 1}").containers.remove(f"c{number}", force=True)
        await start(world, "node-2", "late", "web")

    assert violations(act, seed=seed) == []


def test_faults_come_and_go() -> None:
    async def act(world: World) -> None:
        await populate(world)
        for name, kind, planes in (
            ("node-1", Partition(), (Plane.DATA, Plane.STORE)),
            ("node-2", Loss(0.5), (Plane.DATA,)),
            ("node-3", Duplicate(0.5), (Plane.DATA,)),
        ):
            world.agent(name).faults.inject(Injection(kind, Scope(planes=planes), 8.0), world.clock.now())
        for _ in range(5):
            await reaches(world, "node-2", "c4", address_of(world, "node-3", "c2"))
            await reaches(world, "node-1", "c0", address_of(world, "node-3", "c2"))
        await world.agent("node-1").containers.remove("c0", force=True)

    assert violations(act) == []
