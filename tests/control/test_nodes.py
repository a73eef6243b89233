"""Nodes that are lost, frozen, cut off or started again, in a simulated world."""

from __future__ import annotations

import subprocess
import sys

from lab.sim.world import World
from node.chaos.faults import Injection, Scope
from node.chaos.kinds import Partition, Plane
from node.datapath.drops import Drop
from tests.sim.play import address_of, overlay, play, reaches, run, settle, start, swarm_keys

LEASE_S = 3.0


async def one_each(world: World) -> list[str]:
    """A container called web-N on each node, in one overlay; their addresses."""
    await overlay(world, "app")
    return [await start(world, node, f"web-{node[-1]}", "app") for node in world.hosts]


def test_a_killed_node_is_forgotten_within_its_lease_and_nothing_else_changes() -> None:
    async def scenario(world: World) -> None:
        addresses = await one_each(world)
        assert await reaches(world, "node-1", "web-1", addresses[2])
        await world.kill("node-3")
        await settle(world, LEASE_S + 0.1)
        assert not await reaches(world, "node-1", "web-1", addresses[2])
        assert (await run(world, "node-1", "app", "nslookup", "web-3")).code == 1
        assert await reaches(world, "node-1", "web-1", addresses[1])
        assert (await run(world, "node-1", "app", "nslookup", "web-2")).code == 0
        # The container still believes its ARP cache; the segment knows better.
        assert world.agent("node-1").counters.dropped(Drop.NO_FORWARDING_ENTRY) == 1

    play(scenario)


def test_what_a_dead_node_owns_stays_its_own_until_it_returns() -> None:
    async def scenario(world: World) -> None:
        addresses = await one_each(world)
        await world.kill("node-3")
        await settle(world, 30.0)
        assert f"/{addresses[2]}" in "".join(await swarm_keys(world))
        await world.start("node-3")
        await settle(world, 2.0)
        assert f"/{addresses[2]}" not in "".join(await swarm_keys(world))

    play(scenario)


def test_a_node_that_returns_runs_what_is_to_run_again() -> None:
    async def scenario(world: World) -> None:
        await overlay(world, "app")
        await start(world, "node-1", "other", "app")
        for name, policy in (
            ("always", "always"),
            ("unless", "unless-stopped"),
            ("stopped", "unless-stopped"),
            ("no", "no"),
        ):
            await start(world, "node-3", name, "app", restart=policy)
        before = address_of(world, "node-3", "always")
        await world.agent("node-3").containers.stop("stopped", timeout_s=0, signal=None)
        await world.kill("node-3")
        await settle(world, 1.0)
        agent = await world.start("node-3")
        await settle(world, 2.0)
        states = {c.name: (c.state.status, c.state.exit_code) for c in agent.containers.list()}
        assert states["always"][0] == states["unless"][0] == "running"
        assert states["stopped"][0] == "exited"
        assert states["no"] == ("exited", 255)
        after = address_of(world, "node-3", "always")
        assert after not in ("", before), "addresses are given anew"
        assert await reaches(world, "node-1", "other", after)

    play(scenario)


def test_a_node_that_was_frozen_longer_than_its_lease_is_met_again() -> None:
    async def scenario(world: World) -> None:
        addresses = await one_each(world)
        session = world.hosts["node-3"].session
        assert session is not None
        session.cut()
        await settle(world, LEASE_S + 2.0)
        assert not await reaches(world, "node-1", "web-1", addresses[2])
        session.mend()
        await settle(world, 3.0)
        assert await reaches(world, "node-1", "web-1", addresses[2])
        assert address_of(world, "node-3", "web-3") == addresses[2]

    play(scenario)


def test_a_partition_cuts_two_nodes_and_heals_by_itself() -> None:
    async def scenario(world: World) -> None:
        addresses = await one_each(world)
        cut = Injection(Partition(), Scope(("node-3",), planes=(Plane.DATA,)), 5.0)
        world.agent("node-1").faults.inject(cut, world.clock.now())
        assert not await reaches(world, "node-1", "web-1", addresses[2])
        assert await reaches(world, "node-1", "web-1", addresses[1])
        assert world.agent("node-1").counters.dropped(Drop.UNDERLAY_FAULT) > 0
        await settle(world, 5.0)
        assert await reaches(world, "node-1", "web-1", addresses[2])

    play(scenario)


def test_a_node_cut_from_the_store_counts_as_dead_after_its_lease_and_as_alive_when_healed() -> None:
    async def scenario(world: World) -> None:
        addresses = await one_each(world)
        cut = Injection(Partition(), Scope(planes=(Plane.STORE,)), 20.0)
        world.agent("node-2").faults.inject(cut, world.clock.now())
        assert await reaches(world, "node-2", "web-2", addresses[0])
        await settle(world, LEASE_S + 1.0)
        assert not await reaches(world, "node-2", "web-2", addresses[0])
        await settle(world, 20.0)
        assert await reaches(world, "node-1", "web-1", addresses[1])
        assert await reaches(world, "node-2", "web-2", addresses[0])

    play(scenario)


def test_a_frozen_container_still_answers_pings() -> None:
    async def scenario(world: World) -> None:
        addresses = await one_each(world)
        agent = world.agent("node-3")
        await start(world, "node-3", "ticker", "app", "sh", "-c", "while true; do echo tick; sleep 1; done")
        await agent.containers.pause("ticker")
        await agent.containers.pause("web-3")
        written = len([o async for o in agent.programs.logs("ticker", _all())])
        await settle(world, 10.0)
        assert len([o async for o in agent.programs.logs("ticker", _all())]) == written
        assert await reaches(world, "node-1", "web-1", addresses[2])
        await agent.containers.unpause("ticker")
        await settle(world, 3.5)
        assert len([o async for o in agent.programs.logs("ticker", _all())]) >= written + 3

    play(scenario)


def _all():  # type: ignore[no-untyped-def]
    from node.model.output import LogSpec

    return LogSpec()


STORY = """
import sys
from tests.control.test_nodes import tell_a_story
sys.stdout.write(tell_a_story(int(sys.argv[1])))
"""


def tell_a_story(seed: int) -> str:
    """A life with losses, as text."""

    async def scenario(world: World) -> None:
        await one_each(world)
        await start(world, "node-2", "always", "app", restart="always")
        await world.kill("node-2")
        await settle(world, 4.0)
        await world.start("node-2")
        await settle(world, 4.0)
        for node in world.hosts:
            agent = world.agent(node)
            for event in agent.events.since(0):
                world.story.tell(
                    node, event.action, {"actor": event.actor, "at": event.time_ns, **event.attributes}
                )
            world.story.tell(node, "counters", {"counters": agent.counters})

    return play(scenario, seed=seed).story.text()


def test_the_same_seed_tells_the_same_story_in_another_process() -> None:
    stories = [
        subprocess.run(
            [sys.executable, "-c", STORY, "7"],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": hash_seed, "PYTHONPATH": "."},
        ).stdout
        for hash_seed in ("1", "2")
    ]
    assert stories[0] == stories[1]
    assert len(stories[0].splitlines()) > 15
    assert stories[0] != tell_a_story(8)
