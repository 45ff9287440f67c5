"""Registers of long-term conditions by code, one column a condition, and since when.

A person is on a register while the condition is coded and not resolved since. Where the Quality and Outcomes Framework (QOF) asks for more than that
(an age, a prescription, a value) and the record can tell, the register asks for it too: the rules stand below, as the QOF business rules have
them. What does not belong here: scores made of conditions; see `comorbidity.py` and `frailty.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING

from fuller_popheath.catalogue.marks import Marks, beside
from fuller_popheath.specs import ContractId, FeatureSpec, Night, Pivot

if TYPE_CHECKING:
    import ibis.expr.types as ir

PERSON: ContractId = "core/person"
CLUSTERS: ContractId = "core/person_cluster"
MEDICINES: ContractId = "core/person_medicine"
MEASUREMENTS: ContractId = "core/person_measurement"

WITH_DAYS_SINCE = (
    "hypertension",
    "atrial_fibrillation",
    "coronary_heart_disease",
    "heart_failure",
    "stroke_tia",
    "diabetes",
    "chronic_kidney_disease",
    "copd",
    "asthma",
    "cancer",
    "dementia",
    "depression",
    "severe_mental_illness",
    "palliative_care",
)
"""The conditions of which models also want to know since when."""

CONDITIONS = (
    *WITH_DAYS_SINCE,
    "myocardial_infarction",
    "peripheral_arterial_disease",
    "heart_valve_disease",
    "diabetes_type_1",
    "diabetes_complication",
    "non_diabetic_hyperglycaemia",
    "obesity",
    "bronchiectasis",
    "metastatic_cancer",
    "parkinsons_disease",
    "multiple_sclerosis",
    "epilepsy",
    "migraine",
    "hemiplegia",
    "anxiety",
    "eating_disorder",
    "alcohol_problems",
    "substance_misuse",
    "learning_disability",
    "autism",
    "rheumatoid_arthritis",
    "connective_tissue_disease",
    "osteoporosis",
    "chronic_liver_disease",
    "severe_liver_disease",
    "inflammatory_bowel_disease",
    "peptic_ulcer",
    "thyroid_disease",
    "hearing_loss",
    "visual_impairment",
    "hiv",
    "housebound",
    "care_home",
    "homelessness",
    "looked_after_child",
    "carer",
    "pregnancy",
)

YOUNGEST = {
    "asthma": 6,
    "chronic_kidney_disease": 18,
    "depression": 18,
    "diabetes": 17,
    "epilepsy": 18,
    "non_diabetic_hyperglycaemia": 18,
    "obesity": 18,
    "rheumatoid_arthritis": 16,
}
"""From which age on, in completed years, somebody is on the register (QOF)."""

CANCER_SINCE = date(2003, 4, 1)
"""First diagnosis on or after this day (QOF)."""
DEPRESSION_SINCE = date(2006, 4, 1)
"""Latest episode on or after this day (QOF)."""
PALLIATIVE_CARE_SINCE = date(2008, 4, 1)
"""Coded on or after this day (QOF)."""
PREGNANCY_DAYS = 308
"""A pregnancy counts for so many days after its latest code: the longest episode of the published Bridges to Health definitions (Outcomes Based
Healthcare). Births are not told by the record, so that it may count on after one."""
ASTHMA_MEDICINES = ("bronchodilator_saba", "inhaled_corticosteroid")
"""One of them within 365 days (QOF: asthma-related drug treatment in the preceding twelve months)."""
HALF_A_YEAR = 183
"""Days within which an anti-epileptic (epilepsy) or lithium (severe mental illness) counts: six months (QOF)."""
OBESE_FROM = 30.0
OBESE_FROM_AT_HIGHER_RISK = 27.5
"""Body-mass index in kg/m2 within 365 days; the lower one for `HIGHER_RISK_CATEGORIES` (QOF since 2023/24, after NICE)."""
HIGHER_RISK_CATEGORIES = ("H", "J", "K", "L", "M", "N", "R")
"""South Asian, other Asian, Caribbean, African, Chinese (NHS Data Dictionary, ethnic category code). Middle Eastern has no code of its own."""


def build(tables: Mapping[ContractId, ir.Table], night: Night) -> ir.Table:
    """Long, one row per person and register they are on: `condition`, `has` (true) and `days_since_first`, null without a first code."""
    import ibis

    about = _about(tables, night)
    coded = tables[CLUSTERS]
    coded = coded.filter(coded.is_current, coded.cluster.isin([name for name in CONDITIONS if name != "obesity"]))
    rows = coded.inner_join(about, "person_row")
    on_register = rows.filter(
        ~rows.cluster.isin(list(YOUNGEST)) | _old_enough(rows),
        (rows.cluster != "asthma") | rows.treated_asthma,
        (rows.cluster != "epilepsy") | rows.treated_epilepsy,
        (rows.cluster != "cancer") | (rows.first_date >= ibis.date(CANCER_SINCE.isoformat())),
        (rows.cluster != "depression") | (rows.last_date >= ibis.date(DEPRESSION_SINCE.isoformat())),
        (rows.cluster != "palliative_care") | (rows.last_date >= ibis.date(PALLIATIVE_CARE_SINCE.isoformat())),
        (rows.cluster != "pregnancy") | (rows.last_date >= _days_before(night, PREGNANCY_DAYS)),
        (rows.cluster != "non_diabetic_hyperglycaemia") | ~rows.diabetic,
    )
    by_code = on_register.select("person_row", condition="cluster", first_date="first_date")
    smi = coded.filter(coded.cluster == "severe_mental_illness")
    by_lithium = about.filter(about.on_lithium).anti_join(smi, "person_row")
    no_date = ibis.null("date")
    obese = about.filter(about.obese)
    every = ibis.union(
        by_code,
        by_lithium.select("person_row", condition=ibis.literal("severe_mental_illness"), first_date=no_date),
        obese.select("person_row", condition=ibis.literal("obesity"), first_date=no_date),
    )
    today = ibis.date(night.as_of.isoformat())
    return every.mutate(has=ibis.literal(True), days_since_first=today.delta(every.first_date, unit="day").cast("int64"))


def _old_enough(rows: ir.Table) -> ir.BooleanValue:
    return rows.age_years >= rows.cluster.cases(*YOUNGEST.items(), else_=0)


def _about(tables: Mapping[ContractId, ir.Table], night: Night) -> ir.Table:
    """One row per person with what the registers ask besides codes: age_years, treated_asthma, treated_epilepsy, on_lithium, diabetic, obese."""
    import ibis

    person, medicine, measured, coded = tables[PERSON], tables[MEDICINES], tables[MEASUREMENTS], tables[CLUSTERS]
    asthma = Marks(ASTHMA_MEDICINES)
    lately = Marks(("antiepileptic", "lithium"))
    diabetes = Marks(("diabetes", "diabetes_type_1"))
    bmi = measured.filter(measured.measure == "bmi", measured.latest_date >= _days_before(night, 365))
    together = beside(
        person.select("person_row", "age_years", "ethnic_category"),
        asthma=asthma.of(medicine.filter(medicine.count_365 > 0), "medicine"),
        lately=lately.of(medicine.filter(medicine.last_date >= _days_before(night, HALF_A_YEAR)), "medicine"),
        diabetes=diabetes.of(coded.filter(coded.is_current), "cluster"),
        bmi=bmi.select("person_row", value="latest_value"),
    )
    at_higher_risk = together.ethnic_category.isin(HIGHER_RISK_CATEGORIES).fill_null(False)
    obese = together.bmi_value >= ibis.ifelse(at_higher_risk, OBESE_FROM_AT_HIGHER_RISK, OBESE_FROM)
    return together.select(
        "person_row",
        "age_years",
        treated_asthma=asthma.has(together.asthma_marks, *ASTHMA_MEDICINES),
        treated_epilepsy=lately.has(together.lately_marks, "antiepileptic"),
        on_lithium=lately.has(together.lately_marks, "lithium"),
        diabetic=diabetes.has(together.diabetes_marks, "diabetes", "diabetes_type_1"),
        obese=obese.fill_null(False) & (together.age_years >= YOUNGEST["obesity"]),
    )


def _days_before(night: Night, days: int) -> ir.DateScalar:
    import ibis

    return ibis.date((night.as_of - timedelta(days=days)).isoformat())


FEATURE = FeatureSpec(
    contract="features/conditions",
    inputs=(CLUSTERS, MEDICINES, MEASUREMENTS),
    build=build,
    pivot=Pivot(
        subject="condition",
        columns={
            **{("has", name): f"has_{name}" for name in CONDITIONS},
            **{("days_since_first", name): f"days_since_first_{name}" for name in WITH_DAYS_SINCE},
        },
    ),
)
