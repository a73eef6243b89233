"""The node's own place in the ingress network: shown, first in its networks, and the same in every life."""

from __future__ import annotations

import json
from typing import Any

from lab.sim.world import World
from node.model.network import INGRESS_SANDBOX
from tests.sim.play import overlay, play, run, settle, start, swarm_keys

LEASE_S = 3.0


async def containers(world: World, network: str, node: str = "node-1") -> dict[str, dict[str, Any]]:
    """What `docker network inspect` shows as Containers."""
    answer = await world.request(node, "GET", f"/networks/{network}")
    shown = json.loads(answer.body)["Containers"]
    return {key: {**value, "EndpointID": len(value["EndpointID"])} for key, value in shown.items()}


async def ingress_addresses(world: World) -> dict[str, str]:
    return {
        node: (await containers(world, "ingress", node))[INGRESS_SANDBOX]["IPv4Address"]
        for node in world.hosts
    }


def test_every_node_of_a_swarm_stands_in_the_ingress_network() -> None:
    async def scenario(world: World) -> None:
        shown = (await containers(world, "docker_gwbridge"))["ingress-sbox"]
        assert (shown["Name"], shown["IPv4Address"]) == ("gateway_ingress-sbox", "172.18.0.2/16")
        shown = (await containers(world, "ingress"))["ingress-sbox"]
        assert (shown["Name"], shown["EndpointID"]) == ("ingress-endpoint", 64)
        assert sorted((await ingress_addresses(world)).values()) == [f"10.0.0.{n}/24" for n in (2, 3, 4)]
        peers = json.loads((await world.request("node-1", "GET", "/networks/ingress")).body)["Peers"]
        assert sorted(peer["IP"] for peer in peers) == ["192.168.65.2", "192.168.65.3", "192.168.65.4"]
        await overlay(world, "app")
        await start(world, "node-1", "web", "app")
        assert "172.18.0.3/16" in [
            e["IPv4Address"] for e in (await containers(world, "docker_gwbridge")).values()
        ]
        answered = await run(world, "node-1", "app", "ping", "-c", "1", "-W", "1", "172.18.0.1")
        assert answered.code == 0, answered.text

    play(scenario)


def test_it_is_the_same_after_a_crash_and_after_a_restart_and_nothing_leaks() -> None:
    async def scenario(world: World) -> None:
        keys, addresses = await swarm_keys(world), await ingress_addresses(world)
        for crash in (True, False):
            await (world.kill if crash else world.stop)("node-2")
            await settle(world, LEASE_S + 1.0)
            assert await containers(world, "ingress") != {}
            await world.start("node-2")
            await settle(world, 2.0)
            assert await ingress_addresses(world) == addresses
            assert await swarm_keys(world) == keys
            bridge = await containers(world, "docker_gwbridge", "node-2")
            assert [e["IPv4Address"] for e in bridge.values()] == ["172.18.0.2/16"]

    play(scenario)


def test_the_ingress_network_is_removed_with_the_nodes_places_in_it() -> None:
    async def scenario(world: World) -> None:
        ingress = world.agent("node-1").controller.find("ingress").id
        answer = await world.request("node-1", "DELETE", "/networks/ingress")
        assert answer.status == 204
        await settle(world)
        assert [key for key in await swarm_keys(world) if ingress in key] == []
        for node in world.hosts:
            assert await containers(world, "docker_gwbridge", node) == {}
            assert ingress not in world.agent(node).switchboard.segments
            assert world.agent(node).connections.held == {}

    play(scenario)


def test_a_node_that_was_removed_stands_there_no_more() -> None:
    async def scenario(world: World) -> None:
        swarm = world.agent("node-1").swarm
        worker = next(seen for seen in swarm.nodes() if seen.record.name == "node-4")
        await swarm.remove(worker.record.id, force=True)
        await settle(world)
        assert world.agent("node-4").connections.held == {}
        assert await containers(world, "docker_gwbridge", "node-4") == {}

    play(scenario, nodes=4)


def test_without_a_swarm_there_is_none() -> None:
    async def scenario(world: World) -> None:
        assert world.agent("node-1").ingress is None

    play(scenario, nodes=1, swarm=False)
