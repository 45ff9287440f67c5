"""Published weights: their counts, the published checks on them, and that each names clusters that exist."""

from __future__ import annotations

from collections import Counter

from fuller_popheath.codelists.loading import MAPPING, SHIPPED, codelist
from fuller_popheath.codelists.weights import HERE, cambridge, charlson, efi_36


def test_the_frailty_index_has_36_deficits_and_only_polypharmacy_has_no_code() -> None:
    deficits = efi_36()
    assert [d.number for d in deficits] == list(range(1, 37))
    assert [d.deficit for d in deficits if not d.clusters] == ["Polypharmacy"]
    # No cluster counts towards two deficits, so one diagnosis is one deficit.
    assert max(Counter(c for d in deficits for c in d.clusters).values()) == 1


def test_the_cambridge_score_of_a_worked_case() -> None:
    """Hypertension, diabetes and COPD: 0.08 + 0.75 + 1.46 (Payne 2020, 20 conditions, general outcome)."""
    conditions = cambridge()
    hundredths = {c.code: c.hundredths for c in conditions if c.hundredths is not None}
    assert (len(conditions), len({c.code for c in conditions}), len(hundredths)) == (36, 36, 20)
    assert hundredths["HYP"] + hundredths["DIB"] + hundredths["COP"] == 229
    assert hundredths["DEM"] == max(hundredths.values()) == 250


def test_a_condition_has_clusters_where_a_code_is_all_that_is_asked() -> None:
    assert {c.code: bool(c.clusters) for c in cambridge()} == {c.code: c.rule == "a code ever" for c in cambridge()}


def test_charlson_has_17_conditions_and_its_published_maximum() -> None:
    """The most that can be had, after mild gives way to severe, is 29 with the weights of 1987."""
    conditions = charlson()
    assert len(conditions) == 17
    by_name = {c.condition: c for c in conditions}
    giving_way = {c.condition: c.nothing_beside for c in conditions if c.nothing_beside}
    assert giving_way == {
        "mild_liver_disease": "moderate_or_severe_liver_disease",
        "diabetes_without_complication": "diabetes_with_complication",
        "malignancy": "metastatic_solid_tumour",
    }
    assert all(by_name[severe].weight > by_name[mild].weight for mild, severe in giving_way.items())
    assert sum(c.weight for c in conditions if not c.nothing_beside) == 29


def test_every_cluster_that_a_weight_names_has_a_code() -> None:
    known = set(codelist()["cluster"].to_pylist())
    named = {c for entry in (*cambridge(), *charlson(), *efi_36()) for c in entry.clusters}
    assert named <= known


def test_a_person_with_type_1_diabetes_has_diabetes_in_every_score() -> None:
    """A list of type 1 codes may stand beside one of diabetes that does not repeat them."""
    diabetes = {"diabetes", "diabetes_type_1"}
    for entry in (*cambridge(), *charlson(), *efi_36()):
        assert len(diabetes & set(entry.clusters)) in (0, 2)


def test_every_file_of_weights_is_read() -> None:
    read = {"cambridge.csv", "charlson.csv", "efi_36.csv", *SHIPPED, MAPPING}
    assert {path.name for path in HERE.glob("*.csv")} == read
