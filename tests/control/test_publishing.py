"""Published ports and masquerading between whole nodes: who reaches whom, and whom they see."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence

import pytest

from lab.sim.world import World
from node.datapath.drops import Drop
from node.errors import Failed
from node.model.container import ContainerSpec
from node.model.network import EndpointSpec, NetworkSpec, Subnet
from node.model.published import PublishedPort
from node.stack.sandbox import Sandbox
from tests.sim.play import play, reaches, settle, start

LAN_1, LAN_2 = "192.168.65.2", "192.168.65.3"
Bindings = dict[str, tuple[tuple[str, str], ...]]


def sandbox(world: World, node: str, name: str) -> Sandbox:
    agent = world.agent(node)
    standing = agent.lives.body(agent.registry.find(name)).standing
    assert standing is not None
    return standing.sandbox


async def publish(
    world: World,
    name: str,
    bindings: Bindings,
    *,
    node: str = "node-1",
    network: str = "bridge",
    publish_all: bool = False,
) -> tuple[PublishedPort, ...]:
    """`docker run -d -p`; what is published then."""
    agent = world.agent(node)
    spec = ContainerSpec(
        image="nginx" if publish_all else "alpine",
        command=("sleep", "100000"),
        entrypoint=(),
        network_mode=network,
        port_bindings=bindings,
        publish_all=publish_all,
    )
    identity, _ = await agent.containers.create(name, spec)
    await agent.containers.start(identity)
    return agent.registry.find(name).state.ports


async def ask(caller: Sandbox, address: str, tcp_port: int) -> str:
    """What a server there says: the address that it saw us come from."""
    try:
        async with asyncio.timeout(3.0):
            stream = await caller.connect_tcp(address, tcp_port)
            said = (await stream.read()).decode()
            stream.close()
            return said
    except TimeoutError:
        return "nothing"
    except ConnectionRefusedError:
        return "refused"


@contextlib.asynccontextmanager
async def serving(server: Sandbox, tcp_port: int = 80) -> AsyncIterator[None]:
    """A server that tells everybody who they are."""
    listener = server.listen_tcp("0.0.0.0", tcp_port)

    async def serve() -> None:
        while True:
            stream = await listener.accept()
            await stream.write(stream.remote[0].encode())
            stream.close()

    task = asyncio.ensure_future(serve())
    try:
        yield
    finally:
        task.cancel()
        listener.close()


def test_a_published_port_is_reached_from_everywhere_and_shows_who_calls() -> None:
    async def scenario(world: World) -> None:
        ports = await publish(world, "web", {"80/tcp": (("", "8080"),)})
        assert [(p.host_address, p.host_port) for p in ports] == [("0.0.0.0", 8080), ("::", 8080)]
        await world.agent("node-1").controller.create(NetworkSpec(name="other", driver="bridge"))
        await start(world, "node-1", "beside", "bridge")
        await start(world, "node-1", "apart", "other")
        await start(world, "node-2", "far", "bridge")
        async with serving(sandbox(world, "node-1", "web")):
            host_1, host_2 = world.agent("node-1").host, world.agent("node-2").host
            assert await ask(host_2, LAN_1, 8080) == LAN_2, "the LAN is translated: its own address shows"
            assert await ask(sandbox(world, "node-2", "far"), LAN_1, 8080) == LAN_2, "masqueraded on its way"
            assert await ask(host_1, "127.0.0.1", 8080) == "172.17.0.1", "the proxy calls for it"
            for name in ("beside", "apart"):
                for address in (LAN_1, "172.17.0.1"):
                    assert await ask(sandbox(world, "node-1", name), address, 8080) == "172.17.0.1"
            assert await ask(sandbox(world, "node-1", "apart"), "172.17.0.2", 80) == "nothing", "kept apart"
            drops = world.agent("node-1").counters.drops
            assert any(drop is Drop.ISOLATED_NETWORKS for _, drop in drops), "and the drop says why"
            assert await ask(host_2, LAN_1, 80) == "refused"

    play(scenario, nodes=2)


def test_a_port_on_localhost_is_for_the_host_alone() -> None:
    async def scenario(world: World) -> None:
        await publish(world, "web", {"80/tcp": (("127.0.0.1", "8080"),)})
        async with serving(sandbox(world, "node-1", "web")):
            assert await ask(world.agent("node-1").host, "127.0.0.1", 8080) == "172.17.0.1"
            assert await ask(world.agent("node-2").host, LAN_1, 8080) == "refused"

    play(scenario, nodes=2)


def test_ports_are_given_next_fit_and_taken_at_start() -> None:
    async def scenario(world: World) -> None:
        agent = world.agent("node-1")

        async def port_of(name: str, bindings: Bindings) -> int:
            return (await publish(world, name, bindings))[0].host_port

        assert await port_of("one", {"80/tcp": (("", ""),)}) == 32768
        assert await port_of("two", {"80/tcp": (("", ""),)}) == 32769
        await agent.containers.stop("one", timeout_s=0, signal=None)
        assert agent.registry.find("one").state.ports == ()
        assert await port_of("three", {"80/tcp": (("", ""),)}) == 32770
        await agent.containers.start("one")
        assert agent.registry.find("one").state.ports[0].host_port == 32771, "a new one after a restart"
        assert await port_of("range", {"80/tcp": (("", "8000-8001"),)}) == 8000
        assert await port_of("range2", {"80/tcp": (("", "8000-8001"),)}) == 8001
        with pytest.raises(Failed, match="all ports are allocated"):
            await publish(world, "range3", {"80/tcp": (("", "8000-8001"),)})

    play(scenario, nodes=1)


def test_a_port_that_is_taken_is_refused_as_docker_does_and_nothing_stays() -> None:
    async def scenario(world: World) -> None:
        agent = world.agent("node-1")
        await publish(world, "web", {"80/tcp": (("", "8080"),)})
        with pytest.raises(
            Failed,
            match=r"failed to set up container networking: driver failed programming external "
            r"connectivity on endpoint second \([0-9a-f]{64}\): "
            r"Bind for 0.0.0.0:8080 failed: port is already allocated",
        ):
            await publish(world, "second", {"80/tcp": (("", "8080"),), "81/tcp": (("", "8081"),)})
        assert agent.registry.find("second").state.status == "created"
        assert await publish(world, "third", {"81/tcp": (("", "8081"),)}), "8081 was given back"
        holder = agent.host.listen_tcp("0.0.0.0", 9000)
        with pytest.raises(
            Failed,
            match=r"failed to bind host port for 0.0.0.0:9000:172.17.0.\d+:80/tcp: address already in use",
        ):
            await publish(world, "fourth", {"80/tcp": (("", "9000"),)})
        holder.close()
        with pytest.raises(Failed, match="cannot assign requested address"):
            await publish(world, "fifth", {"80/tcp": (("10.1.2.3", "9000"),)})

    play(scenario, nodes=1)


def test_publish_all_takes_what_the_image_exposes() -> None:
    async def scenario(world: World) -> None:
        ports = await publish(world, "web", {}, publish_all=True)
        assert [(p.container_port, p.host_port) for p in ports] == [(80, 32768), (80, 32768)]

    play(scenario, nodes=1)


def test_udp_is_published_too() -> None:
    async def scenario(world: World) -> None:
        await publish(world, "dns", {"53/udp": (("", "5353"),)})
        server = sandbox(world, "node-1", "dns").serve_udp(
            "0.0.0.0", 53, lambda data, sender: data + b" from " + sender[0].encode()
        )
        answers = []
        for host, address in ((world.agent("node-2").host, LAN_1), (world.agent("node-1").host, "127.0.0.1")):
            asking = host.udp_socket()
            asking.connect(address, 5353)
            asking.send(b"hello")
            async with asyncio.timeout(3.0):
                answers.append((await asking.receive())[0].decode())
            asking.close()
        assert answers == [f"hello from {LAN_2}", "hello from 172.17.0.1"]
        server.close()

    play(scenario, nodes=2)


def test_two_callers_with_the_same_port_are_told_apart() -> None:
    """Masquerading gives the second one another port."""

    async def scenario(world: World) -> None:
        await world.agent("node-1").controller.create(NetworkSpec(name="other", driver="bridge"))
        await start(world, "node-1", "one", "bridge")
        await start(world, "node-1", "two", "other")
        seen: list[tuple[str, int]] = []

        def answer(data: bytes, sender: tuple[str, int]) -> bytes:
            seen.append(sender)
            return data

        server = world.agent("node-2").host.serve_udp("0.0.0.0", 7, answer)
        for name in ("one", "two"):
            socket = sandbox(world, "node-1", name).udp_socket()
            socket.bind("0.0.0.0", 5000)
            socket.send(name.encode(), (LAN_2, 7))
            async with asyncio.timeout(3.0):
                assert (await socket.receive())[0] == name.encode()
        assert seen == [(LAN_1, 5000), (LAN_1, 32768)]
        server.close()

    play(scenario, nodes=2)


def test_from_outside_a_container_is_reached_by_its_ports_alone() -> None:
    async def scenario(world: World, mode: str, published: str, other: str) -> None:
        options = {"com.docker.network.bridge.gateway_mode_ipv4": mode}
        subnet = Subnet(subnet="10.9.0.0/24", gateway="10.9.0.1", given=True)
        await world.agent("node-1").controller.create(
            NetworkSpec(name="net", driver="bridge", options=options, subnets=(subnet,))
        )
        await publish(world, "web", {"80/tcp": (("", "8080"),)}, network="net")
        far = world.agent("node-2").host
        far.stack.routes.add("10.9.0.0/24", LAN_1, "eth0")
        web = sandbox(world, "node-1", "web")
        async with serving(web), serving(web, 81):
            assert await ask(far, "10.9.0.2", 80) == published
            assert await ask(far, "10.9.0.2", 81) == other

    for mode, published, other in (
        ("nat", "nothing", "nothing"),
        ("nat-unprotected", LAN_2, LAN_2),
        ("routed", LAN_2, "nothing"),
    ):
        play(lambda world, m=mode, p=published, o=other: scenario(world, m, p, o), nodes=2)  # type: ignore[misc]


def test_a_routed_network_takes_no_address_of_the_host_and_gives_its_ports_back() -> None:
    async def scenario(world: World) -> None:
        agent = world.agent("node-1")
        options = {"com.docker.network.bridge.gateway_mode_ipv4": "routed"}
        await agent.controller.create(NetworkSpec(name="net", driver="bridge", options=options))
        ports = await publish(world, "web", {"80/tcp": (("", "8080"),)}, network="net")
        assert [(port.host_address, port.host_port) for port in ports] == [("0.0.0.0", 0), ("::", 8080)]
        assert await ask(agent.host, LAN_1, 8080) == "refused"
        with pytest.raises(Failed, match="Bind for :::8080 failed: port is already allocated"):
            await publish(world, "again", {"80/tcp": (("", "8080"),)}, network="net")
        await agent.containers.remove("web", force=True)
        await publish(world, "third", {"80/tcp": (("", "8080"),)})

    play(scenario, nodes=1)


def test_an_isolated_network_has_no_gateway_so_the_first_container_gets_its_address() -> None:
    async def scenario(world: World) -> None:
        options = {"com.docker.network.bridge.gateway_mode_ipv4": "isolated"}
        await world.agent("node-1").controller.create(
            NetworkSpec(name="alone", driver="bridge", internal=True, options=options)
        )
        assert (await start(world, "node-1", "first", "alone")).endswith(".0.1")

    play(scenario, nodes=1)


def test_an_internal_network_leads_nowhere_and_publishes_nothing() -> None:
    async def scenario(world: World) -> None:
        await world.agent("node-1").controller.create(
            NetworkSpec(name="inner", driver="bridge", internal=True)
        )
        assert await publish(world, "web", {"80/tcp": (("", "8080"),)}, network="inner") == ()
        assert not await reaches(world, "node-1", "web", LAN_2)
        assert await reaches(world, "node-1", "web", gateway(world, "inner")), "the bridge has an address"

    play(scenario, nodes=2)


def test_without_masquerading_answers_do_not_find_back() -> None:
    async def scenario(world: World) -> None:
        options = {"com.docker.network.bridge.enable_ip_masquerade": "false"}
        await world.agent("node-1").controller.create(
            NetworkSpec(name="plain", driver="bridge", options=options)
        )
        await start(world, "node-1", "web", "plain")
        assert not await reaches(world, "node-1", "web", LAN_2)
        await start(world, "node-1", "masked", "bridge")
        assert await reaches(world, "node-1", "masked", LAN_2)

    play(scenario, nodes=2)


def test_the_ports_move_with_the_gateway() -> None:
    """`docker network disconnect` of the network that carries them."""

    async def scenario(world: World) -> None:
        agent = world.agent("node-1")
        for name in ("aaa", "zzz"):
            await agent.controller.create(NetworkSpec(name=name, driver="bridge"))
        await publish(world, "web", {"80/tcp": (("", "8080"),)}, network="aaa")
        await agent.controller.connect("zzz", "web", EndpointSpec())
        async with serving(sandbox(world, "node-1", "web")):
            before = await ask(agent.host, "127.0.0.1", 8080)
            await agent.controller.disconnect("aaa", "web", force=False)
            after = await ask(agent.host, "127.0.0.1", 8080)
        assert [before, after] == [gateway(world, "aaa"), gateway(world, "zzz")]

    play(scenario, nodes=1)


def gateway(world: World, network: str) -> str:
    return world.agent("node-1").controller.find(network).subnets[0].gateway


def test_who_stops_gives_all_back() -> None:
    async def scenario(world: World) -> None:
        agent = world.agent("node-1")
        await publish(world, "web", {"80/tcp": (("", "8080"),), "53/udp": (("", "53"),)})
        async with serving(sandbox(world, "node-1", "web")):
            assert await ask(world.agent("node-2").host, LAN_1, 8080) == LAN_2
            assert len(agent.machine.firewall.translator) > 0
        await agent.containers.remove("web", force=True)
        await settle(world)
        assert await ask(world.agent("node-2").host, LAN_1, 8080) == "refused"
        assert len(agent.machine.firewall.translator) == 0
        assert listening(agent.host) == []

    play(scenario, nodes=2)


def listening(host: Sandbox) -> Sequence[int]:
    return [listener.local[1] for listener in host.stack.tcp.table.listeners()]
