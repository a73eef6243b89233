"""Faults of every kind on whole nodes, and what a user sees of each."""

from __future__ import annotations

import asyncio

import pytest

from lab.sim.world import World
from node.chaos.faults import Direction
from node.chaos.kinds import (
    Bandwidth,
    ClockSkew,
    Corrupt,
    Delay,
    Flows,
    Mode,
    MtuLimit,
    Partition,
    Plane,
    StalledWatch,
)
from node.datapath.drops import Drop
from node.errors import Unavailable
from node.model.network import NetworkSpec
from tests.sim.breaking import fault, fetch, heal, lookup, members, sandbox, serving, two
from tests.sim.play import overlay, play, reaches, settle, start

LEASE_S = 3.0

# -- clocks ---------------------------------------------------------------------------------------


def test_a_node_whose_clock_runs_at_a_tenth_renews_its_lease_too_late_and_comes_back() -> None:
    async def scenario(world: World) -> None:
        here, there = await two(world)
        fault(world, "node-2", ClockSkew(rate=0.1), for_s=15.0)
        await settle(world, 6.0)
        assert "node-2" not in members(world, "node-1")
        assert not await reaches(world, "node-1", "web-1", there)
        await settle(world, 16.0)
        assert "node-2" in members(world, "node-1")
        assert await reaches(world, "node-1", "web-1", there)
        assert await reaches(world, "node-2", "web-2", here)

    play(scenario, nodes=2)


def test_a_calendar_that_is_an_hour_ahead_shows_in_what_people_read_and_breaks_nothing() -> None:
    async def scenario(world: World) -> None:
        _, there = await two(world)
        fault(world, "node-1", ClockSkew(offset_s=3600.0), for_s=10.0)
        assert world.agent("node-1").clock.wall() == pytest.approx(world.clock.wall() + 3600.0)
        await settle(world, 2 * LEASE_S)
        assert await reaches(world, "node-1", "web-1", there)

    play(scenario, nodes=2)


# -- the store ------------------------------------------------------------------------------------


def test_a_node_whose_watch_stalls_answers_from_an_old_view_and_can_say_so() -> None:
    async def scenario(world: World) -> None:
        await two(world)
        fault(world, "node-1", StalledWatch(), for_s=20.0)
        await start(world, "node-2", "late", "app")
        await settle(world, 2.0)
        assert (await lookup(world, "node-2", "late")).code == 0
        old = world.agent("node-1")
        seen = old.inspection.status()
        assert seen.store_connected, "it hears the store: it only brings no news"
        assert seen.revision < world.agent("node-2").inspection.status().revision
        assert seen.newest_announced > seen.revision, "the others told it what it has not seen"
        assert not await knows(world, "node-1", "late")
        heal(world, "node-1")
        await settle(world, 1.0)
        assert await knows(world, "node-1", "late")

    play(scenario, nodes=2)


async def knows(world: World, node: str, name: str) -> bool:
    """Whether a standing container there finds a name: making a new one would have to wait for the store."""
    asking = sandbox(world, node, "web-1").udp_socket()
    asking.connect("127.0.0.11", 53)
    labels = bytes([len(name)]) + name.encode() + b"\0"
    asking.send(bytes.fromhex("000701000001000000000000") + labels + bytes.fromhex("00010001"))
    try:
        async with asyncio.timeout(1.0):
            answer, _ = await asking.receive()
        return int.from_bytes(answer[6:8], "big") > 0
    except TimeoutError:
        return False
    finally:
        asking.close()


def test_a_slow_store_makes_changes_slow_and_nothing_else() -> None:
    async def scenario(world: World) -> None:
        _, there = await two(world)
        fault(world, "node-1", Delay(0.5), Plane.STORE)
        begun = world.clock.now()
        await overlay(world, "later")
        assert world.clock.now() - begun >= 1.0, "there and back, half a second each"
        assert await reaches(world, "node-1", "web-1", there)
        await settle(world, 2 * LEASE_S)
        assert "node-1" in members(world, "node-2"), "its lease is renewed, slowly"

    play(scenario, nodes=2)


# -- what blocks which port -----------------------------------------------------------------------


def test_4789_blocked_names_resolve_and_traffic_times_out() -> None:
    async def scenario(world: World) -> None:
        _, there = await two(world)
        fault(world, "node-1", Partition(), Plane.DATA)
        assert (await lookup(world)).code == 0
        assert not await reaches(world, "node-1", "web-1", there)
        await overlay(world, "more")
        assert "node-1" in members(world, "node-2")

    play(scenario, nodes=2)


def test_the_control_port_blocked_probes_fail_and_traffic_flows() -> None:
    async def scenario(world: World) -> None:
        _, there = await two(world)
        fault(world, "node-1", Partition(), Plane.CONTROL)
        await settle(world, 5.0)
        seen = {member.name: member for member in world.agent("node-1").inspection.status().members}
        assert seen["node-2"].failures > 0
        assert await reaches(world, "node-1", "web-1", there)
        assert (await lookup(world)).code == 0

    play(scenario, nodes=2)


def test_the_store_blocked_nothing_can_be_changed_and_traffic_flows_until_the_lease_ends() -> None:
    async def scenario(world: World) -> None:
        _, there = await two(world)
        fault(world, "node-1", Partition(), Plane.STORE, for_s=20.0)
        with pytest.raises(Unavailable):
            await overlay(world, "more")
        assert await reaches(world, "node-1", "web-1", there)
        await settle(world, LEASE_S + 1.0)
        assert not await reaches(world, "node-1", "web-1", there), "the others have taken it for dead"
        await settle(world, 20.0)
        assert await reaches(world, "node-1", "web-1", there)

    play(scenario, nodes=2)


# -- the wire -------------------------------------------------------------------------------------


def test_an_mtu_black_hole_lets_pings_and_small_pages_through_and_large_answers_hang() -> None:
    async def scenario(world: World) -> None:
        _, there = await two(world)
        caller = sandbox(world, "node-1", "web-1")
        for node in ("node-1", "node-2"):
            fault(world, node, MtuLimit(1400))
        async with serving(sandbox(world, "node-2", "web-2"), b"small"):
            assert await reaches(world, "node-1", "web-1", there)
            assert await fetch(caller, there) == "small"
        async with serving(sandbox(world, "node-2", "web-2"), b"x" * 100_000):
            assert await fetch(caller, there, within_s=10.0) == "nothing"

    play(scenario, nodes=2)


def test_tcp_settles_at_the_bandwidth_that_there_is() -> None:
    async def scenario(world: World) -> None:
        _, there = await two(world)
        size, megabit = 2_000_000, 8
        fault(world, "node-2", Bandwidth(megabit * 1e6), direction=Direction.OUTGOING)
        async with serving(sandbox(world, "node-2", "web-2"), b"x" * size):
            stream = await sandbox(world, "node-1", "web-1").connect_tcp(there, 80)
            begun, got = world.clock.now(), 0
            while part := await stream.read():
                got += len(part)
            stream.close()
        assert got == size
        rate = size * 8 / (world.clock.now() - begun) / 1e6
        assert 0.8 * megabit < rate < megabit

    play(scenario, nodes=2)


def test_what_was_corrupted_is_found_out_by_its_checksum_and_tcp_repairs_it() -> None:
    async def scenario(world: World) -> None:
        _, there = await two(world)
        content = b"0123456789" * 20_000
        fault(world, "node-2", Corrupt(0.05), direction=Direction.OUTGOING)
        async with serving(sandbox(world, "node-2", "web-2"), content):
            stream = await sandbox(world, "node-1", "web-1").connect_tcp(there, 80)
            got = b""
            while part := await stream.read():
                got += part
            stream.close()
        assert got == content
        assert world.agent("node-1").counters.dropped(Drop.MALFORMED_PACKET) > 0

    play(scenario, nodes=2)


def test_established_conversations_are_cut_and_new_ones_get_through() -> None:
    async def scenario(world: World) -> None:
        _, there = await two(world)
        caller = sandbox(world, "node-1", "web-1")
        async with serving(sandbox(world, "node-2", "web-2")):
            assert await fetch(caller, there) == "welcome"
            listener = sandbox(world, "node-2", "web-2").listen_tcp("0.0.0.0", 81)
            standing = await caller.connect_tcp(there, 81)
            heard = await listener.accept()
            fault(world, "node-1", Partition(flows=Flows.ESTABLISHED), Plane.DATA)
            await standing.write(b"anybody there?")
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(5.0):
                    await heard.read()
            assert await fetch(caller, there) == "welcome", "a new one has a port of its own on the wire"
            heal(world, "node-1")
            assert await heard.read() == b"anybody there?", "TCP has tried again and again"
            for stream in (standing, heard):
                stream.close()

    play(scenario, nodes=2)


def test_a_flapping_cut_comes_and_goes_and_ends_by_itself() -> None:
    async def scenario(world: World) -> None:
        _, there = await two(world)
        fault(world, "node-1", Partition(Mode.REJECT, period_s=5.0), Plane.DATA, Plane.STORE, for_s=25.0)
        begun, seen = world.clock.now(), []
        for moment in (2.0, 7.0, 12.0, 17.0, 22.0, 26.0):
            await world.clock.sleep(begun + moment - world.clock.now())
            connected = world.agent("node-1").inspection.status().store_connected
            seen.append((connected, await reaches(world, "node-1", "web-1", there)))
        assert [reached for _, reached in seen] == [False, True, False, True, False, True]
        assert [connected for connected, _ in seen] == [False, True, False, True, False, True]
        assert world.agent("node-1").faults.list(world.clock.now()) == ()

    play(scenario, nodes=2)


def test_bridges_of_one_node_feel_nothing_of_faults_between_nodes() -> None:
    async def scenario(world: World) -> None:
        await world.agent("node-1").controller.create(NetworkSpec(name="local", driver="bridge"))
        await start(world, "node-1", "one", "local")
        other = await start(world, "node-1", "other", "local")
        fault(world, "node-1", Partition())
        assert await reaches(world, "node-1", "one", other)

    play(scenario, nodes=2)
