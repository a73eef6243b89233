"""The page, the plot and the XML that runs are reported in."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from lab.cli.main import shoal
from lab.report.junit import junit
from lab.report.markup import tag
from lab.report.page import page
from lab.report.reconvergence import measured
from lab.scenario.load import parse
from lab.scenario.model import Scenario
from lab.scenario.result import Broken, Failure, Line, Recovered, Result, Sample, StepResult
from lab.sim.play import play

EVIL = '</title><script>alert("1")</script>&'
STORY = f"""
title: '{EVIL}'
about: '{EVIL}'
nodes: 2
networks: {{app: {{}}}}
containers:
  web: {{on: node-1, network: app}}
  client: {{on: node-2, network: app}}
traffic:
  - {{from: client, to: web, every: 200ms, timeout: 200ms}}
timeline:
  - {{at: 0s, do: expect, from: client, to: web, reachable: true, within: 2s}}
  - {{at: 1s, do: partition, groups: [[node-1], [node-2]], planes: [data], for: 2s}}
  - {{at: 2s, do: expect, from: client, to: web, reachable: true}}
  - {{at: 2s, do: exec, container: client, command: [echo, '{EVIL}'], prints: script}}
  - {{at: 3s, do: kill, node: node-1}}
  - {{at: 8s, do: start, node: node-1}}
"""


class Page(HTMLParser):
    """What a browser would make of it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((name, dict(attributes)))
        if name != "meta":
            self.open.append(name)

    def handle_startendtag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((name, dict(attributes)))

    def handle_endtag(self, name: str) -> None:
        assert self.open.pop() == name

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return parse(STORY)


@pytest.fixture(scope="module")
def result(scenario: Scenario) -> Result:
    return play(scenario, seed=3).result


def test_the_page_tells_the_run_and_needs_nothing_else(scenario: Scenario, result: Result) -> None:
    shown = Page(page(scenario, result, "shoal sim x.yaml --seed 3"))
    text = " ".join(shown.words)
    assert shown.open == [], "every element is closed"
    assert not [name for name, _ in shown.tags if name in ("script", "link", "img", "iframe")]
    assert not [values for _, values in shown.tags if {"src", "href"} & set(values)]
    assert text.count(EVIL) >= 3, "as it was written, and no markup"
    assert "FAILED" in text
    assert "client asked web for an echo" in text, "which expectation was missed, and how"
    assert "LOST on the way" in text, "and where the packet was last seen"
    assert "node-1 loses its power" in text
    assert "shoal sim x.yaml --seed 3" in text
    bars = [values for name, values in shown.tags if name == "rect" and values.get("class") == "no-soft"]
    assert len(bars) >= 2, "the cut and the outage show in who reached whom"


def test_every_value_of_a_result_is_escaped(scenario: Scenario) -> None:
    line = Line(at=0.0, who=EVIL, what=EVIL)
    failure = Failure(kind="step", name="0", at=0.0, text=EVIL, packets=(line,))
    result = Result(
        title=EVIL,
        world=EVIL,
        seed=0,
        recoveries=(Recovered(step=1, what=EVIL, ended=0.0, after_s=None, reason=EVIL),),
        broken=(Broken(checker=EVIL, at=0.0, text=EVIL),),
        failures=(failure,),
        story=(line,),
    )
    text = page(scenario, result, EVIL)
    assert "<script" not in text
    assert Page(text).open == []
    suites = ElementTree.fromstring(junit([result]))
    assert EVIL in suites[0].attrib["name"]
    assert tag("p", EVIL, title='"><script>', cls="a") == (
        '<p title="&quot;&gt;&lt;script&gt;" class="a">'
        "&lt;/title&gt;&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;</p>"
    )


def test_junit_has_a_case_for_each_step_and_what_failed(scenario: Scenario, result: Result) -> None:
    (suite,) = ElementTree.fromstring(junit([result]))
    cases = {case.attrib["name"]: case for case in suite}
    assert len(cases) == len(scenario.timeline) + 3
    failed = [name for name, case in cases.items() if case.find("failure") is not None]
    assert failed == ["3. expect: client reaches web"]
    assert suite.attrib["failures"] == "1"
    strange = msgspec.structs.replace(result, title="a\x00b\x1b")
    assert ElementTree.fromstring(junit([strange]))[0].attrib["name"].startswith("a?b?")


def test_recovering_is_measured_for_tables_names_and_reachability(result: Result) -> None:
    cut, outage = result.recoveries
    assert cut.what.startswith("cut")
    for one in (cut, outage):
        assert one.tables_s is not None
        assert one.names_s is not None
        assert one.after_s is not None
        assert 0 <= one.tables_s <= one.names_s <= one.after_s < 5
    assert (outage.after_s or 0) > 0


def test_quantiles_are_those_of_the_seeds_that_recovered() -> None:
    def run(after_s: float | None) -> Result:
        recovered = Recovered(step=0, what="cut", ended=1.0, after_s=after_s, tables_s=0.0, names_s=0.5)
        return Result(title="t", world="simulated", seed=0, recoveries=(recovered,))

    tables, names, reachable = measured([run(float(n)) for n in range(1, 11)] + [run(None)])
    assert (tables.measure, tables.quantile(0.9), names.quantile(0.5)) == ("tables", 0.0, 0.5)
    assert (reachable.never, reachable.quantile(0.5), reachable.quantile(0.9)) == (1, 5.0, 9.0)


def test_a_large_run_makes_a_page_of_bounded_size() -> None:
    loss = "  - {at: 1s, do: loss, rate: 0.1, for: 1s}\n"
    wishes = "nodes: 200\nnetworks: {app: {}}\ncontainers: {a: {on: node-1, network: app}}\n"
    traffic = "traffic: [{from: a, to: a, every: 1ms}]\n"
    scenario = parse(f"title: large\n{wishes}{traffic}timeline:\n{loss * 300}")
    samples = tuple(Sample(traffic=0, at=n / 1000, took_s=0.0, ok=bool(n % 2)) for n in range(50_000))
    steps = tuple(
        StepResult(number=n, kind="loss", what="lossy", began=1.0, ended=1.0)
        for n in range(len(scenario.timeline))
    )
    result = Result(title="large", world="simulated", seed=0, lasted_s=50.0, steps=steps, samples=samples)
    text = page(scenario, result, "again")
    assert len(text) < 1_500_000
    assert "and 240 more faults" in text
    assert "and 188 more nodes" in text
    assert "no-soft" in text


def test_the_command_writes_them(tmp_path: Path) -> None:
    file, html, xml = tmp_path / "s.yaml", tmp_path / "r.html", tmp_path / "r.xml"
    file.write_text(STORY)
    done = CliRunner().invoke(shoal, ["sim", str(file), "--report", str(html), "--junit", str(xml)])
    assert f"The report is in {html}." in done.stderr
    assert Page(html.read_text()).open == []
    assert ElementTree.parse(xml).getroot().tag == "testsuites"
    arguments = ["sim", str(file), "--seeds", "3", "--reconvergence", "--json", "--report", str(html)]
    figures = json.loads(CliRunner().invoke(shoal, arguments).stdout)
    assert {row["measure"] for row in figures} == {"tables", "names", "all reachable"}
    assert {row["seeds"] for row in figures} == {3}
    assert len([name for name, _ in Page(html.read_text()).tags if name == "svg"]) == 2, "a plot a fault"
