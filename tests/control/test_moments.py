"""A moment of a node for those who check it: what it holds, and that it survives the way over gRPC."""

from __future__ import annotations

from lab.sim.world import World
from node.control import keys
from node.edge.moment_messages import moment, moment_message
from node.model.container import ContainerSpec
from tests.sim.play import overlay, play, reaches, settle, start


def test_a_moment_holds_names_endpoints_ports_and_the_nodes_own_records() -> None:
    async def scenario(world: World) -> None:
        await overlay(world, "app")
        here = await start(world, "node-1", "web", "app")
        there = await start(world, "node-2", "other", "app")
        agent = world.agent("node-1")
        spec = ContainerSpec(
            image="alpine",
            command=("sleep", "9999"),
            network_mode="bridge",
            port_bindings={"80/tcp": (("", "8080"),)},
        )
        identity, _ = await agent.containers.create("site", spec)
        await agent.containers.start(identity)
        assert await reaches(world, "node-1", "web", there)
        await settle(world, 1.0)
        taken = await agent.moments.take()
        (names,) = [names for names in taken.zones.values() if "web" in names]
        assert (names["web"], names["other"]) == ((here,), (there,))
        assert identity in taken.running
        assert len(taken.running) == 2
        assert here in [endpoint.address.partition("/")[0] for endpoint in taken.endpoints]
        assert taken.taken == taken.published == (("tcp", 8080),)
        assert (taken.unaccounted, taken.store_connected) == (0, True)
        assert taken.revision == world.agent("node-2").inspection.status().revision
        assert any(item.key == keys.CONTAINERS + identity for item in taken.records)
        assert moment(moment_message(taken)) == taken

        agent.counters.transmitted += 3
        assert (await agent.moments.take()).unaccounted == 3, "frames that vanished without a name"

    play(scenario, nodes=2)
