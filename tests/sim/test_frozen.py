"""A simulated node is frozen as SIGSTOP freezes a process, whatever it is doing."""

from __future__ import annotations

import pytest

from lab.sim.fabric import DATAGRAM_OVERHEAD_BYTES, SOCKET_BUFFER_BYTES
from lab.sim.stage import SimStage
from lab.sim.world import World
from node.seams import Channel, Unreachable
from tests.sim.play import address_of, overlay, play, reaches, settle, start

LEASE_S = 3.0


async def two(world: World) -> list[str]:
    await overlay(world, "app")
    return [await start(world, node, f"c-{node[-1]}", "app") for node in ("node-1", "node-2")]


def test_nothing_goes_on_in_a_frozen_node_and_then_all_of_it_does() -> None:
    async def scenario(world: World) -> None:
        await two(world)
        rung: list[float] = []
        clock = world.agent("node-2").seams.clock

        async def ticking() -> None:
            while True:
                await clock.sleep(1.0)
                rung.append(clock.now())

        task = world.inside("node-2", ticking())
        clock.call_at(clock.now() + 2.0, lambda: rung.append(-clock.now()))
        begun = clock.now()
        world.freeze("node-2")
        await settle(world, 10.0)
        assert rung == []
        world.thaw("node-2")
        await settle(world, 1.5)
        late = begun + 10.0
        assert rung == [late, -late, late + 1.0] or rung == [-late, late, late + 1.0]
        task.cancel()

    play(scenario, nodes=2)


def test_its_timers_that_are_cancelled_do_not_ring_when_it_goes_on() -> None:
    async def scenario(world: World) -> None:
        clock = world.agent("node-1").seams.clock
        rung: list[str] = []
        timer = clock.call_at(clock.now() + 1.0, lambda: rung.append("cancelled"))
        clock.call_at(clock.now() + 0.5, lambda: (timer.cancel(), rung.append("cancels"))[0])
        world.freeze("node-1")
        await settle(world, 2.0)
        world.thaw("node-1")
        await settle(world, 1.0)
        assert rung == ["cancels"]

    play(scenario, nodes=1)


def test_the_swarm_gives_a_frozen_node_up_and_takes_it_back() -> None:
    async def scenario(world: World) -> None:
        first, second = await two(world)
        world.freeze("node-2")
        assert not await reaches(world, "node-1", "c-1", second)
        await settle(world, LEASE_S)
        ledger = world.agent("node-1").swarm_ledger
        assert ledger is not None
        assert "node-2" not in ledger.view.members
        world.thaw("node-2")
        await settle(world, 3.0)
        assert await reaches(world, "node-1", "c-1", second)
        assert address_of(world, "node-2", "c-2") == second
        assert await reaches(world, "node-2", "c-2", first)

    play(scenario, nodes=2)


def test_datagrams_wait_in_its_socket_until_that_is_full() -> None:
    async def scenario(world: World) -> None:
        address = world.hosts["node-2"].config.underlay_address
        room = SOCKET_BUFFER_BYTES // (1000 + DATAGRAM_OVERHEAD_BYTES)
        wire = world.fabric.underlay("10.99.9.9")
        world.freeze("node-2")
        before = world.agent("node-2").counters.received
        for _ in range(room + 5):
            wire.send(Channel.DATA, address, 0, bytes(1000))
        await settle(world, 1.0)
        assert world.agent("node-2").counters.received == before
        assert world.fabric.buffer_full == {address: 5}
        assert world.fabric.unaccounted == 0
        world.thaw("node-2")
        await settle(world, 0.1)
        assert world.agent("node-2").counters.received >= before + room
        assert world.fabric.unaccounted == 0

    play(scenario, nodes=2)


def test_calls_to_it_time_out() -> None:
    async def scenario(world: World) -> None:
        address = world.hosts["node-2"].config.underlay_address
        control = world.fabric.control("10.99.9.9")
        assert await control.probe(address, sender="x", timeout_s=0.5) < 0.1
        world.freeze("node-2")
        begun = world.clock.now()
        with pytest.raises(Unreachable):
            await control.probe(address, sender="x", timeout_s=0.5)
        assert world.clock.now() - begun >= 0.5

    play(scenario, nodes=2)


def test_a_frozen_node_can_be_killed_and_started() -> None:
    async def scenario(world: World) -> None:
        first, _ = await two(world)
        world.freeze("node-2")
        await settle(world, 1.0)
        await world.kill("node-2")
        await settle(world, LEASE_S)
        await world.start("node-2")
        await start(world, "node-2", "new", "app")
        assert await reaches(world, "node-2", "new", first)

    play(scenario, nodes=2)


def test_whoever_waits_for_a_node_that_goes_down_is_told() -> None:
    async def scenario(world: World) -> None:
        await two(world)
        stage = SimStage(world)
        asked = world.loop.create_task(stage.execute("node-2", "c-2", ("sleep", "5")))
        await settle(world, 1.0)
        await stage.restart("node-2")
        assert (await asked).code == -1
        await stage.kill("node-2")
        assert (await stage.request("node-2", "GET", "/info")).text == "node-2 is down"
        await stage.start("node-2")
        assert (await stage.request("node-2", "GET", "/info")).code == 200

    play(scenario, nodes=2)
