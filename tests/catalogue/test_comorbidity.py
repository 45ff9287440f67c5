"""Multimorbidity scores against published weights, and each definition at its limit.

Weights of the Cambridge Multimorbidity Score's 20 conditions (Payne 2020, PMC7004217) and of Charlson 1987, typed here a second time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fuller_popheath.catalogue.features import comorbidity

Build = Callable[..., Any]
Record = tuple[str, int]
PAYNE = {
    "HYP": 0.08, "ANXDEP": 0.5, "PNC": 0.92, "HEL": 0.09, "IBS": 0.21, "AST": 0.19, "DIB": 0.75, "CHD": 0.49, "CKD": 0.53, "ATR": 1.34,
    "CON": 1.12, "STR": 0.8, "COP": 1.46, "RHE": 0.43, "CAN": 1.53, "ALC": 0.65, "HEF": 1.18, "DEM": 2.5, "SCZ": 0.64, "EPI": 0.92,
}  # fmt: skip
CHARLSON_1987 = {
    "myocardial_infarction": 1, "congestive_heart_failure": 1, "peripheral_vascular_disease": 1, "cerebrovascular_disease": 1, "dementia": 1,
    "chronic_pulmonary_disease": 1, "rheumatic_disease": 1, "peptic_ulcer_disease": 1, "mild_liver_disease": 1,
    "diabetes_without_complication": 1, "diabetes_with_complication": 2, "hemiplegia_or_paraplegia": 2, "renal_disease": 2, "malignancy": 2,
    "moderate_or_severe_liver_disease": 3, "metastatic_solid_tumour": 6, "aids_hiv": 6,
}  # fmt: skip


Case = tuple[tuple[Record, ...], tuple[Record, ...], tuple[tuple[int, float], ...]]


@pytest.fixture
def scores(core_table: Build, build: Build, night: Build, ago: Build) -> Callable[[list[Case]], list[dict[str, Any]]]:
    """The row of each person of some cases: codes, issues (cluster, days ago) and eGFR readings (days ago, value)."""

    def rows(cases: list[Case]) -> list[dict[str, Any]]:
        def every(which: int, make: Callable[..., dict[str, Any]]) -> list[dict[str, Any]]:
            return [{"person": n, **make(*record)} for n, case in enumerate(cases) for record in case[which]]

        tables = {
            "core/person": core_table("core/person", [{"person": n, "age_years": 60} for n in range(len(cases))]),
            "core/event": core_table("core/event", every(0, lambda name, d: {"event_date": ago(d), "code": f"z.{name}.1"})),
            "core/medication_issue": core_table("core/medication_issue", every(1, lambda name, d: {"issue_date": ago(d), "code": f"z.{name}.1"})),
            "core/measurement": core_table("core/measurement", every(2, lambda d, value: {"event_date": ago(d), "code": "z.egfr.1", "value": value})),
        }
        return build("features/comorbidity", tables, night()).to_pylist()

    return rows


def test_the_weights_are_the_published_ones() -> None:
    assert {code: weight / 100 for code, weight in comorbidity.CAMBRIDGE_HUNDREDTHS.items()} == PAYNE
    assert {name: weight for name, (weight, _, _) in comorbidity.CHARLSON.items()} == CHARLSON_1987


def test_each_charlson_cluster_alone_has_the_weight_of_its_condition(scores: Build) -> None:
    alone = [(name, cluster) for name, (_, clusters, _) in comorbidity.CHARLSON.items() for cluster in clusters]
    rows = scores([(((cluster, 900),), (), ()) for _, cluster in alone])
    assert [(cluster, row["charlson_score"]) for (_, cluster), row in zip(alone, rows, strict=True)] == [
        (cluster, CHARLSON_1987[name]) for name, cluster in alone
    ]


def test_breathlessness_that_is_only_a_frailty_deficit_is_no_chronic_pulmonary_disease(scores: Build) -> None:
    """Charlson's chronic pulmonary disease is COPD, asthma and bronchiectasis here; the frailty index's respiratory disease is wider."""
    assert scores([((("respiratory_disease", 900),), (), ())])[0]["charlson_score"] == 0


def test_hypertension_diabetes_and_copd_are_2_29(scores: Build) -> None:
    """0.08 + 0.75 + 1.46, worked from the published weights."""
    [row] = scores([((("hypertension", 900), ("diabetes", 900), ("copd", 900)), (), ())])
    assert (row["cambridge_general_score"], row["cambridge_condition_count"], row["condition_count"]) == (2.29, 3, 3)
    assert row["has_multimorbidity"] is True


LIMITS: list[tuple[str, tuple[Record, ...], tuple[Record, ...], tuple[tuple[int, float], ...], float]] = [
    ("constipation: four laxatives", (), (("laxative", 1), ("laxative", 2), ("laxative", 3), ("laxative", 365)), (), 1.12),
    ("not with three in the year", (), (("laxative", 1), ("laxative", 2), ("laxative", 3), ("laxative", 366)), (), 0.0),
    ("pain: opioids and anti-inflammatories together", (), (("opioid", 1), ("opioid", 9), ("nsaid", 3), ("nsaid", 4)), (), 0.92),
    ("pain: anti-epileptics without epilepsy", (), tuple(("antiepileptic", d) for d in (1, 2, 3, 4)), (), 0.92),
    ("with epilepsy they are for that", (("epilepsy", 5000),), tuple(("antiepileptic", d) for d in (1, 2, 3, 4)), (), 0.92),
    ("epilepsy without treatment", (("epilepsy", 5000),), (("antiepileptic", 366),), (), 0.0),
    ("asthma without treatment", (("asthma", 5000),), (), (), 0.0),
    ("asthma treated", (("asthma", 5000),), (("bronchodilator_saba", 365),), (), 0.19),
    ("kidney: the higher of the last two below 60", (), (), ((5, 59.9), (50, 40.0), (500, 90.0)), 0.53),
    ("kidney: not if one of the last two is 60", (), (), ((5, 30.0), (50, 60.0)), 0.0),
    ("kidney: a code is not enough", (("chronic_kidney_disease", 50),), (), (), 0.0),
    ("cancer within 1,826 days", (("cancer", 1826),), (), (), 1.53),
    ("cancer first coded before", (("cancer", 1827), ("cancer", 5)), (), (), 0.0),
    ("anxiety coded this year", (("anxiety", 365),), (), (), 0.5),
    ("anxiety coded before", (("anxiety", 366),), (), (), 0.0),
    ("depression and anxiety are one", (("anxiety", 5), ("depression", 5)), (), (), 0.5),
    ("four antidepressants", (), tuple(("antidepressant", d) for d in (1, 2, 3, 4)), (), 0.5),
    ("lithium ever", (), (("lithium", 5000),), (), 0.64),
    ("antispasmodics for the bowel", (), tuple(("antispasmodic", d) for d in (1, 2, 3, 4)), (), 0.21),
    ("a resolved condition was there once", (("hypertension", 900), ("hypertension_resolved", 5)), (), (), 0.08),
    ("one of two clusters is enough", (("connective_tissue_disease", 9), ("rheumatoid_arthritis", 9)), (), (), 0.43),
]


def test_what_makes_a_condition(scores: Build) -> None:
    rows = scores([(codes, issues, egfr) for _, codes, issues, egfr, _ in LIMITS])
    assert [(case[0], row["cambridge_general_score"]) for case, row in zip(LIMITS, rows, strict=True)] == [(case[0], case[-1]) for case in LIMITS]


POINTS: list[tuple[tuple[str, ...], int]] = [
    ((), 0),
    (("myocardial_infarction", "heart_failure", "dementia"), 3),
    (("diabetes",), 1),
    (("diabetes", "diabetes_complication"), 2),
    (("chronic_liver_disease",), 1),
    (("severe_liver_disease",), 3),  # its codes are codes of chronic liver disease too: only the heavier counts
    (("cancer",), 2),
    (("metastatic_cancer",), 6),
    (("hiv", "hemiplegia"), 8),
    (("asthma", "copd"), 1),
]


def test_charlson_points_and_their_hierarchy(scores: Build) -> None:
    """Charlson and others, J Chron Dis 1987: 1, 2, 3 and 6 points; the milder form counts nothing beside the heavier."""
    rows = scores([(tuple((name, 900) for name in names), (), ()) for names, _ in POINTS])
    assert [(names, row["charlson_score"]) for (names, _), row in zip(POINTS, rows, strict=True)] == POINTS


def test_every_charlson_condition_together_is_at_its_most(scores: Build) -> None:
    names = {name for _, clusters, _ in comorbidity.CHARLSON.values() for name in clusters}
    # Ten of 1, four of 2, 3, 6 and 6 are 33; mild liver disease, uncomplicated diabetes and cancer that has not spread then count nothing: 1 + 1 + 2.
    assert scores([(tuple((name, 900) for name in names), (), ())])[0]["charlson_score"] == 29


def test_conditions_of_the_longer_list_count_without_a_weight(scores: Build) -> None:
    creams = tuple(("emollient_steroid_skin", d) for d in (1, 2, 3, 4))
    [row] = scores([((("migraine", 9), ("thyroid_disease", 9), ("psoriasis_eczema", 9)), creams, ())])
    assert (row["cambridge_general_score"], row["condition_count"]) == (0.0, 2)  # a migraine is four prescriptions, not a code
    assert row["has_multimorbidity"] is True


def test_nobody_is_left_out(persons: Build, build: Build, night: Build) -> None:
    rows = build("features/comorbidity", {"core/person": persons(2)}, night()).to_pylist()
    assert [row["cambridge_general_score"] for row in rows] == [0.0, 0.0]
