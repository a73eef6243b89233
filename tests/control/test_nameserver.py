"""The name server at 127.0.0.11 as programs meet it: over UDP and TCP, and in front of other servers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network

import dns.flags
import dns.message
import dns.rcode

from lab.sim.world import World
from node.control.nameserver import FORWARDS_MAX
from node.model.container import ContainerSpec
from node.model.network import EndpointSpec, NetworkSpec
from node.stack.sandbox import Sandbox
from tests.sim.play import play, start

SERVER = "127.0.0.11"
Answer = Callable[[dns.message.Message], int]
"""From a query to the code that it gets."""


def sandbox(world: World, name: str) -> Sandbox:
    agent = world.agent("node-1")
    standing = agent.lives.body(agent.registry.find(name)).standing
    assert standing is not None
    return standing.sandbox


async def ask(asking: Sandbox, name: str, limit_s: float = 30.0) -> dns.message.Message:
    """Over UDP."""
    socket = asking.udp_socket()
    socket.connect(SERVER, 53)
    query = dns.message.make_query(name, "A", id=7)
    socket.send(query.to_wire())
    async with asyncio.timeout(limit_s):
        data, _ = await socket.receive()
    socket.close()
    return dns.message.from_wire(data)


async def ask_by_stream(asking: Sandbox, name: str) -> dns.message.Message:
    """Over TCP."""
    stream = await asking.connect_tcp(SERVER, 53)
    query = dns.message.make_query(name, "A", id=7).to_wire()
    await stream.write(len(query).to_bytes(2, "big") + query)
    data = b""
    async with asyncio.timeout(30.0):
        while len(data) < 2 or len(data) < 2 + int.from_bytes(data[:2], "big"):
            data += await stream.read()
    stream.close()
    return dns.message.from_wire(data[2:])


async def client(world: World, *servers: str) -> Sandbox:
    """A container on network "app" whose user named these servers."""
    agent = world.agent("node-1")
    await agent.controller.create(NetworkSpec(name="app", driver="bridge"))
    spec = ContainerSpec(image="alpine", command=("sleep", "9999"), network_mode="app", dns=servers)
    identity, _ = await agent.containers.create("asking", spec)
    await agent.containers.start(identity)
    return sandbox(world, "asking")


def serve(server: Sandbox, code: int, heard: list[str]) -> None:
    """A name server that gives every question the same code."""

    def answer(data: bytes, sender: tuple[str, int]) -> bytes:
        query = dns.message.from_wire(data)
        heard.append(query.question[0].name.to_text())
        response = dns.message.make_response(query)
        response.set_rcode(dns.rcode.Rcode(code))
        return response.to_wire()

    server.serve_udp("0.0.0.0", 53, answer)


def test_the_next_server_is_asked_when_one_fails_or_is_silent_and_the_first_word_counts() -> None:
    async def scenario(world: World) -> None:
        # 172.19.0.2 asks; .3 refuses, nobody is at .9, .4 knows that there is no such name.
        asking = await client(world, "172.19.0.3", "172.19.0.9", "172.19.0.4")
        heard: list[str] = []
        for name, code in (("failing", dns.rcode.REFUSED), ("knowing", dns.rcode.NXDOMAIN)):
            await start(world, "node-1", name, "app")
            serve(sandbox(world, name), code, heard)
        begun = world.clock.now()
        assert (await ask(asking, "example.com")).rcode() == dns.rcode.NXDOMAIN
        assert world.clock.now() - begun <= 4.1, "a server has four seconds"
        assert heard == ["example.com.", "example.com."]
        assert (await ask(asking, "knowing")).rcode() == dns.rcode.NOERROR
        assert len(heard) == 2, "names of the network's own are not asked for outside"

    play(scenario, nodes=1)


def test_nobody_knows() -> None:
    async def scenario(world: World) -> None:
        asking = await client(world, "172.19.0.9", "172.19.0.10")
        begun = world.clock.now()
        response = await ask(asking, "example.com")
        assert response.rcode() == dns.rcode.SERVFAIL
        assert world.clock.now() - begun <= 8.1
        assert response.question[0].name.to_text() == "example.com."
        assert (await ask_by_stream(asking, "example.com")).rcode() == dns.rcode.SERVFAIL

    play(scenario, nodes=1)


def test_without_servers_of_the_users_own_unknown_names_do_not_exist() -> None:
    async def scenario(world: World) -> None:
        asking = await client(world)
        assert (await ask(asking, "example.com")).rcode() == dns.rcode.NXDOMAIN

    play(scenario, nodes=1)


def test_what_does_not_fit_a_datagram_comes_whole_over_tcp() -> None:
    async def scenario(world: World) -> None:
        asking = await client(world)
        agent = world.agent("node-1")
        zone = agent.connections.zones[agent.controller.find("app").id]
        for number in range(100):
            zone.add(f"endpoint-{number}", ("crowd",), f"172.19.1.{number + 1}")
        short = await ask(asking, "crowd")
        assert short.flags & dns.flags.TC
        assert len(short.answer[0]) < 100
        whole = await ask_by_stream(asking, "crowd")
        assert not whole.flags & dns.flags.TC
        assert len(whole.answer[0]) == 100

    play(scenario, nodes=1)


def test_a_container_that_goes_leaves_no_question_open() -> None:
    async def scenario(world: World) -> None:
        asking = await client(world, "172.19.0.9")
        stream = await asking.connect_tcp(SERVER, 53)
        socket = asking.udp_socket()
        socket.send(dns.message.make_query("example.com", "A").to_wire(), (SERVER, 53))
        await world.clock.sleep(0.1)
        before = len(asyncio.all_tasks())
        await world.agent("node-1").containers.remove("asking", force=True)
        await world.clock.sleep(0.1)
        assert len(asyncio.all_tasks()) < before - 2
        stream.close()

    play(scenario, nodes=1)


def test_no_more_than_three_servers_are_asked() -> None:
    async def scenario(world: World) -> None:
        asking = await client(world, *(f"172.19.0.{last}" for last in (7, 8, 9, 3)))
        heard: list[str] = []
        await start(world, "node-1", "fourth", "app")
        serve(sandbox(world, "fourth"), dns.rcode.NXDOMAIN, heard)
        begun = world.clock.now()
        assert (await ask(asking, "example.com")).rcode() == dns.rcode.SERVFAIL
        assert world.clock.now() - begun <= 12.1, "three servers, four seconds each"
        assert heard == []

    play(scenario, nodes=1)


def test_no_more_than_a_thousand_questions_wait_for_others_at_once() -> None:
    async def scenario(world: World) -> None:
        asking = await client(world, "172.19.0.9")
        socket = asking.udp_socket()
        socket.connect(SERVER, 53)
        for number in range(FORWARDS_MAX + 10):
            socket.send(dns.message.make_query("example.com", "A", id=number).to_wire())
        refused = 0
        while True:
            try:
                async with asyncio.timeout(0.5):
                    data, _ = await socket.receive()
            except TimeoutError:
                break
            refused += dns.message.from_wire(data).rcode() == dns.rcode.SERVFAIL
        # The name server's own listening is one of the tasks that are counted.
        assert 10 <= refused <= 12
        assert (await ask(asking, "asking")).rcode() == dns.rcode.NOERROR, "its own names it still answers"

    play(scenario, nodes=1)


def test_a_name_in_several_networks_is_the_overlays_before_a_bridges_and_others_never_resolve() -> None:
    async def scenario(world: World) -> None:
        agent = world.agent("node-1")
        for name, driver in (("aaa", "bridge"), ("zzz", "overlay"), ("other", "bridge")):
            await agent.controller.create(NetworkSpec(name=name, driver=driver, attachable=True))
        await start(world, "node-1", "on-bridge", "aaa", "sleep", "9999")
        await start(world, "node-1", "asking", "aaa")
        await start(world, "node-1", "hidden", "other")
        await agent.controller.connect("zzz", "asking", EndpointSpec())
        for name, network in (("bridged", "aaa"), ("overlaid", "zzz")):
            spec = EndpointSpec(aliases=("same",))
            container = ContainerSpec(
                image="alpine", command=("sleep", "9999"), network_mode=network, endpoints={network: spec}
            )
            identity, _ = await agent.containers.create(name, container)
            await agent.containers.start(identity)
        asking = sandbox(world, "asking")
        for question, network in (("same", "zzz"), ("same.aaa", "aaa"), ("same.zzz", "zzz")):
            answer = (await ask(asking, question)).answer[0].to_text()
            subnet = agent.controller.find(network).subnets[0].subnet
            assert IPv4Address(answer.split()[-1]) in IPv4Network(subnet), question
        for question in ("hidden", "hidden.other", "same.other"):
            assert (await ask(asking, question)).rcode() == dns.rcode.NXDOMAIN

    play(scenario, nodes=1)
