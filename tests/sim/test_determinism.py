"""The same file and seed give the same story, to the last byte, whatever the process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from lab.scenario.load import load
from lab.sim.play import play

RICH = Path(__file__).parent / "rich.yaml"
EXAMPLE = Path(__file__).parents[2] / "examples" / "one-way.yaml"
TELL = """
import sys
from pathlib import Path
from lab.scenario.load import load
from lab.sim.play import play
sys.stdout.write(play(load(Path(sys.argv[1])), int(sys.argv[2]), trace=True).trace)
"""


def trace(seed: int, hash_seed: str) -> str:
    """The whole trace, from a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", TELL, str(RICH), str(seed)],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONHASHSEED": hash_seed, "PYTHONPATH": "."},
    ).stdout


def test_two_processes_tell_the_same_story() -> None:
    played = play(load(RICH), 3, trace=True)
    assert played.result.passed, [failure.text for failure in played.result.failures]
    assert trace(3, "20") == played.trace
    assert played.trace.count("fabric sent") > 500, "every datagram is in it"
    assert " at 0x" not in played.trace, "nothing is told by its place in memory"


def test_another_seed_tells_another_story() -> None:
    scenario = load(EXAMPLE)
    stories = [play(scenario, seed, trace=True).trace for seed in (3, 4, 3)]
    assert stories[0] != stories[1]
    assert stories[0] == stories[2]
