"""Networks and addresses of plugins, in a simulated world: the example plugin itself, in memory."""

from __future__ import annotations

import json
from typing import Any

import pytest

from deploy.plugins.example import ExamplePlugin
from lab.sim.plugins import Misbehavior, Simulated
from lab.sim.world import World
from node.errors import Failed, NotFound
from node.model.network import NetworkSpec
from tests.sim.play import play, reaches, run, settle, start


def spec(name: str = "shop", **more: Any) -> NetworkSpec:
    """`docker network create -d example --ipam-driver example`."""
    settings = {"driver": "example", "ipam_driver": "example", "attachable": True, **more}
    return NetworkSpec(name=name, **settings)


def install(world: World, scope: str = "local", plugin: ExamplePlugin | None = None) -> ExamplePlugin:
    """Let the example plugin run."""
    plugin = plugin or ExamplePlugin(scope)
    world.plugins.add("example", plugin.handle)
    return plugin


def simulated(world: World) -> Simulated:
    """What surrounds the plugin."""
    return world.plugins._plugins["example"]


def methods(world: World) -> list[str]:
    """What the plugin was asked, in order."""
    return [method for method, _ in simulated(world).calls]


def bodies(world: World, method: str) -> list[dict[str, Any]]:
    """What it was asked with."""
    return [json.loads(body) for name, body in simulated(world).calls if name == method]


NOTHING = {"networks": {}, "endpoints": {}, "pools": {}}


def test_a_network_of_a_plugin_lives_as_the_engine_has_it_live() -> None:
    async def scenario(world: World) -> None:
        plugin = install(world)
        agent = world.agent("node-1")
        await agent.controller.create(spec(options={"colour": "red"}))
        network = agent.controller.find("shop")
        assert (network.scope, network.subnets[0].subnet) == ("local", "10.200.0.0/24")
        assert network.subnets[0].gateway == "10.200.0.1"
        assert await start(world, "node-1", "web", "shop") == "10.200.0.2"
        shown = await run(world, "node-1", "shop", "ip", "addr")
        assert "ex0" in shown.text
        assert "10.200.0.3/24" in shown.text
        assert "02:70:0a:c8:00:03" in shown.text
        assert (await run(world, "node-1", "shop", "ping", "-c", "1", "web")).code == 0
        assert (await run(world, "node-1", "shop", "ping", "-c", "1", "10.200.0.1")).code == 0
        await agent.containers.remove("web", force=True)
        await agent.controller.remove("shop")
        assert plugin.state == NOTHING
        (made,) = bodies(world, "NetworkDriver.CreateNetwork")
        assert made == {
            "NetworkID": network.id,
            "IPv4Data": [{"AddressSpace": "example", "Pool": "10.200.0.0/24", "Gateway": "10.200.0.1/24"}],
            "IPv6Data": [],
            "Options": {
                "com.docker.network.enable_ipv4": True,
                "com.docker.network.enable_ipv6": False,
                "com.docker.network.generic": {"colour": "red"},
            },
        }
        assert methods(world)[:6] == [
            "Plugin.Activate",
            "NetworkDriver.GetCapabilities",
            "IpamDriver.GetCapabilities",
            "IpamDriver.GetDefaultAddressSpaces",
            "IpamDriver.RequestPool",
            "IpamDriver.RequestAddress",
        ]
        once = [method for method in methods(world)[7:] if "Network." not in method]
        assert once[:4] == [
            "IpamDriver.RequestAddress",
            "NetworkDriver.CreateEndpoint",
            "NetworkDriver.Join",
            "NetworkDriver.ProgramExternalConnectivity",
        ]
        assert methods(world)[-7:] == [
            "NetworkDriver.RevokeExternalConnectivity",
            "NetworkDriver.Leave",
            "NetworkDriver.DeleteEndpoint",
            "IpamDriver.ReleaseAddress",
            "NetworkDriver.DeleteNetwork",
            "IpamDriver.ReleaseAddress",
            "IpamDriver.ReleasePool",
        ]

    play(scenario, nodes=1, swarm=False)


def test_docker_info_lists_a_plugin_once_it_is_active() -> None:
    async def scenario(world: World) -> None:
        install(world)
        info = json.loads((await world.request("node-1", "GET", "/info")).body)
        assert "example" not in info["Plugins"]["Network"]
        await world.agent("node-1").controller.create(spec())
        info = json.loads((await world.request("node-1", "GET", "/info")).body)
        assert "example" in info["Plugins"]["Network"]

    play(scenario, nodes=1, swarm=False)


def test_containers_of_a_global_plugin_talk_from_host_to_host() -> None:
    async def scenario(world: World) -> None:
        plugin = install(world, "global")
        await world.agent("node-1").controller.create(spec())
        await settle(world)
        network = world.agent("node-3").controller.find("shop")
        assert (network.scope, len(network.vnis)) == ("swarm", 1)
        for node in ("node-1", "node-2", "node-3"):
            await start(world, node, f"on-{node}", "shop")
        await settle(world)
        for node in ("node-1", "node-2", "node-3"):
            for other in ("node-1", "node-2", "node-3"):
                address = world.agent(other).containers
                found = address.endpoints(address.find(f"on-{other}"))["shop"].address
                assert await reaches(world, node, f"on-{node}", found.partition("/")[0])
        ping = await run(world, "node-2", "shop", "ping", "-c", "1", "on-node-3")
        assert ping.code == 0, ping.text
        assert next(iter(plugin.state["networks"].values()))["hosts"] == 3
        outside = await run(world, "node-1", "shop", "ip", "route")
        assert "default via 172.18.0.1" in outside.text, "the gateway bridge leads outside"
        for node in ("node-1", "node-2", "node-3"):
            await world.agent(node).containers.remove(f"on-{node}", force=True)
        await world.agent("node-2").controller.remove("shop")
        await settle(world, 5.0)
        assert plugin.state == NOTHING
        assert "NetworkDriver.FreeNetwork" in methods(world)

    play(scenario)


def test_a_global_plugin_hears_of_nodes_that_come_and_go() -> None:
    async def scenario(world: World) -> None:
        install(world, "global")
        await world.agent("node-1").controller.create(spec())
        await settle(world)
        data = [body["DiscoveryData"] for body in bodies(world, "NetworkDriver.DiscoverNew")]
        told = [(one["Address"], one["Self"]) for one in data]
        assert told == [("192.168.65.2", True), ("192.168.65.3", False), ("192.168.65.4", False)]
        await world.kill("node-3")
        await settle(world, 6.0)
        (gone,) = bodies(world, "NetworkDriver.DiscoverDelete")
        assert gone["DiscoveryData"]["Address"] == "192.168.65.4"
        await world.start("node-3")
        await settle(world)
        assert bodies(world, "NetworkDriver.DiscoverNew")[-1]["DiscoveryData"]["Address"] == "192.168.65.4"

    play(scenario)


# -- errors ----------------------------------------------------------------------------------------


def test_names_that_are_nobodys_are_refused_in_the_engines_words() -> None:
    async def scenario(world: World) -> None:
        controller = world.agent("node-1").controller
        with pytest.raises(NotFound, match=r'^plugin "nobody" not found$'):
            await controller.create(NetworkSpec(name="one", driver="nobody"))
        with pytest.raises(NotFound, match=r'^plugin "nobody" not found$'):
            await controller.create(NetworkSpec(name="one", ipam_driver="nobody"))
        with pytest.raises(NotFound, match="not found"):
            await controller.create(NetworkSpec(name="one", driver="../../etc/x"))
        world.plugins.add("volumes", lambda method, body: (200, b'{"Implements": ["VolumeDriver"]}'))
        with pytest.raises(Failed) as error:
            await controller.create(NetworkSpec(name="one", driver="volumes"))
        assert str(error.value) == (
            "legacy plugin: Plugin does not implement the requested driver: "
            'plugin="volumes", requested implementation="NetworkDriver"'
        )

    play(scenario, nodes=1, swarm=False)


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
        Misbehavior.EMPTY: "EOF",
        Misbehavior.WRONG_TYPES: f"{method}: the plugin's answer makes no sense",
        Misbehavior.HUGE: f"{method}: the plugin's answer is longer than 1048576 bytes",
    }[how]


def tables(world: World) -> dict[str, Any]:
    """All that could leak: records and debts, segments, and interfaces and ports of the host."""
    agent = world.agent("node-1")
    kept = {}
    for scope, ledger in agent.ledgers.items():
        view = ledger.view
        kept[scope] = (
            {network.name for network in view.networks.values()},
            {network: dict(view.addresses(network)) for network in view.networks},
            [endpoint.id for endpoint in view.all_endpoints()],
            list(view.debts.values()),
        )
    return {
        **kept,
        "held": dict(agent.debts.held),
        "interfaces": sorted(agent.host.stack.interfaces),
        "bridges": sorted(agent.machine.firewall.bridges),
        "segments": sorted(agent.switchboard.segments),
    }


async def calm(world: World) -> None:
    """The plugin is well again, and has been told what was owed to it."""
    world.plugins.revive("example")
    await settle(world, 90.0)


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
