"""Every planted defect is found within a few seeds, and without one nothing is."""

from __future__ import annotations

import pytest

from lab.checkers.catalogue import KINDS
from lab.sim.play import play
from tests.defects.defects import DEFECTS
from tests.defects.explore import NAMES, alone, explore, once, scenario

PROOFS = {
    "given-once": "gateway-not-set-aside",
    "linear": "address-without-compare",
    "held": "held-endpoint-swept",
    "members": "lapsed-for-good",
    "views": "news-out-of-order",
    "tables": "peer-row-stays",
    "names": "shared-alias-forgotten",
    "apart": "frames-leak",
    "cuts": "one-way-partition",
    "frames": "reply-lost",
    "leaks": "watcher-stays",
}


@pytest.mark.parametrize("checker", [kind.name for kind in KINDS])
def test_every_invariant_finds_a_defect_without_the_others(checker: str) -> None:
    assert alone(DEFECTS[PROOFS[checker]], 1, checker)


@pytest.mark.parametrize("name", [name for name in DEFECTS if name not in PROOFS.values()])
def test_every_other_planted_defect_is_found(name: str) -> None:
    defect = DEFECTS[name]
    found = explore(defect, defect.seeds)
    assert found.by, f"{name} was not found in {defect.seeds} seeds of {defect.scenario}"


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("name", NAMES)
def test_without_a_defect_nothing_is_found(name: str, seed: int) -> None:
    result = play(scenario(name), seed).result
    assert [failure.text for failure in result.failures] == []
    assert result.moments > 50


def test_every_defect_says_in_a_sentence_what_it_is() -> None:
    assert len(DEFECTS) >= 12
    for defect in DEFECTS.values():
        assert defect.sentence.endswith("."), defect
        assert defect.scenario in NAMES, defect


def test_a_bug_that_a_request_meets_is_told_as_a_crash() -> None:
    found = once(DEFECTS["vni-without-a-look"], 1)
    assert found.by == "crash"
    assert "4097 is in use on this node" in found.what
