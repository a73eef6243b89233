"""Small things that a real engine does, and that a comparison with one has taught (tests/differential)."""

from __future__ import annotations

import asyncio

import pytest

from lab.sim.world import World
from node.errors import Conflict, Failed, InvalidParameter, NotFound
from node.model.container import ContainerSpec, Ended, RestartPolicy
from node.model.network import NetworkSpec
from node.model.output import AttachSpec
from tests.sim.play import play, run, start


async def said(world: World, name: str) -> str:
    """Start a container, and wait for all that it says."""
    agent = world.agent("node-1")
    terminal = agent.programs.attach(name, AttachSpec(stream=True, stdout=True, stderr=True))
    await agent.containers.start(name)
    return "".join([output.data.decode() async for output in terminal])


def told(world: World, action: str) -> list[dict[str, str]]:
    """The attributes of every event with this action on node-1."""
    return [event.attributes for event in world.agent("node-1").events.since(0) if event.action == action]


def test_a_renamed_container_is_known_by_its_new_name_alone() -> None:
    async def scenario(world: World) -> None:
        agent = world.agent("node-1")
        await agent.controller.create(NetworkSpec(name="app"))
        address = await start(world, "node-1", "before", "app")
        await agent.containers.rename("before", "after")
        assert address in (await run(world, "node-1", "app", "nslookup", "after")).text
        assert "can't find before" in (await run(world, "node-1", "app", "nslookup", "before")).text
        assert [endpoint.name for endpoint in agent.controller.attached(agent.controller.find("app"))] == [
            "after"
        ]

    play(scenario, nodes=1)


def test_a_name_that_cannot_be_given_again() -> None:
    async def scenario(world: World) -> None:
        agent = world.agent("node-1")
        await start(world, "node-1", "one", "bridge")
        await start(world, "node-1", "two", "bridge")
        with pytest.raises(
            Conflict, match=r'^Error when allocating new name: Conflict. The container name "/two"'
        ):
            await agent.containers.rename("one", "two")
        with pytest.raises(InvalidParameter, match=r"^Error when .* Invalid container name \(/a b\), only"):
            await agent.containers.rename("one", "a b")

    play(scenario, nodes=1)


def test_host_gateway_is_the_default_bridge_on_every_network() -> None:
    async def scenario(world: World) -> None:
        agent = world.agent("node-1")
        await agent.controller.create(NetworkSpec(name="app"))
        spec = ContainerSpec(
            image="alpine",
            command=("cat", "/etc/hosts"),
            network_mode="app",
            extra_hosts=("outside:host-gateway",),
        )
        await agent.containers.create("one", spec)
        assert "172.17.0.1\toutside\n" in await said(world, "one")

    play(scenario, nodes=1)


def test_a_container_in_anothers_network_has_its_host_name_and_keeps_to_it() -> None:
    async def scenario(world: World) -> None:
        agent = world.agent("node-1")
        await start(world, "node-1", "owner", "bridge")
        owner = agent.registry.find("owner").id
        spec = ContainerSpec(image="alpine", command=("hostname",), network_mode="container:owner")
        await agent.containers.create("guest", spec)
        assert await said(world, "guest") == f"{owner[:12]}\n"
        guest = agent.registry.find("guest")
        assert guest.spec.network_mode == f"container:{owner}"
        assert guest.spec.hostname == owner[:12]
        await agent.containers.rename("owner", "other")
        await agent.containers.start("guest")
        await agent.containers.stop("other", timeout_s=0, signal=None)
        with pytest.raises(Conflict, match=r"container other is exited$"):
            await agent.containers.start("guest")
        await agent.containers.remove("other", force=True)
        with pytest.raises(Failed, match=f"^Cannot restart container guest: joining .* container: {owner}$"):
            await agent.containers.restart("guest", timeout_s=0, signal=None)

    play(scenario, nodes=1)


def test_who_waits_for_an_exit_is_not_told_of_a_start_that_failed() -> None:
    async def scenario(world: World) -> None:
        agent = world.agent("node-1")
        await agent.containers.create("one", ContainerSpec(image="alpine", network_mode="nosuch"))
        waiting = agent.programs.wait("one", "next-exit")
        with pytest.raises(Failed):
            await agent.containers.start("one")
        await asyncio.sleep(5)
        assert not waiting.done()
        await agent.containers.remove("one", force=False)
        assert waiting.done()

    play(scenario, nodes=1)


def test_a_start_that_failed_removes_what_was_to_be_removed_and_says_so_without_an_error() -> None:
    async def scenario(world: World) -> None:
        agent = world.agent("node-1")
        spec = ContainerSpec(image="alpine", network_mode="nosuch", auto_remove=True)
        await agent.containers.create("one", spec)
        waiting = agent.programs.wait("one", "removed")
        with pytest.raises(Failed):
            await agent.containers.start("one")
        assert await waiting == Ended(128), "`docker run --rm` waits for this, and prints nothing more"
        with pytest.raises(NotFound):
            agent.containers.find("one")

    play(scenario, nodes=1)


def test_stopping_what_waits_to_be_restarted_is_an_end_too() -> None:
    async def scenario(world: World) -> None:
        agent = world.agent("node-1")
        spec = ContainerSpec(image="alpine", command=("sh", "-c", "exit 3"), restart=RestartPolicy("always"))
        await agent.containers.create("one", spec)
        await agent.containers.start("one")
        waiting = agent.programs.wait("one", "not-running")
        await world.clock.sleep(0.05)
        assert agent.containers.find("one").state.status == "restarting"
        await agent.containers.stop("one", timeout_s=None, signal=None)
        assert await waiting == Ended(3)

    play(scenario, nodes=1)


def test_the_end_of_a_container_tells_how_long_it_ran_and_by_which_signal() -> None:
    async def scenario(world: World) -> None:
        agent = world.agent("node-1")
        await agent.containers.create("web", ContainerSpec(image="nginx"))
        await agent.containers.start("web")
        await world.clock.sleep(3.5)
        await agent.containers.stop("web", timeout_s=None, signal=None)
        assert [attributes["execDuration"] for attributes in told(world, "die")] == ["3"]
        assert [attributes["signal"] for attributes in told(world, "kill")] == ["3"], "the image's SIGQUIT"

    play(scenario, nodes=1)


def test_a_pruning_is_told_as_one_event_more() -> None:
    async def scenario(world: World) -> None:
        agent = world.agent("node-1")
        await agent.controller.create(NetworkSpec(name="app"))
        assert await agent.controller.prune(lambda network: True) == ["app"]
        assert told(world, "prune") == [{"reclaimed": "0"}]

    play(scenario, nodes=1)


def test_disconnecting_nobody_by_force() -> None:
    async def scenario(world: World) -> None:
        agent = world.agent("node-1")
        await agent.controller.create(NetworkSpec(name="app"))
        with pytest.raises(NotFound, match=r"^endpoint nobody not found$"):
            await agent.controller.disconnect("app", "nobody", force=True)

    play(scenario, nodes=1)


def test_an_unknown_ipam_driver() -> None:
    async def scenario(world: World) -> None:
        with pytest.raises(NotFound, match=r'^plugin "nonsense" not found$'):
            await world.agent("node-1").controller.create(NetworkSpec(name="app", ipam_driver="nonsense"))

    play(scenario, nodes=1)


def test_variables_come_in_the_engines_order() -> None:
    async def scenario(world: World) -> None:
        agent = world.agent("node-1")
        spec = ContainerSpec(image="alpine", command=("env",), environment=("COLOUR=red",), hostname="h")
        await agent.containers.create("one", spec)
        names = [line.partition("=")[0] for line in (await said(world, "one")).splitlines()]
        assert names == ["PATH", "HOSTNAME", "COLOUR", "HOME"]

    play(scenario, nodes=1)
