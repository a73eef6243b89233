"""Which subnets and addresses are given out, and which are refused."""

from __future__ import annotations

import random
from ipaddress import IPv4Network

import pytest

from lab.sim.world import World
from node.control import ipam
from node.control.network_index import NetworkIndex
from node.control.pools import TakenPools
from node.errors import Failed, Forbidden
from node.model.network import NetworkRecord, NetworkSpec, Subnet
from tests.sim.play import play, reaches, settle, start


def given(subnet: str, **fields: object) -> Subnet:
    return Subnet(subnet=subnet, given=True, **fields)  # type: ignore[arg-type]


def record(name: str, *subnets: Subnet) -> NetworkRecord:
    return NetworkRecord(id=name, name=name, driver="bridge", scope="local", created="", subnets=subnets)


# -- pools ----------------------------------------------------------------------------------------


def slowly(pools: tuple[tuple[str, int], ...], busy: list[IPv4Network]) -> IPv4Network | None:
    for base, length in pools:
        for block in IPv4Network(base).subnets(new_prefix=length):
            if not any(block.overlaps(other) for other in busy):
                return block
    return None


@pytest.mark.parametrize("seed", range(20))
def test_the_lowest_free_block_is_found_whatever_comes_and_goes(seed: int) -> None:
    chance = random.Random(seed)
    pools = (("10.0.0.0/24", 28), ("10.1.0.0/26", 28), ("10.2.0.0/30", 30))
    taken, busy = TakenPools(), list[IPv4Network]()
    for _ in range(200):
        if busy and chance.random() < 0.45:
            block = busy.pop(chance.randrange(len(busy)))
            taken.remove(block)
        else:
            address = int(IPv4Network("10.0.0.0/8").network_address) + (chance.randrange(3) << 16)
            size = chance.choice((8, 24, 27, 28, 28, 28, 30, 32)) if chance.random() < 0.5 else 28
            block = IPv4Network((address + chance.randrange(256), size), strict=False)
            busy.append(block)
            taken.add(block)
        reserved = [IPv4Network("10.0.0.32/27")] if chance.random() < 0.3 else []
        assert taken.lowest_free(pools, reserved) == slowly(pools, busy + reserved)
        probe = IPv4Network((int(block.network_address), chance.randrange(20, 33)), strict=False)
        assert taken.overlaps(probe) == any(probe.overlaps(other) for other in busy)


def test_what_the_default_pools_are_cut_into() -> None:
    taken = TakenPools()
    blocks = []
    while (block := taken.lowest_free(ipam.LOCAL_POOLS)) is not None:
        blocks.append(str(block))
        taken.add(block)
    assert (len(blocks), blocks[0], blocks[14], blocks[15], blocks[30]) == (
        31,
        "172.17.0.0/16",
        "172.31.0.0/16",
        "192.168.0.0/20",
        "192.168.240.0/20",
    )


# -- overlap --------------------------------------------------------------------------------------


def test_overlap_and_its_two_surprises() -> None:
    index = NetworkIndex()
    index.add(record("all", given("10.0.0.0/16")))
    index.add(record("part", given("10.9.0.0/24", range="10.9.0.0/25")))
    refused = (
        given("10.0.0.0/16"),
        given("10.0.4.0/24"),
        given("10.0.0.0/8"),
        given("10.9.0.0/24"),
        given("10.9.0.0/24", range="10.9.0.0/25"),
    )
    for subnet in refused:
        with pytest.raises(Forbidden, match="Pool overlaps with other one on this address space"):
            ipam.check_overlap(subnet, index)
    ipam.check_overlap(given("10.9.0.0/24", range="10.9.0.128/25"), index)  # the same again, another range
    ipam.check_overlap(given("10.0.4.0/24", range="10.0.4.0/25"), index)  # with a range nobody looks
    ipam.check_overlap(given("10.1.0.0/16"), index)


def test_two_networks_of_one_subnet_share_its_addresses() -> None:
    async def scenario(world: World) -> None:
        controller = world.agent("node-1").controller
        for name, part in (("low", "10.70.0.0/28"), ("high", "10.70.0.8/29")):
            subnet = given("10.70.0.0/24", range=part)
            await controller.create(
                NetworkSpec(name=name, driver="overlay", attachable=True, subnets=(subnet,))
            )
        assert [controller.find(name).subnets[0].gateway for name in ("low", "high")] == [
            "10.70.0.1",
            "10.70.0.8",
        ]
        given_out = [await start(world, "node-1", f"h{n}", "high") for n in range(7)]
        assert given_out == [f"10.70.0.{n}" for n in range(9, 16)]
        assert [await start(world, "node-1", f"l{n}", "low") for n in range(6)] == [
            f"10.70.0.{n}" for n in range(2, 8)
        ]
        with pytest.raises(Failed, match="no available IPv4 addresses"):
            await start(world, "node-1", "one-more", "low")

    play(scenario, nodes=1)


# -- gateways and auxiliary addresses -------------------------------------------------------------


@pytest.mark.parametrize(
    ("wish", "gateway"),
    [
        (given("10.0.0.0/24"), "10.0.0.1"),
        (given("10.0.0.0/24", gateway="10.0.0.9"), "10.0.0.9"),
        (given("10.0.0.0/24", range="10.0.0.128/25"), "10.0.0.128"),
        (given("10.0.0.0/24", range="10.0.0.0/25"), "10.0.0.1"),
        (given("10.0.0.4/31"), "10.0.0.4"),
        (given("10.0.0.4/32"), "10.0.0.4"),
        (given("10.0.0.0/30", auxiliary={"router": "10.0.0.2"}), "10.0.0.1"),
    ],
)
def test_the_gateway_of_a_new_network(wish: Subnet, gateway: str) -> None:
    assert ipam.reserve(wish, ()).gateway == gateway


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        (
            given("10.0.0.0/24", gateway="10.0.0.0"),
            "failed to allocate gateway (10.0.0.0): Address already in use",
        ),
        (
            given("10.0.0.0/24", gateway="10.0.0.255"),
            "failed to allocate gateway (10.0.0.255): Address already in use",
        ),
        (
            given("10.0.0.0/24", gateway="10.0.0.7"),
            "failed to allocate gateway (10.0.0.7): Address already in use",
        ),
        (
            given("10.0.0.0/24", auxiliary={"r": "10.0.0.1"}),
            "failed to allocate secondary ip address (r:10.0.0.1): Address already in use",
        ),
        (
            given("10.0.0.0/24", auxiliary={"r": "10.0.0.255"}),
            "failed to allocate secondary ip address (r:10.0.0.255): Address already in use",
        ),
        (
            given("10.0.0.0/24", auxiliary={"r": "10.0.0.2", "s": "10.0.0.2"}),
            "failed to allocate secondary ip address (s:10.0.0.2): Address already in use",
        ),
        (
            given("10.0.0.0/24", range="10.0.0.7/32"),
            "failed to allocate gateway (): no available addresses on this pool",
        ),
    ],
)
def test_what_cannot_be_reserved(wish: Subnet, said: str) -> None:
    with pytest.raises(Failed) as refused:
        ipam.reserve(wish, ("10.0.0.7",))
    assert str(refused.value) == said


def test_what_is_reserved_is_never_given_out() -> None:
    async def scenario(world: World) -> None:
        controller = world.agent("node-1").controller
        subnet = given("10.71.0.0/29", gateway="10.71.0.6", auxiliary={"a": "10.71.0.1", "b": "10.71.0.3"})
        await controller.create(NetworkSpec(name="few", subnets=(subnet,)))
        assert [await start(world, "node-1", f"c{n}", "few") for n in range(3)] == [
            "10.71.0.2",
            "10.71.0.4",
            "10.71.0.5",
        ]
        with pytest.raises(Failed, match="no available IPv4 addresses on this network's address pools: few"):
            await start(world, "node-1", "c3", "few")
        for pinned in ("10.71.0.1", "10.71.0.6", "10.71.0.0", "10.71.0.7"):
            with pytest.raises(Forbidden, match="Address already in use"):
                await start(world, "node-1", f"p{pinned[-1]}", "few", address=pinned)

    play(scenario, nodes=1)


def test_a_network_of_one_address_has_only_its_gateway() -> None:
    async def scenario(world: World) -> None:
        controller = world.agent("node-1").controller
        await controller.create(NetworkSpec(name="one", subnets=(given("10.72.0.9/32"),)))
        with pytest.raises(Failed, match="no available IPv4 addresses"):
            await start(world, "node-1", "web", "one")

    play(scenario, nodes=1)


# -- several subnets of an overlay ----------------------------------------------------------------


def test_an_overlay_of_two_subnets_fills_one_and_then_the_other() -> None:
    async def scenario(world: World) -> None:
        controller = world.agent("node-1").controller
        subnets = (given("10.73.0.0/30"), given("10.74.0.0/30"))
        await controller.create(NetworkSpec(name="two", driver="overlay", attachable=True, subnets=subnets))
        await settle(world)
        found = controller.find("two")
        assert len(set(found.vnis)) == 2
        assert await start(world, "node-1", "one", "two") == "10.73.0.2"
        assert await start(world, "node-2", "two", "two") == "10.74.0.2"
        with pytest.raises(Failed, match="no available IPv4 addresses"):
            await start(world, "node-1", "three", "two")

    play(scenario, nodes=2)


def test_the_subnets_of_an_overlay_reach_each_other_from_whichever_node() -> None:
    async def scenario(world: World) -> None:
        subnets = (given("10.73.0.0/30"), given("10.74.0.0/29"))
        before = sorted(world.agent("node-2").switchboard.segments)
        await world.agent("node-1").controller.create(
            NetworkSpec(name="two", driver="overlay", attachable=True, subnets=subnets)
        )
        await settle(world)
        first = await start(world, "node-1", "first", "two")
        second = await start(world, "node-2", "second", "two")
        third = await start(world, "node-1", "third", "two")
        assert (first, second, third) == ("10.73.0.2", "10.74.0.2", "10.74.0.3")
        assert await reaches(world, "node-1", "first", second), "another subnet, another node"
        assert await reaches(world, "node-2", "second", first)
        assert await reaches(world, "node-1", "first", third), "another subnet, the same node"
        assert await reaches(world, "node-2", "second", third), "the same subnet, another node"
        assert await reaches(world, "node-2", "second", "10.73.0.1"), "and the gateway answers"
        for name in ("first", "third"):
            await world.agent("node-1").containers.remove(name, force=True)
        await world.agent("node-2").containers.remove("second", force=True)
        assert sorted(world.agent("node-2").switchboard.segments) == before

    play(scenario, nodes=2)


def test_the_subnets_of_one_overlay_must_not_overlap() -> None:
    async def scenario(world: World) -> None:
        subnets = (given("10.73.0.0/24"), given("10.73.0.0/25"))
        with pytest.raises(Forbidden, match="Pool overlaps"):
            await world.agent("node-1").controller.create(
                NetworkSpec(name="two", driver="overlay", subnets=subnets)
            )

    play(scenario, nodes=1)


# -- next-fit -------------------------------------------------------------------------------------


def test_an_overlay_goes_round_and_a_pinned_address_does_not_move_it() -> None:
    async def scenario(world: World) -> None:
        controller = world.agent("node-1").controller
        subnet = given("10.75.0.0/29")
        await controller.create(
            NetworkSpec(name="ring", driver="overlay", attachable=True, subnets=(subnet,))
        )
        assert await start(world, "node-1", "first", "ring") == "10.75.0.2"
        assert await start(world, "node-1", "pinned", "ring", address="10.75.0.5") == "10.75.0.5"
        assert await start(world, "node-1", "next", "ring") == "10.75.0.3"
        await world.agent("node-1").containers.remove("first", force=True)
        assert [await start(world, "node-1", f"c{n}", "ring") for n in range(3)] == [
            "10.75.0.4",
            "10.75.0.6",
            "10.75.0.2",
        ]

    play(scenario, nodes=1)


def test_every_subnet_of_an_overlay_goes_round_by_itself() -> None:
    async def scenario(world: World) -> None:
        agent = world.agent("node-1")
        subnets = (given("10.73.0.0/29"), given("10.74.0.0/29"))
        await agent.controller.create(
            NetworkSpec(name="two", driver="overlay", attachable=True, subnets=subnets)
        )
        first = [await start(world, "node-1", f"a{n}", "two") for n in range(5)]
        assert first == [f"10.73.0.{n}" for n in range(2, 7)]
        for name in ("a0", "a1"):
            await agent.containers.remove(name, force=True)
        assert await start(world, "node-1", "a5", "two") == "10.73.0.2", "round it goes"
        assert await start(world, "node-1", "a6", "two") == "10.73.0.3"
        assert await start(world, "node-1", "b0", "two") == "10.74.0.2", "the first is full"
        for name in ("a5", "a6"):
            await agent.containers.remove(name, force=True)
        assert await start(world, "node-1", "a7", "two") == "10.73.0.2"
        await agent.containers.remove("a7", force=True)
        assert await start(world, "node-1", "a8", "two") == "10.73.0.3", "its cursor stayed where it was"
        for name in ("a8", "b0"):
            await agent.containers.remove(name, force=True)
        await start(world, "node-1", "a9", "two", address="10.73.0.2")
        await start(world, "node-1", "a10", "two", address="10.73.0.3")
        assert await start(world, "node-1", "b1", "two") == "10.74.0.3", "so did that of the second"

    play(scenario, nodes=1)
