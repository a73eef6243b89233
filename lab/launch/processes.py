"""Processes of this machine, known by more than a number that may be given out again."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

MARKER = "SHOAL_CLUSTER_DIRECTORY"
"""In the environment of everything that a cluster starts, so that it can be found without any record."""
POLL_S = 0.01


class Known(msgspec.Struct, frozen=True):
    """A process: its number, and when it started (in the kernel's ticks), which no other shares."""

    pid: int
    started: int


def known(pid: int) -> Known | None:
    """A process that exists now and is no zombie."""
    try:
        # proc(5): the second field is a name in parentheses that may hold anything.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in ("Z", "X") else Known(pid, int(fields[19]))


def alive(process: Known | None) -> bool:
    """Whether it is still that very process."""
    return process is not None and known(process.pid) == process


def is_paused(process: Known) -> bool:
    """Whether it was stopped by a signal."""
    try:
        return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
    except OSError:
        return False


def send(process: Known | None, number: signal.Signals) -> bool:
    """Send a signal to that very process; False if it has gone."""
    if process is None or not alive(process):
        return False
    try:
        os.kill(process.pid, number)
    except ProcessLookupError:
        return False
    return True


def marked(directory: Path) -> Iterator[Known]:
    """Every process that carries the cluster's marker, whatever its record says."""
    wanted = f"{MARKER}={directory}".encode()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal() or int(entry.name) == os.getpid():
            continue
        try:
            environment = (entry / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if wanted in environment and (process := known(int(entry.name))) is not None:
            yield process


def wait_gone(processes: list[Known], timeout_s: float) -> list[Known]:
    """Those that are still there after a while."""
    deadline = time.monotonic() + timeout_s
    left = [process for process in processes if alive(process)]
    while left and time.monotonic() < deadline:
        time.sleep(POLL_S)
        left = [process for process in left if alive(process)]
    return left


def holder_of(address: str, port: int, kind: str) -> str:
    """Which program has a port, as far as /proc tells: ' by "etcd" (pid 12)', or nothing."""
    raw = "".join(f"{int(part):02X}" for part in reversed(address.split(".")))
    wanted = (f"{raw}:{port:04X}", f"00000000:{port:04X}")
    inodes: set[str] = set()
    try:
        for line in Path(f"/proc/net/{kind}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[1] in wanted:
                inodes.add(f"socket:[{fields[9]}]")
    except OSError:
        return ""
    for entry in sorted(Path("/proc").glob("[0-9]*/fd/*")):
        try:
            if os.readlink(entry) in inodes:
                pid = entry.parts[2]
                name = Path(f"/proc/{pid}/comm").read_text().strip()
                return f' by "{name}" (pid {pid})'
        except OSError:
            continue
    return ""
