"""Networks and addresses of plugins, in a simulated world: the example plugin itself, in memory."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from deploy.plugins.example import ExamplePlugin
from lab.sim.plugins import Misbehavior, Simulated
from lab.sim.world import World
from node.errors import Failed, NodeError, NotFound
from node.model.network import NetworkSpec, Subnet
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
        Misbehavior.DEEP: f"{method}: the plugin's answer makes no sense",
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


# -- plugins that lie ------------------------------------------------------------------------------


class Liar(ExamplePlugin):
    """The example, with other answers to some methods."""

    def __init__(self, **lies: Any) -> None:
        super().__init__()
        self.lies = lies

    def handle(self, method: str, body: bytes) -> tuple[int, bytes]:
        status, answer = super().handle(method, body)
        lie = self.lies.get(method.partition(".")[2])
        if lie is None or b'"Err' in answer:
            return status, answer
        return status, json.dumps({**json.loads(answer), **lie}).encode()


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
        with pytest.raises(Failed, match="^could not resolve driver example in registry$"):
            await world.agent("node-1").controller.create(spec())

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


# -- lives of a node -------------------------------------------------------------------------------


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
