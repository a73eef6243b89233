"""What fails half-way leaves nothing behind: no address, port, endpoint or sandbox."""

from __future__ import annotations

import asyncio

import pytest

from kvstore.errors import StoreUnavailable
from kvstore.store import CommitResult, Transaction
from lab.sim.world import World
from node.agent import Agent
from node.errors import Failed, Forbidden, NodeError, Unavailable
from node.model.container import ContainerSpec
from node.model.network import EndpointSpec, NetworkSpec, Subnet
from tests.sim.play import overlay, play, settle, start, swarm_keys
from tests.sim.tables import tables

LEASE_S = 3.0
NO_ADDRESS = EndpointSpec()


async def refused(world: World, spec: ContainerSpec, kind: type[NodeError], text: str) -> None:
    """A container of this spec is created, is not started, and leaves all as it was."""
    agent = world.agent("node-1")
    identity, _ = await agent.containers.create("refused", spec)
    before = tables(agent)
    with pytest.raises(kind, match=text):
        await agent.containers.start(identity)
    assert tables(agent) == before
    await agent.containers.remove(identity, force=False)


def own_places(agent: Agent) -> list[str]:
    """Endpoints of a node that somebody holds or records, apart from its own place in the ingress network."""
    assert agent.ingress is not None
    assert agent.ingress.standing is not None
    its_own = {foothold.endpoint.id for foothold in agent.ingress.standing.footholds.values()}
    recorded = {endpoint.id for endpoint in agent.ledgers["local"].view.all_endpoints()}
    return sorted((recorded | {*agent.connections.held}) - its_own)


def in_networks(*names: str, **fields: object) -> ContainerSpec:
    endpoints = dict.fromkeys(names, NO_ADDRESS)
    return ContainerSpec(image="nginx", network_mode=names[0], endpoints=endpoints, **fields)  # type: ignore[arg-type]


# -- starts ---------------------------------------------------------------------------------------


def test_a_start_that_fails_in_its_last_network_leaves_the_first_ones() -> None:
    async def scenario(world: World) -> None:
        agent = world.agent("node-1")
        await overlay(world, "aaa")
        await agent.controller.create(NetworkSpec(name="bbb"))
        await agent.controller.create(NetworkSpec(name="closed", driver="overlay"))
        tiny = Subnet(subnet="10.80.0.0/30", given=True)
        await agent.controller.create(NetworkSpec(name="tiny", subnets=(tiny,)))
        await settle(world)
        assert await start(world, "node-1", "there", "tiny") == "10.80.0.2"
        full = "no available IPv4 addresses on this network's address pools: tiny"
        await refused(world, in_networks("aaa", "bbb", "tiny"), Failed, full)
        await refused(world, in_networks("aaa", "bbb", "closed"), Failed, "not manually attachable")
        await refused(world, in_networks("aaa", "bbb", "zzz"), Failed, "network zzz not found")
        taken = ContainerSpec(
            image="nginx",
            network_mode="aaa",
            endpoints={"aaa": NO_ADDRESS, "tiny": EndpointSpec(address="10.80.0.2")},
        )
        await refused(world, taken, Forbidden, "Address already in use")

    play(scenario, nodes=1)


def test_a_program_whose_start_cannot_be_recorded_does_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(world: World) -> None:
        agent = world.agent("node-1")
        identity, _ = await agent.containers.create("web", ContainerSpec(image="nginx"))
        before = tables(agent)
        commit = agent.own.store.commit

        async def full(transaction: Transaction) -> CommitResult:
            if any(b'"running"' in getattr(o, "value", b"") for o in transaction.operations):
                raise StoreUnavailable("the disk is full")
            return await commit(transaction)

        monkeypatch.setattr(agent.own.store, "commit", full)
        with pytest.raises(Unavailable, match="the disk is full"):
            await agent.containers.start(identity)
        assert tables(agent) == before
        monkeypatch.undo()
        await agent.containers.start(identity)
        assert agent.registry.find("web").state.status == "running"

    play(scenario, nodes=1, swarm=False)


def test_a_port_that_is_taken_gives_the_addresses_back() -> None:
    async def scenario(world: World) -> None:
        agent = world.agent("node-1")
        await overlay(world, "aaa")
        bindings = {"80/tcp": (("", "8080"), ("", "8081")), "53/udp": (("", "53"),)}
        identity, _ = await agent.containers.create(
            "first", ContainerSpec(image="nginx", port_bindings={"80/tcp": (("", "8081"),)})
        )
        await agent.containers.start(identity)
        spec = in_networks("aaa", port_bindings=bindings)
        await refused(world, spec, Failed, "Bind for 0.0.0.0:8081 failed: port is already allocated")

    play(scenario, nodes=1)


def test_ports_run_dry_and_a_container_has_a_limit_of_them() -> None:
    async def scenario(world: World) -> None:
        agent = world.agent("node-1")
        ranges = {f"{port}/tcp": (("", "8000-8002"),) for port in (1, 2, 3)}
        identity, _ = await agent.containers.create(
            "three", ContainerSpec(image="nginx", port_bindings=ranges)
        )
        await agent.containers.start(identity)
        one = ContainerSpec(image="nginx", port_bindings={"80/tcp": (("", "8000-8002"),)})
        await refused(world, one, Failed, "all ports are allocated")
        many = {f"{port}/tcp": (("", ""),) for port in range(1, 4098)}
        too_many = ContainerSpec(image="nginx", port_bindings=many)
        await refused(world, too_many, Failed, "publishes at most 4096 ports")

    play(scenario, nodes=1, swarm=False)


def test_a_program_that_is_not_there_gives_all_back() -> None:
    async def scenario(world: World) -> None:
        await overlay(world, "aaa")
        spec = ContainerSpec(
            image="alpine",
            command=("nosuch",),
            network_mode="aaa",
            endpoints={"aaa": NO_ADDRESS, "bridge": NO_ADDRESS},
            port_bindings={"80/tcp": (("", "80"),)},
        )
        await refused(world, spec, Failed, "executable file not found")

    play(scenario, nodes=1)


# -- connecting -----------------------------------------------------------------------------------


def test_a_connect_that_fails_leaves_the_running_container_as_it_was() -> None:
    async def scenario(world: World) -> None:
        agent = world.agent("node-1")
        await overlay(world, "aaa")
        tiny = Subnet(subnet="10.80.0.0/30", given=True)
        await agent.controller.create(NetworkSpec(name="tiny", subnets=(tiny,)))
        await agent.controller.create(NetworkSpec(name="closed", driver="overlay"))
        await settle(world)
        await start(world, "node-1", "there", "tiny")
        await start(world, "node-1", "web", "aaa")
        before = tables(agent)
        for network, wish in (
            ("tiny", NO_ADDRESS),
            ("tiny", EndpointSpec(address="10.80.0.2")),
            ("tiny", EndpointSpec(address="10.81.0.2")),
            ("closed", NO_ADDRESS),
            ("host", NO_ADDRESS),
            ("none", NO_ADDRESS),
            ("aaa", NO_ADDRESS),
        ):
            with pytest.raises(NodeError):
                await agent.controller.connect(network, "web", wish)
            assert tables(agent) == before, network

    play(scenario, nodes=1)


BINDING = "com.docker.network.bridge.host_binding_ipv4"


async def two_bindings(world: World, blocked: str) -> None:
    """Network aaa, which is preferred, publishes on the LAN, zzz on localhost; one address is taken."""
    agent = world.agent("node-1")
    for name, address in (("aaa", "192.168.65.2"), ("zzz", "127.0.0.1")):
        await agent.controller.create(NetworkSpec(name=name, options={BINDING: address}))
    first = ContainerSpec(image="nginx", port_bindings={"80/tcp": ((blocked, "8080"),)})
    await agent.containers.create("first", first)
    await agent.containers.start("first")


def test_a_published_port_that_cannot_move_with_the_gateway_undoes_the_connect() -> None:
    async def scenario(world: World) -> None:
        agent = world.agent("node-1")
        await two_bindings(world, "192.168.65.2")
        second = in_networks("zzz", port_bindings={"80/tcp": (("", "8080"),)})
        await agent.containers.create("second", second)
        await agent.containers.start("second")
        before, record = tables(agent), agent.containers.find("second")
        with pytest.raises(Failed, match=r"Bind for 192.168.65.2:8080 failed: port is already allocated"):
            await agent.controller.connect("aaa", "second", NO_ADDRESS)
        assert tables(agent) == before
        assert agent.containers.find("second") == record
        await agent.containers.remove("first", force=True)
        await agent.controller.connect("aaa", "second", NO_ADDRESS)

    play(scenario, nodes=1, swarm=False)


def test_who_leaves_a_network_has_left_it_even_if_its_port_cannot_move() -> None:
    async def scenario(world: World) -> None:
        agent = world.agent("node-1")
        await two_bindings(world, "127.0.0.1")
        await agent.containers.create(
            "second", in_networks("aaa", "zzz", port_bindings={"80/tcp": (("", "8080"),)})
        )
        await agent.containers.start("second")
        with pytest.raises(Failed, match=r"Bind for 127.0.0.1:8080 failed: port is already allocated"):
            await agent.controller.disconnect("aaa", "second", force=False)
        record = agent.containers.find("second")
        assert (list(record.networks), record.state.ports) == (["zzz"], ())
        assert list(agent.containers.endpoints(record)) == ["zzz"]

    play(scenario, nodes=1, swarm=False)


@pytest.mark.parametrize("moment_ms", [0.0, 0.5, 1.0, 1.5, 2.0, 2.5])
def test_a_container_renamed_while_it_leaves_a_network_has_left_it(moment_ms: float) -> None:
    async def scenario(world: World) -> None:
        agent = world.agent("node-1")
        await overlay(world, "aaa")
        await agent.controller.create(NetworkSpec(name="bbb"))
        await settle(world)
        before = tables(agent)
        identity, _ = await agent.containers.create("web", in_networks("aaa", "bbb"))
        await agent.containers.start(identity)
        renaming = asyncio.ensure_future(agent.containers.rename("web", "shop"))
        await settle(world, moment_ms / 1000)
        await agent.controller.disconnect("aaa", identity, force=False)
        await renaming
        assert list(agent.containers.endpoints(agent.containers.find("shop"))) == ["bbb"]
        await agent.containers.remove("shop", force=True)
        assert tables(agent) == before

    play(scenario, nodes=1)


# -- the store goes away --------------------------------------------------------------------------


@pytest.mark.parametrize("moment_ms", [0.0, 0.5, 1.0, 1.5, 2.5])
def test_the_store_goes_away_in_the_middle(moment_ms: float) -> None:
    """Whatever was asked then: refused and undone, or done; and nothing leaks when all is removed."""

    async def scenario(world: World) -> None:
        clean = await swarm_keys(world)
        await overlay(world, "app")
        await overlay(world, "more")
        await settle(world)
        agent, session = world.agent("node-1"), world.hosts["node-1"].session
        assert session is not None
        await start(world, "node-1", "web", "app")
        await agent.containers.create("late", ContainerSpec(image="nginx", network_mode="more"))
        asked = [
            asyncio.ensure_future(agent.containers.start("late")),
            asyncio.ensure_future(agent.controller.connect("more", "web", NO_ADDRESS)),
            asyncio.ensure_future(agent.controller.disconnect("app", "web", force=False)),
            asyncio.ensure_future(agent.controller.create(NetworkSpec(name="new", driver="overlay"))),
        ]
        await world.clock.sleep(moment_ms / 1000)
        session.cut()
        for error in await asyncio.gather(*asked, return_exceptions=True):
            assert not isinstance(error, BaseException) or isinstance(error, (Unavailable, tuple)), error
        await settle(world, LEASE_S + 2.0)
        session.mend()
        await settle(world, LEASE_S + 2.0)
        for container in agent.containers.list():
            await agent.containers.remove(container.id, force=True)
        await settle(world, 2.0)
        await agent.controller.prune(lambda network: network.scope == "swarm")
        assert await swarm_keys(world) == clean
        assert own_places(agent) == []

    play(scenario, nodes=1)


@pytest.mark.parametrize("moment_ms", [0.0, 0.5, 1.5, 3.0])
def test_a_node_that_dies_in_the_middle_is_as_it_was_when_it_returns(moment_ms: float) -> None:
    async def scenario(world: World) -> None:
        await overlay(world, "app", "node-2")
        await settle(world)
        clean = await swarm_keys(world)
        agent = world.agent("node-1")
        await agent.controller.create(NetworkSpec(name="mine"))
        await agent.containers.create("web", in_networks("app", "mine", auto_remove=True))
        asked = asyncio.ensure_future(agent.containers.start("web"))
        await world.clock.sleep(moment_ms / 1000)
        await world.kill("node-1")
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)
        await settle(world, LEASE_S + 1.0)
        again = await world.start("node-1")
        await settle(world, 2.0)
        for container in again.containers.list():
            await again.containers.remove(container.id, force=True)
        await again.controller.remove("mine")
        cursor = (
            f"/shoal/v1/last_address/{again.controller.find('app').id}"  # whoever joins next gets another
        )
        assert [key for key in await swarm_keys(world) if key != cursor] == clean
        assert own_places(again) == []

    play(scenario, nodes=2)
