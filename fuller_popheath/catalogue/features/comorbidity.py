"""Scores that weigh a person's conditions: the Cambridge Multimorbidity Score, the Charlson index, and how many conditions there are.

Conditions of the Cambridge score are defined by codes, prescriptions and results (Payne and others, CMAJ 2020, PMC7004217; definitions as in the
open-source code of the Health Foundation, HFAnalyticsLab/CMD_multimorbidity); from codes alone it would come out too low. Weights are whole
hundredths, so that a sum is exact; they and the clusters stand in `codelists/cambridge.csv` and `charlson.csv`. What does not belong here: QOF
registers; see `conditions.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import reduce
from operator import add
from typing import TYPE_CHECKING

from fuller_popheath.catalogue.marks import Marks, beside
from fuller_popheath.codelists.weights import cambridge, charlson
from fuller_popheath.specs import ContractId, FeatureSpec, Night

if TYPE_CHECKING:
    import ibis.expr.types as ir

PERSON: ContractId = "core/person"
CLUSTERS: ContractId = "core/person_cluster"
MEDICINES: ContractId = "core/person_medicine"
MEASUREMENTS: ContractId = "core/person_measurement"

CODED_EVER: Mapping[str, tuple[str, ...]] = {condition.code: condition.clusters for condition in cambridge() if condition.clusters}
"""Conditions that hold once one of their clusters was ever coded. The others of the 37 stand in `_conditions`; chronic sinusitis has no code list."""

CAMBRIDGE_HUNDREDTHS: Mapping[str, int] = {c.code: c.hundredths for c in cambridge() if c.hundredths is not None}
"""General-outcome weights of the 20-condition score, in hundredths (Payne 2020; two independent public repositories agree on each)."""

_CHARLSON_CLUSTERS = {condition.condition: condition.clusters for condition in charlson()}
CHARLSON: Mapping[str, tuple[int, tuple[str, ...], tuple[str, ...]]] = {
    c.condition: (c.weight, c.clusters, _CHARLSON_CLUSTERS[c.nothing_beside] if c.nothing_beside else ()) for c in charlson()
}
"""Weights of Charlson and others 1987, the clusters that stand for each condition, and the clusters in whose presence it counts nothing."""

WITH_MORE_ASKED = ("asthma", "epilepsy", "severe_mental_illness", "irritable_bowel", "psoriasis_eczema")
FOUR_OR_MORE = ("anxiolytic", "antidepressant", "antispasmodic", "laxative", "antiepileptic", "anti_migraine", "emollient_steroid_skin")
LATELY = ("bronchodilator_saba", "inhaled_corticosteroid", "antiepileptic")
PAINKILLERS = ("opioid", "nsaid")
"""What stands for prescription-only analgesics: a choice of this project, since the public definition names products. Simple ones are sold freely."""
CANCER_DAYS = 1826
"""A cancer counts while its first code is within five years (Payne 2020)."""

EVER = Marks(
    (
        *(name for names in CODED_EVER.values() for name in names),
        *(name for _, names, _ in CHARLSON.values() for name in names),
        *WITH_MORE_ASKED,
    )
)
RECENT = Marks(("anxiety", "depression"))
ISSUED_FOUR_TIMES = Marks(FOUR_OR_MORE)
ISSUED = Marks(LATELY)


def build(tables: Mapping[ContractId, ir.Table], night: Night) -> ir.Table:
    """One row per person: scores, number of conditions, and whether there are two or more."""
    about = _about(tables, night)
    present = _conditions(about)
    hundredths = reduce(add, (present[code].cast("int64") * weight for code, weight in CAMBRIDGE_HUNDREDTHS.items()))
    conditions = reduce(add, (is_there.cast("int64") for is_there in present.values()))
    counted = about.select(
        "person_row",
        hundredths=hundredths,
        condition_count=conditions,
        cambridge_condition_count=reduce(add, (present[code].cast("int64") for code in CAMBRIDGE_HUNDREDTHS)),
        charlson_score=_charlson(about.ever_marks),
    )
    return counted.mutate(cambridge_general_score=counted.hundredths / 100, has_multimorbidity=counted.condition_count >= 2).drop("hundredths")


def _about(tables: Mapping[ContractId, ir.Table], night: Night) -> ir.Table:
    import ibis

    coded, medicine, measured = tables[CLUSTERS], tables[MEDICINES], tables[MEASUREMENTS]
    five_years_ago = ibis.date((night.as_of - timedelta(days=CANCER_DAYS)).isoformat())
    cancer = coded.filter(coded.cluster == "cancer")
    kidney = measured.filter(measured.measure == "egfr")
    pain = medicine.filter(medicine.medicine.isin(PAINKILLERS))
    lithium = medicine.filter(medicine.medicine == "lithium")
    return beside(
        tables[PERSON].select("person_row"),
        ever=EVER.of(coded, "cluster"),
        recent=RECENT.of(coded.filter(coded.count_365 > 0), "cluster"),
        four=ISSUED_FOUR_TIMES.of(medicine.filter(medicine.count_365 >= 4), "medicine"),
        issued=ISSUED.of(medicine.filter(medicine.count_365 > 0), "medicine"),
        pain=pain.group_by("person_row").agg(count=pain.count_365.sum().cast("int64")),
        cancer=cancer.select("person_row", within=cancer.first_date >= five_years_ago),
        kidney=kidney.select("person_row", low=kidney.highest_of_last_two < 60),
        lithium=lithium.select("person_row", ever=lithium.issue_count > 0),
    )


def _conditions(about: ir.Table) -> dict[str, ir.BooleanValue]:
    """Whether each of Payne's conditions is there: 25 of codes ever, and eleven that also look at time, prescriptions and results."""

    def ever(*clusters: str) -> ir.BooleanValue:
        return EVER.has(about.ever_marks, *clusters)

    def four_times(*medicines: str) -> ir.BooleanValue:
        return ISSUED_FOUR_TIMES.has(about.four_marks, *medicines)

    def lately(*medicines: str) -> ir.BooleanValue:
        return ISSUED.has(about.issued_marks, *medicines)

    return {
        **{code: ever(*clusters) for code, clusters in CODED_EVER.items()},
        "ANXDEP": RECENT.has(about.recent_marks, "anxiety", "depression") | four_times("anxiolytic", "antidepressant"),
        "PNC": (about.pain_count >= 4).fill_null(False) | (four_times("antiepileptic") & ~ever("epilepsy")),
        "IBS": ever("irritable_bowel") | four_times("antispasmodic"),
        "AST": ever("asthma") & lately("bronchodilator_saba", "inhaled_corticosteroid"),
        "CKD": about.kidney_low.fill_null(False),
        "CON": four_times("laxative"),
        "CAN": about.cancer_within.fill_null(False),
        "SCZ": ever("severe_mental_illness") | about.lithium_ever.fill_null(False),
        "EPI": ever("epilepsy") & lately("antiepileptic"),
        "PSO": ever("psoriasis_eczema") & four_times("emollient_steroid_skin"),
        "MIG": four_times("anti_migraine"),
    }


def _charlson(marks: ir.IntegerValue) -> ir.IntegerValue:
    def points(weight: int, clusters: tuple[str, ...], unless: tuple[str, ...]) -> ir.IntegerValue:
        there = EVER.has(marks, *clusters)
        return (there & ~EVER.has(marks, *unless) if unless else there).cast("int64") * weight

    return reduce(add, (points(*condition) for condition in CHARLSON.values()))


FEATURE = FeatureSpec(contract="features/comorbidity", inputs=(CLUSTERS, MEDICINES, MEASUREMENTS), build=build)
