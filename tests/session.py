"""The rules of every test session: what a test may ask of the machine, and that nothing stays behind.

A test that needs a part which pip cannot bring asks for it by fixture, and skips with a sentence that
names the package. With SHOAL_NO_SKIPS=1, as in CI, every skip is a failure. When the session is over, no
process that it started may still run.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

MARK = "SHOAL_TEST_SESSION"
"""In the environment of every process that a test starts, and of its children."""

ENDING_S = 3.0
"""How long processes that have been told to end may take after the last test."""

MACHINE_FAULT = "this machine's kernel answers no pings"
"""A skip for this reason stays one even in CI: nothing can be installed against it. The kernel has one
small buffer for the ICMP of all namespaces, and packets stuck in anybody's slow queue fill it."""

LEFT_BEHIND = pytest.StashKey[dict[int, str]]()

# Machines that run tests are shared and slow at times: how long an example took says nothing here.
settings.register_profile(
    "shoal",
    deadline=None,
    derandomize="CI" in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("shoal")


@pytest.fixture(scope="session")
def docker_cli() -> str:
    """Path of the real docker command."""
    return _command("docker", "docker-cli (Debian 12 and older, Ubuntu: docker.io)")


@pytest.fixture(scope="session")
def tshark() -> str:
    """Path of tshark."""
    return _command("tshark", "tshark")


@pytest.fixture(scope="session")
def needs_root() -> None:
    """The right to make network namespaces and devices, and iproute2 to do it with."""
    _command("ip", "iproute2")
    if os.geteuid() != 0:
        pytest.skip("this test makes network namespaces: run it as root")
    if subprocess.run(["unshare", "--net", "true"], capture_output=True).returncode != 0:
        pytest.skip("this test makes network namespaces, and here even root may not")


def _command(name: str, package: str) -> str:
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"the command {name} is missing: install the package {package}")
    return path


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whoever uses such a fixture gets its marker, so that `-m "not root"` chooses."""
    for item in items:
        for fixture, marker in (("docker_cli", "docker_cli"), ("tshark", "tshark"), ("needs_root", "root")):
            if fixture in getattr(item, "fixturenames", ()):
                item.add_marker(marker)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that skips, in its set-up or on its way."""
    report = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """A module that skips itself."""
    report = yield
    _refuse_skip(report)
    return report


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    expected_to_fail = hasattr(report, "wasxfail")
    if report.skipped and not expected_to_fail and os.environ.get("SHOAL_NO_SKIPS") == "1":
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        if MACHINE_FAULT in str(reason):
            return
        report.outcome = "failed"
        report.longrepr = f"{reason} (and SHOAL_NO_SKIPS=1 makes that a failure)"


def pytest_configure(config: pytest.Config) -> None:
    """Mark what this session is going to start."""
    if not _is_worker(config):
        os.environ[MARK] = secrets.token_hex(8)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the session for processes that outlive it, and end them."""
    if _is_worker(session.config):
        return
    deadline = time.monotonic() + ENDING_S
    while (left := processes_of_session(os.environ[MARK])) and time.monotonic() < deadline:
        time.sleep(0.05)
    session.config.stash[LEFT_BEHIND] = left
    for process in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    if left and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Name what was left behind."""
    left = config.stash.get(LEFT_BEHIND, {})
    if left:
        terminalreporter.section("FAILED: processes left behind (ended now)", red=True)
        for process, command in left.items():
            terminalreporter.line(f"{process}  {command}")


def processes_of_session(mark: str) -> dict[int, str]:
    """Command lines by process id: whoever carries ``mark`` or descends from this process.

    The mark finds daemons, which have another parent by now; descent finds forks of this process, whose
    environment as the kernel shows it is the one from before the mark.
    """
    commands: dict[int, str] = {}
    parents: dict[int, int] = {}
    marked: set[int] = set()
    for folder in Path("/proc").glob("[0-9]*"):
        process = int(folder.name)
        try:
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
            environment = (folder / "environ").read_bytes()
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue  # gone meanwhile, or somebody else's
        if state != "Z" and "multiprocessing.resource_tracker" not in command:  # which ends with its parent
            commands[process], parents[process] = command, int(parent)
            if f"{MARK}={mark}".encode() in environment.split(b"\0"):
                marked.add(process)
    return {
        process: command
        for process, command in sorted(commands.items())
        if process != os.getpid() and (process in marked or _descends(process, os.getpid(), parents))
    }


def _descends(process: int, ancestor: int, parents: dict[int, int]) -> bool:
    while process in parents:
        process = parents[process]
        if process == ancestor:
            return True
    return False


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")
