"""Who could be on which team's list: the first reason why not, what orders the rest, and their groups. The rules as small tables of people."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuller_popheath.cohorts import list_candidate
from fuller_popheath.cohorts.list_candidate import score_by
from fuller_popheath.contracts import load_contract, refuse_if_broken
from fuller_popheath.errors import ContractBroken
from fuller_popheath.methods.percentiles import mid_rank_percentile
from fuller_popheath.site import Objections, Site
from fuller_popheath.site_lists import Lists
from fuller_popheath.specs import Night

if TYPE_CHECKING:
    import pyarrow as pa

DAY = date(2026, 10, 5)
TEAM = {"team_id": "NORTH", "team_name": "North", "neighbourhood_code": "U00001", "slots_count": 40, "reserve_count": 0, "priority": "risk"}
PERSON: dict[str, Any] = {
    "neighbourhood_code": "U00001",
    "age_years": 74,
    "is_sensitive": False,
    "imd_2019_quintile": 3,
    "imd_2025_quintile": 3,
    "has_type_1_objection": False,
    "type_1_reason": "no_record",
    "excluded_from_rule_list": False,
    "excluded_from_score_list": False,
    "points": 4,
    "level": "high",
    "reason_codes": "dementia",
    "gap": 0.5,
    "emergency_admission_count_730": 0,
    "contact_count_365": 3,
    "has_palliative_care": False,
    "has_care_home": False,
    "has_housebound": False,
    "probability": 0.2,
}
REVIEW = {"issue_id": "list-2026-09-07", "team_id": "NORTH", "row_reference": "BCDFGH", "received_on": date(2026, 9, 8), "is_wish": False}
ONE_EACH = (
    *("core/person", "core/person_objection", "core/continuity_need", "core/continuity_gap"),
    *("features/hospital", "features/contacts", "features/conditions"),
)
OBJECTS = {"has_type_1_objection": True, "type_1_reason": "dissent", "excluded_from_rule_list": True, "excluded_from_score_list": True}


def pseudonym(name: str) -> str:
    return name.ljust(12, "a")


def table(contract_id: str, rows: list[dict[str, Any]]) -> pa.Table:
    import pyarrow as pa

    schema = load_contract(contract_id).schema
    return pa.table({f.name: pa.array([{"as_of": DAY, **row}.get(f.name) for row in rows], f.type) for f in schema}, schema=schema)


def made_of(
    people: list[dict[str, Any]], teams: list[dict[str, Any]] | None = None, reviews: list[dict[str, Any]] | None = None
) -> dict[str, pa.Table]:
    """What the table rests on. A person's `plus` are the PLUS groups they are in, `plus_unknown` those of which nothing is recorded."""
    import pyarrow as pa

    rows = sorted(({**PERSON, **row, "person_id": pseudonym(row["name"])} for row in people), key=lambda row: str(row["person_id"]))
    plus = [(row["person_id"], group, "yes") for row in rows for group in row.get("plus", ())]
    plus += [(row["person_id"], group, "not_recorded") for row in rows for group in row.get("plus_unknown", ())]
    scored = [row for row in rows if row["probability"] is not None]
    said = [{**REVIEW, **row, "person_id": pseudonym(row["name"])} for row in reviews or []]
    text = pa.string()
    return {
        **{name: table(name, rows) for name in ONE_EACH},
        "core/team_capacity": table("core/team_capacity", [{**TEAM, **team} for team in teams or [{}]]),
        "core/person_plus": pa.table({n: pa.array([r[at] for r in plus], text) for at, n in enumerate(("person_id", "plus_group", "membership"))}),
        "core/review": table("core/review", said),
        "risk/score": table("risk/score", [{**row, "outcome": "emergency_admission_12m"} for row in scored]),
    }


def built(
    people: list[dict[str, Any]],
    teams: list[dict[str, Any]] | None = None,
    reviews: list[dict[str, Any]] | None = None,
    objections: Objections | None = None,
    **lists: Any,
) -> pa.Table:
    night = Night(DAY, Site(lists=Lists(**lists), objections=objections or Objections()))
    inputs = made_of(people, teams, reviews)
    made = list_candidate.build({name: inputs[name] for name in list_candidate.TABLE.inputs}, night)
    return refuse_if_broken(made, load_contract("core/list_candidate"))


def told(candidates: pa.Table, column: str) -> dict[str, Any]:
    return {person.rstrip("a"): value for person, value in zip(candidates["person_id"].to_pylist(), candidates[column].to_pylist(), strict=True)}


def test_the_first_reason_that_is_true_is_told() -> None:
    declined = {"name": "f", "review_outcome": "declined", "reviewed_on": date(2026, 9, 8), "ends_on": date(2027, 9, 8)}
    candidates = built(
        [
            {"name": "b", **OBJECTS, "is_sensitive": True},
            {"name": "c", **OBJECTS, "type_1_reason": "unknown"},
            {"name": "d", "excluded_from_rule_list": True, "excluded_from_score_list": True, "is_sensitive": True},
            {"name": "e", "is_sensitive": True},
            {"name": "f", "points": 0},
            {"name": "g", "has_care_home": True, "points": 0},
            {"name": "h", "points": 1},
            {"name": "i", "points": 2},
        ],
        teams=[{"exclude": "care_home"}],
        reviews=[declined],
    )
    assert told(candidates, "verdict") == {
        "b": "type_1_objection",
        "c": "type_1_unknown",
        "d": "national_objection",
        "e": "sensitive_record",
        "f": "review",
        "g": "team_excludes",
        "h": "below_points",
        "i": "eligible",
    }
    assert {name for name, score in told(candidates, "score").items() if score is not None} == {"i"}
    assert told(candidates, "kept_off_by")["f"] == "declined"
    assert told(candidates, "kept_off_until")["f"] == date(2027, 9, 8)


def test_a_review_that_has_ended_keeps_nobody_off_and_a_wish_does_so_at_every_team() -> None:
    wish = {"review_outcome": "no_lists_please", "is_wish": True, "reviewed_on": date(2024, 1, 5), "team_id": "ELSEWHERE"}
    ended = {"review_outcome": "declined", "reviewed_on": date(2025, 10, 5), "ends_on": DAY}
    candidates = built([{"name": "b"}, {"name": "c"}], reviews=[{"name": "b", **ended}, {"name": "c", **wish}])
    assert told(candidates, "verdict") == {"b": "eligible", "c": "review"}
    assert told(candidates, "kept_off_until") == {"b": None, "c": None}


@pytest.mark.parametrize(
    ("priority", "by_rule", "by_score", "verdict"),
    [
        ("risk", False, True, "type_1_objection"),
        ("risk_and_gap", False, True, "type_1_objection"),
        ("gap", False, True, "eligible"),
        ("need", False, True, "eligible"),
        ("risk", True, False, "eligible"),
        ("need", True, False, "type_1_objection"),
    ],
)
def test_an_objection_to_lists_made_from_scores_counts_where_a_score_orders_the_list(
    priority: str, by_rule: bool, by_score: bool, verdict: str
) -> None:
    excluded = {**OBJECTS, "excluded_from_rule_list": by_rule, "excluded_from_score_list": by_score}
    matrix = Objections(type_1=tuple(name for name, is_in in (("rule_list", by_rule), ("score_list", by_score)) if is_in), national_data_opt_out=())
    candidates = built([{"name": "b", **excluded}, {"name": "c"}], teams=[{"priority": priority}], objections=matrix)
    assert told(candidates, "verdict") == {"b": verdict, "c": "eligible"}
    # The risk of somebody who objects to its use on lists stands on none.
    assert told(candidates, "risk")["b"] == (None if by_score else 0.2)


def test_without_a_model_the_list_is_ordered_by_need_and_objections_are_those_to_lists_by_rule() -> None:
    excluded = {**OBJECTS, "excluded_from_rule_list": False}
    people = [{"name": "b", "points": 5}, {"name": "c", "points": 3, **excluded}]
    candidates = built([{**row, "probability": None} for row in people], objections=Objections(type_1=("score_list",)))
    assert told(candidates, "score") == {"b": 5, "c": 3}
    assert set(candidates["priority_used"].to_pylist()) == {"need"}


@pytest.mark.parametrize(
    ("team", "excluded"),
    [
        ({"exclude": "under_18"}, {"child"}),
        ({"exclude": "adult"}, {"care_home", "housebound", "dementia"}),
        ({"exclude": "care_home;housebound"}, {"care_home", "housebound"}),
        ({"minimum_age": 18}, {"child"}),
        ({"minimum_age": 17}, set()),
        ({"maximum_age": 80}, {"housebound"}),
        ({"maximum_age": 81}, set()),
        ({"skills": "children"}, {"care_home", "housebound", "dementia"}),
        ({"skills": "children;palliative_care"}, {"housebound", "dementia"}),
        ({"skills": "frailty"}, {"child", "care_home"}),
        ({}, set()),
    ],
)
def test_a_team_sees_whom_its_exclusions_ages_and_skills_leave(team: dict[str, Any], excluded: set[str]) -> None:
    people = {
        "child": {"age_years": 17, "reason_codes": "looked_after_child"},
        "care_home": {"age_years": 70, "has_care_home": True, "reason_codes": "four_or_more_conditions,end_of_life"},
        "housebound": {"age_years": 81, "has_housebound": True, "reason_codes": "four_or_more_conditions,housebound"},
        "dementia": {"age_years": 18},
    }
    short = dict(zip(people, "bcde", strict=True))
    candidates = built([{"name": short[name], **row} for name, row in people.items()], teams=[team])
    verdicts = told(candidates, "verdict")
    assert {name for name in people if verdicts[short[name]] == "team_excludes"} == excluded


def test_who_is_in_no_neighbourhood_of_a_team_has_no_row_and_who_is_served_by_two_teams_has_two() -> None:
    teams = [{"team_id": "T2", "priority": "need"}, {"team_id": "T1"}, {"team_id": "T3", "neighbourhood_code": "U00009"}]
    candidates = built([{"name": "b"}, {"name": "c", "neighbourhood_code": "U"}, {"name": "d"}], teams=teams)
    rows = list(zip(candidates["team_id"].to_pylist(), candidates["person_id"].to_pylist(), strict=True))
    assert rows == [("T1", pseudonym("b")), ("T1", pseudonym("d")), ("T2", pseudonym("b")), ("T2", pseudonym("d"))]
    assert candidates["priority_used"].to_pylist() == ["risk", "risk", "need", "need"]


def test_groups() -> None:
    people = [
        {"name": "b", "imd_2025_quintile": 1, "imd_2019_quintile": 2, "age_years": 64, "plus": ("carer", "autism"), "contact_count_365": 0},
        {"name": "c", "imd_2025_quintile": None, "age_years": 17, "plus_unknown": ("carer",), "emergency_admission_count_730": 1},
        {"name": "d", "age_years": 65, "has_palliative_care": True},
        {"name": "e"},
    ]
    accepted = {"name": "e", "review_outcome": "accepted", "reviewed_on": date(2026, 1, 5), "ends_on": date(2026, 7, 6)}
    candidates = built(people, reviews=[accepted])
    found = {name: told(candidates, name) for name in ("is_core20", "is_plus", "is_under_18", "is_low_contact", "is_newly_surfaced")}
    assert {name: {who for who, is_in in each.items() if is_in} for name, each in found.items()} == {
        "is_core20": {"b"},
        "is_plus": {"b"},
        "is_under_18": {"c"},
        "is_low_contact": {"b"},
        # c was admitted within two years, d is on the palliative care register, e was accepted by a team.
        "is_newly_surfaced": {"b"},
    }
    assert told(candidates, "age_band") == {"b": "18_64", "c": "under_18", "d": "65_plus", "e": "65_plus"}
    assert told(candidates, "plus_groups") == {"b": "autism,carer", "c": None, "d": None, "e": None}
    assert {who for who, is_in in told(built(people, imd_edition="2019"), "is_core20").items() if is_in} == set()


def test_scores_by_each_priority() -> None:
    points, risk, gap = np.array([5.0, 3.0, 2.0, 2.0]), np.array([0.1, 0.4, np.nan, 0.2]), np.array([0.5, np.nan, 1.0, 0.2])
    assert score_by("risk", points, risk, gap).tolist() == [0.1, 0.4, 0, 0.2]
    assert score_by("gap", points, risk, gap).tolist() == [0.5, 0, 1.0, 0.2]
    assert score_by("need", points, risk, gap).tolist() == [5, 3, 2, 2]
    # By gap (0.5, 0, 1, 0.2) the places are 5/8, 1/8, 7/8, 3/8; by risk among the three scored 1/6, 5/6 and 1/2; the third by the gap alone.
    assert score_by("risk_and_gap", points, risk, gap).tolist() == pytest.approx(
        [(5 / 8 + 1 / 6) / 2, (1 / 8 + 5 / 6) / 2, 7 / 8, (3 / 8 + 1 / 2) / 2]
    )


@given(st.lists(st.integers(0, 5), min_size=1, max_size=30))
def test_places_are_the_share_below_and_half_of_those_alike(numbers: list[int]) -> None:
    places = mid_rank_percentile(np.array(numbers, np.float64))
    for number, place in zip(numbers, places, strict=True):
        below, alike = sum(each < number for each in numbers), numbers.count(number)
        assert place == pytest.approx((below + alike / 2) / len(numbers))
    assert places.mean() == pytest.approx(0.5)


def test_places_count_only_those_who_could_be_listed() -> None:
    # b, who is below the points, has the highest risk and gap of all, and moves nobody.
    three = [{"name": "c", "probability": 0.3, "gap": 0.4}, {"name": "d", "probability": 0.1, "gap": 0.8}]
    high = {"name": "b", "points": 0, "probability": 0.9, "gap": 1.0}
    team = [{"priority": "risk_and_gap"}]
    assert told(built([*three, high], team), "score") == {**told(built(three, team), "score"), "b": None}


def test_another_order_of_people_in_a_table_is_refused() -> None:
    inputs = made_of([{"name": "b"}, {"name": "c"}])
    inputs["core/continuity_gap"] = inputs["core/continuity_gap"].take([1, 0])
    with pytest.raises(ContractBroken, match="core/continuity_gap is not about the same people"):
        list_candidate.build(inputs, Night(DAY, Site()))


def test_no_team_and_no_people_are_tables_without_rows() -> None:
    inputs = made_of([{"name": "b"}])
    inputs["core/team_capacity"] = inputs["core/team_capacity"].slice(0, 0)
    assert list_candidate.build(inputs, Night(DAY, Site())).num_rows == 0
    assert built([]).num_rows == 0
