"""What a node remembers of plugins, of their peers and of what it owes them, and for how long."""

from __future__ import annotations

import gc

import pytest

from lab.sim.plugins import Misbehavior
from lab.sim.world import World
from node.errors import NotFound
from node.model.debt import Call
from tests.control.plugins import install, spec
from tests.sim.play import play, reaches, settle, start


def test_names_that_are_nobodys_are_not_remembered() -> None:
    async def scenario(world: World) -> None:
        agent = world.agent("node-1")
        for wish in (spec(), spec(driver="bridge")):
            with pytest.raises(NotFound):
                await agent.controller.create(wish)
        gc.collect()
        assert "example" not in agent.drivers
        assert "example" not in agent.plugins

    play(scenario, nodes=1, swarm=False)


def test_a_node_whose_plugin_comes_late_has_heard_of_the_others_meanwhile() -> None:
    async def scenario(world: World) -> None:
        install(world, "global")
        await world.agent("node-1").controller.create(spec())
        await world.kill("node-2")
        world.plugins.misbehave("example", "Plugin.Activate", Misbehavior.DEAD)
        await world.start("node-2")
        await settle(world, 3.0)
        address = await start(world, "node-1", "web", "shop")
        await settle(world, 60.0)
        world.plugins.revive("example")
        await start(world, "node-2", "late", "shop")
        await settle(world)
        assert await reaches(world, "node-2", "late", address)

    play(scenario, nodes=2)


def test_no_two_debts_ever_have_one_number() -> None:
    async def scenario(world: World) -> None:
        install(world)
        agent = world.agent("node-1")
        call = Call(plugin="example", method="NetworkDriver.Leave", body={"EndpointID": "none"})
        numbers = []
        for _ in range(3):
            await agent.debts.owe("nobody", call)
            numbers += agent.own.view.debts
            assert await agent.debts.pay("nobody")
        assert numbers == [1, 2, 3]

    play(scenario, nodes=1, swarm=False)
