"""A container that somebody removes while it is about to start."""

from __future__ import annotations

import asyncio

import pytest

from lab.sim.world import World
from node.errors import Conflict, Failed, NodeError
from node.model.container import ContainerSpec
from node.model.network import EndpointSpec, NetworkSpec
from tests.sim.play import overlay, play, settle


async def starting(world: World) -> asyncio.Task[None]:
    """A container `slow` whose start waits for an address of the swarm."""
    await overlay(world, "app")
    await settle(world)
    agent = world.agent("node-1")
    await agent.controller.create(NetworkSpec(name="mine"))
    await agent.containers.create("slow", ContainerSpec(image="nginx", network_mode="app"))
    start = asyncio.ensure_future(agent.containers.start("slow"))
    await asyncio.sleep(0)
    return start


def test_what_is_being_removed_is_marked() -> None:
    async def scenario(world: World) -> None:
        start = await starting(world)
        agent = world.agent("node-1")
        identity = agent.containers.find("slow").id
        removal = asyncio.ensure_future(agent.containers.remove("slow", force=True))
        await asyncio.sleep(0)
        with pytest.raises(Conflict, match="removal of container slow is already in progress"):
            await agent.containers.remove("slow", force=True)
        with pytest.raises(Conflict, match="container is marked for removal and cannot be started"):
            await agent.containers.start("slow")
        marked = f"Container {identity} is marked for removal and cannot be connected or disconnected"
        with pytest.raises(Failed, match=marked):
            await agent.controller.connect("mine", "slow", EndpointSpec())
        with pytest.raises(Failed, match=marked):
            await agent.controller.disconnect("app", "slow", force=False)
        await asyncio.gather(start, removal)
        assert agent.containers.list() == []
        assert agent.controller.endpoints(agent.controller.find("app")) == []

    play(scenario, nodes=1)


def test_without_force_whoever_started_first_wins() -> None:
    async def scenario(world: World) -> None:
        start = await starting(world)
        agent = world.agent("node-1")
        removal = asyncio.ensure_future(agent.containers.remove("slow", force=False))
        results: list[NodeError | None] = await asyncio.gather(start, removal, return_exceptions=True)  # type: ignore[arg-type]
        assert results[0] is None
        assert "container is running: stop the container before removing" in str(results[1])
        assert agent.containers.find("slow").state.status == "running"
        await agent.containers.remove("slow", force=True)

    play(scenario, nodes=1)
