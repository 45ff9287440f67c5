"""Who is in which segment of each scheme: small tables of people, the expected group, and in the rule's words why."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuller_popheath import registry
from fuller_popheath.cohorts.segment import placed
from fuller_popheath.contracts import load_contract
from fuller_popheath.errors import SettingsWrong
from fuller_popheath.site import Site
from fuller_popheath.specs import SegmentSpec

BRIDGES: dict[str, tuple[dict[str, Any], str]] = {
    "nothing recorded": ({}, "generally_well"),
    "dementia at any age": ({"age_years": 58, "has_dementia": True}, "frailty_and_dementia"),
    "moderate frailty by the index": ({"age_years": 80, "efi_category": "moderate"}, "frailty_and_dementia"),
    "mild frailty is not enough": ({"age_years": 80, "efi_category": "mild"}, "generally_well"),
    "severe frailty coded at 65": ({"age_years": 65, "coded_frailty": "severe"}, "frailty_and_dementia"),
    "coded at 64: the published rule starts at 65": ({"age_years": 64, "coded_frailty": "severe"}, "generally_well"),
    "heart failure": ({"has_heart_failure": True}, "organ_failure"),
    "frailty goes before organ failure": ({"age_years": 80, "efi_category": "severe", "has_heart_failure": True}, "frailty_and_dementia"),
    "kidney disease of stage 5": ({"has_chronic_kidney_disease": True, "latest_egfr": 14.9}, "organ_failure"),
    "stage 4": ({"has_chronic_kidney_disease": True, "latest_egfr": 15.0, "condition_count": 1}, "long_term_conditions"),
    "stage 4 and four emergency admissions": (
        {"has_chronic_kidney_disease": True, "latest_egfr": 29.9, "emergency_admission_count_365": 4},
        "organ_failure",
    ),
    "stage 3 and as many": (
        {"has_chronic_kidney_disease": True, "latest_egfr": 30.0, "emergency_admission_count_365": 9, "condition_count": 1},
        "long_term_conditions",
    ),
    "a low eGFR without the diagnosis": ({"latest_egfr": 10.0}, "generally_well"),
    "cancer that has spread": ({"has_metastatic_cancer": True}, "incurable_cancer"),
    "cancer and palliative care": ({"has_cancer": True, "has_palliative_care": True}, "incurable_cancer"),
    "cancer alone": ({"has_cancer": True, "condition_count": 1}, "long_term_conditions"),
    "palliative care alone": ({"has_palliative_care": True}, "long_term_conditions"),
    "learning disability goes before its being a condition": ({"has_learning_disability": True, "condition_count": 1}, "disability"),
    "low vision": ({"has_visual_impairment": True, "condition_count": 1}, "disability"),
    "one long-term condition": ({"condition_count": 1}, "long_term_conditions"),
    "a pregnant woman with asthma": ({"age_years": 30, "has_pregnancy": True, "condition_count": 1}, "long_term_conditions"),
    "pregnancy": ({"age_years": 30, "has_pregnancy": True}, "maternal_and_infant"),
    "eleven months old": ({"age_years": 0}, "maternal_and_infant"),
    "one year old": ({"age_years": 1}, "generally_well"),
    "in hospital as an emergency": (
        {"is_in_hospital": True, "days_since_last_admission": 45, "days_since_last_emergency_admission": 45},
        "acutely_ill",
    ),
    "in hospital for a planned operation": ({"is_in_hospital": True, "days_since_last_admission": 4}, "generally_well"),
    "in hospital for a planned operation, months after an emergency": (
        {"is_in_hospital": True, "days_since_last_admission": 4, "days_since_last_emergency_admission": 200},
        "generally_well",
    ),
    "an emergency department 30 days ago": ({"days_since_last_ed_attendance": 30}, "acutely_ill"),
    "31 days ago": ({"days_since_last_ed_attendance": 31}, "generally_well"),
    "an emergency admission lately": ({"days_since_last_emergency_admission": 3}, "acutely_ill"),
    "a child can be in it": ({"age_years": 7, "condition_count": 1}, "long_term_conditions"),
}
CHILDREN: dict[str, tuple[dict[str, Any], str]] = {
    "an adult, however ill": ({"age_years": 18, "has_cancer": True}, "adult"),
    "cancer": ({"has_cancer": True}, "complex"),
    "four conditions": ({"condition_count": 4}, "complex"),
    "looked after, and with asthma": ({"has_looked_after_child": True, "condition_count": 1}, "looked_after"),
    "looked after, with complex needs": ({"has_looked_after_child": True, "has_palliative_care": True}, "complex"),
    "autism": ({"has_autism": True}, "disability"),
    "an eating disorder counts as mental health, though it is one of the 37": ({"has_eating_disorder": True, "condition_count": 1}, "mental_health"),
    "epilepsy at nine, which no register for adults knows": ({"condition_count": 1}, "long_term_condition"),
    "often seen, with asthma": ({"condition_count": 1, "contact_count_365": 30}, "long_term_condition"),
    "often seen without a condition": ({"contact_count_365": 6, "ed_attendance_count_365": 4}, "high_use"),
    "not quite so often": ({"contact_count_365": 9}, "generally_well"),
    "never seen": ({}, "generally_well"),
}
FULLER: dict[str, tuple[dict[str, Any], str]] = {
    "high need": ({"level": "high", "condition_count": 5}, "continuity"),
    "some need": ({"level": "some"}, "continuity"),
    "a condition": ({"condition_count": 1}, "prevention"),
    "high blood pressure": ({"has_hypertension": True}, "prevention"),
    "raised glucose": ({"has_non_diabetic_hyperglycaemia": True}, "prevention"),
    "obesity": ({"has_obesity": True}, "prevention"),
    "smokes": ({"smoking_status": "current"}, "prevention"),
    "used to smoke": ({"smoking_status": "former"}, "same_day_and_episodic"),
    "a healthy child": ({"age_years": 4}, "same_day_and_episodic"),
}
NEED = {level: ({"level": level}, level) for level in ("high", "some", "none")}
TIERS: dict[str, tuple[dict[str, Any], str]] = {
    **{band: ({"band": band}, f"tier_{n + 1}") for n, band in enumerate(("very high", "high", "raised", "average", "low"))},
    "no score": ({"band": ""}, "not_scored"),
}
EXPECTED = {"bridges_to_health": (BRIDGES, 40), "children": (CHILDREN, 9), "fuller_split": (FULLER, 40), "continuity_need": (NEED, 40)}
EXPECTED["risk_tier"] = (TIERS, 40)
CASES = [(scheme, who) for scheme, (people, _) in EXPECTED.items() for who in people]


def usual(scheme: SegmentSpec, age: int) -> dict[str, Any]:
    """Somebody of whom nothing is recorded, as a scheme reads them."""
    found: dict[str, Any] = {}
    for contract, names in scheme.columns.items():
        kinds = {column.name: column for column in load_contract(contract).columns}
        for name in names:
            kind = kinds[name].logical_type
            found[name] = {"boolean": False, "string": "", "integer": 0 if kinds[name].required else np.nan}.get(kind, np.nan)
    return {**found, **{name: value for name, value in {"age_years": age, "level": "none"}.items() if name in found}}


def placed_one(scheme: str, person: dict[str, Any], age: int, site: Site | None = None) -> tuple[str, str]:
    spec = registry.segments()[scheme]
    full = {**usual(spec, age), **{name: value for name, value in person.items() if name in usual(spec, age)}}
    segment, rule = placed(
        spec, {name: np.array([value], dtype=object if isinstance(value, str) else None) for name, value in full.items()}, site or Site(), 1
    )
    return spec.groups[segment[0]].name, spec.rules[rule[0]]


@pytest.mark.parametrize(("scheme", "who"), CASES)
def test_who_is_in_which_group(scheme: str, who: str) -> None:
    people, age = EXPECTED[scheme]
    person, group = people[who]
    assert placed_one(scheme, person, age)[0] == group


def test_every_scheme_and_every_group_of_it_is_tested() -> None:
    assert set(EXPECTED) == set(registry.segments())
    for name, scheme in registry.segments().items():
        assert {group for _, group in EXPECTED[name][0].values()} == {group.name for group in scheme.groups}, name


def test_the_rule_that_decided_is_said() -> None:
    frail = {"age_years": 80, "efi_category": "severe", "has_heart_failure": True}
    assert placed_one("bridges_to_health", frail, 80)[1] == "aged 65 or over, and the electronic frailty index says moderate or severe frailty"
    assert placed_one("children", {"contact_count_365": 12}, 9)[1].startswith("no long-term condition, and contacts and ED attendances")
    assert placed_one("fuller_split", {"smoking_status": "current"}, 40)[1] == "smokes, and no special need for continuity"


def test_every_scheme_prints_what_each_group_means_and_what_it_cannot_tell() -> None:
    for scheme in registry.segments().values():
        assert len({group.name for group in scheme.groups}) == len(scheme.groups)
        assert all(group.title and group.meaning.endswith(".") for group in scheme.groups)
        assert len(scheme.limits) > 100, scheme.name
    assert "precedence" in registry.segments()["bridges_to_health"].limits
    assert "Hospital Frailty Risk Score" in registry.segments()["bridges_to_health"].limits
    assert "a single low value is no stage by itself" in registry.segments()["bridges_to_health"].limits
    assert "Planned and maternity stays are not acutely ill" in registry.segments()["bridges_to_health"].limits


def test_tiers_follow_the_bands_of_the_site_from_the_highest() -> None:
    three = Site(risk={"bands": {"red": 0.4, "amber": 0.1, "green": 0.0}})
    assert [placed_one("risk_tier", {"band": band}, 40, three)[0] for band in ("red", "amber", "green", "")] == [
        "tier_1",
        "tier_2",
        "tier_3",
        "not_scored",
    ]


@pytest.mark.parametrize(
    ("bands", "said"),
    [
        ({"red": 0.4, "green": 0.0}, "1 people in bands that risk.bands does not name"),
        ({str(n): 0.5 - n / 10 for n in range(6)}, "6 bands, and risk_tier has 5 tiers"),
    ],
)
def test_bands_that_do_not_fit_are_refused(bands: dict[str, float], said: str) -> None:
    with pytest.raises(SettingsWrong, match=said):
        placed_one("risk_tier", {"band": "high"}, 40, Site(risk={"bands": bands}))


@given(data=st.data())
def test_anybody_at_all_is_in_exactly_one_group_of_every_scheme_as_in_a_crowd(data: st.DataObject) -> None:
    people = 4
    for scheme in registry.segments().values():
        values: dict[str, np.ndarray] = {}
        for contract, names in scheme.columns.items():
            kinds = {column.name: column for column in load_contract(contract).columns}
            for name in names:
                each = {"boolean": st.booleans(), "string": st.sampled_from(["", *(kinds[name].allowed or ("very high", "low"))])}
                number = st.integers(0, 110) if kinds[name].required else st.one_of(st.just(np.nan), st.integers(0, 110))
                drawn = data.draw(st.lists(each.get(kinds[name].logical_type, number), min_size=people, max_size=people))
                kind = {"boolean": bool, "string": object}.get(kinds[name].logical_type, float)
                values[name] = np.array(drawn, dtype=kind)
        segment, rule = placed(scheme, values, Site(), people)
        for one in range(people):
            alone = placed(scheme, {name: column[one : one + 1] for name, column in values.items()}, Site(), 1)
            assert (segment[one], rule[one]) == (alone[0][0], alone[1][0])
