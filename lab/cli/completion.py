"""shoal completion"""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print a script that completes commands in your shell.

    \b
    eval "$(shoal completion bash)"          in ~/.bashrc
    eval "$(shoal completion zsh)"           in ~/.zshrc
    shoal completion fish | source           in config.fish
    """
    from lab.cli.main import shoal

    kind = get_completion_class(shell)
    assert kind is not None, f"click completes {shell}"
    click.echo(kind(shoal, {}, "shoal", "_SHOAL_COMPLETE").source())
