"""What came of runs in the XML that test dashboards read (JUnit's, as Jenkins and GitLab take it)."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence

from lab.scenario.result import Result

_UNPRINTABLE = re.compile(r"[^\t\n\r -\ud7ff\ue000-\ufffd]")
"""What XML 1.0 cannot hold, however it is escaped."""


def junit(results: Sequence[Result]) -> str:
    """A suite for each run: a case for each step, one for the invariants, one for the recovery."""
    root = ElementTree.Element("testsuites")
    for result in results:
        _suite(root, result)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _suite(root: ElementTree.Element, result: Result) -> None:
    cases: list[tuple[str, float, str]] = [
        (f"{step.number + 1}. {step.what}", step.ended - step.began, step.problem) for step in result.steps
    ]
    for kind, name in (("invariant", "invariants"), ("recovery", "recovery"), ("crash", "nothing crashes")):
        texts = [failure.text for failure in result.failures if failure.kind == kind]
        cases.append((name, 0.0, "\n".join(texts)))
    failed = sum(bool(problem) for _, _, problem in cases)
    suite = ElementTree.SubElement(
        root,
        "testsuite",
        name=f"{_clean(result.title)} ({result.world}, seed {result.seed})",
        tests=str(len(cases)),
        failures=str(failed),
        time=f"{result.lasted_s:.3f}",
    )
    for name, took_s, problem in cases:
        case = ElementTree.SubElement(
            suite, "testcase", classname=_clean(result.title), name=_clean(name), time=f"{took_s:.3f}"
        )
        if problem:
            failure = ElementTree.SubElement(case, "failure", message=_clean(problem.splitlines()[0]))
            failure.text = _clean(problem)


def _clean(text: str) -> str:
    return _UNPRINTABLE.sub("?", text)
