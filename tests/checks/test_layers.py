"""The floor plan of ARCHITECTURE.md is executed: import-linter's contracts and ruff's bans.

Both are shown to bite: the contracts on a copy of the house that has no content but one bad import for
each of them, the bans on a sample that uses everything that is banned.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())
CONTRACTS = {contract["id"]: contract for contract in SETTINGS["tool"]["importlinter"]["contracts"]}
BANNED = SETTINGS["tool"]["ruff"]["lint"]["flake8-tidy-imports"]["banned-api"]

BAD_IMPORTS = {
    "layers": {"kvstore/store.py": "import node.errors", "node/wire/bad.py": "import node.control.keys"},
    "worlds": {"node/edge/bad.py": "import lab.sim.loop", "lab/sim/bad.py": "import node.edge"},
    "drivers": {"node/drivers/null.py": "import node.drivers.host"},
    "synchronous": {"node/datapath/bad.py": "import asyncio", "node/dns/bad.py": "from asyncio import Queue"},
    "transports": {"node/control/bad.py": "import grpc", "node/api/bad.py": "import socket"},
    "generated": {"node/api/worse.py": "import node.rpc.v1"},
}


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """import-linter on the packages in ``folder``, with our contracts."""
    command = [
        Path(sys.executable).parent / "lint-imports",
        "--no-cache",
        "--no-logo",
        "--config",
        ROOT / "pyproject.toml",
    ]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)


def test_imports_follow_the_floor_plan() -> None:
    outcome = lint_imports(ROOT)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


def test_every_part_has_its_floor() -> None:
    floors = {
        part.strip("() ")
        for layer in CONTRACTS["layers"]["layers"]
        for part in layer.replace("|", ":").split(":")
    }
    parts = {
        f"{package}.{entry.stem}"
        for package in ("node", "lab")
        for entry in (ROOT / package).iterdir()
        if (entry / "__init__.py").exists() or (entry.suffix == ".py" and not entry.stem.startswith("__"))
    }
    assert parts - floors == {"node.rpc"}, "generated code has a contract of its own, all else a layer"


def test_every_driver_is_kept_apart() -> None:
    drivers = {
        f"node.drivers.{path.stem}"
        for path in (ROOT / "node" / "drivers").glob("*.py")
        if path.stem != "base" and re.search(r"^class \w+Driver\b", path.read_text(), re.MULTILINE)
    }
    assert drivers == set(CONTRACTS["drivers"]["modules"])


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every module of the house, empty."""
    folder = tmp_path_factory.mktemp("house")
    for package in ("kvstore", "node", "lab"):
        for module in (ROOT / package).rglob("*.py"):
            empty = folder / module.relative_to(ROOT)
            empty.parent.mkdir(parents=True, exist_ok=True)
            empty.touch()
    return folder


@pytest.mark.parametrize("contract", CONTRACTS)
def test_a_bad_import_breaks_its_contract(house: Path, contract: str) -> None:
    name = CONTRACTS[contract]["name"]
    for path, line in BAD_IMPORTS[contract].items():
        existed = (house / path).exists()
        (house / path).write_text(line + "\n")
        outcome = lint_imports(house)
        assert f"{name} BROKEN" in outcome.stdout, f"{line} in {path}:\n{outcome.stdout}{outcome.stderr}"
        if existed:
            (house / path).write_text("")
        else:
            (house / path).unlink()
    assert f"{name} KEPT" in lint_imports(house).stdout


def banned_in(path: str) -> list[str]:
    """What ruff says of a file at ``path`` that uses every banned name: one message for each."""
    modules = sorted({name.rpartition(".")[0].partition(".")[0] for name in BANNED})
    sample = "\n".join([*(f"import {module}" for module in modules), *BANNED, ""])
    command = [sys.executable, "-m", "ruff", "check", "--select", "TID251", "--output-format", "json"]
    outcome = subprocess.run(
        [*command, "--stdin-filename", path, "-"],
        cwd=ROOT,
        input=sample,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return [finding["message"] for finding in json.loads(outcome.stdout)]


@pytest.mark.parametrize("path", ["node/control/sample.py", "node/datapath/sample.py", "kvstore/sample.py"])
def test_time_and_chance_are_given(path: str) -> None:
    messages = banned_in(path)
    assert len(messages) == len(BANNED)
    assert all(any(f"`{name}`" in message for message in messages) for name in BANNED)


@pytest.mark.parametrize("path", ["node/edge/sample.py", "lab/launch/sample.py"])
def test_the_real_world_has_clocks(path: str) -> None:
    assert banned_in(path) == []
