"""Networks and addresses of plugins, in a simulated world: the example plugin itself, in memory."""

from __future__ import annotations

import json
from typing import Any

import pytest

from deploy.plugins.example import ExamplePlugin
from lab.sim.world import World
from node.errors import Failed, NodeError, NotFound
from node.model.container import ContainerSpec
from node.model.network import NetworkSpec, Subnet
from tests.control.plugins import NOTHING, Liar, bodies, install, methods, spec
from tests.sim.play import play, reaches, run, settle, start


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
        await start(world, "node-1", "on-node-1", "shop")
        await settle(world)
        first = await run(world, "node-2", "shop", "ping", "-c", "1", "on-node-1")
        assert first.code == 0, first.text
        for node in ("node-2", "node-3"):
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


# -- what a plugin may choose ----------------------------------------------------------------------


def test_a_plugin_gives_routes_and_names_and_the_gateway_bridge_can_be_declined() -> None:
    async def scenario(world: World) -> None:
        routes = [
            {"Destination": "10.9.0.0/16", "RouteType": 0, "NextHop": "10.200.0.9"},
            {"Destination": "10.8.0.0/16", "RouteType": 1},
        ]
        name = {"SrcName": "x", "DstPrefix": "lane"}
        plugin = Liar(
            Join={"InterfaceName": name, "StaticRoutes": routes, "Gateway": "", "DisableGatewayService": True}
        )
        install(world, plugin=plugin)
        await world.agent("node-1").controller.create(spec())
        shown = await run(world, "node-1", "shop", "ip", "route")
        assert shown.text.splitlines() == [
            "10.8.0.0/16 dev lane0 scope link ",
            "10.9.0.0/16 via 10.200.0.9 dev lane0 ",
            "10.200.0.0/24 dev lane0 proto kernel scope link src 10.200.0.2 ",
        ]

    play(scenario, nodes=1)


def test_without_addresses_of_its_own_a_network_driver_may_give_them() -> None:
    async def scenario(world: World) -> None:
        plugin = Liar(
            CreateEndpoint={"Interface": {"Address": "203.0.113.5/24", "MacAddress": "02:00:00:00:00:05"}}
        )
        install(world, plugin=plugin)
        agent = world.agent("node-1")
        await agent.controller.create(spec(ipam_driver="null"))
        assert await start(world, "node-1", "web", "shop") == "203.0.113.5"
        assert await reaches(world, "node-1", "web", "203.0.113.5")
        with pytest.raises(NodeError, match="Address already in use"):
            await start(world, "node-1", "twin", "shop")
        assert len(plugin.state["endpoints"]) == 1
        with pytest.raises(
            NodeError, match="null ipam driver does not handle specific address pool requests"
        ):
            await agent.controller.create(
                spec("other", ipam_driver="null", subnets=(Subnet(subnet="10.1.0.0/24", given=True),))
            )

    play(scenario, nodes=1, swarm=False)


def test_a_pinned_address_and_auxiliary_ones_are_asked_for_by_name() -> None:
    async def scenario(world: World) -> None:
        plugin = install(world)
        agent = world.agent("node-1")
        subnet = Subnet(
            subnet="10.7.0.0/24",
            range="10.7.0.128/25",
            gateway="10.7.0.9",
            auxiliary={"router": "10.7.0.1"},
            given=True,
            gateway_given=True,
        )
        await agent.controller.create(spec(subnets=(subnet,), ipam_options={"floor": "3"}))
        (asked,) = bodies(world, "IpamDriver.RequestPool")
        assert asked == {
            "AddressSpace": "example",
            "Pool": "10.7.0.0/24",
            "SubPool": "10.7.0.128/25",
            "Options": {"floor": "3"},
            "V6": False,
        }
        assert bodies(world, "IpamDriver.RequestAddress") == [
            {
                "PoolID": "10.7.0.0/24",
                "Address": "10.7.0.9",
                "Options": {"RequestAddressType": "com.docker.network.gateway"},
            },
            {"PoolID": "10.7.0.0/24", "Address": "10.7.0.1", "Options": {}},
        ]
        assert await start(world, "node-1", "web", "shop", address="10.7.0.200") == "10.7.0.200"
        with pytest.raises(Failed, match=r"remote: address 10\.7\.0\.200 is taken"):
            await start(world, "node-1", "twin", "shop", address="10.7.0.200")
        await agent.containers.remove("web", force=True)
        await agent.controller.remove("shop")
        assert plugin.state == NOTHING

    play(scenario, nodes=1, swarm=False)


class Forgetful(ExamplePlugin):
    """One that wants to be asked again for everything, and for addresses by MAC address."""

    def handle(self, method: str, body: bytes) -> tuple[int, bytes]:
        if method == "IpamDriver.GetCapabilities":
            return 200, b'{"RequiresMACAddress": true, "RequiresRequestReplay": true}'
        return super().handle(method, body)


def test_an_ipam_that_forgets_is_asked_again_when_the_node_starts() -> None:
    async def scenario(world: World) -> None:
        plugin = Forgetful()
        install(world, plugin=plugin)
        agent = world.agent("node-1")
        await agent.controller.create(spec())
        await start(world, "node-1", "web", "shop")
        mac = bodies(world, "IpamDriver.RequestAddress")[-1]["Options"][
            "com.docker.network.endpoint.macaddress"
        ]
        endpoints = agent.containers.endpoints(agent.containers.find("web"))
        assert endpoints["shop"].mac == mac
        await agent.containers.remove("web", force=True)
        pools = json.dumps(plugin.state["pools"])
        await world.stop("node-1")
        plugin.state["pools"] = {}
        await world.start("node-1")
        await settle(world)
        assert json.dumps(plugin.state["pools"]) == pools

    play(scenario, nodes=1, swarm=False)


@pytest.mark.parametrize("driver", ["bridge", "overlay"])
def test_drivers_of_our_own_take_addresses_from_a_plugin(driver: str) -> None:
    async def scenario(world: World) -> None:
        plugin = install(world, "global")
        agent = world.agent("node-1")
        await agent.controller.create(spec(driver=driver))
        assert await start(world, "node-1", "web", "shop") == "10.200.0.2"
        await settle(world)
        other = "node-2" if driver == "overlay" else "node-1"
        ping = await run(world, other, "shop", "ping", "-c", "1", "web")
        assert ping.code == 0, ping.text
        assert (await run(world, other, "shop", "ip", "addr")).text.count("10.200.0.3/24") == 1
        await agent.containers.remove("web", force=True)
        await agent.controller.remove("shop")
        assert plugin.state == NOTHING
        assert not [method for method in methods(world) if method.startswith("NetworkDriver")]

    play(scenario, nodes=2)


def test_a_published_port_of_a_plugins_network_opens_where_its_gateway_is_the_host() -> None:
    async def scenario(world: World) -> None:
        install(world)
        agent = world.agent("node-1")
        await agent.controller.create(spec())
        wish = ContainerSpec(image="nginx", network_mode="shop", port_bindings={"80/tcp": (("", "8080"),)})
        identity, _ = await agent.containers.create("site", wish)
        await agent.containers.start(identity)
        page = await run(world, "node-2", "bridge", "wget", "-qO-", "http://192.168.65.2:8080")
        assert "Server address: 10.200.0.2:80" in page.text
        (told,) = bodies(world, "NetworkDriver.ProgramExternalConnectivity")
        inside, host = {"Proto": 6, "Port": 80, "IP": ""}, {"HostPort": 8080, "HostPortEnd": 8080}
        assert told["Options"]["com.docker.network.portmap"] == [{**inside, **host, "HostIP": "0.0.0.0"}]
        await agent.containers.remove(identity, force=True)
        assert "NetworkDriver.RevokeExternalConnectivity" in methods(world)

    play(scenario, nodes=2)


class Choosy(ExamplePlugin):
    """One that wants no gateway, and says something to every node's driver."""

    def handle(self, method: str, body: bytes) -> tuple[int, bytes]:
        answers: dict[str, Any] = {
            "NetworkDriver.GetCapabilities": {"Scope": "global", "GwAllocChecker": True},
            "NetworkDriver.GwAllocCheck": {"SkipIPv4": True},
            "NetworkDriver.AllocateNetwork": {"Options": {"key": "value"}},
        }
        status, answer = super().handle(method, body)
        return (200, json.dumps(answers[method]).encode()) if method in answers else (status, answer)


def test_a_driver_may_decline_the_gateway_and_tell_its_twins_on_other_nodes() -> None:
    async def scenario(world: World) -> None:
        install(world, plugin=Choosy("global"))
        await world.agent("node-1").controller.create(spec(ipam_driver="default", options={"a": "b"}))
        (asked,) = bodies(world, "NetworkDriver.GwAllocCheck")
        assert asked["Options"]["com.docker.network.generic"] == {"a": "b"}
        await settle(world)
        assert await start(world, "node-2", "web", "shop") == "10.0.1.1", "nobody keeps the first address"
        (made,) = bodies(world, "NetworkDriver.CreateNetwork")
        assert made["IPv4Data"] == [{"AddressSpace": "GlobalDefault", "Pool": "10.0.1.0/24"}]
        assert made["Options"]["com.docker.network.generic"] == {"a": "b", "key": "value"}

    play(scenario, nodes=2)


def test_a_macvlan_without_addresses_is_wired_all_the_same() -> None:
    async def scenario(world: World) -> None:
        wish = spec(driver="macvlan", ipam_driver="null", options={"parent": "eth0"})
        await world.agent("node-1").controller.create(wish)
        shown = await run(world, "node-1", "shop", "ip", "addr", "show", "eth0")
        assert "link/ether" in shown.text
        assert "inet " not in shown.text

    play(scenario, nodes=1, swarm=False)
