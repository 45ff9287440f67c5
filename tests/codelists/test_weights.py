"""Published weights: their counts, the published checks on them, and that each names clusters that exist."""

from __future__ import annotations

from collections import Counter

import pytest

from fuller_popheath.codelists.loading import codelist
from fuller_popheath.codelists.weights import cambridge_20, charlson, charlson_icd10, efi_36


def test_the_frailty_index_has_36_deficits_and_only_polypharmacy_has_no_code() -> None:
    deficits = efi_36()
    assert [d.number for d in deficits] == list(range(1, 37))
    assert [d.deficit for d in deficits if not d.clusters] == ["Polypharmacy"]
    # No cluster counts towards two deficits, so one diagnosis is one deficit.
    assert max(Counter(c for d in deficits for c in d.clusters).values()) == 1


def test_the_cambridge_score_of_a_worked_case() -> None:
    """Hypertension, diabetes and COPD: 0.08 + 0.75 + 1.46 (Payne 2020, 20 conditions, general outcome)."""
    conditions = cambridge_20()
    weight = {c.code: c.weight_general_20 for c in conditions}
    assert len(conditions) == len(weight) == 20
    assert weight["HYP"] + weight["DIB"] + weight["COP"] == pytest.approx(2.29)
    assert weight["DEM"] == max(weight.values()) == 2.5


def test_charlson_has_17_conditions_and_its_published_maxima() -> None:
    """The most that can be had, after mild gives way to severe, is 29 with the weights of 1987 and 24 with those of Quan 2011."""
    conditions = charlson()
    assert len(conditions) == 17
    by_name = {c.condition: c for c in conditions}
    giving_way = {c.condition: c.nothing_beside for c in conditions if c.nothing_beside}
    assert giving_way == {
        "mild_liver_disease": "moderate_or_severe_liver_disease",
        "diabetes_without_complication": "diabetes_with_complication",
        "malignancy": "metastatic_solid_tumour",
    }
    assert all(by_name[severe].weight_1987 > by_name[mild].weight_1987 for mild, severe in giving_way.items())
    assert sum(c.weight_1987 for c in conditions if not c.nothing_beside) == 29
    # Diabetes with complication weighs less in 2011 than the other pair partners; none of the three that give way adds to the maximum.
    assert sum(c.weight_quan_2011 for c in conditions if not c.nothing_beside) == 24
    assert not any(c.is_quan_2011_verified for c in conditions)


def test_the_icd10_map_of_charlson_is_whole_and_says_nothing_twice() -> None:
    """Counts a condition in Quan 2005, table 1 (enhanced ICD-10), as in the R package comorbidity."""
    rows = charlson_icd10()
    counts = Counter(condition for condition, _ in rows)
    assert set(counts) == {c.condition for c in charlson()}
    assert len(rows) == 289
    assert (counts["myocardial_infarction"], counts["congestive_heart_failure"], counts["dementia"], counts["aids_hiv"]) == (3, 14, 7, 4)
    assert counts["diabetes_without_complication"] == counts["diabetes_with_complication"] == 25
    prefixes = [prefix for _, prefix in rows]
    assert len(set(prefixes)) == len(prefixes)
    # None begins another, so a diagnosis is of one condition.
    assert not [(a, b) for a in prefixes for b in prefixes if a != b and b.startswith(a)]


def test_every_cluster_that_a_weight_names_has_a_code() -> None:
    known = set(codelist()["cluster"].to_pylist())
    named = {c for entry in (*cambridge_20(), *charlson(), *efi_36()) for c in entry.clusters}
    assert named <= known
