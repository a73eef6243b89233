"""Networks and addresses of whole nodes, in a simulated world."""

from __future__ import annotations

import asyncio

import pytest

from lab.sim.world import World
from node.drivers.bridge import BridgeDriver
from node.errors import Conflict, Forbidden, InvalidParameter, NotFound, Unavailable
from node.errors import NotImplemented as NotSimulated
from node.model.network import EndpointSpec, NetworkRecord, NetworkSpec, Subnet
from tests.sim.play import address_of, overlay, play, reaches, run, settle, start, swarm_keys


def test_a_fresh_node_shows_what_docker_shows() -> None:
    async def scenario(world: World) -> None:
        shown = {n.name: (n.driver, n.scope) for n in world.agent("node-1").controller.list()}
        assert shown == {
            "bridge": ("bridge", "local"),
            "host": ("host", "local"),
            "none": ("null", "local"),
            "docker_gwbridge": ("bridge", "local"),
            "ingress": ("overlay", "swarm"),
        }

    play(scenario)


def test_without_a_swarm_there_is_no_overlay() -> None:
    async def scenario(world: World) -> None:
        names = {network.name for network in world.agent("node-1").controller.list()}
        assert names == {"bridge", "host", "none"}
        with pytest.raises(Forbidden, match="This node is not a swarm manager"):
            await overlay(world, "app")

    play(scenario, nodes=1, swarm=False)


def test_a_worker_cannot_create_an_overlay() -> None:
    async def scenario(world: World) -> None:
        with pytest.raises(Forbidden, match="Cannot create a multi-host network from a worker node"):
            await overlay(world, "app", node="node-4")

    play(scenario, nodes=4)


def test_a_worker_shows_an_overlay_only_while_it_takes_part() -> None:
    async def scenario(world: World) -> None:
        await overlay(world, "app")
        worker = world.agent("node-4")
        assert "app" not in [network.name for network in worker.controller.list()]
        await start(world, "node-4", "web", "app")
        assert "app" in [network.name for network in worker.controller.list()]

    play(scenario, nodes=4)


def test_what_a_network_cannot_be_here_is_told() -> None:
    async def scenario(world: World) -> None:
        controller = world.agent("node-1").controller
        spec = NetworkSpec(name="secret", driver="overlay", attachable=True, options={"encrypted": ""})
        _, warning = await controller.create(spec)
        assert warning == "Encryption is not simulated: the network's frames travel in the clear"
        assert "mtu 1424" in (await run(world, "node-1", "secret", "ip", "link", "show", "eth0")).text
        with pytest.raises(NotSimulated, match="ipvlan is not simulated yet: macvlan comes closest to it"):
            await controller.create(NetworkSpec(name="other", driver="ipvlan"))

    play(scenario)


def test_the_first_overlays_are_numbered_as_in_docker() -> None:
    async def scenario(world: World) -> None:
        await overlay(world, "one")
        await overlay(world, "two", node="node-2")
        controller = world.agent("node-3").controller
        await settle(world)
        one, two = controller.find("one"), controller.find("two")
        assert [(n.subnets[0].subnet, n.vnis) for n in (one, two)] == [
            ("10.0.1.0/24", (4097,)),
            ("10.0.2.0/24", (4098,)),
        ]

    play(scenario)


def test_of_two_that_create_one_name_at_once_one_wins() -> None:
    async def scenario(world: World) -> None:
        results = await asyncio.gather(
            *(overlay(world, "app", node) for node in ("node-1", "node-2", "node-3")), return_exceptions=True
        )
        refused = [result for result in results if result is not None]
        assert len(refused) == 2
        assert all(isinstance(error, Conflict) for error in refused)
        assert str(refused[0]) == "network with name app already exists"

    play(scenario)


def test_many_overlays_created_at_once_do_not_overlap() -> None:
    async def scenario(world: World) -> None:
        names = [f"net-{number}" for number in range(12)]
        await asyncio.gather(*(overlay(world, n, f"node-{i % 3 + 1}") for i, n in enumerate(names)))
        networks = [world.agent("node-2").controller.find(name) for name in names]
        assert len({network.vnis for network in networks}) == 12
        assert len({network.subnets[0].subnet for network in networks}) == 12

    play(scenario)


def test_of_two_that_want_one_address_at_once_one_gets_it() -> None:
    async def scenario(world: World) -> None:
        subnet = Subnet(subnet="10.9.0.0/24", given=True)
        spec = NetworkSpec(name="app", driver="overlay", attachable=True, subnets=(subnet,))
        await world.agent("node-1").controller.create(spec)
        await settle(world)
        results = await asyncio.gather(
            *(start(world, f"node-{n}", f"web-{n}", "app", address="10.9.0.9") for n in (1, 2, 3)),
            return_exceptions=True,
        )
        assert [result for result in results if result == "10.9.0.9"] == ["10.9.0.9"]
        refused = [result for result in results if isinstance(result, Forbidden)]
        assert [str(error) for error in refused] == [
            "failed to set up container networking: Address already in use"
        ] * 2

    play(scenario)


def test_no_address_is_given_twice_however_many_ask_at_once() -> None:
    async def scenario(world: World) -> None:
        await overlay(world, "app")
        await settle(world)
        wanted = [(f"node-{n % 5 + 1}", f"web-{n}") for n in range(60)]
        given = await asyncio.gather(*(start(world, node, name, "app") for node, name in wanted))
        assert len(set(given)) == 60

    play(scenario, nodes=5)


def test_an_overlay_gives_the_next_address_and_a_bridge_the_lowest() -> None:
    async def scenario(world: World) -> None:
        await overlay(world, "app")
        await world.agent("node-1").controller.create(NetworkSpec(name="mine"))
        for network, first, second in (("app", "10.0.1.2", "10.0.1.3"), ("mine", "172.19.0.2", "172.19.0.2")):
            assert await start(world, "node-1", f"{network}-a", network) == first
            await world.agent("node-1").containers.remove(f"{network}-a", force=True)
            assert await start(world, "node-1", f"{network}-b", network) == second

    play(scenario)


def test_a_network_runs_out_of_addresses() -> None:
    async def scenario(world: World) -> None:
        spec = NetworkSpec(name="tiny", subnets=(Subnet(subnet="10.7.0.0/30", given=True),))
        await world.agent("node-1").controller.create(spec)
        assert await start(world, "node-1", "first", "tiny") == "10.7.0.2"
        with pytest.raises(
            Exception, match="no available IPv4 addresses on this network's address pools: tiny"
        ):
            await start(world, "node-1", "second", "tiny")
        await world.agent("node-1").containers.remove("first", force=True)
        assert await start(world, "node-1", "third", "tiny") == "10.7.0.2"

    play(scenario, nodes=1)


def test_the_sixteenth_local_network_is_a_smaller_one() -> None:
    async def scenario(world: World) -> None:
        controller = world.agent("node-1").controller
        for number in range(15):
            await controller.create(NetworkSpec(name=f"net-{number}"))
        assert controller.find("net-0").subnets[0].subnet == "172.18.0.0/16"
        assert controller.find("net-13").subnets[0].subnet == "172.31.0.0/16"
        assert controller.find("net-14").subnets[0].subnet == "192.168.0.0/20"

    play(scenario, nodes=1, swarm=False)


def test_the_local_pools_run_dry_after_thirty_one_networks() -> None:
    """One of the 31 blocks holds the LAN, so that bridge and 29 more have theirs."""

    async def scenario(world: World) -> None:
        controller = world.agent("node-1").controller
        for number in range(29):
            await controller.create(NetworkSpec(name=f"net-{number}"))
        with pytest.raises(InvalidParameter, match="all predefined address pools have been fully subnetted"):
            await controller.create(NetworkSpec(name="one-more"))

    play(scenario, nodes=1, swarm=False)


def test_mistakes_are_refused_in_the_engines_words() -> None:
    async def scenario(world: World) -> None:
        controller = world.agent("node-1").controller
        await controller.create(NetworkSpec(name="mine", subnets=(Subnet(subnet="10.8.0.0/24", given=True),)))
        mistakes: list[tuple[NetworkSpec, type[Exception], str]] = [
            (NetworkSpec(name="mine"), Conflict, "network with name mine already exists"),
            (NetworkSpec(name="x1", driver="foo"), NotFound, 'plugin "foo" not found'),
            (
                NetworkSpec(name="x2", driver="host"),
                Forbidden,
                'only one instance of "host" network is allowed',
            ),
            (
                NetworkSpec(name="x3", driver="null"),
                Forbidden,
                'only one instance of "null" network is allowed',
            ),
            (
                NetworkSpec(name="x4", subnets=(Subnet(subnet="10.8.0.0/25", given=True),)),
                Forbidden,
                "invalid pool request: Pool overlaps with other one on this address space",
            ),
            (
                NetworkSpec(name="x5", subnets=(Subnet(subnet="10.1.0.1/24", given=True),)),
                InvalidParameter,
                "invalid network config:\ninvalid subnet 10.1.0.1/24: it should be 10.1.0.0/24",
            ),
        ]
        for spec, kind, text in mistakes:
            with pytest.raises(kind) as caught:
                await controller.create(spec)
            assert str(caught.value) == text
        with pytest.raises(Forbidden, match="bridge is a pre-defined network and cannot be removed"):
            await controller.remove("bridge")
        with pytest.raises(NotFound, match="network nosuch not found"):
            await controller.remove("nosuch")

    play(scenario, nodes=1)


def test_a_network_in_use_is_not_removed() -> None:
    async def scenario(world: World) -> None:
        await overlay(world, "app")
        await start(world, "node-2", "web", "app")
        with pytest.raises(
            Forbidden, match=r'network app has active endpoints \(name:"web" id:"[0-9a-f]{12}"\)'
        ):
            await world.agent("node-1").controller.remove("app")

    play(scenario)


def test_nothing_leaks_when_everything_is_removed() -> None:
    async def scenario(world: World) -> None:
        before = await swarm_keys(world)
        await overlay(world, "app")
        await overlay(world, "other")
        for number in range(6):
            await start(world, f"node-{number % 3 + 1}", f"web-{number}", ("app", "other")[number % 2])
        for node in world.hosts:
            agent = world.agent(node)
            for container in agent.containers.list():
                await agent.containers.remove(container.id, force=True)
        removed = await world.agent("node-1").controller.prune(lambda network: network.scope == "swarm")
        assert sorted(removed) == ["app", "other"]
        assert await swarm_keys(world) == before
        for node in world.hosts:
            left = [n for n in world.agent(node).controller.list() if n.driver in ("bridge", "overlay")]
            assert "ingress" in [network.name for network in left]
            assert sorted(world.agent(node).switchboard.segments) == sorted([*(n.id for n in left), "lan"])

    play(scenario)


def test_a_running_container_joins_and_leaves_networks() -> None:
    async def scenario(world: World) -> None:
        await overlay(world, "app")
        controller = world.agent("node-1").controller
        await controller.create(NetworkSpec(name="mine"))
        await start(world, "node-1", "web", "mine")
        await start(world, "node-2", "far", "app")
        target = address_of(world, "node-2", "far")
        assert not await reaches(world, "node-1", "web", target)
        await controller.connect("app", "web", EndpointSpec(aliases=("www",)))
        assert await reaches(world, "node-1", "web", target)
        found = await run(world, "node-2", "app", "nslookup", "www")
        assert found.code == 0
        with pytest.raises(Forbidden, match="endpoint with name web already exists in network app"):
            await controller.connect("app", "web", EndpointSpec())
        await controller.disconnect("app", "web", force=False)
        assert not await reaches(world, "node-1", "web", target)
        with pytest.raises(Exception, match="is not connected to network app"):
            await controller.disconnect("app", "web", force=False)

    play(scenario)


def test_a_change_while_the_store_is_away_is_refused_in_time_and_locals_go_on() -> None:
    async def scenario(world: World) -> None:
        await overlay(world, "app")
        first = await start(world, "node-1", "web-1", "app")
        await start(world, "node-2", "web-2", "app")
        for host in world.hosts.values():
            assert host.session is not None
            host.session.cut()
        begun = world.clock.now()
        with pytest.raises(Unavailable, match="cannot be reached, so nothing was changed"):
            await overlay(world, "more")
        assert world.clock.now() - begun <= 5.0
        assert await reaches(world, "node-2", "web-2", first)
        await world.agent("node-1").controller.create(NetworkSpec(name="mine"))
        assert await start(world, "node-1", "local", "mine") == "172.19.0.2"
        await settle(world, 10.0)
        for host in world.hosts.values():
            assert host.session is not None
            host.session.mend()
        await settle(world, 3.0)
        await overlay(world, "more")
        assert await reaches(world, "node-2", "web-2", first)
        assert sorted(world.agent("node-1").swarm_ledger.view.members) == ["node-1", "node-2", "node-3"]

    play(scenario)


def test_a_network_of_two_addresses_gives_both_away() -> None:
    """A /31 has no network address and no broadcast (RFC 3021)."""

    async def scenario(world: World) -> None:
        subnet = Subnet(subnet="10.50.0.0/31", gateway="10.50.0.0", gateway_given=True, given=True)
        await world.agent("node-1").controller.create(
            NetworkSpec(name="pair", driver="bridge", subnets=(subnet,))
        )
        assert await start(world, "node-1", "only", "pair") == "10.50.0.1"

    play(scenario, nodes=1)


class SlowBridge(BridgeDriver):
    """A bridge driver that has to ask somebody for every network, and keeps what it agreed to."""

    def __init__(self, world: World) -> None:
        super().__init__(world.agent("node-1").machine)
        self.agreed: list[str] = []
        self.clock = world.clock

    async def create(self, network: NetworkRecord) -> dict[str, str]:
        await self.clock.sleep(1.0)
        self.agreed.append(network.subnets[0].subnet)
        return {}

    async def delete(self, network: NetworkRecord) -> None:
        self.agreed.remove(network.subnets[0].subnet)


def test_a_network_whose_subnet_goes_while_its_driver_is_asked_gets_the_next() -> None:
    async def scenario(world: World) -> None:
        agent = world.agent("node-1")
        slow = SlowBridge(world)
        agent.drivers["slow"] = slow
        both = (agent.controller.create(NetworkSpec(name=name, driver="slow")) for name in ("one", "two"))
        await asyncio.gather(*both)
        made = [agent.controller.find(name).subnets[0].subnet for name in ("one", "two")]
        assert made == ["172.18.0.0/16", "172.19.0.0/16"]
        assert sorted(slow.agreed) == made
        taken = Subnet(subnet="172.18.0.0/16", given=True)
        with pytest.raises(Forbidden, match="Pool overlaps"):
            await agent.controller.create(NetworkSpec(name="three", driver="slow", subnets=(taken,)))
        await agent.controller.remove("one")
        assert slow.agreed == ["172.19.0.0/16"]

    play(scenario, nodes=1, swarm=False)
