"""Every incident fails as it is told, passes when it is mended, and can be read."""

from __future__ import annotations

import json
import re

import pytest
from click.testing import CliRunner

from lab.cli.main import shoal
from lab.incidents.incident import Incident, incident, names
from lab.sim.play import play


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("seed", [0, 1])
def test_as_it_was_it_fails_for_the_reason_that_is_told(name: str, seed: int) -> None:
    found = incident(name)
    result = play(found.faulty, seed).result
    assert not result.passed
    assert found.page.fails in result.failures[0].text, result.failures


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("seed", [0, 1])
def test_mended_it_passes(name: str, seed: int) -> None:
    found = incident(name)
    result = play(found.mended, seed).result
    assert [failure.text for failure in result.failures] == []
    assert found.shows(result, mended=True)
    assert not found.shows(result, mended=False)


@pytest.mark.parametrize("name", names())
def test_every_incident_has_its_page(name: str) -> None:
    found = incident(name)
    shown = CliRunner().invoke(shoal, ["incident", "show", name])
    assert shown.exit_code == 0
    words = " ".join(shown.output.split())
    page = found.page
    for text in (page.title, page.url, page.cause, page.remedy):
        assert " ".join(text.split()) in words
    for one in (*page.reproduce, *page.diagnosis, *page.mend):
        assert " ".join(one.run.split()) in words
        assert not one.run.startswith("docker") or one.on in _nodes(found), one
    assert re.fullmatch(r"(moby|libnetwork)#\d+", page.issue)
    assert len(page.diagnosis) >= 3, "a path has several steps"


def _nodes(found: Incident) -> tuple[str, ...]:
    return tuple(f"node-{number}" for number in range(1, found.faulty.nodes + 1))


def test_the_command_plays_both_forms_and_says_what_to_do_next() -> None:
    run = CliRunner().invoke(shoal, ["incident", "run", "address-exhaustion"], standalone_mode=False)
    assert run.return_value == 0, run.output
    assert "no available IPv4 addresses" in run.output
    assert "Why: shoal incident show address-exhaustion. Mended: add --mended." in run.output
    mended = CliRunner().invoke(
        shoal, ["incident", "run", "address-exhaustion", "--mended", "--json"], standalone_mode=False
    )
    assert json.loads(mended.output)["as_told"] is True


def test_all_incidents_are_listed_and_others_are_not_known() -> None:
    listed = CliRunner().invoke(shoal, ["incident", "list", "--json"])
    assert [row["name"] for row in json.loads(listed.output)] == list(names())
    assert "moby#33416" in CliRunner().invoke(shoal, ["incident", "list"]).output
    unknown = CliRunner().invoke(shoal, ["incident", "show", "nothing"], standalone_mode=False)
    assert unknown.return_value == 2
    assert "there is no incident nothing: it is one of address-exhaustion," in unknown.output
