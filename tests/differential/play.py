"""Plays a script against one engine with the docker command, and notes what each line came to."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from lab.launch.engine import Engine, EngineError
from tests.differential.normalise import MARKS, RANDOM_NAME, has_unknown_id, normalise
from tests.differential.script import Script, Step

COMMAND_S_MAX = 30
RETRY_S_MAX = 10.0
RETRY_PAUSE_S = 0.1
PREDEFINED = ("bridge", "host", "none")

_SUBSTITUTION = re.compile(r"\$\((docker [^)]+)\)")


class Stopped(Exception):
    """Somebody else has set ``Player.stopped``."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is compared of one command: its exit code and its normalised output."""

    code: int
    out: str
    err: str

    def lines(self) -> list[str]:
        """As a reader sees it."""
        words = [f"exit code {self.code}"]
        words += [f"stdout: {line}" for line in self.out.splitlines()]
        return words + [f"stderr: {line}" for line in self.err.splitlines()]


@dataclass
class Player:
    """One engine, at its socket. ``home`` is where the docker command keeps its own files."""

    socket: Path
    home: Path
    names: dict[str, str] = field(default_factory=dict)
    stopped: threading.Event = field(default_factory=threading.Event)
    """Set from another thread when nobody wants the rest any more."""

    def __post_init__(self) -> None:
        self._engine = Engine(self.socket, COMMAND_S_MAX)

    def play(self, script: Script) -> list[Outcome]:
        """Every step's outcome, from a clean engine on."""
        self.clean()
        self.names.clear()
        begin = _now()
        return [self._outcome(step, script, begin) for step in script.steps]

    def clean(self) -> None:
        """Remove all containers, and all networks that a script made. Raises EngineError."""
        containers = self._engine.call("GET", "/containers/json?all=1")
        with ThreadPoolExecutor(max_workers=8) as several:
            list(several.map(self._remove, [container["Id"] for container in containers]))
        for network in self._engine.call("GET", "/networks"):
            if network["Name"] not in PREDEFINED:
                self._engine.call("DELETE", f"/networks/{network['Id']}")

    def _remove(self, container: str) -> None:
        with contextlib.suppress(EngineError):  # it may go by itself meanwhile
            self._engine.call("DELETE", f"/containers/{container}?force=1&v=1")

    def _outcome(self, step: Step, script: Script, begin: str) -> Outcome:
        if self.stopped.is_set():
            raise Stopped
        code, out, err = (
            self._until_it_succeeds(step, begin) if step.retried else self._run(step.command, begin)
        )
        if has_unknown_id(out + err, self.names):
            self._learn_names()
        streams = [normalise(text, self.names, script.text) for text in (out, err)]
        for mark in step.marks:
            if mark in MARKS:
                streams = [MARKS[mark](text) for text in streams]
        return Outcome(code, *streams)

    def _until_it_succeeds(self, step: Step, begin: str) -> tuple[int, str, str]:
        deadline = time.monotonic() + RETRY_S_MAX
        while True:
            done = self._run(step.command, begin)
            if done[0] == 0 or time.monotonic() > deadline or self.stopped.is_set():
                return done
            time.sleep(RETRY_PAUSE_S)

    def _run(self, command: str, begin: str) -> tuple[int, str, str]:
        command = command.replace("$BEGIN", begin).replace("$NOW", _now())
        command = _SUBSTITUTION.sub(lambda found: self._run(found[1], begin)[1].strip(), command)
        done = subprocess.run(
            # The docker command forwards SIGTERM to the container: only SIGKILL surely ends one that hangs.
            ["timeout", "-s", "KILL", str(COMMAND_S_MAX), *shlex.split(command)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env={
                "DOCKER_HOST": f"unix://{self.socket}",
                "HOME": str(self.home),
                "PATH": os.environ["PATH"],
                "TZ": "UTC",
            },
            check=False,
        )
        return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")

    def _learn_names(self) -> None:
        """Ask who has which identity. What is gone keeps the name that it had."""
        with contextlib.suppress(EngineError):
            for container in self._engine.call("GET", "/containers/json?all=1"):
                self.names[container["Id"]] = f"container {_own_name(container['Names'])}"
            for network in self._engine.call("GET", "/networks"):
                self.names[network["Id"]] = f"network {network['Name']}"


def _own_name(names: list[str]) -> str:
    """A container is also listed under its links: /other/alias."""
    name = next(name for name in names if name.count("/") == 1).lstrip("/")
    return "with a random name" if RANDOM_NAME.fullmatch(name) else name


def _now() -> str:
    """Seconds since 1970 with nine decimals, as `docker events --since` takes them."""
    return f"{time.time_ns() / 1e9:.6f}"
