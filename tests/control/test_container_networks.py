"""Containers in several networks: interfaces, gateways, and networks that come and go while they run."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lab.sim.world import World
from node.control.standing import Standing
from node.errors import Failed, InvalidParameter
from node.model.container import ContainerSpec
from node.model.network import EndpointSpec, NetworkSpec
from tests.sim.play import overlay, play, reaches, settle, start

IFNAME = "com.docker.network.endpoint.ifname"
SYSCTLS = "com.docker.network.endpoint.sysctls"
PREFIX = "com.docker.network.container_iface_prefix"


async def put(world: World, name: str, **wishes: EndpointSpec) -> Standing:
    """A running container in these networks; where it stands."""
    agent = world.agent("node-1")
    spec = ContainerSpec(
        image="alpine", command=("sleep", "1000"), network_mode=next(iter(wishes)), endpoints=wishes
    )
    identity, _ = await agent.containers.create(name, spec)
    await agent.containers.start(identity)
    return standing(world, name)


def standing(world: World, name: str) -> Standing:
    agent = world.agent("node-1")
    found = agent.lives.body(agent.registry.find(name)).standing
    assert found is not None, f"{name} does not run"
    return found


def gateway(place: Standing) -> str:
    chosen = place.gateway()
    return chosen.network.name if chosen is not None else ""


async def inspected(world: World, name: str) -> dict[str, Any]:
    answer = await world.request("node-1", "GET", f"/containers/{name}/json")
    return dict(json.loads(answer.body)["NetworkSettings"])


# -- interfaces -----------------------------------------------------------------------------------


def test_interfaces_are_called_as_the_user_says() -> None:
    async def scenario(world: World) -> None:
        controller = world.agent("node-1").controller
        await controller.create(NetworkSpec(name="aaa"))
        await controller.create(NetworkSpec(name="bbb", options={PREFIX: "net"}))
        await controller.create(NetworkSpec(name="ccc"))
        named = EndpointSpec(driver_options={IFNAME: "uplink0"})
        place = await put(world, "web", aaa=EndpointSpec(), bbb=EndpointSpec(), ccc=named)
        shown = {row.name for row in place.sandbox.inspect().interfaces}
        assert shown == {"lo", "eth0", "net0", "uplink0"}

    play(scenario, nodes=1, swarm=False)


@pytest.mark.parametrize("name", ["sixteen-letters-", "a b", "a/b", "lo", ".."])
def test_interface_names_that_are_none(name: str) -> None:
    async def scenario(world: World) -> None:
        await world.agent("node-1").controller.create(NetworkSpec(name="aaa"))
        with pytest.raises(InvalidParameter, match="invalid interface name"):
            await put(world, "web", aaa=EndpointSpec(driver_options={IFNAME: name}))

    play(scenario, nodes=1, swarm=False)


def test_an_interface_name_twice_and_sysctls_are_refused() -> None:
    async def scenario(world: World) -> None:
        controller = world.agent("node-1").controller
        for name in ("aaa", "bbb"):
            await controller.create(NetworkSpec(name=name))
        twice = EndpointSpec(driver_options={IFNAME: "eth0"})
        with pytest.raises(Failed, match="file exists"):
            await put(world, "web", aaa=EndpointSpec(), bbb=twice)
        with pytest.raises(InvalidParameter, match="interfaces have no sysctls here"):
            await put(world, "app", aaa=EndpointSpec(driver_options={SYSCTLS: "net.ipv4.conf.IFNAME.x=1"}))

    play(scenario, nodes=1, swarm=False)


# -- gateways -------------------------------------------------------------------------------------


def test_the_gateway_is_the_first_by_priority_then_leads_outside_then_by_name() -> None:
    async def scenario(world: World) -> None:
        controller = world.agent("node-1").controller
        for name in ("aaa", "bbb", "ccc"):
            await controller.create(NetworkSpec(name=name, internal=name == "aaa"))
        place = await put(
            world, "web", aaa=EndpointSpec(gateway_priority=9), bbb=EndpointSpec(), ccc=EndpointSpec()
        )
        assert gateway(place) == "bbb", "an internal network leads nowhere, whatever its priority"
        await controller.disconnect("ccc", "web", force=False)
        await controller.connect("ccc", "web", EndpointSpec(gateway_priority=5))
        assert gateway(place) == "ccc"
        await controller.disconnect("ccc", "web", force=False)
        assert gateway(place) == "bbb"
        await controller.disconnect("bbb", "web", force=False)
        assert gateway(place) == ""
        assert [route for route in place.sandbox.stack.routes.listing() if route.prefix == 0] == []

    play(scenario, nodes=1, swarm=False)


def test_the_gateway_bridge_comes_and_goes() -> None:
    async def scenario(world: World) -> None:
        agent = world.agent("node-1")
        await overlay(world, "app")
        await agent.controller.create(NetworkSpec(name="mine"))
        await settle(world)
        place = await put(world, "web", app=EndpointSpec())
        assert gateway(place) == "docker_gwbridge"
        bridge = agent.controller.find("docker_gwbridge")
        names = [endpoint.name for endpoint in agent.controller.attached(bridge)]
        assert names == ["gateway_ingress-sbox", f"gateway_{agent.containers.find('web').id[:12]}"]
        await agent.controller.connect("mine", "web", EndpointSpec())
        assert (gateway(place), len(agent.controller.attached(bridge))) == ("mine", 1)
        await agent.controller.disconnect("mine", "web", force=False)
        assert gateway(place) == "docker_gwbridge"
        assert set((await inspected(world, "web"))["Networks"]) == {"app"}
        await agent.containers.remove("web", force=True)
        assert [endpoint.name for endpoint in agent.controller.attached(bridge)] == ["gateway_ingress-sbox"]

    play(scenario, nodes=1)


# -- while it is stopped, and in another's network ------------------------------------------------


def test_networks_of_a_stopped_container_are_settings_until_it_starts() -> None:
    async def scenario(world: World) -> None:
        agent = world.agent("node-1")
        for name in ("aaa", "bbb"):
            await agent.controller.create(NetworkSpec(name=name))
        await put(world, "web", aaa=EndpointSpec())
        await agent.containers.stop("web", timeout_s=0, signal=None)
        await agent.controller.connect("bbb", "web", EndpointSpec(aliases=("www",)))
        await agent.controller.disconnect("aaa", "web", force=False)
        stopped = (await inspected(world, "web"))["Networks"]
        assert [*stopped] == ["bbb"]
        assert (stopped["bbb"]["IPAddress"], stopped["bbb"]["Aliases"]) == ("", ["www"])
        assert agent.controller.attached(agent.controller.find("bbb")) == []
        await agent.containers.start("web")
        assert (await inspected(world, "web"))["Networks"]["bbb"]["IPAddress"] == "172.19.0.2"

    play(scenario, nodes=1, swarm=False)


def test_a_program_in_a_shared_network_goes_on_when_its_owner_stops() -> None:
    async def scenario(world: World) -> None:
        agent = world.agent("node-1")
        await start(world, "node-1", "owner", "bridge")
        await start(world, "node-1", "guest", "container:owner", "nc", "-l", "-p", "80")
        await start(world, "node-1", "at-home", "host", "nc", "-l", "-p", "9000")
        await agent.containers.stop("owner", timeout_s=0, signal=None)
        await settle(world, 5.0)
        assert agent.registry.find("guest").state.status == "running"
        assert agent.registry.find("at-home").state.status == "running"
        await agent.containers.stop("at-home", timeout_s=0, signal=None)
        await start(world, "node-1", "next", "host", "nc", "-l", "-p", "9000")
        await settle(world, 1.0)
        assert agent.registry.find("next").state.status == "running", "the port of the one before is free"

    play(scenario, nodes=1, swarm=False)


def test_who_shares_a_network_keeps_the_old_one_when_its_owner_starts_again() -> None:
    async def scenario(world: World) -> None:
        agent = world.agent("node-1")
        await agent.controller.create(NetworkSpec(name="mine"))
        owner = await put(world, "owner", mine=EndpointSpec())
        await start(world, "node-1", "guest", "container:owner")
        other = await start(world, "node-1", "other", "mine")
        assert (await inspected(world, "guest"))["Networks"] == {}
        assert await reaches(world, "node-1", "guest", other)
        before = standing(world, "guest").sandbox
        assert before.stack is owner.sandbox.stack
        await agent.containers.restart("owner", timeout_s=0, signal=None)
        assert standing(world, "guest").sandbox is before, "the old one, which leads nowhere now"
        assert standing(world, "owner").sandbox.stack is not before.stack
        assert not await reaches(world, "node-1", "guest", other)
        await agent.containers.restart("guest", timeout_s=0, signal=None)
        assert await reaches(world, "node-1", "guest", other)

    play(scenario, nodes=1, swarm=False)
