"""What plugins are told of endpoints and of containers, in the engine's own names."""

from __future__ import annotations

import pytest

from lab.sim.world import World
from node.errors import Failed
from node.model.container import ContainerSpec
from node.model.network import EndpointSpec, Subnet
from tests.control.plugins import Liar, bodies, install, methods, spec
from tests.sim.play import play, settle


def test_a_plugin_hears_what_was_said_of_an_endpoint_and_of_its_container() -> None:
    async def scenario(world: World) -> None:
        install(world)
        agent = world.agent("node-1")
        await agent.controller.create(spec())
        await agent.controller.create(spec("vault", internal=True))
        said = EndpointSpec(
            driver_options={"com.docker.network.endpoint.ifname": "web0", "colour": "red"},
            mac="02:11:22:33:44:55",
        )
        wish = ContainerSpec(
            image="nginx",
            network_mode="shop",
            endpoints={"shop": said, "vault": EndpointSpec()},
            port_bindings={"53/udp": (("127.0.0.1", "8000-8001"),)},
            dns=("1.1.1.1",),
        )
        await agent.containers.create("site", wish)
        await agent.containers.start("site")
        binding = {"Proto": 17, "Port": 53, "IP": "", "HostIP": "127.0.0.1"}
        ports = {
            "com.docker.network.portmap": [{**binding, "HostPort": 8000, "HostPortEnd": 8001}],
            "com.docker.network.endpoint.exposedports": [
                {"Proto": 17, "Port": 53},
                {"Proto": 6, "Port": 80},
            ],
        }
        shop, vault = bodies(world, "NetworkDriver.CreateEndpoint")
        assert shop["Options"] == {
            "com.docker.network.endpoint.ifname": "web0",
            "colour": "red",
            **ports,
            "com.docker.network.endpoint.dnsservers": ["1.1.1.1"],
            "com.docker.network.endpoint.macaddress": "AhEiM0RV",
        }
        assert vault["Options"] == {}, "an internal network has nothing to do with ports"
        assert [body["Options"] for body in bodies(world, "NetworkDriver.Join")] == [ports, ports]

    play(scenario, nodes=1, swarm=False)


def test_a_plugin_beside_a_bridge_that_publishes_is_not_asked_to() -> None:
    async def scenario(world: World) -> None:
        install(world)
        agent = world.agent("node-1")
        await agent.controller.create(spec())
        bindings = {"80/tcp": (("", "8080"),)}
        await agent.containers.create("site", ContainerSpec(image="nginx", port_bindings=bindings))
        await agent.containers.start("site")
        await agent.controller.connect("shop", "site", EndpointSpec())
        (asked,) = bodies(world, "NetworkDriver.CreateEndpoint")
        assert asked["Options"] == {}

    play(scenario, nodes=1, swarm=False)


def test_an_ipam_that_gives_another_address_than_the_one_asked_for_is_refused() -> None:
    async def scenario(world: World) -> None:
        plugin = Liar()
        install(world, plugin=plugin)
        agent = world.agent("node-1")
        await agent.controller.create(spec(subnets=(Subnet(subnet="10.200.0.0/24", given=True),)))
        plugin.lies = {"RequestAddress": {"Address": "10.200.0.8/24"}}
        pinned = {"shop": EndpointSpec(address="10.200.0.9")}
        await agent.containers.create(
            "web", ContainerSpec(image="nginx", network_mode="shop", endpoints=pinned)
        )
        with pytest.raises(Failed, match=r"gave address 10\.200\.0\.8 where 10\.200\.0\.9 was asked for"):
            await agent.containers.start("web")

    play(scenario, nodes=1, swarm=False)


def test_a_plugin_hears_once_that_a_node_has_gone() -> None:
    async def scenario(world: World) -> None:
        install(world, "global")
        await world.agent("node-1").controller.create(spec())
        await settle(world)
        await world.kill("node-2")
        await settle(world, 20.0)
        await world.agent("node-1").controller.create(spec("more"))
        await settle(world, 5.0)
        assert methods(world).count("NetworkDriver.DiscoverDelete") == 1

    play(scenario, nodes=2)
