"""`make differential`: the same docker commands on a real engine and on a simulated one, and what differs.

Exit code 0: nothing differs but what is meant; 1: something does, or a listed difference no longer occurs;
2: the comparison could not be made. An engine of another major version than the imitated one judges nothing.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from rich.console import Console
from rich.status import Status

from lab.launch.engine import EngineError
from tests.differential import hosts, packages, report
from tests.differential.compare import Comparison, Judge
from tests.differential.compare import load as load_meant
from tests.differential.play import Player
from tests.differential.script import Script, ScriptError
from tests.differential.script import load as load_scripts

COMMANDS = {
    "docker": "docker-cli (Debian 12 and older, Ubuntu: docker.io)",
    "ip": "iproute2",
    "unshare": "util-linux",
    "setpriv": "util-linux",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="make differential", description=__doc__.split("\n")[0])
    parser.add_argument("scripts", nargs="*", metavar="SCRIPT", help="only these scripts, by name")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    options = parser.parse_args(arguments)
    told = Console(stderr=True, highlight=False)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        scripts = load_scripts(options.scripts)
        _check_machine()
        with told.status("") as status:
            begun = time.monotonic()
            engine, judge, comparisons = _compare(scripts, status, told)
    except (ScriptError, packages.NoEngine, EngineError) as trouble:
        told.print(f"The comparison cannot be made: {trouble}", style="red", markup=False)
        return 2
    except KeyboardInterrupt:
        told.print("Interrupted; nothing is left behind.")
        return 130
    stale = judge.stale(script.name for script in scripts)
    if options.json:
        print(report.as_json(engine, comparisons, stale))
    else:
        console = Console(highlight=False, soft_wrap=True)
        for comparison in comparisons:
            if comparison.unmeant:
                report.show(console, comparison)
        report.close(console, comparisons, stale)
        console.print(f"compared with engine {engine} in {time.monotonic() - begun:.0f} s", markup=False)
    if not packages.is_imitated(engine):
        told.print(
            f"Engine {engine} is not the imitated one ({packages.MAJOR}): what differs fails nothing.",
            style="yellow",
            markup=False,
        )
        return 0
    return 1 if stale or any(comparison.unmeant for comparison in comparisons) else 0


def _check_machine() -> None:
    """Raises NoEngine for what is missing here."""
    for command, package in COMMANDS.items():
        if shutil.which(command) is None:
            raise packages.NoEngine(f"the command {command} is missing: install the package {package}")
    if os.geteuid() != 0:
        raise packages.NoEngine("a real engine needs root: sudo make differential")


def _compare(scripts: list[Script], status: Status, told: Console) -> tuple[str, Judge, list[Comparison]]:
    """Play all scripts on both hosts, each script at the same time on both."""

    def say(text: str) -> None:
        status.update(text)
        if not told.is_terminal:
            told.print(text, markup=False)

    tree = packages.find(say)
    judge = Judge(load_meant(), tree.version)
    comparisons: list[Comparison] = []
    say(f"starting engine {tree.version} and a simulated host")
    stopped = threading.Event()
    with (
        ThreadPoolExecutor(max_workers=1) as beside_real,
        ThreadPoolExecutor(max_workers=1) as beside_simulated,
        hosts.folder("home") as home,
        hosts.real(tree) as real,
        hosts.simulated() as simulated,
        contextlib.ExitStack() as first,
    ):
        first.callback(stopped.set)
        players = [Player(socket, home, stopped=stopped) for socket in (real, simulated)]
        threads = (beside_real, beside_simulated)
        playing = [
            (
                script,
                [thread.submit(player.play, script) for thread, player in zip(threads, players, strict=True)],
            )
            for script in scripts
        ]
        for script, outcomes in playing:
            say(f"{script.name}: {len(script.steps)} commands")
            for step, ours, theirs in zip(script.steps, *(o.result() for o in outcomes), strict=True):
                comparisons.append(judge.compare(script.name, step, ours, theirs))
    return tree.version, judge, comparisons


if __name__ == "__main__":
    sys.exit(main())
