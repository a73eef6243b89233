"""`make explore`: every planted defect, after how many seeds it was found, and by which invariant.

python -m tests.defects [--only NAME] [--seeds N] [--healthy N] [--json] [--docs]
"""

from __future__ import annotations

import argparse
import inspect
import json
import sys
from dataclasses import asdict
from pathlib import Path

from lab.checkers.catalogue import KINDS
from lab.sim.play import play
from tests.defects.defects import DEFECTS
from tests.defects.explore import NAMES, Find, alone, explore, scenario

DOCUMENT = Path(__file__).parents[2] / "docs" / "invariants.md"
HEAD = """# Invariants

What must hold of a swarm at every moment, as small pure functions in `lab/checkers/`. Every run of a scenario
checks all of them, in the simulated world after every change, and ends where one of them does not hold.

An invariant that has never caught anything proves nothing. So there are deliberate defects in
`tests/defects/defects.py`, and `make explore` plants one after the other and plays seeds of a scenario until
something is found. This file is written by `make explore ARGS=--docs`.

"""


def main(arguments: list[str]) -> int:
    """Exit code 0 if all were found, and nothing where there is nothing."""
    options = _options(arguments)
    finds = [explore(defect, options.seeds) for name, defect in DEFECTS.items() if options.only in ("", name)]
    false_alarms = [
        f"{name}, seed {seed}: {failure.text}"
        for name in NAMES
        for seed in range(options.healthy)
        for failure in play(scenario(name), seed).result.failures
    ]
    if options.json:
        print(json.dumps({"finds": [asdict(find) for find in finds], "false_alarms": false_alarms}, indent=1))
    else:
        print("\n".join(_lines(finds)))
        print(
            f"\n{options.healthy} seeds of each scenario without a defect: {len(false_alarms)} false alarms"
        )
        print("\n".join(false_alarms))
    if options.docs:
        DOCUMENT.write_text(_document(finds, _matrix(finds), options.healthy))
    return 0 if all(find.by for find in finds) and not false_alarms else 1


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make explore", description=str(__doc__).partition("\n")[0])
    parser.add_argument("--only", default="", metavar="NAME", choices=["", *DEFECTS])
    parser.add_argument("--seeds", type=int, default=20, help="played at most for each defect")
    parser.add_argument("--healthy", type=int, default=10, help="played of each scenario without a defect")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument("--docs", action="store_true", help=f"write docs/{DOCUMENT.name}")
    return parser.parse_args(arguments)


def _lines(finds: list[Find]) -> list[str]:
    lines = [f"{'defect':30} {'seeds':>5}  {'found by':11} what was seen"]
    for find in finds:
        seen = find.what if len(find.what) <= 100 else f"{find.what[:97]}..."
        lines.append(f"{find.defect:30} {find.seeds:5}  {find.by or 'NOT FOUND':11} {seen}")
    return lines


def _matrix(finds: list[Find]) -> dict[str, list[str]]:
    """Each invariant, and the defects that it finds by itself in the seed in which they were found."""
    return {
        kind.name: [
            find.defect for find in finds if find.by and alone(DEFECTS[find.defect], find.seeds, kind.name)
        ]
        for kind in KINDS
    }


def _document(finds: list[Find], matrix: dict[str, list[str]], healthy: int) -> str:
    parts = [HEAD]
    for kind in KINDS:
        caught = [f"`{name}`" for name in matrix[kind.name]]
        about = inspect.getdoc(kind) or ""
        module = kind.__module__.replace(".", "/")
        parts.append(
            f"## {kind.name}\n\n**{kind.sentence}**\n\n{about} (`{module}.py`)\n\n"
            f"Finds by itself: {', '.join(caught) or 'nothing yet'}.\n\n"
        )
    parts.append(
        "## The planted defects\n\n"
        "| defect | what is wrong | scenario | seeds | found first by |\n|---|---|---|---|---|\n"
    )
    for find in finds:
        sentence = DEFECTS[find.defect].sentence
        parts.append(
            f"| `{find.defect}` | {sentence} | {find.scenario} | {find.seeds} | {find.by or 'not found'} |\n"
        )
    parts.append(
        f"\n*seeds*: how many were played until one showed it. *crash*: a node fell over an assertion of its "
        f"own before any invariant was asked; *step*: something that a user did failed. {healthy} seeds of "
        f"each scenario without a defect: no alarm.\n"
    )
    return "".join(parts)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
