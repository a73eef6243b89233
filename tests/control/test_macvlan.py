"""macvlan networks between whole nodes: who is on the LAN with whom, and who never hears whom."""

from __future__ import annotations

import pytest

from lab.sim.world import World
from node.control.standing import Standing
from node.datapath.drops import Drop
from node.model.container import ContainerSpec
from node.model.inspection import SegmentTables
from node.model.network import EndpointSpec, NetworkSpec
from tests.sim.play import macvlan, play, reaches, run, settle, start


def standing(world: World, node: str, name: str) -> Standing:
    agent = world.agent(node)
    found = agent.lives.body(agent.registry.find(name)).standing
    assert found is not None
    return found


def mac_of(world: World, node: str, name: str, network: str) -> str:
    return standing(world, node, name).footholds[network].endpoint.mac


def tables(world: World, node: str, segment: str) -> SegmentTables:
    return world.agent(node).inspection.tables(segment)[0]


def drops(world: World, node: str) -> set[Drop]:
    return {drop for _, drop in world.agent(node).counters.drops}


def test_containers_are_on_the_lan_of_the_hosts_and_never_hear_their_own() -> None:
    async def scenario(world: World) -> None:
        for node, block in (("node-1", "192.168.65.64/27"), ("node-2", "192.168.65.96/27")):
            await macvlan(world, node, "lan", subnet="192.168.65.0/24", block=block, gateway="192.168.65.1")
        a = await start(world, "node-1", "ann", "lan")
        b = await start(world, "node-2", "ben", "lan")
        assert (a, b) == ("192.168.65.64", "192.168.65.96")
        await start(world, "node-1", "sibling", "lan")
        assert await reaches(world, "node-1", "ann", b)
        assert await reaches(world, "node-1", "sibling", a), "bridge mode: siblings talk directly"
        assert await reaches(world, "node-1", "ann", "192.168.65.3"), "another host"
        assert not await reaches(world, "node-1", "ann", "192.168.65.2"), "its own host"
        assert Drop.MACVLAN_PARENT in drops(world, "node-1")
        for node, sees in (("node-1", False), ("node-2", True), ("node-3", True)):
            await start(world, node, "host", "host")
            assert await reaches(world, node, "host", a) is sees, node
        assert Drop.MACVLAN_PARENT not in drops(world, "node-3"), "it has none of its own"
        mac = mac_of(world, "node-1", "ann", "lan")
        rows = {row.mac: row for row in tables(world, "node-3", "lan").forwarding}
        assert rows[mac].vtep == world.hosts["node-1"].config.underlay_address, "seen on the LAN"
        shown = await run(world, "node-3", "host", "ip", "neigh")
        assert f"{a} dev eth0 lladdr {mac}" in shown.text

    play(scenario)


def test_the_own_host_gets_nothing_even_from_one_who_knows_the_hardware_address() -> None:
    async def scenario(world: World) -> None:
        await macvlan(world, "node-1", "lan", subnet="192.168.65.0/24", block="192.168.65.64/27")
        a = await start(world, "node-1", "ann", "lan")
        host = world.agent("node-1").host
        before = world.agent("node-1").counters.dropped(Drop.MACVLAN_PARENT)
        await start(world, "node-1", "host", "host")
        assert not await reaches(world, "node-1", "host", a)
        assert world.agent("node-1").counters.dropped(Drop.MACVLAN_PARENT) > before
        child = standing(world, "node-1", "ann").sandbox.stack.interfaces["eth0"]
        port = world.agent("node-1").machine.lan_port
        heard = host.stack.interfaces["eth0"].received.packets
        assert child.transmit is not None
        child.transmit(port.mac + child.mac + b"\x08\x00" + bytes(20), world.clock.now())
        assert host.stack.interfaces["eth0"].received.packets == heard

    play(scenario, nodes=1)


def test_vlans_are_apart_from_each_other_and_from_the_lan() -> None:
    async def scenario(world: World) -> None:
        for node, block in (("node-1", "192.168.70.32/27"), ("node-2", "192.168.70.64/27")):
            await macvlan(world, node, "ten", "eth0.10", block=block)
        await macvlan(world, "node-2", "twenty", "eth0.20", block="192.168.70.96/27")
        await macvlan(world, "node-2", "plain", "eth0", block="192.168.70.128/27")
        await start(world, "node-1", "ann", "ten")
        b = await start(world, "node-2", "ben", "ten")
        c = await start(world, "node-2", "cid", "twenty")
        d = await start(world, "node-2", "dan", "plain")
        assert await reaches(world, "node-1", "ann", b)
        assert not await reaches(world, "node-1", "ann", c), "VLAN 20"
        assert not await reaches(world, "node-1", "ann", d), "the LAN without a tag"
        assert not await reaches(world, "node-2", "cid", d)
        assert Drop.UNKNOWN_VLAN in drops(world, "node-3"), "which has no interface in VLAN 10"
        assert mac_of(world, "node-1", "ann", "ten") in {
            row.mac for row in tables(world, "node-2", "lan.10").forwarding
        }
        assert tables(world, "node-2", "ten") == tables(world, "node-2", "lan.10"), "by either name"

    play(scenario)


def test_a_host_that_comes_back_is_found_in_its_vlan_again() -> None:
    async def scenario(world: World) -> None:
        for node, block in (("node-1", "192.168.70.32/27"), ("node-2", "192.168.70.64/27")):
            await macvlan(world, node, "ten", "eth0.10", block=block)
        a = await start(world, "node-1", "ann", "ten", restart="always")
        await start(world, "node-2", "ben", "ten")
        assert await reaches(world, "node-2", "ben", a)
        await world.kill("node-1")
        await settle(world, 5.0)
        assert not await reaches(world, "node-2", "ben", a)
        await world.start("node-1")
        await settle(world, 5.0)
        assert await reaches(world, "node-2", "ben", a)

    play(scenario)


@pytest.mark.parametrize(
    ("mode", "hairpin", "talk"),
    [
        ("bridge", False, True),
        ("vepa", False, False),
        ("vepa", True, True),
        ("private", False, False),
        ("private", True, False),
    ],
)
@pytest.mark.parametrize("parent", ["eth0", "eth0.10"])
def test_siblings_talk_as_their_mode_says(mode: str, hairpin: bool, talk: bool, parent: str) -> None:
    async def scenario(world: World) -> None:
        await macvlan(world, "node-1", "net", parent, mode, block="192.168.70.32/27")
        await macvlan(world, "node-2", "net", parent, block="192.168.70.64/27")
        a = await start(world, "node-1", "ann", "net")
        await start(world, "node-1", "ben", "net")
        c = await start(world, "node-2", "cid", "net")
        assert await reaches(world, "node-1", "ben", a) is talk
        assert await reaches(world, "node-1", "ann", c), "other hosts are reached in any mode"
        if not talk:
            assert drops(world, "node-1") & {Drop.PORT_ISOLATED, Drop.HAIRPIN}

    play(scenario, nodes=2, lan_hairpin=hairpin)


def test_two_hosts_give_the_same_address_twice_unless_the_user_splits_the_range() -> None:
    async def scenario(world: World) -> None:
        for node in ("node-1", "node-2"):
            await macvlan(world, node, "same")
        twice = [await start(world, node, "cid", "same") for node in ("node-1", "node-2")]
        assert twice == ["192.168.70.2", "192.168.70.2"]
        for node in ("node-1", "node-2"):
            await world.agent(node).containers.remove("cid", force=True)
            await world.agent(node).controller.remove("same")
        printer = {"printer": "192.168.70.2"}
        await macvlan(world, "node-1", "split", block="192.168.70.0/25", auxiliary=printer)
        await macvlan(world, "node-2", "split", block="192.168.70.128/25")
        split = [await start(world, node, "cid", "split") for node in ("node-1", "node-2")]
        # Without a gateway of the user's, the first address of the range is held for one.
        assert split == ["192.168.70.3", "192.168.70.129"]
        assert await reaches(world, "node-1", "cid", split[1])

    play(scenario, nodes=2)


def test_the_gateway_is_a_router_out_there_and_published_ports_have_no_effect() -> None:
    async def scenario(world: World) -> None:
        agent = world.agent("node-1")
        place = {"subnet": "192.168.65.0/24", "block": "192.168.65.64/27", "gateway": "192.168.65.3"}
        await macvlan(world, "node-1", "lan", **place)
        spec = ContainerSpec(
            image="alpine",
            command=("sleep", "100000"),
            network_mode="lan",
            port_bindings={"80/tcp": (("", "8080"),)},
        )
        identity, _ = await agent.containers.create("web", spec)
        await agent.containers.start(identity)
        assert agent.registry.find("web").state.ports == ()
        free = agent.host.listen_tcp("0.0.0.0", 8080)
        free.close()
        routes = (await run(world, "node-1", "lan", "ip", "route")).text
        assert "default via 192.168.65.3 dev eth0" in routes
        assert not any(
            address.address == bytes((192, 168, 65, 3))
            for interface in agent.host.stack.interfaces.values()
            for address in interface.addresses
        )
        traced = await run(world, "node-1", "lan", "traceroute", "-n", "-m", "2", "-w", "1", "10.1.2.3")
        assert "192.168.65.3" in traced.text, "node-2 is the router here"

    play(scenario, nodes=2)


def test_the_gateway_among_several_networks_and_where_ports_go_then() -> None:
    async def scenario(world: World) -> None:
        agent = world.agent("node-1")
        await agent.controller.create(NetworkSpec(name="zzz", driver="bridge"))
        await macvlan(world, "node-1", "aaa", gateway="192.168.70.254")
        spec = ContainerSpec(
            image="alpine",
            command=("sleep", "100000"),
            network_mode="zzz",
            port_bindings={"80/tcp": (("", "8080"),)},
        )
        identity, _ = await agent.containers.create("web", spec)
        await agent.containers.start(identity)
        assert [port.host_port for port in agent.registry.find("web").state.ports] == [8080, 8080]
        await agent.controller.connect("aaa", "web", EndpointSpec())
        gateway = standing(world, "node-1", "web").gateway()
        assert gateway is not None
        assert gateway.network.name == "aaa", "by name"
        assert agent.registry.find("web").state.ports == ()
        await agent.controller.disconnect("aaa", "web", force=False)
        assert [port.host_port for port in agent.registry.find("web").state.ports] == [8080, 8080]

    play(scenario, nodes=1)


def test_names_are_known_on_a_macvlan_network_of_one_host() -> None:
    async def scenario(world: World) -> None:
        await macvlan(world, "node-1", "lan")
        await start(world, "node-1", "ann", "lan")
        assert (await run(world, "node-1", "lan", "ping", "-c", "1", "ann")).code == 0

    play(scenario, nodes=1)
