"""What macvlan containers hang from: the host's own interfaces, VLANs of them, dummies."""

from __future__ import annotations

import json

import pytest

from lab.sim.world import World
from node.errors import Failed
from node.model.container import ContainerSpec
from node.model.network import EndpointSpec, NetworkSpec, Subnet
from tests.sim.play import LAN_SUBNET, macvlan, play, reaches, run, settle, start


def host_interfaces(world: World, node: str) -> set[str]:
    return set(world.agent(node).host.stack.interfaces)


def test_the_interface_of_a_vlan_comes_with_its_first_network_and_goes_with_its_last() -> None:
    async def scenario(world: World) -> None:
        await macvlan(world, "node-1", "one", "eth0.10", subnet="192.168.71.0/24")
        await macvlan(world, "node-1", "two", "eth0.10", subnet="192.168.72.0/24")
        assert "eth0.10@eth0: <" in (await run(world, "node-1", "host", "ip", "addr")).text
        controller = world.agent("node-1").controller
        await controller.remove("one")
        assert "eth0.10" in host_interfaces(world, "node-1")
        await start(world, "node-1", "cid", "two")
        heard = world.agent("node-1").host.stack.interfaces["eth0.10"].received.packets
        assert heard == 0, "not even that a container of its own has come"
        await world.kill("node-1")
        await world.start("node-1")
        await settle(world)
        assert "eth0.10" in host_interfaces(world, "node-1"), "it is in the node's own store"
        await world.agent("node-1").containers.start("cid")
        assert await reaches(world, "node-1", "cid", "192.168.72.2")
        await world.agent("node-1").containers.remove("cid", force=True)
        await world.agent("node-1").controller.remove("two")
        assert "eth0.10" not in host_interfaces(world, "node-1")
        assert "lan.10" not in world.agent("node-1").switchboard.segments
        assert world.agent("node-1").machine.lan.vlans == {}

    play(scenario)


def test_without_a_parent_a_network_leads_nowhere_and_has_no_gateway() -> None:
    async def scenario(world: World) -> None:
        identity = await macvlan(world, "node-1", "alone", "")
        a = await start(world, "node-1", "ann", "alone")
        assert a == "192.168.70.1", "no address is set aside for a gateway"
        await start(world, "node-1", "ben", "alone")
        assert await reaches(world, "node-1", "ben", a)
        assert f"dm-{identity[:12]}" in host_interfaces(world, "node-1")
        assert "default" not in (await run(world, "node-1", "alone", "ip", "route")).text
        shown = json.loads((await world.request("node-1", "GET", "/v1.47/networks/alone")).body)
        assert shown["IPAM"]["Config"] == [{"Subnet": LAN_SUBNET}]
        for name in ("ann", "ben"):
            await world.agent("node-1").containers.remove(name, force=True)
        await world.agent("node-1").controller.remove("alone")
        assert not [name for name in host_interfaces(world, "node-1") if name.startswith("dm-")]

    play(scenario, nodes=1)


def test_an_internal_network_with_a_parent_is_on_the_lan_but_has_no_way_out() -> None:
    async def scenario(world: World) -> None:
        await macvlan(world, "node-1", "inner", internal=True, gateway="192.168.70.1")
        await macvlan(world, "node-2", "inner", internal=True, block="192.168.70.64/27")
        await start(world, "node-1", "ann", "inner")
        b = await start(world, "node-2", "ben", "inner")
        assert await reaches(world, "node-1", "ann", b)
        assert "default" not in (await run(world, "node-1", "inner", "ip", "route")).text

    play(scenario, nodes=2)


def test_passthru_has_its_parent_alone_and_takes_one_container() -> None:
    async def scenario(world: World) -> None:
        agent = world.agent("node-1")
        identity = await macvlan(world, "node-1", "all", "eth0.10", "passthru", subnet="192.168.71.0/24")
        taken = f"macvlan network {identity} is already using parent interface eth0.10 in mode passthru"
        with pytest.raises(Failed, match=taken):
            await macvlan(world, "node-1", "more", "eth0.10", subnet="192.168.72.0/24")
        beside = await macvlan(world, "node-1", "beside", "eth0.20", subnet="192.168.72.0/24")
        refused = f"cannot use mode passthru, macvlan network {beside} is already using parent interface "
        with pytest.raises(Failed, match=refused):
            await macvlan(world, "node-1", "more", "eth0.20", "passthru", subnet="192.168.73.0/24")
        await macvlan(world, "node-2", "ten", "eth0.10", subnet="192.168.71.0/24", block="192.168.71.64/27")
        a = await start(world, "node-1", "ann", "all")
        with pytest.raises(Failed, match="failed to create the macvlan port: invalid argument"):
            await start(world, "node-1", "second", "all")
        await start(world, "node-2", "ben", "ten")
        assert await reaches(world, "node-2", "ben", a)
        await agent.containers.remove("ann", force=True)
        await agent.containers.start("second")
        await settle(world)  # until the other host has heard who has the address now
        assert await reaches(world, "node-2", "ben", "192.168.71.2")

    play(scenario, nodes=2)


def test_a_hardware_address_is_taken_once_on_a_parent() -> None:
    async def scenario(world: World) -> None:
        agent = world.agent("node-1")
        await macvlan(world, "node-1", "lan")
        for number, name in enumerate(("ann", "ben")):
            spec = ContainerSpec(
                image="alpine",
                command=("sleep", "100000"),
                network_mode="lan",
                endpoints={"lan": EndpointSpec(mac="02:00:00:00:00:07")},
            )
            identity, _ = await agent.containers.create(name, spec)
            if number == 0:
                await agent.containers.start(identity)
            else:
                with pytest.raises(Failed, match="address already in use"):
                    await agent.containers.start(identity)
        assert len(agent.controller.endpoints(agent.controller.find("lan"))) == 1, "nothing stays"

    play(scenario, nodes=1)


@pytest.mark.parametrize(
    ("parent", "mode", "says"),
    [
        ("lo", "", "loopback interface is not a valid macvlan parent link"),
        ("eth9.10", "", "-o parent interface was not found on the host: eth9"),
        ("eth9", "", "invalid subinterface vlan name eth9, example formatting is eth0.10"),
        ("eth0.4095", "", "vlan id must be between 1-4094, received: 4095"),
        ("eth0.0", "", "vlan id must be between 1-4094, received: 0"),
        ("eth0.-1", "", "vlan id must be between 1-4094, received: -1"),
        ("eth0.x", "", "unable to parse a valid vlan id from: x (ex. eth0.10 for vlan 10)"),
        (
            "eth0.1.2",
            "",
            "required interface name format is: name.vlan_id, ex. eth0.10 for vlan 10, "
            "instead received eth0.1.2",
        ),
        ("eth0.010", "", "failed to create eth0.010 vlan link: file exists"),
        ("docker0", "", "docker0 is the device of another network: a macvlan parent is eth0 here"),
        ("docker0.10", "", "docker0 is the device of another network: a macvlan parent is eth0 here"),
        ("eth0", "x", "requested macvlan mode 'x' is not valid, 'bridge' mode is the macvlan driver default"),
    ],
)
def test_what_cannot_be_a_parent_is_refused_and_leaves_nothing(parent: str, mode: str, says: str) -> None:
    async def scenario(world: World) -> None:
        await macvlan(world, "node-1", "ten", "eth0.10", subnet="192.168.71.0/24")
        before = host_interfaces(world, "node-1")
        with pytest.raises(Failed) as refused:
            await macvlan(world, "node-1", "net", parent, mode)
        assert str(refused.value).startswith(says)
        assert host_interfaces(world, "node-1") == before
        assert [n.name for n in world.agent("node-1").controller.list() if n.driver == "macvlan"] == ["ten"]

    play(scenario, nodes=1)


def test_a_configuration_network_may_say_where_others_hang() -> None:
    async def scenario(world: World) -> None:
        controller = world.agent("node-1").controller
        place = Subnet(subnet="192.168.71.0/24", given=True)
        settings = {"parent": "eth0.10", "macvlan_mode": "private"}
        await controller.create(
            NetworkSpec(name="config", config_only=True, subnets=(place,), options=settings)
        )
        assert "eth0.10" not in host_interfaces(world, "node-1")
        await controller.create(NetworkSpec(name="mine", driver="macvlan", config_from="config"))
        assert "eth0.10" in host_interfaces(world, "node-1")
        assert await start(world, "node-1", "ann", "mine") == "192.168.71.2"
        await start(world, "node-1", "ben", "mine")
        assert not await reaches(world, "node-1", "ann", "192.168.71.3"), "private"

    play(scenario, nodes=1)


def test_a_host_hears_its_lan_again_when_the_passthru_container_has_gone() -> None:
    async def scenario(world: World) -> None:
        agent = world.agent("node-1")
        await macvlan(world, "node-1", "direct", "eth0", "passthru")
        await start(world, "node-1", "web", "direct")
        assert not agent.machine.lan_port.up
        await agent.containers.remove("web", force=True)
        assert agent.machine.lan_port.up

    play(scenario, nodes=1, swarm=False)
