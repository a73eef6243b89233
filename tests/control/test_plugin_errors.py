"""Plugins that fail in each of their calls, in each way: told, undone, and nothing leaks."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from lab.sim.plugins import Misbehavior
from lab.sim.world import World
from node.errors import Failed, NodeError
from tests.control.plugins import NOTHING, Liar, calm, install, spec, tables
from tests.sim.play import play, settle, start

CREATING = {
    "IpamDriver.GetDefaultAddressSpaces": "{}",
    "IpamDriver.RequestPool": "{}",
    "IpamDriver.RequestAddress": "failed to allocate gateway (<nil>): {}",
    "NetworkDriver.CreateNetwork": "{}",
    "NetworkDriver.AllocateNetwork": "{}",
}
STARTING = {
    "IpamDriver.RequestAddress": "{}",
    "NetworkDriver.CreateEndpoint": "failed to create endpoint web on network shop: {}",
    "NetworkDriver.Join": "{}",
    "NetworkDriver.ProgramExternalConnectivity": (
        "driver failed programming external connectivity on endpoint web ("
    ),
}
NAMED_BY_THE_PLUGIN = ("IpamDriver.RequestPool", "IpamDriver.RequestAddress")
"""If the answer is lost, nobody but the plugin knows what it gave: nobody can give it back."""
UNDOING = (
    "NetworkDriver.RevokeExternalConnectivity",
    "NetworkDriver.Leave",
    "NetworkDriver.DeleteEndpoint",
    "IpamDriver.ReleaseAddress",
    "NetworkDriver.DeleteNetwork",
    "IpamDriver.ReleasePool",
)


def words(how: Misbehavior, method: str) -> str:
    """The engine's words for it, or ours where Go's JSON decoder has its own."""
    post = f'Post "http://plugin.moby.localhost/{method}": '
    return {
        Misbehavior.DEAD: post + "dial unix /run/example.sock: connect: connection refused",
        Misbehavior.DIE: post + "dial unix /run/example.sock: connect: connection refused",
        Misbehavior.HANG: post + "context deadline exceeded",
        Misbehavior.STATUS_500: f"{method}: something broke",
        Misbehavior.NOT_JSON: f"{method}: the plugin's answer makes no sense",
        Misbehavior.NOT_UNICODE: f"{method}: the plugin's answer makes no sense",
        Misbehavior.EMPTY: "EOF",
        Misbehavior.DEEP: f"{method}: the plugin's answer makes no sense",
        Misbehavior.WRONG_TYPES: f"{method}: the plugin's answer makes no sense",
        Misbehavior.HUGE: f"{method}: the plugin's answer is longer than 1048576 bytes",
    }[how]


@pytest.mark.parametrize("how", Misbehavior)
@pytest.mark.parametrize("scope", ["local", "global"])
def test_a_network_that_cannot_be_created_leaves_nothing(scope: str, how: Misbehavior) -> None:
    async def scenario(world: World) -> None:
        plugin = install(world, scope)
        agent = world.agent("node-1")
        await agent.controller.create(spec())
        await agent.controller.remove("shop")
        before = tables(world)
        for method, text in CREATING.items():
            if method == f"NetworkDriver.{'AllocateNetwork' if scope == 'local' else 'CreateNetwork'}":
                continue
            world.plugins.misbehave("example", method, how)
            with pytest.raises(Failed) as error:
                await agent.controller.create(spec())
            assert str(error.value).startswith(text.format(words(how, method))), method
            assert [n.name for n in agent.controller.list() if n.name == "shop"] == []
            await calm(world)
            assert tables(world) == before, method
            if method not in NAMED_BY_THE_PLUGIN:
                assert plugin.state == NOTHING, method
            plugin.state = json.loads(json.dumps(NOTHING))
        await agent.controller.create(spec())

    play(scenario, nodes=1, swarm=scope == "global")


@pytest.mark.parametrize("how", Misbehavior)
@pytest.mark.parametrize("scope", ["local", "global"])
def test_a_container_that_cannot_be_started_leaves_nothing(scope: str, how: Misbehavior) -> None:
    async def scenario(world: World) -> None:
        plugin = install(world, scope)
        agent = world.agent("node-1")
        await agent.controller.create(spec())
        before, state = tables(world), json.dumps(plugin.state)
        starting = dict(STARTING)
        if scope == "global":
            del starting["NetworkDriver.ProgramExternalConnectivity"]  # docker_gwbridge is the gateway there
            starting["NetworkDriver.CreateNetwork"] = "{}"
        for method, text in starting.items():
            world.plugins.misbehave("example", method, how)
            with pytest.raises(Failed) as error:
                await start(world, "node-1", "web", "shop")
            told = text.format(words(how, method))
            assert str(error.value).startswith(f"failed to set up container networking: {told}"), method
            await agent.containers.remove("web", force=True)
            await calm(world)
            assert tables(world) == before, method
            if method not in NAMED_BY_THE_PLUGIN:
                assert json.dumps(plugin.state) == state, method
            plugin.state = json.loads(state)
        await start(world, "node-1", "web", "shop")

    play(scenario, nodes=1, swarm=scope == "global")


@pytest.mark.parametrize("how", Misbehavior)
def test_what_is_given_back_is_given_back_even_if_the_plugin_does_not_hear_of_it(how: Misbehavior) -> None:
    async def scenario(world: World) -> None:
        plugin = install(world)
        agent = world.agent("node-1")
        before = tables(world)
        for method in UNDOING:
            await agent.controller.create(spec())
            await start(world, "node-1", "web", "shop")
            world.plugins.misbehave("example", method, how)
            await agent.containers.remove("web", force=True)
            await agent.controller.remove("shop")
            assert [n.name for n in agent.controller.list() if n.name == "shop"] == []
            await calm(world)
            assert (tables(world), plugin.state) == (before, NOTHING), method

    play(scenario, nodes=1, swarm=False)


def test_one_that_is_away_is_asked_again_after_1_2_4_and_8_seconds() -> None:
    async def scenario(world: World) -> None:
        install(world)
        await world.agent("node-1").controller.create(spec())
        world.plugins.misbehave("example", "IpamDriver.RequestAddress", Misbehavior.DEAD)
        begun = world.clock.now()
        with pytest.raises(Failed):
            await start(world, "node-1", "web", "shop")
        assert world.clock.now() - begun == pytest.approx(15.0, abs=0.1)
        attempt = start(world, "node-1", "late", "shop")
        task = asyncio.get_running_loop().create_task(attempt)
        await settle(world, 6.5)
        world.plugins.revive("example")
        assert await task == "10.200.0.2"

    play(scenario, nodes=1, swarm=False)


def test_who_ends_a_container_waits_once_for_a_plugin_that_hangs_and_not_for_each_call() -> None:
    async def scenario(world: World) -> None:
        plugin = install(world)
        agent = world.agent("node-1")
        await agent.controller.create(spec())
        await start(world, "node-1", "web", "shop")
        for method in UNDOING:
            world.plugins.misbehave("example", method, Misbehavior.HANG)
        begun = world.clock.now()
        await agent.containers.remove("web", force=True)
        await agent.controller.remove("shop")
        assert world.clock.now() - begun < 3.5
        await calm(world)
        assert plugin.state == NOTHING

    play(scenario, nodes=1, swarm=False)


# -- plugins that lie ------------------------------------------------------------------------------

ROLLED_BACK_ENDPOINT = "failed to create endpoint web on network shop: {}; rolled back"
LIES: list[tuple[str, str, dict[str, Any], str]] = [
    (
        "a changed address",
        "CreateEndpoint",
        {"Interface": {"Address": "10.200.0.77/24"}},
        ROLLED_BACK_ENDPOINT.format(
            "driver modified interface address: endpoint interface IP present (10.200.0.2/24). "
            "Cannot be modified with (10.200.0.77/24)."
        ),
    ),
    (
        "an address that is none",
        "CreateEndpoint",
        {"Interface": {"Address": "everywhere"}},
        ROLLED_BACK_ENDPOINT.format("invalid CIDR address: everywhere"),
    ),
    (
        "an address with a netmask",
        "CreateEndpoint",
        {"Interface": {"Address": "10.200.0.9/255.255.255.0"}},
        ROLLED_BACK_ENDPOINT.format("invalid CIDR address: 10.200.0.9/255.255.255.0"),
    ),
    (
        "an error that is none",
        "CreateEndpoint",
        {"Err": 5},
        "failed to create endpoint web on network shop: NetworkDriver.CreateEndpoint: "
        "the plugin's answer makes no sense: Expected `str | null`, got `int` - at `$.Err`",
    ),
    (
        "a MAC address that is none",
        "CreateEndpoint",
        {"Interface": {"MacAddress": "02:zz"}},
        ROLLED_BACK_ENDPOINT.format("address 02:zz: invalid MAC address"),
    ),
    (
        "a group's MAC address",
        "CreateEndpoint",
        {"Interface": {"MacAddress": "01:00:5e:00:00:01"}},
        ROLLED_BACK_ENDPOINT.format("address 01:00:5e:00:00:01: no interface can have this MAC address"),
    ),
    ("a gateway that is none", "Join", {"Gateway": "up"}, 'unable to parse Gateway "up"; rolled back'),
    (
        "a gateway out of reach",
        "Join",
        {"Gateway": "192.0.2.1"},
        "failed to set gateway while updating gateway: network is unreachable; rolled back",
    ),
    (
        "a route to nowhere",
        "Join",
        {"StaticRoutes": [{"Destination": "x", "RouteType": 1}]},
        "invalid CIDR address: x; rolled back",
    ),
    (
        "a route over nobody",
        "Join",
        {"StaticRoutes": [{"Destination": "10.9.0.0/16", "RouteType": 0, "NextHop": "nobody"}]},
        "failed to parse nexthop IP nobody; rolled back",
    ),
    (
        "a route out of reach",
        "Join",
        {"StaticRoutes": [{"Destination": "10.9.0.0/16", "RouteType": 0, "NextHop": "192.0.2.1"}]},
        "failed to set static route: 10.9.0.0/16: Network is unreachable; rolled back",
    ),
    (
        "a name that is none",
        "Join",
        {"InterfaceName": {"SrcName": "x", "DstPrefix": "../../x"}},
        'failed to set interface name: "../../x" cannot begin one; rolled back',
    ),
    (
        "an address outside the pool",
        "RequestAddress",
        {"Address": "192.0.2.7/24"},
        "invalid address 192.0.2.7: It does not belong to any of this network's subnets",
    ),
    (
        "somebody else's address",
        "RequestAddress",
        {"Address": "10.200.0.1/24"},
        "IPAM plugin example gave address 10.200.0.1 twice",
    ),
    ("no address", "RequestAddress", {"Address": ""}, "no address returned"),
]


@pytest.mark.parametrize(("lie", "method", "answer", "text"), LIES, ids=[lie for lie, *_ in LIES])
def test_a_lie_is_found_out_and_undone(lie: str, method: str, answer: dict[str, Any], text: str) -> None:
    async def scenario(world: World) -> None:
        plugin = Liar()
        install(world, plugin=plugin)
        agent = world.agent("node-1")
        await agent.controller.create(spec())
        before, state = tables(world), json.dumps(plugin.state)
        plugin.lies = {method: answer}
        with pytest.raises(NodeError) as error:
            await start(world, "node-1", "web", "shop")
        assert str(error.value) == f"failed to set up container networking: {text}"
        await agent.containers.remove("web", force=True)
        await settle(world, 5.0)
        assert tables(world) == before
        if method != "RequestAddress":  # what it really gave is not what it said
            assert json.dumps(plugin.state) == state
        plugin.lies = {}
        await start(world, "node-1", "web", "shop")

    play(scenario, nodes=1, swarm=False)


@pytest.mark.parametrize(
    ("lies", "text"),
    [
        ({"RequestPool": {"Pool": "shop"}}, 'netip.ParsePrefix("shop"): it is no IPv4 network'),
        (
            {"RequestPool": {"Data": {"com.docker.network.gateway": "up"}}},
            "failed to parse gateway address (up) ",
        ),
        (
            {"RequestAddress": {"Address": "192.0.2.1/24"}},
            "failed to allocate gateway (<nil>): invalid address 192",
        ),
        ({"RequestPool": {"PoolID": "10.200.0.0/24"}}, "IPAM plugin example gave pool 10.200.0.0/24 twice"),
    ],
)
def test_a_pool_that_is_none_is_refused(lies: dict[str, Any], text: str) -> None:
    async def scenario(world: World) -> None:
        plugin = Liar()
        install(world, plugin=plugin)
        agent = world.agent("node-1")
        await agent.controller.create(spec("first"))
        before = tables(world)
        plugin.lies = lies
        with pytest.raises(NodeError) as error:
            await agent.controller.create(spec())
        assert str(error.value).startswith(text)
        await settle(world, 5.0)
        assert tables(world) == before
        plugin.lies = {}
        assert "10.200.0.0/24" in plugin.state["pools"], "the first network's pool is still its own"

    play(scenario, nodes=1, swarm=False)


@pytest.mark.parametrize("scope", ["", "everywhere"])
def test_a_driver_without_a_scope_cannot_be_used(scope: str) -> None:
    async def scenario(world: World) -> None:
        install(world, scope)
        with pytest.raises(Failed, match=r"^could not resolve driver example in registry$"):
            await world.agent("node-1").controller.create(spec())

    play(scenario, nodes=1, swarm=False)
