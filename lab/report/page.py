"""The report of one run, as one HTML page that needs nothing else.

verdict, facts --> timeline --> failures, with what led there --> topology --> recoveries --> steps --> story
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lab.report.markup import Content, Markup, tag
from lab.report.style import CSS
from lab.report.timeline import timeline
from lab.report.topology import topology
from lab.scenario.model import Scenario
from lab.scenario.packets import DROPPED, LOST
from lab.scenario.result import Failure, Line, Result

_BAD = re.compile(rf"({DROPPED} as \w+|{LOST} on the way)")

STORY_BEFORE = 15
"""Lines that led to a failure."""
STORY_MAX = 2000
FAILURES_MAX = 10


def page(scenario: Scenario, result: Result, again: str) -> str:
    """The whole page; ``again`` is the command that plays the run again."""
    return "<!doctype html>\n" + document(
        scenario.title,
        [
            _head(scenario, result, again),
            section("What happened when", timeline(scenario, result), _legend()),
            _failures(result) if result.failures else None,
            section("Who stands where", topology(scenario)),
            _recoveries(result) if result.recoveries else None,
            _steps(result),
            _story(result),
        ],
    )


def document(title: str, content: Content) -> Markup:
    """Everything around the content."""
    return tag(
        "html",
        tag(
            "head",
            tag("meta", charset="utf-8"),
            tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
            tag("title", title),
            tag("style", Markup(CSS)),
        ),
        tag("body", tag("main", content)),
        lang="en",
    )


def section(title: str, *content: Content) -> Markup:
    """One card of the page."""
    return tag("section", tag("h2", title), content)


def _head(scenario: Scenario, result: Result, again: str) -> list[Markup]:
    verdict = "PASSED" if result.passed else "FAILED"
    met = [step for step in result.steps if step.kind == "expect"]
    facts: list[tuple[str, str]] = [
        ("world", result.world),
        ("seed", str(result.seed)) if result.world == "simulated" else ("time", "real"),
        ("lasted", f"{result.lasted_s:.1f} s"),
        ("nodes", str(scenario.nodes)),
        ("expectations met", f"{sum(not step.problem for step in met)} of {len(met)}"),
        ("invariants checked", f"{result.moments} times"),
        ("play it again", again),
    ]
    return [
        tag("h1", scenario.title, tag("span", verdict, cls=f"verdict {'good' if result.passed else 'bad'}")),
        tag("p", scenario.about.strip(), cls="about") if scenario.about else Markup(""),
        tag("ul", [tag("li", f"{name} ", tag("b", value)) for name, value in facts], cls="facts"),
    ]


def _legend() -> Markup:
    return tag(
        "p",
        "Orange: faults between nodes; violet: nodes themselves; blue: the store. A dotted line leads from "
        "the end of a fault to the moment when tables, names and reachability were right again. Point at "
        "anything to read what it is.",
        cls="soft",
    )


# -- failures -------------------------------------------------------------------------------------


def _failures(result: Result) -> Markup:
    shown = [_failure(result, failure) for failure in result.failures[:FAILURES_MAX]]
    rest = len(result.failures) - len(shown)
    return section(
        "What failed", shown, tag("p", f"and {rest} more failures", cls="soft") if rest > 0 else None
    )


def _failure(result: Result, failure: Failure) -> Markup:
    before = [line for line in result.story if line.at <= failure.at + 1e-6][-STORY_BEFORE:]
    return tag(
        "div",
        tag("p", tag("b", f"{failure.at:.3f} s: "), failure.text),
        tag("h3", "What happened before"),
        lines(before, failure.at),
        _packets(failure) if failure.packets else None,
        cls="failure",
    )


def _packets(failure: Failure) -> Markup:
    title = f"The last {len(failure.packets)} stations of packets before it"
    return tag("details", tag("summary", title), lines(failure.packets, failure.at), open="")


def lines(story: tuple[Line, ...] | list[Line], now: float = -1.0) -> Markup:
    """Lines of a story; those of the moment ``now`` stand out."""
    return tag("pre", [_line(line, now) for line in story])


def _line(line: Line, now: float) -> Markup:
    pieces = _BAD.split(line.what, maxsplit=1)
    what: Content = line.what
    if len(pieces) > 1:
        what = [pieces[0], tag("span", pieces[1], cls="drop"), pieces[2]]
    return tag(
        "span",
        f"{line.at:10.3f} s  ",
        tag("span", f"{line.who:<9}", cls="who"),
        " ",
        what,
        "\n",
        cls="now" if abs(line.at - now) < 1e-6 else None,
    )


# -- tables ---------------------------------------------------------------------------------------


def table(heads: tuple[str, ...], rows: list[list[Content]], numbers: tuple[int, ...] = ()) -> Markup:
    """A table; the columns of these numbers hold figures."""

    def cell(name: str, place: int, content: Content) -> Markup:
        return tag(name, content, cls="number" if place in numbers else None)

    return tag(
        "table",
        tag("tr", [cell("th", place, head) for place, head in enumerate(heads)]),
        [tag("tr", [cell("td", place, content) for place, content in enumerate(row)]) for row in rows],
    )


def _recoveries(result: Result) -> Markup:
    rows: list[list[Content]] = [
        [
            one.what,
            f"{one.ended:.1f} s",
            _seconds(one.tables_s),
            _seconds(one.names_s),
            _seconds(one.after_s),
            tag("span", one.reason, cls="bad") if one.after_s is None else None,
        ]
        for one in result.recoveries
    ]
    heads = ("after", "ended at", "tables right", "names right", "all reachable", "")
    return section("How long until everything was right again", table(heads, rows, (1, 2, 3, 4)))


def _seconds(value: float | None) -> str:
    return "never" if value is None else f"{value:.2f} s"


def _steps(result: Result) -> Markup:
    rows: list[list[Content]] = [
        [
            f"{step.began:.2f} s",
            f"{step.ended - step.began:.2f} s",
            tag("span", "✗", cls="bad") if step.problem else tag("span", "✓", cls="good"),
            [step.what, tag("div", step.problem, cls="bad") if step.problem else None, _said(step.said)],
        ]
        for step in result.steps
    ]
    return section("Step by step", table(("at", "took", "", "what"), rows, (0, 1)))


def _said(text: str) -> Iterator[Markup]:
    if text:
        yield tag("details", tag("summary", "what it printed"), tag("pre", text))


def _story(result: Result) -> Markup:
    left_out = len(result.story) - STORY_MAX
    return section(
        "The whole story",
        tag(
            "details",
            tag("summary", f"{len(result.story)} lines"),
            lines(result.story[:STORY_MAX]),
            tag("p", f"{left_out} further lines are left out", cls="soft") if left_out > 0 else None,
        ),
    )
