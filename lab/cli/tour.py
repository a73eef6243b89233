"""The guide: prints titles, commands and what came of them, and remembers which checks held."""

from __future__ import annotations

import time
from collections.abc import Callable

import click

from lab.launch.cluster import Cluster, directory_of
from lab.launch.engine import Engine
from lab.launch.processes import marked

POLL_S = 0.05


class Tour:
    """See the module."""

    def __init__(self) -> None:
        self.checks: list[tuple[str, bool]] = []
        self.cluster: Cluster | None = None

    # -- speaking ---------------------------------------------------------------------------------

    def say(self, text: str) -> None:
        """A sentence."""
        click.echo(text)

    def title(self, title: str, *commands: str) -> None:
        """A new part, and what a user would type for it."""
        click.echo("")
        click.secho(title, bold=True)
        for command in commands:
            click.secho(f"  $ {command}", fg="cyan")

    def show(self, text: str) -> None:
        """Output, set off to the right."""
        for line in text.rstrip().splitlines():
            click.echo(f"    {line}")

    def check(self, text: str, held: bool, note: str = "") -> bool:
        """Say whether something is as told."""
        self.checks.append((text, held))
        mark = click.style("ok", fg="green") if held else click.style("NO", fg="red", bold=True)
        click.echo(f"  [{mark}] {text}" + (f" ({note})" if note else ""))
        return held

    # -- doing ------------------------------------------------------------------------------------

    def scene(self, play: Callable[[Tour], None]) -> None:
        """One part of the tour; its docstring's first line is the title."""
        play(self)

    def engine(self, node: str, timeout_s: float = 15.0) -> Engine:
        """A node's Engine API."""
        assert self.cluster is not None, "the cluster is up during the tour"
        return Engine(self.cluster.node(node).config.socket_path, timeout_s)

    def until(self, condition: Callable[[], bool], timeout_s: float) -> float | None:
        """Wait for a condition: how long it took in seconds, None if it did not come."""
        begun = time.monotonic()
        while time.monotonic() - begun < timeout_s:
            if condition():
                return time.monotonic() - begun
            time.sleep(POLL_S)
        return None

    def nothing_left(self, name: str) -> bool:
        """No process and no directory of a cluster."""
        directory = directory_of(name)
        return not directory.exists() and not list(marked(directory))
