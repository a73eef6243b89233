"""traceroute over the hosts' own routing, and into nothing."""

from __future__ import annotations

import re

from lab.sim.world import World
from tests.sim.play import play, run, start

TIME = r"  \d+\.\d{3} ms"


def test_the_way_to_another_host_leads_through_the_own_bridge() -> None:
    async def scenario(world: World) -> None:
        done = await run(world, "node-1", "bridge", "traceroute", "-n", "192.168.65.3")
        assert done.code == 0
        first, *hops = done.text.splitlines()
        assert first == "traceroute to 192.168.65.3 (192.168.65.3), 30 hops max, 46 byte packets"
        assert len(hops) == 2
        assert re.fullmatch(rf" 1  172\.17\.0\.1({TIME}){{3}}", hops[0])
        assert re.fullmatch(rf" 2  192\.168\.65\.3({TIME}){{3}}", hops[1])

    play(scenario, nodes=2)


def test_a_neighbour_is_one_hop_away_and_nobody_is_stars() -> None:
    async def scenario(world: World) -> None:
        await start(world, "node-1", "web", "bridge")
        near = await run(world, "node-1", "bridge", "traceroute", "-q", "1", "172.17.0.2")
        assert re.fullmatch(rf" 1  172\.17\.0\.2 \(172\.17\.0\.2\){TIME}", near.text.splitlines()[1])
        far = await run(
            world, "node-1", "bridge", "traceroute", "-n", "-m", "3", "-q", "2", "-w", "1", "192.168.65.99"
        )
        assert far.text.splitlines()[2] == " 2  *  *"
        wrong = await run(world, "node-1", "bridge", "traceroute", "nobody")
        assert (wrong.code, wrong.text) == (1, "traceroute: bad address 'nobody'\n")

    play(scenario, nodes=1)
