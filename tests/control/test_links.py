"""`--link` on the default bridge, as it was before networks had name servers."""

from __future__ import annotations

import asyncio
import json

import pytest

from lab.sim.world import World
from node.datapath.drops import Drop
from node.errors import Failed, InvalidParameter
from node.model.container import ContainerSpec
from node.model.network import NetworkSpec
from node.model.output import AttachSpec
from tests.control.test_settings import play_with
from tests.programs.containers import sandbox_of
from tests.sim.play import address_of, play


async def create(
    world: World, name: str, *command: str, network: str = "bridge", links: tuple[str, ...] = ()
) -> str:
    spec = ContainerSpec(
        image="nginx" if not command else "alpine",
        command=command,
        network_mode=network,
        links=links,
        environment=("COLOUR=red",),
    )
    identity, _ = await world.agent("node-1").containers.create(name, spec)
    return identity


async def output(world: World, name: str) -> str:
    """Start a container, and wait for all that it says."""
    agent = world.agent("node-1")
    terminal = agent.programs.attach(name, AttachSpec(stream=True, stdout=True, stderr=True))
    await agent.containers.start(name)
    return "".join([said.data.decode() async for said in terminal])


def test_the_linked_one_is_known_by_name_and_in_the_environment() -> None:
    async def scenario(world: World) -> None:
        await create(world, "db-1")
        await world.agent("node-1").containers.start("db-1")
        await create(
            world, "app", "sh", "-c", "cat /etc/hosts; env; ping -c 1 data-base", links=("db-1:data-base",)
        )
        said = (await output(world, "app")).splitlines()
        short = world.agent("node-1").registry.find("db-1").id[:12]
        assert f"172.17.0.2\tdata-base {short} db-1" in said
        for line in (
            "DATA_BASE_PORT=tcp://172.17.0.2:80",
            "DATA_BASE_PORT_80_TCP=tcp://172.17.0.2:80",
            "DATA_BASE_PORT_80_TCP_ADDR=172.17.0.2",
            "DATA_BASE_PORT_80_TCP_PORT=80",
            "DATA_BASE_PORT_80_TCP_PROTO=tcp",
            "DATA_BASE_NAME=/app/data-base",
            "DATA_BASE_ENV_COLOUR=red",
        ):
            assert line in said, line
        assert not any(line.startswith("DATA_BASE_ENV_PATH") for line in said)
        assert "1 packets transmitted, 1 packets received, 0% packet loss" in said

    play(scenario, nodes=1)


def test_links_that_cannot_be() -> None:
    async def scenario(world: World) -> None:
        agent = world.agent("node-1")
        with pytest.raises(
            InvalidParameter, match="could not get container for nobody: No such container: nobody"
        ):
            await create(world, "one", links=("nobody:db",))
        await create(world, "asleep")
        await create(world, "two", links=("asleep:db",))
        with pytest.raises(Failed, match=r"^Cannot link to a non running container: /asleep AS /two/db$"):
            await agent.containers.start("two")
        await agent.controller.create(NetworkSpec(name="mine", driver="bridge"))
        await create(world, "elsewhere", network="mine")
        await agent.containers.start("elsewhere")
        await create(world, "three", links=("elsewhere:db",))
        with pytest.raises(Failed, match=r"container \w{64} not attached to default bridge network$"):
            await agent.containers.start("three")
        assert agent.controller.attached(agent.controller.find("bridge")) == [], "nothing is left behind"

    play(scenario, nodes=1)


def test_without_icc_exactly_the_linked_ones_exposed_ports_are_open() -> None:
    async def scenario(world: World) -> None:
        agent = world.agent("node-1")
        for name in ("db", "other"):
            await create(world, name)
            await agent.containers.start(name)
        await sandbox_listens(world, "db", 81)
        probes = "; ".join(
            f"curl -sS -m 1 -o /dev/null {place} && echo open || echo $?"
            for place in ("db", "db:81", "172.17.0.3")
        )
        script = f"{probes}; ping -c 1 -W 1 db > /dev/null; echo $?"
        await create(world, "app", "sh", "-c", script, links=("db",))
        said = [line for line in (await output(world, "app")).splitlines() if "curl:" not in line]
        assert said == ["open", "28", "28", "1"]
        await create(world, "stranger", "curl", "-sS", "-m", "1", "172.17.0.2")
        assert "(28)" in await output(world, "stranger")
        assert agent.counters.drops["bridge", Drop.PORT_ISOLATED] > 0
        shown = json.loads((await world.request("node-1", "GET", "/networks/bridge")).body)
        assert shown["Options"]["com.docker.network.bridge.enable_icc"] == "false"

    play_with(scenario, icc=False)


def test_the_linked_one_may_not_begin_a_conversation() -> None:
    async def scenario(world: World) -> None:
        agent = world.agent("node-1")
        await create(world, "db")
        await agent.containers.start("db")
        await create(world, "app", "sleep", "1000", links=("db",))
        await agent.containers.start("app")
        await sandbox_listens(world, "app", 80)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5):
                await sandbox_of(world, "node-1", "db").connect_tcp(address_of(world, "node-1", "app"), 80)
        async with asyncio.timeout(5):
            stream = await sandbox_of(world, "node-1", "app").connect_tcp("172.17.0.2", 80)
        stream.close()
        await agent.containers.remove("app", force=True)
        ports = agent.switchboard.segments[agent.controller.find("bridge").id].bridge.ports.values()
        assert not any(port.openings for port in ports)

    play_with(scenario, icc=False)


async def sandbox_listens(world: World, name: str, tcp_port: int) -> None:
    sandbox_of(world, "node-1", name).listen_tcp("0.0.0.0", tcp_port)
