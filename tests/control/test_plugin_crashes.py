"""A node dies while it deals with a plugin, or does not hear what became of it: nothing leaks then either."""

from __future__ import annotations

import asyncio
import json

import pytest

from lab.sim.plugins import Misbehavior
from lab.sim.world import World
from node.chaos.faults import Injection, Scope
from node.chaos.kinds import Plane, StalledWatch
from node.errors import Unavailable
from tests.control.plugins import NOTHING, install, methods, spec, tables
from tests.control.test_plugin_errors import CREATING
from tests.sim.play import play, settle, start


@pytest.mark.parametrize("scope", ["local", "global"])
def test_after_a_crash_the_plugin_hears_what_has_gone_and_networks_are_back(scope: str) -> None:
    async def scenario(world: World) -> None:
        plugin = install(world, scope)
        agent = world.agent("node-1")
        await agent.controller.create(spec())
        state = json.dumps(plugin.state)
        await start(world, "node-1", "web", "shop")
        assert plugin.state["endpoints"]
        await world.kill("node-1")
        agent = await world.start("node-1")
        await settle(world, 8.0)
        assert json.dumps(plugin.state) == state
        info = json.loads((await world.request("node-1", "GET", "/info")).body)
        assert "example" in info["Plugins"]["Network"]
        await agent.containers.start("web")
        await agent.containers.remove("web", force=True)
        await agent.controller.remove("shop")
        await settle(world, 3.0)
        assert plugin.state == NOTHING

    play(scenario, nodes=1, swarm=scope == "global")


@pytest.mark.parametrize("method", [*CREATING, "NetworkDriver.CreateEndpoint", "NetworkDriver.Join"])
@pytest.mark.parametrize("scope", ["local", "global"])
def test_a_node_killed_while_it_waits_for_its_plugin_leaves_nothing(scope: str, method: str) -> None:
    async def scenario(world: World) -> None:
        plugin = install(world, scope)
        before = tables(world)
        is_creating = method in CREATING
        if not is_creating:
            await world.agent("node-1").controller.create(spec())
            before = tables(world)
        state = json.dumps(plugin.state)
        world.plugins.misbehave("example", method, Misbehavior.HANG)
        agent = world.agent("node-1")
        work = agent.controller.create(spec()) if is_creating else start(world, "node-1", "web", "shop")
        task = asyncio.get_running_loop().create_task(work)
        await settle(world, 2.0)
        if task.done():
            return  # this scope does not ask that
        await world.kill("node-1")
        task.cancel()
        world.plugins.revive("example")
        await world.start("node-1")
        await settle(world, 10.0)
        assert tables(world) == before
        assert json.dumps(plugin.state) == state

    play(scenario, nodes=1, swarm=scope == "global")


def test_a_network_that_was_committed_unheard_keeps_its_plugin() -> None:
    async def scenario(world: World) -> None:
        plugin = install(world, "global")
        agent = world.agent("node-1")
        await agent.controller.create(spec("first"))
        stall = Injection(StalledWatch(), Scope(planes=(Plane.STORE,)), 20.0)
        agent.faults.inject(stall, world.clock.now())
        with pytest.raises(Unavailable, match="watch is stalled"):
            await agent.controller.create(spec())
        await settle(world, 5.0)
        assert "NetworkDriver.FreeNetwork" not in methods(world)
        await settle(world, 20.0)
        assert agent.controller.find("shop").driver == "example"
        assert len(plugin.state["pools"]) == 2

    play(scenario)
