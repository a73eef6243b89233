"""The program that docs/programs.md shows is one: the very text, run."""

from __future__ import annotations

import re
from pathlib import Path

from lab.sim.world import World
from node.model.network import NetworkSpec
from node.programs import applets
from node.programs.table import PROGRAMS
from tests.programs.containers import log_of
from tests.sim.play import play, run, start

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "programs.md"


def test_the_example_works_as_it_stands() -> None:
    text = GUIDE.read_text()
    example = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert example is not None

    async def scenario(world: World) -> None:
        await world.agent("node-1").controller.create(NetworkSpec(name="mine"))
        await start(world, "node-1", "loud", "mine", "shout", "7")
        done = await run(world, "node-1", "mine", "sh", "-c", "echo hello | nc loud 7")
        assert (done.code, done.text) == (0, "HELLO\n")
        assert await log_of(world, "node-1", "loud") == "172.18.0.3 says hello\n"
        assert (await run(world, "node-1", "mine", "shout")).text == "Usage: shout PORT\n"

    try:
        exec(compile(example[1], str(GUIDE), "exec"), {"__name__": "example"})
        play(scenario, nodes=1, swarm=False)
    finally:
        PROGRAMS.pop("shout", None)


def test_the_guide_names_every_program() -> None:
    words = set(re.findall(r"[\w.-]+", GUIDE.read_text()))
    hidden = {"/whoami", "docker-entrypoint.sh", "[", "hello", "ash", "dash", "netcat", "printenv"}
    assert [name for name in PROGRAMS if name not in words | hidden] == []
    assert applets.find("/usr/bin/curl") is PROGRAMS["curl"]
