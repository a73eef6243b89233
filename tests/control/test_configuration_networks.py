"""Configuration networks: `--config-only` and `--config-from`, on a whole node."""

from __future__ import annotations

from typing import Any

import pytest

from lab.sim.world import World
from node.errors import Forbidden, NotFound
from node.model.network import EndpointSpec, NetworkSpec, Subnet
from tests.sim.play import play, start

CONFIGURATION = NetworkSpec(
    name="config",
    driver="bridge",
    config_only=True,
    subnets=(Subnet(subnet="10.60.0.0/24", range="10.60.0.128/25", given=True),),
    options={"com.docker.network.driver.mtu": "1400"},
    labels={"a": "b"},
)


async def inspected(world: World, name: str) -> dict[str, Any]:
    import json

    answer = await world.request("node-1", "GET", f"/networks/{name}")
    assert answer.status == 200
    return dict(json.loads(answer.body))


def test_a_network_is_made_with_the_settings_of_another() -> None:
    async def scenario(world: World) -> None:
        controller = world.agent("node-1").controller
        await controller.create(CONFIGURATION)
        await controller.create(NetworkSpec(name="mine", config_from="config", internal=True))
        config, mine = await inspected(world, "config"), await inspected(world, "mine")
        assert (config["Driver"], config["Scope"], config["ConfigOnly"]) == ("null", "local", True)
        assert (mine["Driver"], mine["ConfigOnly"], mine["Internal"]) == ("bridge", False, True)
        assert (config["ConfigFrom"], mine["ConfigFrom"]) == ({"Network": ""}, {"Network": "config"})
        for shown in ("Options", "Labels"):
            assert config[shown] == mine[shown]
        assert config["IPAM"]["Config"] == [{"Subnet": "10.60.0.0/24", "IPRange": "10.60.0.128/25"}]
        assert mine["IPAM"]["Config"] == config["IPAM"]["Config"]
        # The gateway is the first address of the range (moby: ipamAllocateVersion), unless named.
        assert await start(world, "node-1", "web", "mine") == "10.60.0.129"
        assert controller.find("mine").subnets[0].gateway == "10.60.0.128"

    play(scenario, nodes=1, swarm=False)


def test_its_settings_take_nothing_away_and_nobody_stands_in_it() -> None:
    async def scenario(world: World) -> None:
        agent = world.agent("node-1")
        await agent.controller.create(CONFIGURATION)
        await agent.controller.create(
            NetworkSpec(name="other", subnets=(Subnet(subnet="10.60.0.0/16", given=True),))
        )
        await start(world, "node-1", "web", "other")
        with pytest.raises(Forbidden, match="cannot create endpoint on configuration-only network"):
            await agent.controller.connect("config", "web", EndpointSpec())
        with pytest.raises(Forbidden, match="failed to set up container networking: cannot create endpoint"):
            await start(world, "node-1", "lost", "config")

    play(scenario, nodes=1, swarm=False)


def test_one_in_use_is_not_removed_and_none_is_pruned() -> None:
    async def scenario(world: World) -> None:
        controller = world.agent("node-1").controller
        await controller.create(CONFIGURATION)
        await controller.create(NetworkSpec(name="mine", config_from="config"))
        with pytest.raises(Forbidden, match=r'configuration network "config" is in use'):
            await controller.remove("config")
        assert await controller.prune(lambda network: True) == ["mine"]
        assert await controller.prune(lambda network: True) == []
        await controller.remove("config")
        with pytest.raises(NotFound, match=r'configuration network "config" does not exist'):
            await controller.create(NetworkSpec(name="late", config_from="config"))
        with pytest.raises(NotFound, match=r'configuration network "bridge" does not exist'):
            await controller.create(NetworkSpec(name="late", config_from="bridge"))

    play(scenario, nodes=1, swarm=False)


def test_an_overlay_takes_its_settings_from_one_of_the_node() -> None:
    async def scenario(world: World) -> None:
        controller = world.agent("node-1").controller
        await controller.create(CONFIGURATION)
        await controller.create(
            NetworkSpec(name="app", driver="overlay", config_from="config", attachable=True)
        )
        assert controller.find("app").subnets[0].subnet == "10.60.0.0/24"
        assert await start(world, "node-1", "web", "app") == "10.60.0.129"

    play(scenario, nodes=1)
