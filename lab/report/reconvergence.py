"""How long after each fault everything was right again, over many seeds: figures, and a picture.

fault                     tables            names             all reachable
cut node-1 | node-2       0.0  0.1  0.4     0.0  0.1  0.4     0.1  0.3  0.9     median, 90 %, worst
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lab.report.markup import Content, Markup, tag
from lab.report.page import document, section, table
from lab.scenario.model import Scenario
from lab.scenario.result import Recovered, Result

MEASURES = (("tables", "tables_s"), ("names", "names_s"), ("all reachable", "after_s"))
WIDTH, HEIGHT, LEFT, RIGHT, BELOW = 1040.0, 200.0, 60.0, 24.0, 42.0
TICKS = 8


@dataclass(frozen=True, slots=True)
class Measured:
    """One measure of one fault over all seeds."""

    what: str
    measure: str
    seconds: tuple[float, ...]
    """Sorted; of the seeds in which it became right in time."""
    never: int
    """Seeds in which it did not."""

    def quantile(self, fraction: float) -> float:
        """The smallest time within which so large a fraction of them was right; of none at all nan."""
        if not self.seconds:
            return math.nan
        return self.seconds[max(0, math.ceil(fraction * len(self.seconds)) - 1)]


def measured(results: Sequence[Result]) -> list[Measured]:
    """By fault in the order of the file, and measure."""
    by_step: dict[int, list[Recovered]] = {}
    for result in results:
        for one in result.recoveries:
            by_step.setdefault(one.step, []).append(one)
    return [
        Measured(
            many[0].what,
            measure,
            tuple(sorted(value for one in many if (value := getattr(one, field)) is not None)),
            sum(getattr(one, field) is None for one in many),
        )
        for _, many in sorted(by_step.items())
        for measure, field in MEASURES
    ]


def figures(all_measured: Sequence[Measured]) -> list[dict[str, object]]:
    """For programs, and for tables."""
    return [
        {
            "after": one.what,
            "measure": one.measure,
            "seeds": len(one.seconds) + one.never,
            "never": one.never,
            **(
                {
                    "min_s": one.seconds[0],
                    "median_s": one.quantile(0.5),
                    "p90_s": one.quantile(0.9),
                    "max_s": one.seconds[-1],
                }
                if one.seconds
                else {}
            ),
        }
        for one in all_measured
    ]


def page(scenario: Scenario, results: Sequence[Result], again: str) -> str:
    """The page of many seeds."""
    found = measured(results)
    seeds, passed = len(results), sum(result.passed for result in results)
    head: list[Content] = [
        tag("h1", scenario.title),
        tag("p", scenario.about.strip(), cls="about") if scenario.about else None,
        tag(
            "ul",
            tag("li", "seeds ", tag("b", str(seeds))),
            tag("li", "passed ", tag("b", str(passed))),
            tag("li", "play it again ", tag("b", again)),
            cls="facts",
        ),
    ]
    rows: list[list[Content]] = [
        [
            str(row["after"]) if row["measure"] == MEASURES[0][0] else "",
            str(row["measure"]),
            *(_seconds(row.get(key)) for key in ("min_s", "median_s", "p90_s", "max_s")),
            tag("span", str(row["never"]), cls="bad" if row["never"] else "soft"),
        ]
        for row in figures(found)
    ]
    heads = ("after", "right again", "fastest", "median", "90 %", "slowest", "never")
    pictures = [
        section(one.what, picture([m for m in found if m.what == one.what]))
        for one in found
        if one.measure == MEASURES[0][0]
    ]
    content = [head, section("How long until right again", table(heads, rows, (2, 3, 4, 5, 6))), pictures]
    return "<!doctype html>\n" + document(f"{scenario.title}: reconvergence", content)


def _seconds(value: object) -> str:
    return f"{value:.2f} s" if isinstance(value, float) else "–"


# -- the picture ----------------------------------------------------------------------------------


def picture(measures: Sequence[Measured]) -> Markup:
    """In what fraction of the seeds was it right within a time: one staircase a measure."""
    longest = max((one.seconds[-1] for one in measures if one.seconds), default=0.0)
    end_s = _round_up(max(longest, 0.05))
    return tag(
        "svg",
        _axes(end_s),
        [_staircase(one, end_s, style) for one, style in zip(measures, STYLES, strict=False)],
        viewBox=f"0 0 {WIDTH:g} {HEIGHT + BELOW:g}",
        role="img",
        aria_label="Distribution over seeds",
    )


STYLES = ("var(--store)", "var(--node)", "var(--fault)")


def _x(seconds: float, end_s: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * seconds / end_s


def _y(fraction: float) -> float:
    return 12 + (HEIGHT - 24) * (1 - fraction)


def _axes(end_s: float) -> Iterator[Markup]:
    for percent in (0, 50, 90, 100):
        y = _y(percent / 100)
        yield tag("line", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y, cls="grid")
        yield tag("text", f"{percent} %", x=LEFT - 8, y=y + 4, text_anchor="end", cls="soft small")
    for number in range(TICKS + 1):
        at = end_s * number / TICKS
        x = _x(at, end_s)
        yield tag("line", x1=x, x2=x, y1=_y(1), y2=_y(0), cls="grid")
        yield tag("text", f"{at:.3g} s", x=x, y=HEIGHT + 6, text_anchor="middle", cls="soft small")


def _staircase(one: Measured, end_s: float, color: str) -> Markup:
    total = len(one.seconds) + one.never
    points = [f"M{_x(0, end_s):.1f},{_y(0):.1f}"]
    for number, seconds in enumerate(one.seconds, start=1):
        points.append(f"H{_x(seconds, end_s):.1f} V{_y(number / total):.1f}")
    points.append(f"H{_x(end_s, end_s):.1f}")
    place = LEFT + 190 * [name for name, _ in MEASURES].index(one.measure)
    return tag(
        "g",
        tag("path", tag("title", one.measure), d=" ".join(points), cls="curve", style=f"stroke: {color}"),
        tag("rect", x=place, y=HEIGHT + 22, width=18, height=4, style=f"fill: {color}"),
        tag("text", one.measure, x=place + 26, y=HEIGHT + 29, cls="small"),
    )


def _round_up(value: float) -> float:
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 4, 8, 10) if step * power >= value)
