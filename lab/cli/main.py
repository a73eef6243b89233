"""The `shoal` command: its verbs by name, each loaded only when it is called."""

from __future__ import annotations

import sys
from importlib import import_module

import click

VERBS = {
    "up": "Start a cluster of simulated Docker hosts.",
    "status": "Show the nodes of a cluster.",
    "env": "Print what points the docker CLI at a node.",
    "down": "End a cluster and leave nothing behind.",
    "demo": "Take the guided tour.",
    "kill": "End a node at once, as a power cut would.",
    "pause": "Freeze a node.",
    "resume": "Let a frozen node go on.",
    "restart": "Start a node again.",
    "chaos": "Cut nodes apart, and heal them.",
    "sim": "Play a scenario on virtual time.",
    "scenario": "Check scenario files.",
    "play": "Play a scenario on a real cluster.",
    "incident": "Watch and diagnose failures that real swarms had.",
    "trace": "Follow one ping, hop by hop.",
    "tables": "Show what a node forwards by.",
    "drops": "Show what was not delivered, and why.",
    "logs": "Show what a node says of itself.",
    "completion": "Print a script that completes commands in your shell.",
}


class Verbs(click.Group):
    """Finds a verb in the module of its name."""

    def list_commands(self, context: click.Context) -> list[str]:
        """In the order of a first walk through."""
        return list(VERBS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Import the verb's module."""
        if name not in VERBS:
            return None
        command = import_module(f"lab.cli.{name}").command
        assert isinstance(command, click.Command)
        command.short_help = VERBS[name]
        return command


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="shoal")
def shoal() -> None:
    """A swarm of simulated Docker hosts on this machine.

    \b
    shoal up -d                      three hosts in the background
    eval "$(shoal env node-1)"       point the docker CLI at one of them
    docker network ls
    shoal down                       end everything
    """


def main() -> None:
    """The entry point: errors are one sentence, and the exit code says whose fault it was."""
    from lab.cli.show import fail
    from lab.launch.cluster import ClusterError

    try:
        code = shoal.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        fail("interrupted")
        sys.exit(130)
    except ClusterError as error:
        fail(str(error))
        sys.exit(1)
    sys.exit(code if isinstance(code, int) else 0)
