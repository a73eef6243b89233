"""Faults at name servers and at published ports, on whole nodes."""

from __future__ import annotations

import pytest

from lab.sim.world import World
from node.chaos.faults import Direction
from node.chaos.kinds import (
    Delay,
    Loss,
    Mode,
    Partition,
    Plane,
)
from node.datapath.drops import Drop
from node.model.container import ContainerSpec
from node.stack.sandbox import Sandbox
from tests.sim.breaking import fault, fetch, heal, lookup, sandbox, serving, two
from tests.sim.play import play, reaches, settle, start

LAN_1 = "192.168.65.2"

# -- the name server of containers ----------------------------------------------------------------


def test_a_silent_name_server_is_asked_in_vain_and_addresses_still_work() -> None:
    async def scenario(world: World) -> None:
        _, there = await two(world)
        assert (await lookup(world)).code == 0
        fault(world, "node-1", Partition(), Plane.NAMES)
        asked = await lookup(world)
        assert asked.code == 1
        assert "connection timed out; no servers could be reached" in asked.text
        assert world.agent("node-1").counters.dropped(Drop.QUESTION_LOST) > 0
        assert await reaches(world, "node-1", "web-1", there)
        assert (await lookup(world, "node-2", "web-1")).code == 0, "the other node's are asked as ever"
        heal(world, "node-1")
        assert (await lookup(world)).code == 0

    play(scenario, nodes=2)


def test_a_name_server_that_refuses_says_so_over_udp_and_tcp() -> None:
    async def scenario(world: World) -> None:
        await two(world)
        fault(world, "node-1", Partition(Mode.REJECT), Plane.NAMES)
        asked = await lookup(world)
        assert asked.code == 1
        assert "server can't find web-2: REFUSED" in asked.text
        stream = await sandbox(world, "node-1", "web-1").connect_tcp("127.0.0.11", 53)
        query = bytes.fromhex("000701000001000000000000 0577656232 00 0001 0001".replace(" ", ""))
        query = query.replace(b"\x05web2", b"\x04web2")
        await stream.write(len(query).to_bytes(2, "big") + query)
        assert (await stream.read())[5] & 0x0F == 5, "REFUSED"
        stream.close()

    play(scenario, nodes=2)


def test_a_slow_name_server_answers_late_and_a_lossy_one_sometimes() -> None:
    async def scenario(world: World) -> None:
        await two(world)
        fault(world, "node-1", Delay(2.0), Plane.NAMES, direction=Direction.OUTGOING)
        begun = world.clock.now()
        assert (await lookup(world)).code == 0
        assert 4.0 <= world.clock.now() - begun < 4.5, "A and AAAA, one after the other"
        heal(world, "node-1")
        fault(world, "node-1", Loss(0.5), Plane.NAMES)
        server = sandbox(world, "node-1", "web-1").udp_socket()
        server.connect("127.0.0.11", 53)
        query = bytes.fromhex("00070100000100000000000004") + b"none" + bytes.fromhex("0000010001")
        for _ in range(200):
            server.send(query)
        await settle(world, 0.1)
        lost = world.agent("node-1").counters.dropped(Drop.QUESTION_LOST)
        assert 100 < lost < 190, "a question or its answer: three of four"

    play(scenario, nodes=2)


# -- published ports ------------------------------------------------------------------------------


async def publish(world: World, node: str = "node-1") -> Sandbox:
    """A container whose port 80 is the host's 8080."""
    agent = world.agent(node)
    spec = ContainerSpec(
        image="alpine",
        command=("sleep", "100000"),
        network_mode="bridge",
        port_bindings={"80/tcp": (("", "8080"),)},
    )
    identity, _ = await agent.containers.create("site", spec)
    await agent.containers.start(identity)
    return sandbox(world, node, "site")


@pytest.mark.parametrize(("mode", "seen"), [(Mode.DROP, "nothing"), (Mode.REJECT, "refused")])
def test_published_ports_lead_nowhere_for_the_lan_the_host_and_its_containers(mode: Mode, seen: str) -> None:
    async def scenario(world: World) -> None:
        server = await publish(world)
        await start(world, "node-1", "beside", "bridge")
        callers = [world.agent("node-2").host, world.agent("node-1").host, sandbox(world, "node-1", "beside")]
        async with serving(server):
            assert [await fetch(caller, LAN_1, 8080) for caller in callers] == ["welcome"] * 3
            fault(world, "node-1", Partition(mode), Plane.PORTS)
            assert [await fetch(caller, LAN_1, 8080) for caller in callers] == [seen] * 3
            assert world.agent("node-1").counters.dropped(Drop.PORT_CLOSED) >= 3
            assert await fetch(callers[2], "172.17.0.2") == "welcome", "the container itself is as ever"
            heal(world, "node-1")
            assert [await fetch(caller, LAN_1, 8080) for caller in callers] == ["welcome"] * 3

    play(scenario, nodes=2)


def test_ports_can_be_closed_to_one_node_alone() -> None:
    async def scenario(world: World) -> None:
        async with serving(await publish(world)):
            fault(world, "node-1", Partition(Mode.REJECT), Plane.PORTS, peers=("node-2",))
            assert await fetch(world.agent("node-2").host, LAN_1, 8080) == "refused"
            assert await fetch(world.agent("node-3").host, LAN_1, 8080) == "welcome"

    play(scenario)
