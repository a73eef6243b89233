"""The rules of a test session hold: each is shown on a small session that breaks it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import session as rules

LEAVES_A_DAEMON_AND_A_FORK = """
import os, subprocess, time

def test_daemon():
    subprocess.run(["sh", "-c", "setsid sleep 4321 >/dev/null 2>&1 &"], check=True)

def test_fork():
    if os.fork() == 0:
        time.sleep(4321)
"""

SKIPS = """
import pytest

def test_skips():
    pytest.skip("the moon is full")

@pytest.mark.xfail(strict=True)
def test_expected():
    assert False
"""

SKIPS_AS_A_MODULE = """
import pytest
pytest.skip("no moon", allow_module_level=True)
"""


def run(folder: Path, tests: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A session of its own, under the rules, over one file."""
    shutil.copy(rules.__file__, folder / "conftest.py")
    (folder / "test_sample.py").write_text(tests)
    (folder / "pytest.ini").write_text("[pytest]\n")
    inherited = {name: value for name, value in os.environ.items() if name != "SHOAL_NO_SKIPS"}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rA", str(folder)],
        cwd=folder,
        env=inherited | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_processes_left_behind_fail_the_session_and_are_ended(tmp_path: Path) -> None:
    outcome = run(tmp_path, LEAVES_A_DAEMON_AND_A_FORK)
    assert outcome.returncode == pytest.ExitCode.TESTS_FAILED
    assert "2 passed" in outcome.stdout
    listing = outcome.stdout.partition("processes left behind")[2].splitlines()[1:3]
    assert sorted("sleep 4321" in line for line in listing) == [False, True]
    for line in listing:
        assert not is_running(int(line.split()[0]))


def is_running(process: int) -> bool:
    """Neither gone nor dead and waiting to be collected by its parent."""
    try:
        return "State:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except FileNotFoundError:
        return False


def test_a_tidy_session_passes(tmp_path: Path) -> None:
    outcome = run(tmp_path, "def test_tidy():\n    pass\n")
    assert outcome.returncode == 0, outcome.stdout
    assert "left behind" not in outcome.stdout


def test_a_skip_is_allowed_by_hand(tmp_path: Path) -> None:
    assert run(tmp_path, SKIPS).returncode == 0


@pytest.mark.parametrize(("tests", "reason"), [(SKIPS, "the moon is full"), (SKIPS_AS_A_MODULE, "no moon")])
def test_a_skip_fails_where_none_is_allowed_and_says_why(tmp_path: Path, tests: str, reason: str) -> None:
    outcome = run(tmp_path, tests, SHOAL_NO_SKIPS="1")
    assert outcome.returncode != 0
    assert f"{reason} (and SHOAL_NO_SKIPS=1" in outcome.stdout
    assert "skipped" not in outcome.stdout.splitlines()[-1]


def test_what_is_missing_is_named_with_its_package(tmp_path: Path) -> None:
    outcome = run(tmp_path, "def test_it(tshark):\n    pass\n", PATH="/nowhere")
    assert "the command tshark is missing: install the package tshark" in outcome.stdout
