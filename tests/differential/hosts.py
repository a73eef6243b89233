"""The two Docker hosts that are compared, each in namespaces of its own: a real engine, and a simulated one.

    this process --> unshare --> process 1 of the namespaces: dockerd, or python -m node
                                   '--> everything else of the host

When process 1 ends, the kernel ends all others there and takes away mounts, devices and networks; and
process 1 ends with this process, however that ends. What has to be removed by hand are a folder, and the
control groups that the real engine's containers leave.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from lab.launch.engine import Engine, EngineError
from tests.differential import images
from tests.differential.packages import NoEngine, Tree

START_S_MAX = 30.0
STOP_S_MAX = 10.0
POLL_S = 0.02
PREFIX = "shoal-differential-"
ROOT = Path(__file__).parents[2]
CGROUPS = Path("/sys/fs/cgroup")

_NAMESPACES = ["--mount", "--net", "--uts", "--ipc", "--pid", "--fork", "--kill-child=KILL", "--mount-proc"]
_WITH_PARENT = ["setpriv", "--pdeathsig", "KILL"]


@contextlib.contextmanager
def real(tree: Tree) -> Iterator[Path]:
    """A real engine with the catalogue's images; its socket. Raises NoEngine."""
    _remove_left_overs()
    with folder("real") as place:
        (place / "scratch").mkdir()
        cgroup = place.name
        script = Path(__file__).with_name("real-host.sh")
        try:
            with _host(place, ["sh", str(script), str(tree.root), str(place), cgroup]) as socket:
                images.load(["docker", "--host", f"unix://{socket}"], tree.busybox)
                yield socket
        finally:
            _remove_cgroups(cgroup)


@contextlib.contextmanager
def simulated() -> Iterator[Path]:
    """A simulated host that belongs to no swarm, like the real one; its socket. Raises NoEngine."""
    with folder("simulated") as place:
        node = [sys.executable, "-m", "node", "--name", "node-1", "--directory", str(place)]
        with _host(place, ["sh", "-c", 'ip link set lo up && exec "$@"', "sh", *node]) as socket:
            yield socket


@contextlib.contextmanager
def folder(name: str) -> Iterator[Path]:
    """A folder for as long as it is needed, named after this process."""
    made = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-{name}-"))
    try:
        yield made
    finally:
        shutil.rmtree(made)


def _remove_left_overs() -> None:
    """What a run that was killed had no time to remove."""
    for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        if not Path("/proc", left.name.removeprefix(PREFIX).partition("-")[0]).exists():
            _remove_cgroups(left.name)
            shutil.rmtree(left)


@contextlib.contextmanager
def _host(folder: Path, command: list[str]) -> Iterator[Path]:
    """Run ``command`` as process 1 of new namespaces until its engine answers at folder/docker.sock."""
    log, socket = folder / "output.log", folder / "docker.sock"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*_WITH_PARENT, "unshare", *_NAMESPACES, *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=ROOT,
            start_new_session=True,  # Ctrl-C is for this process, which then ends the host
        )
    try:
        _wait(socket, process, folder)
        yield socket
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill process 1 of the namespaces, so that unshare takes note of its end, and ends too."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    with contextlib.suppress(OSError):  # it has ended already
        for child in children.read_text().split():
            os.kill(int(child), signal.SIGKILL)
    try:
        process.wait(STOP_S_MAX)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(STOP_S_MAX)


def _wait(socket: Path, process: subprocess.Popen[bytes], folder: Path) -> None:
    engine = Engine(socket)
    deadline = time.monotonic() + START_S_MAX
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(EngineError):
            engine.raw("GET", "/_ping")
            return
        time.sleep(POLL_S)
    words = [
        line
        for path in sorted(folder.glob("*.log"))
        for line in path.read_text(errors="replace").splitlines()
    ]
    raise NoEngine("a host did not start: " + " / ".join(words[-5:]))


def _remove_cgroups(name: str) -> None:
    """Of every hierarchy, the innermost first; they are empty as soon as the host's processes are gone."""
    deadline = time.monotonic() + STOP_S_MAX
    while found := [path for path in CGROUPS.glob(f"**/{name}") if path.is_dir()]:
        for path in found:
            for inner, _, _ in os.walk(path, topdown=False):
                with contextlib.suppress(OSError):
                    os.rmdir(inner)
        if time.monotonic() > deadline:
            raise NoEngine(f"control groups were left behind: {', '.join(map(str, found))}")
