"""Nodes that managers remove from the swarm, promote and demote, in a simulated world."""

from __future__ import annotations

import pytest

from kvstore.store import Delete, Transaction
from lab.sim.world import World
from node.errors import InvalidParameter, NodeError, Unavailable
from node.model.facts import NodeSeen
from node.model.member import NodeWish
from node.model.network import NetworkSpec, Subnet
from tests.sim.play import overlay, play, reaches, settle, start, swarm_keys

DOWN_S = 4.0
WORKER = NodeWish(role="worker", availability="active", labels={})
MANAGER = NodeWish(role="manager", availability="active", labels={})


def seen(world: World, name: str, by: str = "node-1") -> NodeSeen:
    nodes = world.agent(by).swarm.nodes()
    return next(node for node in nodes if node.record.name == name)


async def remove(world: World, name: str, *, force: bool = False) -> None:
    await world.agent("node-1").swarm.remove(seen(world, name).record.id, force=force)


async def update(world: World, name: str, wish: NodeWish) -> None:
    node = seen(world, name)
    await world.agent("node-1").swarm.update(node.record.id, node.version, wish)


def test_what_a_removed_node_owned_goes_free() -> None:
    async def scenario(world: World) -> None:
        subnet = Subnet(subnet="10.0.9.0/24", given=True)
        wish = NetworkSpec(name="app", driver="overlay", attachable=True, subnets=(subnet,))
        await world.agent("node-1").controller.create(wish)
        await settle(world)
        await start(world, "node-4", "lost", "app", address="10.0.9.7")
        with pytest.raises(InvalidParameter, match=r"node \w{25} is not down and can't be removed$"):
            await remove(world, "node-4")
        await world.kill("node-4")
        await settle(world, DOWN_S)
        await remove(world, "node-4")
        assert [key for key in await swarm_keys(world) if "node-4" in key or "10.0.9.7" in key] == []
        assert await start(world, "node-1", "heir", "app", address="10.0.9.7") == "10.0.9.7"
        await world.start("node-4")  # the lab lets it join again
        await settle(world)
        assert seen(world, "node-4").member is not None
        assert await start(world, "node-4", "new", "app") == "10.0.9.2"

    play(scenario, nodes=4)


def test_a_manager_that_is_down_is_demoted_and_then_removed() -> None:
    async def scenario(world: World) -> None:
        await world.kill("node-3")
        await settle(world, DOWN_S)
        with pytest.raises(InvalidParameter, match="It must be demoted to worker before removal"):
            await remove(world, "node-3", force=True)
        await update(world, "node-3", WORKER)
        await remove(world, "node-3")
        assert [node.record.name for node in world.agent("node-1").swarm.nodes()] == [
            "node-1",
            "node-2",
        ]
        await world.kill("node-2")
        await settle(world, DOWN_S)
        with pytest.raises(InvalidParameter, match="this would result in a loss of quorum"):
            await update(world, "node-1", WORKER)

    play(scenario)


def test_a_node_that_lives_is_removed_by_force_and_knows_it() -> None:
    async def scenario(world: World) -> None:
        await overlay(world, "app")
        address = await start(world, "node-4", "lost", "app")
        await start(world, "node-1", "web", "app")
        assert await reaches(world, "node-1", "web", address)
        await remove(world, "node-4", force=True)
        await settle(world, DOWN_S)
        assert [key for key in await swarm_keys(world) if "node-4" in key or address in key] == []
        assert not await reaches(world, "node-1", "web", address)
        removed = world.agent("node-4")
        assert removed.swarm.facts().state == "error"
        with pytest.raises(Unavailable, match="not a swarm manager"):
            removed.swarm.nodes()
        with pytest.raises(NodeError, match="node node-4 does not belong to the swarm"):
            await start(world, "node-4", "more", "app")
        await removed.containers.remove("lost", force=True)
        await start(world, "node-4", "own", "bridge")
        await world.kill("node-4")
        await world.start("node-4")
        await settle(world)
        assert removed is not world.agent("node-4")
        assert world.agent("node-4").swarm.facts().state == "active"

    play(scenario, nodes=4)


def test_a_node_that_was_away_when_it_was_removed_does_not_come_back_by_itself() -> None:
    async def scenario(world: World) -> None:
        await overlay(world, "app")
        await start(world, "node-4", "lost", "app")
        world.freeze("node-4")
        await settle(world, DOWN_S)
        await remove(world, "node-4")
        world.thaw("node-4")
        await settle(world, DOWN_S)
        assert [key for key in await swarm_keys(world) if "node-4" in key] == []
        assert world.agent("node-4").swarm.facts().state == "error"

    play(scenario, nodes=4)


def test_records_of_removed_nodes_that_were_left_are_swept() -> None:
    async def scenario(world: World) -> None:
        await overlay(world, "app")
        address = await start(world, "node-4", "lost", "app")
        await world.kill("node-4")
        await settle(world, DOWN_S)
        session = world.store.session("test")
        gone = Transaction((), (Delete("/shoal/v1/nodes/node-4"),))
        await session.commit(gone)  # its remover died half-way
        await settle(world, 2.0)
        assert [key for key in await swarm_keys(world) if address in key] == []

    play(scenario, nodes=4)


def test_a_promoted_worker_manages_and_a_demoted_manager_does_not() -> None:
    async def scenario(world: World) -> None:
        spec = NetworkSpec(name="app", driver="overlay")
        with pytest.raises(NodeError, match="from a worker node"):
            await world.agent("node-4").controller.create(spec)
        await update(world, "node-4", MANAGER)
        await settle(world)
        await world.agent("node-4").controller.create(spec)
        assert seen(world, "node-1", by="node-4").leader
        await update(world, "node-4", WORKER)
        await settle(world)
        with pytest.raises(Unavailable, match="Worker nodes can't be used"):
            world.agent("node-4").swarm.nodes()
        await world.kill("node-4")
        await world.start("node-4")
        await settle(world)
        assert seen(world, "node-4").record.role == "worker"

    play(scenario, nodes=4)
