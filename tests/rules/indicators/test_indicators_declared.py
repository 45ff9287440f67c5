"""What every indicator says of itself, and that none is without a table of people."""

from __future__ import annotations

from fuller_popheath import registry
from fuller_popheath.codelists.loading import codelist
from fuller_popheath.specs import INDICATOR_AREAS, IndicatorSpec

from .test_indicators_adults import CASES as ADULTS
from .test_indicators_children import CASES as CHILDREN

FACT_KINDS = {
    "core/person_cluster": ("condition", "other"),
    "core/person_measurement": ("measure",),
    "core/person_medicine": ("medicine",),
}


def declared() -> list[IndicatorSpec]:
    return list(registry.indicators().values())


def test_every_indicator_that_the_record_tells_has_a_table_of_people() -> None:
    told = {spec.name: spec.age_group for spec in declared() if spec.assign is not None}
    assert told == {**dict.fromkeys(ADULTS, "adult"), **dict.fromkeys(CHILDREN, "child")}


def test_every_clinical_area_of_adults_and_children_has_an_indicator() -> None:
    there = {(spec.age_group, spec.area) for spec in declared()}
    assert there == {(age_group, area) for age_group, areas in INDICATOR_AREAS.items() for area in areas}


def test_the_targets_are_those_that_core20plus5_states() -> None:
    # core20plus5_adults.csv of the reference files; for children no number is stated.
    assert {spec.name: spec.target for spec in declared() if spec.target is not None} == {"smi_all_six_checks": 0.60, "cancer_stage_1_or_2": 0.75}
    assert all(spec.is_target_published == (spec.target is not None) for spec in declared())


def test_a_proxy_says_that_it_is_one() -> None:
    assert [spec.name for spec in declared() if spec.is_proxy != spec.limits.startswith("A proxy:")] == []


def test_everything_a_reader_asks_is_said_in_sentences() -> None:
    for spec in declared():
        told = (spec.title, spec.numerator, spec.denominator, spec.exclusions, spec.source, spec.limits)
        assert all(told), spec.name
        assert all(text.endswith(".") for text in (spec.numerator, spec.denominator, spec.exclusions, spec.limits)), spec.name


def test_every_subject_of_facts_is_in_the_code_lists() -> None:
    there = {(row["kind"], row["cluster"]) for row in codelist().to_pylist()}
    asked = {(spec.name, contract, subject) for spec in declared() for contract, subjects in spec.facts.items() for subject in subjects}
    missing = [ask for ask in sorted(asked) if ask[1] in FACT_KINDS and not any((kind, ask[2]) in there for kind in FACT_KINDS[ask[1]])]
    assert missing == []
