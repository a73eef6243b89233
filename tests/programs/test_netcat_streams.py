"""nc over TCP, with a shell's pipes around it."""

from __future__ import annotations

from lab.sim.world import World
from node.model.network import NetworkSpec
from tests.programs.containers import log_of
from tests.sim.play import play, run, settle, start


def test_what_goes_in_on_one_side_comes_out_on_the_other_both_ways() -> None:
    async def scenario(world: World) -> None:
        await world.agent("node-1").controller.create(NetworkSpec(name="mine"))
        await start(
            world, "node-1", "server", "mine", "sh", "-c", "echo welcome | nc -v -l -p 7; echo ended $?"
        )
        done = await run(world, "node-1", "mine", "sh", "-c", "echo hello | nc -v server 7")
        assert (done.code, done.text) == (0, "server (172.18.0.2:7) open\nwelcome\n")
        await settle(world)
        said = await log_of(world, "node-1", "server")
        assert said.startswith("connect to 172.18.0.2:7 from 172.18.0.3:")
        assert said.endswith("\nhello\nended 0\n")

    play(scenario, nodes=1, swarm=False)


def test_a_port_is_probed_and_refusals_are_said_in_busyboxs_words() -> None:
    async def scenario(world: World) -> None:
        await world.agent("node-1").controller.create(NetworkSpec(name="mine"))
        await start(world, "node-1", "web", "mine", "nginx")
        for arguments, code, words in (
            (("-z", "web", "80"), 0, ""),
            (("-zv", "web", "80"), 0, "web (172.18.0.2:80) open\n"),
            (("-z", "web", "81"), 1, "nc: web (172.18.0.2:81): Connection refused\n"),
            (("-z", "-w", "2", "172.18.0.99", "80"), 1, "nc: timed out\n"),
            (("nobody", "80"), 1, "nc: bad address 'nobody'\n"),
        ):
            done = await run(world, "node-1", "mine", "nc", *arguments)
            assert (done.code, done.text) == (code, words), arguments
        assert (await run(world, "node-1", "mine", "nc", "web")).code == 1

    play(scenario, nodes=1, swarm=False)
