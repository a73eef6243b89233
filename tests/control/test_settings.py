"""Node settings about addresses: how they are given, and what comes of them."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest

from lab.sim import loop
from lab.sim.world import World
from node.__main__ import _parser
from node.config import AddressPool, ConfigError, NodeConfig, load
from node.errors import InvalidParameter
from node.model.network import NetworkSpec, Subnet
from tests.sim.play import overlay, settle, start

POOLS = (AddressPool("172.30.0.0/16", 24), AddressPool("10.20.0.0/16", 18))


def play_with(scenario: Callable[[World], Awaitable[None]], **settings: object) -> None:
    """A world of one node with these settings."""

    async def main() -> None:
        world = World(1, 1)
        host = world.hosts["node-1"]
        host.config = msgspec.structs.replace(host.config, **settings)
        async with world:
            await settle(world)
            await scenario(world)

    loop.run(main())


def subnet(world: World, name: str) -> str:
    return world.agent("node-1").controller.find(name).subnets[0].subnet


def test_the_same_settings_by_file_environment_and_flag(tmp_path: Path) -> None:
    common: dict[str, object] = {"name": "n", "directory": str(tmp_path)}
    pools = [{"base": pool.base, "size": pool.size} for pool in POOLS]
    file = tmp_path / "node.json"
    told = {"default_address_pools": pools, "default_addr_pool": ["10.128.0.0/9"], "bridge_macs": "address"}
    file.write_text(json.dumps({**told, "default_addr_pool_mask_length": 26}))
    environment = {f"SHOAL_NODE_{key.upper()}": json.dumps(value) for key, value in told.items()}
    environment["SHOAL_NODE_DEFAULT_ADDR_POOL_MASK_LENGTH"] = "26"
    words = [
        word for pool in POOLS for word in ("--default-address-pool", f"base={pool.base},size={pool.size}")
    ]
    words += ["--default-addr-pool", "10.128.0.0/9", "--default-addr-pool-mask-length", "26"]
    flags = vars(_parser().parse_args([*words, "--bridge-macs", "address"]))
    del flags["config"]
    by_file = load(file, {}, common)
    assert by_file == load(None, environment, common) == load(None, {}, {**flags, **common})
    assert by_file.default_address_pools == POOLS
    assert (by_file.default_addr_pool, by_file.default_addr_pool_mask_length) == (("10.128.0.0/9",), 26)


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"default_address_pools": (AddressPool("10.0.0.1/8", 24),)}, "10.0.0.1/8 has host bits set"),
        ({"default_address_pools": (AddressPool("10.0.0.0/16", 8),)}, "choose between /16 and /32"),
        ({"default_address_pools": (AddressPool("10.0.0.0/8", 30),)}, "choose between /8 and /28"),
        ({"default_addr_pool": ("foo",)}, 'address pool "foo"'),
        ({"bridge_macs": "new"}, '"random" or "address"'),
    ],
)
def test_settings_that_make_no_sense_are_named(settings: dict[str, object], complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        NodeConfig(name="n", directory=Path("x"), **settings)  # type: ignore[arg-type]


def test_networks_come_from_the_pools_that_the_node_was_told() -> None:
    async def scenario(world: World) -> None:
        controller = world.agent("node-1").controller
        for number in range(3):
            await controller.create(NetworkSpec(name=f"net-{number}"))
        # The lower pool first, whatever the order in which they were given (moby: newAddrSpace).
        assert [subnet(world, name) for name in ("bridge", "docker_gwbridge", "net-0", "net-1", "net-2")] == [
            "10.20.0.0/18",
            "10.20.64.0/18",
            "10.20.128.0/18",
            "10.20.192.0/18",
            "172.30.0.0/24",
        ]
        await overlay(world, "one")
        await overlay(world, "two")
        assert [subnet(world, name) for name in ("one", "two")] == ["10.128.0.0/26", "10.128.0.64/26"]
        info = json.loads((await world.request("node-1", "GET", "/info")).body)
        assert info["DefaultAddressPools"] == [{"Base": pool.base, "Size": pool.size} for pool in POOLS]
        cluster = info["Swarm"]["Cluster"]
        assert (cluster["DefaultAddrPool"], cluster["SubnetSize"]) == (["10.128.0.0/9"], 26)

    play_with(
        scenario,
        default_address_pools=POOLS,
        default_addr_pool=("10.128.0.0/9",),
        default_addr_pool_mask_length=26,
    )


def test_without_settings_no_pools_are_told() -> None:
    async def scenario(world: World) -> None:
        info = json.loads((await world.request("node-1", "GET", "/info")).body)
        assert "DefaultAddressPools" not in info
        assert info["Swarm"]["Cluster"]["DefaultAddrPool"] == ["10.0.0.0/8"]

    play_with(scenario)


def test_a_small_pool_runs_dry() -> None:
    async def scenario(world: World) -> None:
        with pytest.raises(InvalidParameter, match="all predefined address pools have been fully subnetted"):
            await world.agent("node-1").controller.create(NetworkSpec(name="third"))

    play_with(scenario, default_address_pools=(AddressPool("10.20.0.0/16", 17),))


def test_no_network_of_the_node_is_put_where_its_lan_is() -> None:
    async def scenario(world: World) -> None:
        await world.agent("node-1").controller.create(NetworkSpec(name="first"))
        assert subnet(world, "docker_gwbridge") == "192.168.48.0/20"
        assert subnet(world, "first") == "192.168.80.0/20"  # 192.168.64.0/20 holds the LAN
        await overlay(world, "app")
        assert subnet(world, "app") == "192.168.65.0/24", (
            "the swarm's pools know nothing of one node's routes"
        )

    play_with(
        scenario,
        default_address_pools=(AddressPool("192.168.32.0/19", 20), AddressPool("192.168.64.0/18", 20)),
        default_addr_pool=("192.168.65.0/24",),
        lan_address="192.168.65.2/24",
    )


def test_all_thirty_one_default_pools_where_the_lan_lies_elsewhere() -> None:
    async def scenario(world: World) -> None:
        controller = world.agent("node-1").controller
        for number in range(29):
            await controller.create(NetworkSpec(name=f"net-{number}"))
        assert subnet(world, "net-12") == "172.31.0.0/16"
        assert subnet(world, "net-13") == "192.168.0.0/20", "the 16th, with bridge and docker_gwbridge"
        assert subnet(world, "net-28") == "192.168.240.0/20"
        with pytest.raises(InvalidParameter, match="all predefined address pools have been fully subnetted"):
            await controller.create(NetworkSpec(name="one-more"))

    play_with(scenario, lan_address="10.200.0.2/24", lan_gateway="10.200.0.1")


@pytest.mark.parametrize(("macs", "old"), [("address", True), ("random", False)])
@pytest.mark.parametrize("driver", ["bridge", "macvlan"])
def test_hardware_addresses_in_either_fashion(driver: str, macs: str, *, old: bool) -> None:
    async def scenario(world: World) -> None:
        agent = world.agent("node-1")
        place = Subnet(subnet="10.9.0.0/24", given=True)
        await agent.controller.create(
            NetworkSpec(name="net", driver=driver, subnets=(place,), options={"parent": "eth0"})
        )
        assert await start(world, "node-1", "web", "net") == "10.9.0.2"
        endpoint = agent.containers.endpoints(agent.containers.find("web"))["net"]
        assert (endpoint.mac == "02:42:0a:09:00:02") is old
        assert int(endpoint.mac[:2], 16) & 0b11 == 0b10, "locally administered, of one station"

    play_with(scenario, bridge_macs=macs)
