"""What reasons say: the readable specification, and what no reason may ever say."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from fuller_popheath import registry
from fuller_popheath.catalogue.phrases import NOT_THERE, ago, listed, span, spans, told
from fuller_popheath.contracts import load_contract
from fuller_popheath.risk.explaining import _values
from fuller_popheath.risk.model_manifest import feature_columns

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

YEARS = 365.25
COLUMNS = {c.name: c for name in registry.features() for c in load_contract(name).columns}


def said_of(reason: str, facts: Mapping[str, Any]) -> str:
    """What a reason says of one person; columns not given are what they are for somebody without a record."""
    import pandas as pd

    spec = registry.reasons()[reason]
    assert not set(facts) - set(spec.columns)

    def value(name: str) -> Any:
        column = COLUMNS[name]
        given = facts.get(name, column.absent)
        if column.logical_type == "string":
            return pd.Categorical([given], categories=list(column.allowed or ()))
        return [math.nan if given is None else float(given)]

    number, texts = spec.words(pd.DataFrame({name: value(name) for name in spec.columns}))
    return texts[number[0]]


BLOOD_PRESSURE = {"latest_systolic_bp": 162.4, "latest_diastolic_bp": 93.5, "days_since_systolic_bp": 100, "days_since_diastolic_bp": 100}

SAID: list[tuple[str, dict[str, Any], str]] = [
    ("age", {"age_years": 84}, "aged 84"),
    ("age", {"age_years": 0}, "under 1 year old"),
    ("sex", {"sex": "female"}, "recorded as female"),
    ("sex", {"sex": "unknown"}, "sex not recorded"),
    ("ethnic_group", {"ethnic_group": "asian", "ethnic_category": "H"}, "recorded ethnic group: Asian or Asian British"),
    ("ethnic_group", {"ethnic_group": "unknown", "ethnic_category": "Z"}, "ethnic group not stated or not recorded"),
    (
        "deprivation",
        {"imd_2025_quintile": 1, "imd_2019_quintile": 2},
        "lives in the most deprived fifth of areas in England (index of 2025)",
    ),
    ("deprivation", {"imd_2019_quintile": 3}, "lives in the middle fifth of areas in England by deprivation (index of 2019)"),
    ("deprivation", {}, "deprivation of the area not known"),
    ("registration", {"registration_days": 4400, "has_usual_gp": True, "is_linked": True}, "registered for 12 years"),
    (
        "registration",
        {"registration_days": 21, "is_temporary": True, "is_linked": False},
        "registered for 3 weeks, as a temporary resident, no usual GP named, no NHS number on record",
    ),
    ("registration", {"registration_days": 0, "has_usual_gp": True, "is_linked": True}, "newly registered"),
    ("heart_and_circulation", {}, "no heart or circulation condition on the disease registers"),
    (
        "heart_and_circulation",
        {"has_heart_failure": True, "days_since_first_heart_failure": 95, "has_hypertension": True, "days_since_first_hypertension": 3000},
        "heart failure (first recorded 3 months ago) and hypertension",
    ),
    ("lungs", {"has_copd": True, "has_asthma": True, "has_inhaled_corticosteroid_365": True}, "COPD and asthma, inhaled steroid in the last year"),
    ("lungs", {}, "no lung condition on the disease registers"),
    (
        "diabetes",
        {"has_diabetes": True, "has_diabetes_complication": True, "latest_hba1c": 74, "days_since_hba1c": 160, "has_insulin_365": True},
        "diabetes with complications, HbA1c 74 mmol/mol (5 months ago), insulin in the last year",
    ),
    ("diabetes", {"has_diabetes": True, "has_diabetes_type_1": True}, "type 1 diabetes, no HbA1c in the last two years"),
    (
        "diabetes",
        {"has_non_diabetic_hyperglycaemia": True, "latest_hba1c": 43, "days_since_hba1c": 500},
        "no diabetes on the register, non-diabetic hyperglycaemia, no HbA1c for 16 months (43 mmol/mol then)",
    ),
    ("diabetes", {}, "no diabetes on the register"),
    (
        "kidney",
        {"has_chronic_kidney_disease": True, "latest_egfr": 38, "days_since_egfr": 95, "egfr_change_per_year": -7.2},
        "chronic kidney disease, eGFR 38 (3 months ago), falling by about 7 a year",
    ),
    ("kidney", {}, "no eGFR in the last two years, no chronic kidney disease on the register"),
    ("cancer", {"has_cancer": True, "days_since_first_cancer": 250}, "cancer (first recorded 8 months ago)"),
    ("cancer", {"has_cancer": True, "has_metastatic_cancer": True}, "metastatic cancer"),
    ("cancer", {}, "no cancer on the disease register"),
    ("pregnancy", {"has_pregnancy": True}, "pregnant, or was in the last ten months"),
    ("pregnancy", {}, "no pregnancy recorded in the last ten months"),
    (
        "palliative_care",
        {"has_palliative_care": True, "days_since_first_palliative_care": 20},
        "on the palliative care register (first recorded 2 weeks ago)",
    ),
    ("palliative_care", {}, "not on the palliative care register"),
    ("dementia", {"has_dementia": True, "has_dementia_drug_365": True}, "dementia, dementia medicine in the last year"),
    ("dementia", {}, "no dementia on the disease register"),
    (
        "mental_health",
        {"has_depression": True, "has_anxiety": True, "has_antidepressant_365": True},
        "depression and anxiety, antidepressant in the last year",
    ),
    ("mental_health", {"has_antipsychotic_365": True}, "no mental health condition on the disease registers, antipsychotic in the last year"),
    ("learning_disability_and_autism", {"has_autism": True}, "autism"),
    ("brain_and_nerves", {"has_stroke_tia": True, "has_parkinsons_disease": True}, "stroke or TIA and Parkinson's disease"),
    ("other_conditions", {"has_osteoporosis": True, "has_hiv": True}, "osteoporosis and 1 more"),
    ("other_conditions", {"has_hiv": True}, "1 other recorded condition or circumstance"),
    ("other_conditions", {"has_homelessness": True, "has_alcohol_problems": True}, "2 other recorded conditions or circumstances"),
    ("other_conditions", {}, "none of the other conditions and circumstances that are looked at"),
    ("living_situation", {"has_care_home": True, "has_housebound": True}, "lives in a care home and is housebound"),
    ("multimorbidity", {"condition_count": 7, "cambridge_general_score": 4.21}, "7 long-term conditions"),
    ("multimorbidity", {"condition_count": 1}, "1 long-term condition"),
    ("multimorbidity", {}, "none of the long-term conditions that are counted"),
    (
        "frailty",
        {"efi_deficit_count": 16, "efi_category": "severe", "coded_frailty": "moderate"},
        "severe frailty by index (16 of 36 deficits on record), frailty coded as moderate",
    ),
    ("frailty", {"efi_deficit_count": 2, "efi_category": "fit"}, "not frail by index (2 of 36 deficits on record)"),
    ("frailty", {"efi_deficit_count": 0}, "none of 36 frailty deficits on record"),
    ("blood_pressure", BLOOD_PRESSURE, "blood pressure 162/94 (3 months ago)"),
    ("blood_pressure", {**BLOOD_PRESSURE, "days_since_diastolic_bp": 300}, "blood pressure 162 systolic (3 months ago)"),
    (
        "blood_pressure",
        {**BLOOD_PRESSURE, "days_since_systolic_bp": 550, "days_since_diastolic_bp": 550},
        "no blood-pressure reading for 18 months (162/94 then)",
    ),
    ("blood_pressure", {}, "no whole blood-pressure reading in the last two years"),
    ("weight", {"latest_bmi": 34.2, "days_since_bmi": 61, "has_obesity": True}, "BMI 34 (2 months ago), on the obesity register"),
    ("weight", {"latest_bmi": 19, "days_since_bmi": 20, "bmi_change_per_year": -2.1}, "BMI 19 (2 weeks ago), falling by about 2 a year"),
    ("weight", {}, "no BMI in the last two years"),
    ("cholesterol", {"latest_total_cholesterol": 6.14, "days_since_total_cholesterol": 70}, "total cholesterol 6.1 mmol/L (2 months ago)"),
    ("cholesterol", {"latest_non_hdl_cholesterol": 4.25, "days_since_non_hdl_cholesterol": 70}, "non-HDL cholesterol 4.3 mmol/L (2 months ago)"),
    ("cholesterol", {}, "no cholesterol in the last two years"),
    ("smoking", {"smoking_status": "current", "days_since_smoking": 800}, "recorded as a smoker (2 years ago)"),
    ("smoking", {}, "smoking not recorded in the last two years"),
    (
        "emergency_admissions",
        {"emergency_admission_count_365": 3, "emergency_admission_count_1095": 4, "days_since_last_emergency_admission": 37},
        "3 emergency admissions in the last year, the last 5 weeks ago",
    ),
    (
        "emergency_admissions",
        {
            "emergency_admission_count_365": 2,
            "emergency_admission_count_1095": 2,
            "days_since_last_emergency_admission": 1,
            "emergency_readmission_count_365": 1,
        },
        "2 emergency admissions in the last year, the last yesterday, 1 of them within 30 days of a discharge",
    ),
    (
        "emergency_admissions",
        {"emergency_admission_count_1095": 2, "days_since_last_emergency_admission": 500},
        "no emergency admission in the last year, 2 in the two years before",
    ),
    ("emergency_admissions", {"days_since_last_emergency_admission": 1500}, "no emergency admission for 4 years"),
    ("emergency_admissions", {}, "no emergency admission in the last two years"),
    (
        "hospital_stays",
        {"admission_count_365": 2, "bed_day_count_365": 23, "emergency_bed_day_count_365": 20, "days_since_last_discharge": 21},
        "23 nights in hospital (20 of them as an emergency) in the last year, discharged 3 weeks ago",
    ),
    (
        "hospital_stays",
        {"admission_count_365": 2, "elective_admission_count_365": 1, "bed_day_count_365": 1, "emergency_bed_day_count_365": 1},
        "1 night in hospital (as an emergency) and 1 planned admission in the last year",
    ),
    (
        "hospital_stays",
        {"admission_count_365": 3, "elective_admission_count_365": 1},
        "3 admissions without a night in the last year, 1 of them planned",
    ),
    ("hospital_stays", {"admission_count_365": 1, "elective_admission_count_365": 1}, "1 planned admission without a night in the last year"),
    ("hospital_stays", {"is_in_hospital": True, "days_since_last_discharge": 30}, "in hospital on the day"),
    ("hospital_stays", {"days_since_last_admission": 900}, "no stay in hospital in the last year"),
    ("hospital_stays", {}, "no stay in hospital in the last two years"),
    (
        "emergency_department",
        {"ed_attendance_count_365": 1, "ed_attendance_count_730": 1, "days_since_last_ed_attendance": 21},
        "1 A&E attendance in the last year, 3 weeks ago",
    ),
    ("emergency_department", {"ed_attendance_count_730": 2}, "no A&E attendance in the last year, 2 the year before"),
    ("emergency_department", {}, "no A&E attendance in the last two years"),
    (
        "contacts",
        {"contact_count_365": 14, "contact_count_730": 20, "gp_contact_count_365": 9, "days_since_last_contact": 14},
        "14 contacts with the practice in the last year (9 with a GP), the last 2 weeks ago",
    ),
    (
        "contacts",
        {"contact_count_365": 1, "contact_count_730": 1, "nurse_contact_count_365": 1, "days_since_last_contact": 80},
        "1 contact with the practice in the last year (with a nurse), 2 months ago",
    ),
    ("contacts", {"contact_count_730": 3}, "no recorded contact with the practice in the last year, 3 the year before"),
    ("contacts", {}, "no recorded contact with the practice in the last two years"),
    (
        "ways_of_contact",
        {"face_to_face_contact_count_365": 5, "telephone_contact_count_365": 8, "home_visit_count_365": 2, "urgent_contact_count_365": 3},
        "5 contacts face to face (2 at home) and 8 by telephone in the last year, 3 of them urgent",
    ),
    ("ways_of_contact", {"telephone_contact_count_365": 1, "urgent_contact_count_365": 1}, "1 contact by telephone in the last year, urgent"),
    ("ways_of_contact", {}, "no contact face to face or by telephone in the last year"),
    ("missed_appointments", {"did_not_attend_count_365": 2, "did_not_attend_count_730": 2}, "2 appointments not attended in the last year"),
    ("missed_appointments", {"did_not_attend_count_730": 1}, "1 appointment not attended in the year before the last, none since"),
    ("missed_appointments", {}, "no appointment on record as not attended in the last two years"),
    (
        "continuity",
        {
            "continuity_contact_count": 11,
            "continuity_clinician_count": 4,
            "continuity_upc": 3 / 11,
            "usual_gp_share": 2 / 11,
            "usual_gp_contact_count": 2,
        },
        "saw 4 clinicians in 11 contacts, the same one in 3 at most, 2 of them with the usual GP",
    ),
    (
        "continuity",
        {"continuity_contact_count": 5, "continuity_clinician_count": 1, "continuity_upc": 1.0},
        "saw the same clinician in all 5 contacts",
    ),
    ("continuity", {"continuity_contact_count": 2}, "2 contacts to judge continuity by"),
    ("continuity", {}, "no contact to judge continuity by"),
    ("medicines", {"medicine_count_365": 14, "issue_count_365": 96}, "14 kinds of medicine in the last year, 96 issues in all"),
    ("medicines", {}, "no medicine issued in the last year"),
    ("heart_medicines", {"has_anticoagulant_365": True, "has_statin_365": True}, "anticoagulant and statin in the last year"),
    (
        "heart_medicines",
        {},
        "no anticoagulant, antiplatelet, loop diuretic, blood-pressure medicine or statin in the last year",
    ),
    ("pain_medicines", {"opioid_issue_count_365": 12, "has_opioid_365": True}, "opioid issued 12 times in the last year"),
    ("pain_medicines", {"opioid_issue_count_365": 1, "has_nsaid_365": True}, "opioid issued once and an anti-inflammatory in the last year"),
    ("pain_medicines", {}, "no opioid or anti-inflammatory issued in the last year"),
    ("antibiotics", {"antibiotic_issue_count_365": 4}, "antibiotic issued 4 times in the last year"),
    ("antibiotics", {}, "no antibiotic issued in the last year"),
]


@pytest.mark.parametrize(("reason", "facts", "words"), SAID, ids=[f"{reason}: {words[:50]}" for reason, _, words in SAID])
def test_what_a_reason_says(reason: str, facts: dict[str, Any], words: str) -> None:
    assert said_of(reason, facts) == words


def test_every_reason_is_in_the_specification() -> None:
    assert {reason for reason, _, _ in SAID} == set(registry.reasons())


def test_every_feature_belongs_to_one_reason() -> None:
    held = [column for spec in registry.reasons().values() for column in spec.columns]
    assert sorted(held) == sorted(feature_columns())


NEVER_NAMED = r"hiv|alcohol|substance|drug misuse|addict|homeless|looked.after|in care\b|eating"
SCORES_AND_CODES = r"_|\bnan\b|none\b of none|True|False|-1\b|[0-9]\.[0-9]{2}|\bscore\b|probab|log.odds|imd|\befi\b|payne|cambridge|charlson|\bE0"


@pytest.fixture(scope="module")
def everything_said(some_people: Callable[[int, int], pa.Table]) -> dict[str, tuple[str, ...]]:
    """What each reason says of two thousand people as different as the contracts allow."""
    import pandas as pd

    people = some_people(2_000, 21)
    said = {}
    for name, spec in registry.reasons().items():
        number, texts = spec.words(pd.DataFrame({column: _values(people, column) for column in spec.columns}))
        assert len(number) == 2_000
        assert set(number.tolist()) == set(range(len(texts)))
        said[name] = texts
    return said


def test_no_reason_shows_a_score_a_code_or_a_missing_value(everything_said: dict[str, tuple[str, ...]]) -> None:
    for name, texts in everything_said.items():
        wrong = [text for text in texts if re.search(SCORES_AND_CODES, text, re.IGNORECASE)]
        assert not wrong, (name, wrong[:3])


def test_no_reason_names_what_people_expect_to_be_told_to_nobody(everything_said: dict[str, tuple[str, ...]]) -> None:
    assert not [text for texts in everything_said.values() for text in texts if re.search(NEVER_NAMED, text, re.IGNORECASE)]


def test_a_reason_is_a_line_that_can_be_read(everything_said: dict[str, tuple[str, ...]]) -> None:
    for texts in everything_said.values():
        for text in texts:
            assert 3 <= len(text) <= 220
            assert text == text.strip()
            assert "  " not in text
            assert not text.startswith((",", "and"))
            assert not text.endswith((",", "and", "."))
            assert text.count("(") == text.count(")")


def test_titles_are_plain_and_different() -> None:
    titles = [spec.title for spec in registry.reasons().values()]
    assert len(set(titles)) == len(titles)
    assert all(title[0].isupper() and "_" not in title for title in titles)


@given(st.data())
def test_each_person_gets_the_text_of_their_own_facts(data: st.DataObject) -> None:
    rows = data.draw(st.integers(0, 20))
    limits = st.integers(-1, 5) | st.integers(-(2**40), 2**40)
    keys = [data.draw(arrays.arrays(np.int64, rows, elements=limits)) for _ in range(data.draw(st.integers(1, 5)))]
    number, texts = told(lambda *key: repr(key), *keys)
    assert [texts[n] for n in number] == [repr(tuple(int(key[row]) for key in keys)) for row in range(rows)]
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (0, "0 days"),
        (1, "1 day"),
        (13, "13 days"),
        (14, "2 weeks"),
        (60, "8 weeks"),
        (61, "2 months"),
        (365, "11 months"),
        (366, "12 months"),
        (548, "18 months"),
        (730, "23 months"),
        (731, "2 years"),
        (12 * YEARS, "12 years"),
    ],
)
def test_spans_are_whole_units_that_have_passed(days: float, words: str) -> None:
    assert span(int(spans(series(days))[0])) == words


@given(st.integers(0, 40_000))
def test_a_span_never_says_more_than_has_passed(days: int) -> None:
    number, unit = span(int(spans(series(days))[0])).split()
    length = {"day": 1, "week": 7, "month": 30.4375, "year": 365.25}[unit.removesuffix("s")]
    assert int(number) * length <= days < (int(number) + 1) * length


def test_days_that_are_not_known_have_no_span() -> None:
    assert spans(series(float("nan"))).tolist() == [NOT_THERE]
    assert spans(series(400), longest=365).tolist() == [NOT_THERE]
    assert [ago(key) for key in (0, 1, 5)] == ["today", "yesterday", "5 days ago"]


def series(value: float) -> pd.Series:
    import pandas as pd

    return pd.Series([value])


def test_lists_read_as_people_write_them() -> None:
    assert [listed([]), listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"], "or")] == ["", "a", "a and b", "a, b or c"]
