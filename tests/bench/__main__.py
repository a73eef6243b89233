"""`make bench`: run every measurement in a process of its own, print one table, write JSON.

A measurement is a module tests/bench/bench_NAME.py with a function measure() that returns

    {"title": str, "rows": [{"what": str, "value": float, "unit": str,
                             "target": str | None, "ok": bool | None,
                             "baseline": float | None, "ratio": float | None}]}

where `baseline` is another's figure from the same run and `ratio` says how the value stands to it. The exit
code is 1 when a measurement failed or missed its target.
"""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
RESULTS = ROOT / "bench-results" / "latest.json"
DOCUMENT = ROOT / "docs" / "benchmarks.md"
MEASUREMENT_S_MAX = 600
COLUMNS = ("", "value", "target", "", "beside", "ratio")


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One figure; ``ok`` says whether it meets ``target``, None where there is none."""

    what: str
    value: float
    unit: str
    target: str | None = None
    ok: bool | None = None
    baseline: float | None = None
    ratio: float | None = None

    def cells(self) -> tuple[str, ...]:
        """As a reader wants it, in the order of COLUMNS."""
        return (
            self.what,
            f"{figure(self.value)} {self.unit}",
            self.target or "",
            {True: "ok", False: "MISSED", None: ""}[self.ok],
            "" if self.baseline is None else f"{figure(self.baseline)} {self.unit}",
            "" if self.ratio is None else f"{figure(self.ratio)} x",
        )


class Measurement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What measure() returns."""

    title: str
    rows: tuple[Row, ...]


class Report(msgspec.Struct, frozen=True):
    """One run of everything that was asked for."""

    machine: dict[str, str]
    measurements: dict[str, Measurement]
    failed: tuple[str, ...]


def figure(value: float) -> str:
    """Three significant digits, and no exponent."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def machine() -> dict[str, str]:
    """What the figures depend on and a reader elsewhere cannot know."""
    described = Path("/proc/cpuinfo").read_text().partition("model name\t: ")[2].partition("\n")[0]
    return {
        "processor": described or platform.machine(),
        "cores": str(len(os.sched_getaffinity(0))),
        "Python": platform.python_version(),
        "kernel": platform.release(),
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    }


def available() -> list[str]:
    """Names of the measurements, sorted."""
    return sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))


def run_alone(name: str) -> Measurement | None:
    """Measure in a fresh process; None when it failed, after it has said why."""
    with tempfile.NamedTemporaryFile(suffix=".json") as result:
        command = [sys.executable, "-m", "tests.bench", "--measure", name, "--into", result.name]
        try:
            subprocess.run(command, cwd=ROOT, check=True, timeout=MEASUREMENT_S_MAX)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as problem:
            print(f"bench {name}: {problem}", file=sys.stderr)
            return None
        return msgspec.json.decode(result.read(), type=Measurement)


def measure_into(name: str, path: Path) -> None:
    """The child's side: call measure(), insist on the shape of what it returns, write it."""
    module = importlib.import_module(f"tests.bench.bench_{name}")
    path.write_bytes(msgspec.json.encode(msgspec.convert(module.measure(), Measurement)))


def print_table(console: Console, report: Report) -> None:
    """Everything in one table, a section for each measurement."""
    table = Table(*COLUMNS, title=", ".join(f"{key} {value}" for key, value in report.machine.items()))
    for measurement in report.measurements.values():
        table.add_section()
        table.add_row(f"[bold]{measurement.title}")
        for row in measurement.rows:
            table.add_row(*row.cells(), style="red" if row.ok is False else None)
    console.print(table)


def table_line(cells: tuple[str, ...]) -> str:
    """One line of a table in Markdown."""
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def as_markdown(report: Report) -> str:
    """The same, as a page of documentation."""
    lines = ["# Benchmarks", "", "Written by `make bench DOCS=1`. Ratios are within this one run, on:", ""]
    lines += [f"- {key}: {value}" for key, value in report.machine.items()]
    for measurement in report.measurements.values():
        lines += ["", f"## {measurement.title}", "", table_line(COLUMNS), "|---|--:|---|---|--:|--:|"]
        lines += [table_line(row.cells()) for row in measurement.rows]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Run what the command line asks for; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Run the measurements.")
    parser.add_argument("only", nargs="*", metavar="NAME", help=f"of {', '.join(available()) or 'none yet'}")
    parser.add_argument("--docs", action="store_true", help="write docs/benchmarks.md too")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    parser.add_argument("--into", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.measure:
        measure_into(chosen.measure, chosen.into)
        return 0
    if unknown := sorted(set(chosen.only) - set(available())):
        parser.error(f"there is no measurement {unknown[0]}: choose from {', '.join(available())}")

    console = Console()
    results: dict[str, Measurement | None] = {}
    for name in chosen.only or available():
        console.print(f"measuring {name} ...")
        results[name] = run_alone(name)
    report = Report(
        machine(),
        {name: result for name, result in results.items() if result is not None},
        tuple(name for name, result in results.items() if result is None),
    )
    print_table(console, report)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_bytes(msgspec.json.format(msgspec.json.encode(report)) + b"\n")
    if chosen.docs:
        DOCUMENT.parent.mkdir(exist_ok=True)
        DOCUMENT.write_text(as_markdown(report))
    missed = [row for result in report.measurements.values() for row in result.rows if row.ok is False]
    return 1 if missed or report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
