"""Continuity indices: the worked examples that others printed, bounds and identities.

continuity_examples.csv: twenty persons of two lists (PMC10229170, worked table; the order of their visits is not printed) and thirteen by hand.
"""

from __future__ import annotations

import csv
import math
from collections import Counter
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuller_popheath.methods.continuity import NOBODY, PersonContinuity, list_continuity, person_continuity

EXAMPLES = list(csv.DictReader(Path(__file__).with_name("continuity_examples.csv").read_text(encoding="utf-8").splitlines()))
PRINTED = [example for example in EXAMPLES if "PMC10229170), worked table" in example["source"]]
VISITS = st.lists(st.integers(0, 5), min_size=2, max_size=30)


def of(visits: str | list[int], minimum_visits: int = 2) -> PersonContinuity:
    """The indices of one person from their visits in order."""
    seen = [ord(v) for v in visits] if isinstance(visits, str) else visits
    return person_continuity([7] * len(seen), seen, range(len(seen)), minimum_visits)


def exact(text: str) -> float:
    return float(Fraction(text)) if text else math.nan


def test_all_the_examples_are_there() -> None:
    assert (len(EXAMPLES), len(PRINTED)) == (33, 20)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: e["example"])
def test_worked_examples(example: dict[str, str]) -> None:
    made = of(example["visits"])
    if not example["visits"]:
        assert len(made.person) == 0
        return
    assert (made.visit_count[0], made.clinician_count[0]) == (int(example["visit_count"]), int(example["clinician_count"]))
    np.testing.assert_allclose([made.upc[0], made.coc[0]], [exact(example["upc"]), exact(example["coc"])], rtol=1e-15, atol=1e-16)
    np.testing.assert_allclose([made.hhi[0], made.mmci[0]], [exact(example["hhi"]), exact(example["mmci"])], atol=5e-7)
    if example["order_is_given"] == "yes":
        np.testing.assert_allclose(made.secon[0], exact(example["secon"]), atol=5e-7)
    assert example["visits"].count(example["named"]) == int(example["with_named"])


@pytest.mark.parametrize("example", [e for e in PRINTED if e["printed_upc"]], ids=lambda e: e["example"])
def test_what_the_paper_prints(example: dict[str, str]) -> None:
    made = of(example["visits"])
    # It cuts 2/3 to 0.66 in one list and rounds it to 0.67 in the other.
    assert made.upc[0] == pytest.approx(float(example["printed_upc"]), abs=0.0067)
    assert made.coc[0] == pytest.approx(float(example["printed_coc"]), abs=0.0051)


def test_the_papers_two_lists() -> None:
    named = [ord(e["named"]) for e in PRINTED for _ in e["visits"]]
    seen = [ord(v) for e in PRINTED for v in e["visits"]]
    made = list_continuity(named, seen)
    assert made.named.tolist() == [ord("A"), ord("B")]
    assert (made.visit_count.tolist(), made.with_own_count.tolist()) == ([41, 41], [22, 17])
    assert (100 * made.slicc).round(1).tolist() == [53.7, 41.5]
    assert round(100 * made.with_own_count.sum() / made.visit_count.sum(), 1) == 47.6
    # The paper prints 63.9 % for GP A, whose 35 visits in its own table hold 22 of the list: 22/35.
    assert made.opr[0] == 22 / 35
    for name, mean_upc, mean_coc in (("A", 0.556, 0.320), ("B", 0.593, 0.319)):
        people = [of(e["visits"]) for e in PRINTED if e["named"] == name and len(e["visits"]) > 1]
        assert round(float(np.mean([p.upc[0] for p in people])), 3) == mean_upc
        assert round(float(np.mean([p.coc[0] for p in people])), 3) == mean_coc


def test_single_visits_count_for_a_list_and_people_without_a_named_clinician_do_not() -> None:
    made = list_continuity(named=[1, 2, 2, NOBODY, NOBODY, 3], clinician=[1, 1, 2, 1, 2, 4])
    assert made.named.tolist() == [1, 2, 3]
    assert made.slicc.tolist() == [1.0, 0.5, 0.0]
    assert made.opr[:2].tolist() == [1 / 3, 1 / 2]
    assert math.isnan(made.opr[2])  # nobody saw them
    assert made.unnamed_visit_count == 2


def test_too_few_visits_have_no_index_and_no_usual_clinician() -> None:
    made = person_continuity([1, 2, 2, 3, 3, 3], [5, 5, 5, 5, 5, 6], [0, 0, 1, 0, 1, 2], minimum_visits=3)
    for index in (made.upc, made.coc, made.hhi, made.secon, made.mmci):
        assert np.isnan(index).tolist() == [True, True, False]
    assert made.usual.tolist() == [NOBODY, NOBODY, 5]
    assert made.visit_count.tolist() == [1, 2, 3]


def test_a_tie_names_nobody() -> None:
    assert of("BBBAAA").usual.tolist() == [NOBODY]
    assert of("BBBAAAB").usual.tolist() == [ord("B")]


@given(VISITS)
def test_bounds_and_identities(visits: list[int]) -> None:
    made, n = of(visits), len(visits)
    upc, coc, hhi, secon, mmci = (float(index[0]) for index in (made.upc, made.coc, made.hhi, made.secon, made.mmci))
    clinicians = len(set(visits))
    slack = 1e-12
    assert 1 / clinicians - slack <= upc <= 1
    assert 0 <= coc <= hhi + slack <= upc + 2 * slack
    assert upc**2 <= hhi + slack
    assert hhi == pytest.approx((1 + (n - 1) * coc) / n, rel=1e-12)
    # Each clinician but the first comes in at least once after somebody else.
    assert 0 <= secon <= (n - clinicians) / (n - 1) + slack
    assert 0 <= mmci <= 1
    counts = Counter(visits).most_common()
    assert (made.usual[0] != NOBODY) == (len(counts) == 1 or counts[0][1] > counts[1][1])


@given(VISITS, st.randoms(use_true_random=False))
def test_the_order_of_visits_matters_only_for_secon(visits: list[int], chance: object) -> None:
    shuffled = list(visits)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = of(visits), of(shuffled)
    for name in ("upc", "coc", "hhi", "mmci", "usual", "clinician_count"):
        assert getattr(one, name)[0] == getattr(other, name)[0]
    assert of("AABB").secon[0] == 2 / 3
    assert of("ABAB").secon[0] == 0


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), max_size=40))
def test_a_person_alone_has_the_same_indices_as_in_a_crowd(visits: list[tuple[int, int]]) -> None:
    people = [person for person, _ in visits]
    together = person_continuity(people, [seen for _, seen in visits], range(len(visits)))
    for place, person in enumerate(together.person):
        alone = of([seen for other, seen in visits if other == person])
        for name in ("upc", "coc", "hhi", "secon", "mmci", "usual"):
            np.testing.assert_array_equal(getattr(together, name)[place], getattr(alone, name)[0])


@pytest.mark.parametrize("wrong", [lambda: person_continuity([1], [1, 2], [1, 2]), lambda: list_continuity([1], []), lambda: of("AAB", 1)])
def test_what_cannot_be_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match=r"one element a visit|no index is defined"):
        wrong()  # type: ignore[operator]
