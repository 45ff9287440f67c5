"""What the make-believe people are like, held against published figures. Prevalences and rates are computed from the records, as a reader would."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from fuller_popheath.synthetic.england_age_sex import england_shares
from fuller_popheath.synthetic.simulation import tables
from fuller_popheath.synthetic.simulation.calibrating import emergency_expected, present
from fuller_popheath.synthetic.simulation.cohort import YEAR
from fuller_popheath.synthetic.simulation.conditions import RESOLVABLE

from .conftest import AS_OF, Simulated

QOF = {
    "atrial_fibrillation": (2.06, 0), "asthma": (6.44, 6), "cancer": (3.23, 0), "coronary_heart_disease": (3.05, 0),
    "chronic_kidney_disease": (4.00, 18), "copd": (1.91, 0), "dementia": (0.74, 0), "depression": (12.17, 18), "diabetes": (7.16, 17),
    "epilepsy": (0.80, 18), "heart_failure": (0.92, 0), "hypertension": (13.99, 0), "learning_disability": (0.53, 0),
    "severe_mental_illness": (0.94, 0), "peripheral_arterial_disease": (0.59, 0), "palliative_care": (0.47, 0), "stroke_tia": (1.80, 0),
    "rheumatoid_arthritis": (0.77, 16), "non_diabetic_hyperglycaemia": (5.71, 18),
}  # fmt: skip
"""Register: percent of people from an age on, mean of 2019/20 to 2021/22 in England (NHS Digital, QOF; 2019/20: House of Commons Library)."""


def position(table: pd.DataFrame) -> np.ndarray:
    """The person of each row of a practice's table, as position in the cohort."""
    return table["patient_id"].astype(int).to_numpy() - 10_001


@pytest.fixture(scope="module")
def coded(simulated: Simulated) -> pd.DataFrame:
    events = simulated.tables.practice["clinical_event"].select(["patient_id", "event_date", "code"]).to_pandas()
    return pd.DataFrame({"who": position(events), "day": events["event_date"], "cluster": events["code"].str.extract(r"z\.(.+)\.\d")[0]})


@pytest.fixture(scope="module")
def issued(simulated: Simulated) -> pd.DataFrame:
    issues = simulated.tables.practice["medication_issue"].select(["patient_id", "issue_date", "code"]).to_pandas()
    return pd.DataFrame({"who": position(issues), "day": issues["issue_date"], "cluster": issues["code"].str.extract(r"z\.(.+)\.\d")[0]})


@pytest.fixture(scope="module")
def appointments(simulated: Simulated) -> pd.DataFrame:
    table = simulated.tables.practice["appointment"].drop_columns(["extract_date", "practice_code", "nhs_number", "record_id", "start_time"])
    made = table.to_pandas()
    return made.assign(who=position(made))


@pytest.fixture(scope="module")
def emergencies(simulated: Simulated) -> pd.DataFrame:
    spells = simulated.tables.trusts["hospital_spell"].to_pandas()
    spells = spells[spells["admission_method"].str.match(r"2[1-8A-D]")]
    return spells.assign(who=spells["patient_id"].str[1:].astype(int) - int(simulated.cohort.job.code[1:]) * 100_000)


@pytest.fixture(scope="module")
def attendances(simulated: Simulated) -> pd.DataFrame:
    made = simulated.tables.trusts["ed_attendance"].to_pandas()
    return made.assign(who=made["patient_id"].str[1:].astype(int) - int(simulated.cohort.job.code[1:]) * 100_000)


@pytest.mark.parametrize("cluster", sorted(QOF))
def test_registers_made_from_the_records_are_as_large_as_englands(
    simulated: Simulated, coded: pd.DataFrame, issued: pd.DataFrame, cluster: str
) -> None:
    """Within 20 %. QOF's rules: not resolved since; asthma with a medicine in 12 months, epilepsy in 6 (business rules)."""
    last = coded[coded["cluster"] == cluster].groupby("who")["day"].max()
    if cluster in RESOLVABLE:
        ended = coded[coded["cluster"] == f"{cluster}_resolved"].groupby("who")["day"].max()
        last = last[~(last < ended.reindex(last.index))]
    on = set(last.index)
    for register, medicines, since in (
        ("asthma", {"bronchodilator_saba", "inhaled_corticosteroid"}, date(2025, 8, 1)),
        ("epilepsy", {"antiepileptic"}, date(2026, 2, 1)),
    ):
        if cluster == register:
            on &= set(issued[issued["cluster"].isin(medicines) & (issued["day"] >= since)]["who"])
    if cluster == "non_diabetic_hyperglycaemia":
        on -= set(coded[coded["cluster"] == "diabetes"]["who"])
    percent, from_age = QOF[cluster]
    counted = present(simulated.cohort) & (simulated.cohort.age(simulated.cohort.job.today) >= from_age)
    found = 100 * np.isin(np.flatnonzero(counted), list(on)).mean()
    assert found == pytest.approx(percent, rel=0.20)


def test_ages_and_sexes_are_englands(simulated: Simulated) -> None:
    here = present(simulated.cohort)
    age = np.floor(simulated.cohort.age(simulated.cohort.job.today))[here]
    female = simulated.cohort.job.is_female[here]
    bands = england_shares()
    for sex, first, last, share in zip(bands.sexes, bands.first_ages, bands.last_ages, bands.shares, strict=True):
        found = np.mean((female == (sex == "female")) & (age >= first) & (age <= last))
        assert found == pytest.approx(share, abs=0.0025), (sex, first)


def test_expected_emergency_admissions_by_age_and_deprivation(simulated: Simulated) -> None:
    """Rates of NEW Devon CCG (Pereira Gray 2017, BMJ Open 7:e014045), within 15 %: the mean of the true hazards in cells of 3,000 person-years."""
    admissions, years = emergency_expected(simulated.cohort, simulated.history, np.random.default_rng(5))
    published = np.array([cell.rate for cell in tables.emergency_cells()]).reshape(5, 5)
    large = years >= 3_000
    assert large.sum() >= 20
    assert (admissions / years)[large] == pytest.approx(published[large], rel=0.15)
    # Smaller cells count with their row and column.
    for axis in (0, 1):
        assert admissions.sum(axis=axis) == pytest.approx((published * years).sum(axis=axis), rel=0.15)
    assert admissions.sum() / years.sum() == pytest.approx((published * years).sum() / years.sum(), rel=0.05)


def test_admissions_that_happen_follow_the_hazards(simulated: Simulated, emergencies: pd.DataFrame) -> None:
    admissions = emergency_expected(simulated.cohort, simulated.history, np.random.default_rng(5))[0]
    assert len(emergencies) == pytest.approx(admissions.sum(), rel=0.05)


def test_a_few_people_have_most_repeat_admissions(simulated: Simulated, emergencies: pd.DataFrame) -> None:
    """Aged 65 to 84, over two years: 84.6 % none, 10.8 % one, 2.9 % two, 1.7 % more (Tammes 2019, table 1)."""
    job, start = simulated.cohort.job, simulated.cohort.job.today - 730
    age = simulated.cohort.age(start)
    there = np.flatnonzero(job.is_last & (job.arrived <= start) & (job.end > job.today) & (job.death > job.today) & (age >= 65) & (age < 85))
    since = emergencies[emergencies["admission_date"] >= date(2024, 8, 1)]
    counts = np.bincount(since["who"], minlength=len(age))[there]
    shares = [100 * np.mean(counts == number) for number in (0, 1, 2)] + [100 * np.mean(counts > 2)]
    assert shares == pytest.approx([84.6, 10.8, 2.9, 1.7], abs=2.5)
    assert counts.var() > 1.3 * counts.mean(), "over-dispersed against a Poisson count"


def test_appointments(simulated: Simulated, appointments: pd.DataFrame) -> None:
    """6.05 a person-year, attended or missed (383.3 million in the year to June 2025 over 63.4 million people); shares as in GPAD."""
    counted = appointments[appointments["status"].isin(["attended", "did_not_attend"])]
    years = (np.maximum(simulated.cohort.until - simulated.cohort.from_day, 0) / YEAR).sum()
    assert len(counted) / years == pytest.approx(6.05, rel=0.05)
    assert counted["clinician_type"].isin(["gp", "gp_locum"]).mean() == pytest.approx(0.446, abs=0.01)
    assert (counted["mode"] == "face_to_face").mean() == pytest.approx(0.65, abs=0.02)
    assert (counted["booked_date"] == counted["appointment_date"]).mean() == pytest.approx(0.44, abs=0.01)
    assert 0.02 < (counted["status"] == "did_not_attend").mean() < 0.08
    weekday = pd.to_datetime(counted["appointment_date"]).dt.day_of_week
    assert (weekday >= 5).mean() < 0.01


def test_a_tenth_of_people_consults_five_times_as_much_as_the_rest(simulated: Simulated, appointments: pd.DataFrame) -> None:
    """Rate ratio 5.04 (Kontopantelis 2021, BMJ Open e054666)."""
    last_year = appointments[(appointments["status"] == "attended") & (appointments["appointment_date"] >= date(2025, 8, 1))]
    counts = np.bincount(last_year["who"], minlength=len(simulated.cohort))
    ranked = np.sort(counts[present(simulated.cohort) & (simulated.cohort.job.start <= simulated.cohort.job.today - 365)])[::-1]
    tenth = len(ranked) // 10
    assert ranked[:tenth].mean() / ranked[tenth:].mean() == pytest.approx(5.04, rel=0.15)


def test_under_18_pattern(simulated: Simulated, attendances: pd.DataFrame) -> None:
    """Most ED attendances under 5, more in deprived areas; most children who come often have no long-term condition."""
    cohort, today = simulated.cohort, simulated.cohort.job.today
    counts = np.bincount(attendances[attendances["arrival_date"] >= date(2025, 8, 1)]["who"], minlength=len(cohort))
    here, age = present(cohort), cohort.age(today)
    child = here & (age < 18)
    assert counts[here & (age >= 1) & (age < 5)].mean() > 1.5 * counts[child & (age >= 5)].mean()
    assert counts[child & (cohort.quintile == 1)].mean() > 1.5 * counts[child & (cohort.quintile == 5)].mean()
    often = child & (counts >= 3)
    assert 0.01 < often[child].mean() < 0.06
    assert (simulated.history.active(today).sum(axis=0) == 0)[often].mean() > 0.6


def test_the_truth_says_what_comes_and_no_more(simulated: Simulated, emergencies: pd.DataFrame, attendances: pd.DataFrame) -> None:
    """A year before the extract: the mean of the probabilities is the share to whom it happened, in every fifth of people by probability."""
    from sklearn.metrics import roc_auc_score

    truth = simulated.tables.truth.to_pandas()
    truth = truth[truth["index_date"] == date(2025, 8, 1)]
    who = position(truth)
    job = simulated.cohort.job
    stayed = (job.end[who] > job.today) | (job.death[who] < job.today)
    truth, who = truth[stayed], who[stayed]
    admitted = np.isin(who, emergencies[emergencies["admission_date"] >= date(2025, 8, 1)]["who"])
    attended = np.isin(who, attendances[attendances["arrival_date"] >= date(2025, 8, 1)]["who"])
    for name, happened, tolerance in (
        ("emergency_admission_probability", admitted, 0.12),
        ("ed_attendance_probability", attended, 0.08),
        ("death_probability", job.death[who] < job.today, 0.20),
    ):
        assert truth[name].between(0, 1).all()
        assert truth[name].mean() == pytest.approx(happened.mean(), rel=tolerance), name
    fifth = pd.qcut(truth["emergency_admission_probability"], 5, labels=False)
    seen = pd.Series(admitted, index=truth.index).groupby(fifth).mean()
    said = truth["emergency_admission_probability"].groupby(fifth).mean()
    assert seen.to_numpy() == pytest.approx(said.to_numpy(), rel=0.2, abs=0.004)
    assert 0.74 < roc_auc_score(admitted, truth["emergency_admission_probability"]) < 0.84, "no model can do better than the truth"


def test_the_hidden_traits_matter_beyond_what_is_recorded(simulated: Simulated, emergencies: pd.DataFrame) -> None:
    """Among people without any condition, the frailer half is admitted more: so no model that reads records is perfect."""
    cohort = simulated.cohort
    healthy = present(cohort) & (simulated.history.active(cohort.job.today).sum(axis=0) == 0)
    admitted = np.bincount(emergencies["who"], minlength=len(cohort))
    frail = cohort.frailty > 0
    assert admitted[healthy & frail].mean() > 1.25 * admitted[healthy & ~frail].mean()


def test_inclusion_health_people_have_few_records_and_often_no_number(simulated: Simulated, appointments: pd.DataFrame) -> None:
    cohort = simulated.cohort
    group = cohort.is_inclusion & present(cohort)
    seen = np.bincount(appointments["who"], minlength=len(cohort))
    others = present(cohort) & ~cohort.is_inclusion & (cohort.age(cohort.job.today) >= 18)
    assert 0.002 < group[present(cohort)].mean() < 0.008
    assert seen[group].mean() < 0.75 * seen[others].mean()
    assert (~cohort.job.has_number)[group].mean() > 0.03


def test_events_recorded_late_and_objections(simulated: Simulated) -> None:
    """About 3 % of events are recorded after the day they are about; Type 1 objections 2 to 3.5 % of people, national opt-outs about 5 %."""
    events = simulated.tables.practice["clinical_event"].select(["event_date", "recorded_date"]).to_pandas()
    assert (events["recorded_date"] > events["event_date"]).mean() == pytest.approx(0.03, abs=0.005)
    assert (events["recorded_date"] >= events["event_date"]).all() and (events["recorded_date"] < AS_OF).all()
    people = len(simulated.cohort)
    type_1 = simulated.tables.practice["objection"].to_pandas()
    assert 0.02 < (type_1["state"] == "dissent").sum() / people < 0.035
    assert 0.02 < (type_1["state"] == "withdrawn").sum() / (type_1["state"] == "dissent").sum() < 0.12
    national = simulated.tables.national.to_pandas()
    assert 0.04 < (national["state"] == "dissent").sum() / np.unique(simulated.cohort.job.number).size < 0.06


def test_volumes_are_those_of_a_real_ics(simulated: Simulated) -> None:
    """Per person registered, in four years: 24 appointments, 25 clinical events, 18 medication issues; within a sixth."""
    people = 40_000
    tables_made = simulated.tables.practice
    volumes = [tables_made[name].num_rows / people for name in ("appointment", "clinical_event", "medication_issue")]
    assert volumes == pytest.approx([24.2, 25, 18], rel=0.17)
