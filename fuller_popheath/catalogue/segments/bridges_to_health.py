"""Bridges to Health: everybody in one of eight groups of similar needs, from records of general practice and hospital use.

The eight groups are published (Lynn and others 2007; NHS England, Population and Person Insight). Definitions of six of them are published by
Outcomes Based Healthcare; their order of precedence and their lists of conditions and disabilities are not: ours stand below, and are an
assumption. What does not belong here: any other scheme.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fuller_popheath.specs import Group, SegmentSpec

if TYPE_CHECKING:
    import numpy as np

    from fuller_popheath.site import Site

OLD_FROM = 65
FRAIL = ("moderate", "severe")
"""In place of the intermediate and high hospital frailty risk of the published definition, which asks for hospital diagnoses."""
EGFR_STAGE_4, EGFR_STAGE_5 = 30, 15
"""Chronic kidney disease below these in mL/min/1.73 m2 is of stage 4 and 5 (KDIGO 2012, G4 and G5)."""
CKD4_ADMISSIONS = 4
"""Stage 4 with so many emergency admissions in twelve months counts as organ failure (published definition of end-stage renal failure)."""
DISABILITIES = ("learning_disability", "autism", "hemiplegia", "visual_impairment")
OTHER_CONDITIONS = ("osteoporosis", "hiv", "heart_valve_disease", "hemiplegia", "autism", "palliative_care")
"""Long-term conditions beside the 37 of Payne 2020 that `condition_count` counts."""
ACUTE_DAYS = 30

GROUPS = (
    Group("frailty_and_dementia", "Frailty and dementia", "Dementia, or aged 65 or over with moderate or severe frailty."),
    Group("organ_failure", "Organ failure", "Heart failure, severe liver disease, or chronic kidney disease of stage 5 or unstable stage 4."),
    Group("incurable_cancer", "Incurable cancer", "Cancer that has spread, or cancer and on the palliative care register."),
    Group("disability", "Disability", "Learning disability, autism, paralysis of one side or of both legs, or low vision."),
    Group("long_term_conditions", "Long-term conditions", "At least one long-term condition."),
    Group("maternal_and_infant", "Maternal and infant health", "Pregnant in the last 308 days, or not yet one year old."),
    Group("acutely_ill", "Acutely ill", "At an emergency department or admitted as an emergency in the last 30 days, or still in hospital after it."),
    Group("generally_well", "Generally well", "None of the others."),
)

_RULES = (
    ("frailty_and_dementia", "dementia is recorded"),
    ("frailty_and_dementia", "aged 65 or over, and the electronic frailty index says moderate or severe frailty"),
    ("frailty_and_dementia", "aged 65 or over, and a clinician coded moderate or severe frailty"),
    ("organ_failure", "heart failure is recorded"),
    ("organ_failure", "severe liver disease is recorded"),
    ("organ_failure", "chronic kidney disease, and the latest eGFR is below 15 (stage 5)"),
    ("organ_failure", "chronic kidney disease, latest eGFR below 30 (stage 4), and four or more emergency admissions in a year"),
    ("incurable_cancer", "cancer that has spread is recorded"),
    ("incurable_cancer", "cancer, and on the palliative care register"),
    ("disability", "learning disability is recorded"),
    ("disability", "autism, paralysis (hemiplegia or paraplegia) or low vision is recorded"),
    ("long_term_conditions", "at least one long-term condition is recorded"),
    ("maternal_and_infant", "pregnancy is recorded in the last 308 days"),
    ("maternal_and_infant", "not yet one year old"),
    ("acutely_ill", "in hospital now, after an emergency admission"),
    ("acutely_ill", "an emergency admission or an ED attendance in the last 30 days"),
    ("generally_well", "none of the other groups fits"),
)


def assign(values: Mapping[str, np.ndarray], site: Site) -> tuple[np.ndarray, np.ndarray]:
    """Position of the group and of the rule of each person; of the rules that fit, in the order of `_RULES`, the first counts."""
    import numpy as np

    old, kidneys = values["age_years"] >= OLD_FROM, values["has_chronic_kidney_disease"]
    fits = (
        values["has_dementia"],
        old & np.isin(values["efi_category"], FRAIL),
        old & np.isin(values["coded_frailty"], FRAIL),
        values["has_heart_failure"],
        values["has_severe_liver_disease"],
        kidneys & (values["latest_egfr"] < EGFR_STAGE_5),
        kidneys & (values["latest_egfr"] < EGFR_STAGE_4) & (values["emergency_admission_count_365"] >= CKD4_ADMISSIONS),
        values["has_metastatic_cancer"],
        values["has_cancer"] & values["has_palliative_care"],
        values["has_learning_disability"],
        np.any([values[f"has_{name}"] for name in DISABILITIES], axis=0),
        (values["condition_count"] >= 1) | np.any([values[f"has_{name}"] for name in OTHER_CONDITIONS], axis=0),
        values["has_pregnancy"],
        values["age_years"] < 1,
        values["is_in_hospital"] & (values["days_since_last_admission"] == values["days_since_last_emergency_admission"]),
        (values["days_since_last_emergency_admission"] <= ACUTE_DAYS) | (values["days_since_last_ed_attendance"] <= ACUTE_DAYS),
    )
    rule = np.select(fits, range(len(fits)), default=len(fits))
    names = [group.name for group in GROUPS]
    return np.array([names.index(name) for name, _ in _RULES])[rule], rule


SEGMENT = SegmentSpec(
    name="bridges_to_health",
    title="Bridges to Health",
    groups=GROUPS,
    rules=tuple(words for _, words in _RULES),
    columns={
        "core/person": ("age_years",),
        "features/conditions": tuple(
            f"has_{name}"
            for name in dict.fromkeys(
                (
                    *("dementia", "heart_failure", "severe_liver_disease", "chronic_kidney_disease", "metastatic_cancer", "cancer"),
                    *("palliative_care", "pregnancy", *DISABILITIES, *OTHER_CONDITIONS),
                )
            )
        ),
        "features/comorbidity": ("condition_count",),
        "features/frailty": ("efi_category", "coded_frailty"),
        "features/measurements": ("latest_egfr",),
        "features/hospital": (
            *("emergency_admission_count_365", "is_in_hospital", "days_since_last_admission"),
            *("days_since_last_emergency_admission", "days_since_last_ed_attendance"),
        ),
    },
    assign=assign,
    limits=(
        "The order of precedence and the lists of long-term conditions and disabilities are ours: the published ones could not be retrieved. "
        "The published frailty rule rests on the Hospital Frailty Risk Score, which needs hospital diagnoses: the electronic frailty index and codes "
        "of frailty stand in for it. Dialysis, transplants, chemotherapy and how severe COPD is are not told by these records, so organ failure and "
        "incurable cancer come out too small. Stages of kidney disease ask for its code and then rest on the latest eGFR alone, however old it is, "
        "and even of an acute illness: a single low value is no stage by itself (KDIGO asks for three months). Planned and maternity stays are not "
        "acutely ill; a planned admission recorded while an emergency stay is open hides that stay. Somebody on the palliative care register without "
        "another of these is among long-term conditions. Pregnancy counts for 308 days after its latest code, whether or not the child has been born."
    ),
)
