"""traceroute over the hosts' own routing, and into nothing."""

from __future__ import annotations

import re

from lab.sim.world import World
from tests.programs.containers import sandbox_of
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
        echoes = await run(world, "node-1", "bridge", "traceroute", "-nI", "192.168.65.3", image="debian")
        assert (echoes.code, len(echoes.text.splitlines())) == (0, 3)
        assert re.fullmatch(rf" 2  192\.168\.65\.3({TIME}){{3}}", echoes.text.splitlines()[2])

    play(scenario, nodes=2)


def test_the_full_one_speaks_otherwise_and_has_many_probes_under_way() -> None:
    async def scenario(world: World) -> None:
        await start(world, "node-1", "web", "bridge")
        near = await run(world, "node-1", "bridge", "traceroute", "172.17.0.2", image="nicolaka/netshoot")
        assert near.text.startswith("traceroute to 172.17.0.2 (172.17.0.2), 30 hops max, 60 byte packets\n")
        assert re.fullmatch(rf" 1  172\.17\.0\.2 \(172\.17\.0\.2\)({TIME}){{3}}", near.text.splitlines()[1])
        begun = world.clock.now()
        far = await run(world, "node-1", "bridge", "traceroute", "-n", "192.168.65.99", image="debian")
        assert far.text.splitlines()[2] == " 2  * * *"
        assert world.clock.now() - begun < 60
        for arguments, code, words in (
            (("nobody",), 2, "nobody: Temporary failure in name resolution\n"
                             "Cannot handle \"host\" cmdline arg `nobody' on position 1 (argc 1)\n"),
            (("-Q", "web"), 2, "Bad option `-Q' (argc 1)\n"),
            (("-m", "300", "172.17.0.2"), 2, "max hops cannot be more than 255\n"),
            (("-q", "11", "172.17.0.2"), 2, "no more than 10 probes per hop\n"),
        ):  # fmt: skip
            done = await run(world, "node-1", "bridge", "traceroute", *arguments, image="debian")
            assert (done.code, done.text) == (code, words)
        cut = await run(world, "node-1", "none", "traceroute", "10.0.0.1", image="debian")
        assert (cut.code, cut.text.splitlines()[1]) == (1, "connect: Network is unreachable")
        cut = await run(world, "node-1", "none", "traceroute", "10.0.0.1")
        words = "traceroute: can't connect to remote host (10.0.0.1): Network is unreachable\n"
        assert (cut.code, cut.text) == (1, words)

    play(scenario, nodes=1)


def test_a_datagram_that_somebody_answers_ends_the_way_too() -> None:
    async def scenario(world: World) -> None:
        await start(world, "node-1", "web", "bridge")
        server = sandbox_of(world, "node-1", "web").serve_udp("0.0.0.0", 33434, lambda data, _: data)
        done = await run(world, "node-1", "bridge", "traceroute", "-n", "-q", "1", "172.17.0.2")
        assert re.fullmatch(rf" 1  172\.17\.0\.2{TIME}", done.text.splitlines()[1])
        assert len(done.text.splitlines()) == 2
        server.close()

    play(scenario, nodes=1)


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
