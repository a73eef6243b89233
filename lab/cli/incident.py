"""shoal incident"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from lab.cli.show import facts, fail, json_option, table

if TYPE_CHECKING:
    from lab.incidents.incident import Command, Incident

WIDTH = 96


class IncidentName(click.ParamType[str]):
    """Completes in a shell."""

    name = "incident"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """All that begin like this."""
        from lab.incidents.incident import names

        return [CompletionItem(name) for name in names() if name.startswith(incomplete)]


@click.group()
def command() -> None:
    """Failures that real Docker swarms had: watch them, diagnose them, mend them.

    \b
    shoal incident list
    shoal incident show blocked-data-port       what to see, and where to look for it
    shoal incident run blocked-data-port        it fails ...
    shoal incident run blocked-data-port --mended
    """


@command.command("list")
@json_option
def list_command(as_json: bool) -> None:
    """Show all incidents."""
    from lab.incidents.incident import incident, names

    pages = {name: incident(name).page for name in names()}
    if as_json:
        shown = [{"name": n, "issue": p.issue, "url": p.url, "title": p.title} for n, p in pages.items()]
        facts(shown)
    else:
        table(("NAME", "ISSUE", "WHAT IS SEEN"), [(n, p.issue, p.title) for n, p in pages.items()])


@command.command()
@click.argument("name", type=IncidentName())
def show(name: str) -> int:
    """Show an incident: what is seen, how to make it, where to look, what it was."""
    if (found := _find(name)) is None:
        return 2
    page = found.page
    click.echo(f"{page.title}\n{'=' * len(page.title)}\n{page.url}\n")
    _paragraph(page.sees)
    click.echo("Make it, on a live cluster:\n")
    click.echo("  $ shoal up -d")
    _commands(page.reproduce)
    click.echo("Diagnose it:\n")
    _commands(page.diagnosis)
    click.echo("What it is:\n")
    _paragraph(page.cause)
    click.echo("What helps:\n")
    _paragraph(page.remedy)
    _commands(page.mend)
    click.echo(f"On virtual time: shoal incident run {name}, and again with --mended.")
    return 0


@command.command()
@click.argument("name", type=IncidentName())
@click.option("--mended", is_flag=True, help="The same with what helps.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@json_option
def run(name: str, mended: bool, seed: int, as_json: bool) -> int:
    """Play an incident in a simulated world: as it was, or mended.

    Exit code 0 if it comes out as it is to: as it was, it fails for the reason that is told; mended, it
    passes.
    """
    import msgspec

    from lab.report.summary import moment, summary
    from lab.sim.play import play

    if (found := _find(name)) is None:
        return 2
    scenario = found.mended if mended else found.faulty

    def tell(at: float, what: str) -> None:
        if not as_json:
            click.echo(moment(at, what))

    result = play(scenario, seed, tell=tell).result
    right = found.shows(result, mended=mended)
    if as_json:
        shown = {"incident": name, "mended": mended, "as_told": right, **msgspec.to_builtins(result)}
        click.echo(msgspec.json.format(msgspec.json.encode(shown), indent=2).decode())
        return 0 if right else 1
    click.echo()
    for line in summary(scenario, result):
        click.echo(line)
    if not right:
        fail(f"this is not what {name} is to show: please play it with another --seed, and tell us")
        return 1
    if mended:
        click.echo("Mended: what failed before holds now.")
    else:
        click.echo(f"That is the incident. Why: shoal incident show {name}. Mended: add --mended.")
    return 0


def _find(name: str) -> Incident | None:
    from lab.incidents.incident import incident, names

    try:
        return incident(name)
    except KeyError:
        fail(f"there is no incident {name}: it is one of {', '.join(names())}")
        return None


def _commands(commands: tuple[Command, ...]) -> None:
    node = ""
    for one in commands:
        if one.on and one.on != node:
            node = one.on
            click.echo(f'  $ eval "$(shoal env {node})"')
        click.echo(f"  $ {one.run}")
        if one.shows:
            click.echo(textwrap.indent(textwrap.fill(one.shows, WIDTH - 8), " " * 8))
    click.echo()


def _paragraph(text: str) -> None:
    click.echo(textwrap.indent(textwrap.fill(" ".join(text.split()), WIDTH - 2), "  ") + "\n")
