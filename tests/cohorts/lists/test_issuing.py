"""A new issue: whose people may be on it, what stands behind it, and what is asked for by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from fuller_popheath.cohorts.row_reference import SHORTEST, row_reference, row_references
from fuller_popheath.cohorts.tonights_lists import COLUMNS, INPUTS, lists_of_tonight
from fuller_popheath.errors import ContractBroken, SettingsWrong
from fuller_popheath.publish.list_front import expected_in_words, first_sheet_lines
from fuller_popheath.specs import Night

LIST, ACCOUNT, LOG, GROUP = "products/cohort_list", "products/cohort_list_account", "core/selection_log", "core/selection_group"
DAY = timedelta(days=1)


def tonight(place: Any, tables: dict[str, pa.Table], **asked: Any) -> dict[str, pa.Table]:
    return lists_of_tonight({name: tables[name] for name in INPUTS}, None, Night(as_of=place.monday, site=place.site), **asked)


@pytest.mark.parametrize("how", ["as the candidates say", "by the practice tonight", "not registered at all"])
def test_another_teams_people_are_refused_with_their_number(world: Callable[..., Any], how: str) -> None:
    place = world()
    tables = place.tables(place.monday)
    candidates = tables["core/list_candidate"]
    if how == "by the practice tonight":
        for name in ("nb", "nc"):
            place.people[name] |= {"practice_code": "A00003", "neighbourhood_code": "U00002"}
        tables["core/person"] = place.tables(place.monday)["core/person"]
    elif how == "not registered at all":
        del place.people["nb"], place.people["nc"]
        tables["core/person"] = place.tables(place.monday)["core/person"]
    else:
        of_quay = candidates.filter(pc.equal(candidates["team_id"], "QUAY")).slice(0, 2)
        planted = of_quay.set_column(1, "team_id", pa.array(["NORTH", "NORTH"]))
        tables["core/list_candidate"] = pa.concat_tables([candidates, planted])
    with pytest.raises(ContractBroken, match=r"2 people who could be listed are not of their team's neighbourhood \(NORTH: 2 people\)"):
        tonight(place, tables)


def test_a_column_that_identifies_people_is_refused(world: Callable[..., Any]) -> None:
    place = world()
    tables = place.tables(place.monday)
    person = tables["core/person"]
    tables["core/person"] = person.append_column("nhs_number", pa.array(["9434765919"] * person.num_rows))
    with pytest.raises(ContractBroken, match=r"core/person: nhs_number identifies people \(11 rows\)") as refusal:
        tonight(place, tables)
    assert "9434765919" not in str(refusal.value)


def test_the_columns_that_are_wanted_are_enough(world: Callable[..., Any]) -> None:
    place = world({"na": {"points": 12, "risk": 0.3, "risk_change": "rose"}})
    tables = place.tables(place.monday)
    narrow = {name: tables[name].select(list(COLUMNS[name])) if name in COLUMNS else tables[name] for name in INPUTS}
    whole = tonight(place, tables)
    made = tonight(place, narrow)
    assert all(made[name].equals(whole[name]) for name in whole)
    assert place.row(made, "na")["risk_change"] == "rose: two falls (before: one)"


def test_a_risk_stands_beside_nobody_who_objects_to_lists_made_from_scores(world: Callable[..., Any]) -> None:
    place = world({name: {"points": 12, "risk": 0.3, "excluded_from_score_list": name == "na"} for name in ("na", "nb")})
    lists = place.lists(place.monday)
    shown = [(place.row(lists, name)["risk_words"], place.row(lists, name)["risk_reasons"]) for name in ("na", "nb", "nc")]
    assert shown == [(None, None), ("about 1 in 6", "reason 1; reason 2; reason 3"), (None, None)]
    assert [place.account(lists, team)["is_demonstration"] for team in ("NORTH", "QUAY")] == [True, False]


def test_everybody_is_accounted_for(world: Callable[..., Any]) -> None:
    people: dict[str, dict[str, Any]] = {
        "low": {"points": 1},
        "obj": {"points": 9, "excluded_from_rule_list": True},
        "sec": {"points": 9, "is_sensitive": True},
        "far": {"points": 9, "practice_code": "A00009", "neighbourhood_code": "U"},
    }
    place = world(people, slots_count=20, reserve_count=2)
    lists = place.lists(place.monday)
    account = place.account(lists)
    told = {name: account[f"{name}_count"] for name in ("registered", "eligible", "below_points", "national_objection", "sensitive_record")}
    assert told == {"registered": 11, "eligible": 8, "below_points": 1, "national_objection": 1, "sensitive_record": 1}
    assert [account[f"{name}_count"] for name in ("issued", "listed", "removed", "shortfall")] == [8, 8, 0, 10]
    nobodys = place.account(lists, "NO-TEAM")
    assert (nobodys["registered_count"], nobodys["no_team_count"], nobodys["listed_count"], nobodys["neighbourhood_code"]) == (1, 1, 0, "U")
    assert sum(row["registered_count"] for row in lists[ACCOUNT].to_pylist()) == len(place.people)
    # It stands until the next issue, whose people it then counts.
    del place.people["far"]
    later = place.lists(place.monday + DAY, lists)
    assert place.account(later, "NO-TEAM")["no_team_count"] == 1
    assert "NO-TEAM" not in place.lists(place.monday + 7 * DAY, later)[ACCOUNT]["team_id"].to_pylist()


def test_a_team_nobody_can_be_listed_for_has_an_account_and_no_rows(world: Callable[..., Any]) -> None:
    place = world()
    place.teams["EMPTY"] = {"neighbourhood_code": "U00003", "neighbourhood_name": None}
    lists = place.lists(place.monday)
    account = place.account(lists, "EMPTY")
    assert (account["listed_count"], account["shortfall_count"], account["threshold_score"], account["value"]) == (0, 3, None, None)
    assert account["coverage"] == "No practice of this neighbourhood is known to have sent a list."
    assert {row["group"] for row in lists[GROUP].to_pylist() if row["team_id"] == "EMPTY"} >= {"core20", "plus", "under_18", "carer"}
    assert place.account(place.lists(place.monday + DAY, lists), "EMPTY")["issued_on"] == place.monday


def test_practices_that_sent_nothing_or_something_old_are_said_by_name(world: Callable[..., Any]) -> None:
    place = world()
    tables = place.tables(place.monday)
    checks = tables["core/list_size_check"].to_pylist()
    checks[0] |= {"list_state": "stale", "extract_age_days": 12}
    checks[1] |= {"list_state": "never", "extract_age_days": None}
    tables["core/list_size_check"] = pa.Table.from_pylist(checks, schema=tables["core/list_size_check"].schema)
    account = place.account(tonight(place, tables))
    assert account["coverage"] == (
        "1 of 2 practices have sent a list. None from MILL HOUSE (A00002): their people cannot be listed. Old: GREEN LANE SURGERY (A00001), 12 days."
    )
    assert (account["stale_practice_count"], account["missing_practice_count"], account["oldest_extract_age_days"]) == (1, 1, 12)


def test_floors_are_told_with_what_they_cost(world: Callable[..., Any]) -> None:
    people = {name: {"points": points, "imd_2025_quintile": 1} for name, points in (("ng", 6), ("nh", 5))}
    place = world(people, slots_count=4, core20_floor=2.0)
    account = place.account(place.lists(place.monday))
    # Two of eight are Core20, so at least 2 of 4; without the floor the four best have 12 + 11 + 10 + 9 = 42 points, with it 12 + 11 + 6 + 5.
    assert account["floors"] == (
        "Core20 (the most deprived fifth): at least 2 times their share, which is 2; 2 are listed, and cost 8 of the sum of scores."
    )
    assert (account["value"], account["floors_unmet"]) == (34.0, None)
    assert place.account(world(slots_count=4, under_18_floor=5.0, newly_surfaced_percent=0.0).lists(place.monday))["floors_unmet"] is None
    many = world(
        {name: {"points": 9, "emergency_admission_count_730": 1} for name in ("na", "nb", "nc", "nd", "ne", "nf", "ng")}, newly_surfaced_percent=100.0
    )
    assert place.account(many.lists(place.monday))["floors_unmet"] == "newly surfaced people: 2 too few"


def test_the_log_holds_everybody_who_could_be_listed(world: Callable[..., Any]) -> None:
    place = world({"low": {"points": 1}}, slots_count=2)
    lists = place.lists(place.monday)
    log = [row for row in lists[LOG].to_pylist() if row["team_id"] == "NORTH"]
    assert [row["person_id"].rstrip("x") for row in sorted(log, key=lambda row: row["rank_by_score"])] == [f"n{letter}" for letter in "abcdefgh"]
    listed = [row for row in log if row["is_listed"]]
    assert [(row["rank"], row["row_reference"]) for row in listed] == [
        (place.row(lists, name)["rank"], place.row(lists, name)["row_reference"]) for name in ("na", "nb")
    ]
    assert {(row["decided_by"], row["rank"], row["row_reference"]) for row in log if not row["is_listed"]} == {(None, None, None)}
    assert {row["threshold"] for row in log} == {11.0}


def test_one_teams_list_is_made_anew_and_the_others_stand(world: Callable[..., Any]) -> None:
    place = world()
    first = place.lists(place.monday)
    asked = {"teams": ("NORTH",), "changes": {"NORTH": {"slots_count": 5}}}
    second = place.lists(place.monday, first, **asked)
    assert {(row["team_id"], row["issue_id"]) for row in second[LIST].to_pylist()} == {("NORTH", "list-2026-10-05-2"), ("QUAY", "list-2026-10-05")}
    assert place.on_list(second) == ["na", "nb", "nc", "nd", "ne"]
    of_quay = [table.filter(pc.equal(table["team_id"], "QUAY")) for table in (first[LIST], second[LIST])]
    assert of_quay[0].equals(of_quay[1])
    assert place.changes(second)["ne"] == ("joined", "the team's first list; place 5 of 8 by score")
    # The log of the day keeps the list that was replaced; the next day's holds the standing ones alone.
    assert set(second[LOG]["issue_id"].to_pylist()) == {"list-2026-10-05", "list-2026-10-05-2"}
    third = place.lists(place.monday + DAY, second)
    lists = set(zip(third[LOG]["issue_id"].to_pylist(), third[LOG]["team_id"].to_pylist(), strict=True))
    assert lists == {("list-2026-10-05-2", "NORTH"), ("list-2026-10-05", "QUAY")}
    fourth = place.lists(place.monday + 2 * DAY, third, changes={"NORTH": {"priority": "gap", "slots_count": 2}})
    assert place.account(fourth)["issue_id"] == "list-2026-10-07-2"
    assert place.account(fourth)["priority_used"] == "gap"
    # On the usual day every team has a list of the same issue, with its own settings.
    assert {row["issue_id"] for row in place.lists(place.monday + 7 * DAY, fourth)[ACCOUNT].to_pylist()} == {"list-2026-10-12"}


def test_a_list_by_risk_leaves_out_who_objects_to_scores(world: Callable[..., Any]) -> None:
    people = {name: {"points": 12, "risk": risk, "excluded_from_score_list": name == "nb"} for name, risk in (("na", 0.1), ("nb", 0.9), ("nc", 0.5))}
    place = world(people, slots_count=3)
    first = place.lists(place.monday)
    assert "nb" in place.on_list(first)
    second = place.lists(place.monday, first, changes={"NORTH": {"priority": "risk", "slots_count": 2}})
    assert place.on_list(second) == ["nc", "na"]
    assert place.account(second)["expected_admissions"] == pytest.approx(0.6)


def test_nobody_is_on_two_lists_of_one_neighbourhood(world: Callable[..., Any]) -> None:
    place = world()
    place.teams["ALSO"] = {"neighbourhood_code": "U00001", "slots_count": 2}
    first = place.lists(place.monday)
    assert (place.on_list(first, "ALSO"), place.on_list(first)) == (["na", "nb"], ["nc", "nd", "ne"])
    # Made anew alone, a team takes nobody from the other.
    second = place.lists(place.monday, first, teams=("NORTH",))
    assert place.on_list(second) == ["nc", "nd", "ne"]
    # Where the first team has more places, it takes nobody whom the other keeps.
    place.teams["ALSO"]["slots_count"] = 3
    third = place.lists(place.monday + 7 * DAY, second)
    assert (place.on_list(third, "ALSO"), place.on_list(third)) == (["na", "nb", "nf"], ["nc", "nd", "ne"])
    told = {team: [place.account(third, team)[f"{name}_count"] for name in ("eligible", "issued", "elsewhere")] for team in ("ALSO", "NORTH")}
    assert told == {"ALSO": [8, 3, 3], "NORTH": [8, 3, 3]}
    # Whom the other would not keep it may take, and the list says where they are: ne comes last of all now.
    place.people["ne"]["points"], place.teams["ALSO"]["slots_count"] = 4, 6
    fourth = place.lists(place.monday + 14 * DAY, third)
    assert (place.on_list(fourth, "ALSO"), place.on_list(fourth)) == (["na", "nb", "nf", "ng", "nh", "ne"], ["nc", "nd"])
    assert place.changes(fourth)["ne"] == ("left", "is on the list of team ALSO now")


def test_whoever_is_on_another_teams_list_is_not_said_to_have_no_place(world: Callable[..., Any]) -> None:
    place = world()
    place.teams["ALSO"] = {"neighbourhood_code": "U00001", "slots_count": 2}
    said = dict(first_sheet_lines(place.account(place.lists(place.monday)), Night(as_of=place.monday, site=place.site)))
    assert said["Who is not"] == "2 are on the list of another team of the neighbourhood; 3 could have been listed, but there is no place for them."


def test_a_yield_says_of_how_many_it_is(world: Callable[..., Any]) -> None:
    place = world({"na": {"points": 12, "risk": 0.5}, "nb": {"points": 11, "risk": 0.5}})
    lists = place.lists(place.monday)
    assert [place.account(lists, team)["scored_count"] for team in ("NORTH", "QUAY")] == [2, 0]
    words = [expected_in_words({**place.account(lists), "issued_count": issued, "is_demonstration": False}) for issued in (3, 2)]
    told = "would have an emergency admission within 12 months, by the model."
    assert words == [f" About 1 (0 to 2) of the 2 with a known risk {told}", f" About 1 (0 to 2) of them {told}"]


def test_a_list_made_anew_on_its_day_is_compared_with_the_one_before_the_day(world: Callable[..., Any]) -> None:
    place = world()
    first = place.lists(place.monday)
    place.people["nb"] |= {"practice_code": "A00002"}
    tuesday = place.lists(place.monday + DAY, first)
    place.people["nh"] |= {"points": 30}
    week = place.monday + 7 * DAY
    asked = {"slots_count": 4}
    # Without a stop on the way: the list of four places as it would have been made at once.
    place.teams["NORTH"] |= asked
    at_once = place.lists(week, tuesday)
    place.teams["NORTH"] |= {"slots_count": 3}
    issued = place.lists(week, tuesday)
    anew = place.lists(week, issued, changes={"NORTH": asked})
    assert place.account(anew)["issue_id"] == "list-2026-10-12-2"
    assert place.on_list(anew) == place.on_list(at_once) == ["nh", "na", "nb", "nc"]
    assert place.changes(anew) == place.changes(at_once)
    assert place.changes(anew)["nb"] == (
        "joined",
        "was taken off the last list (now registered at another practice of the neighbourhood) and can be listed again; place 3 of 8 by score",
    )
    again = place.lists(week, anew, changes={"NORTH": {"slots_count": 2}})
    assert {name: change for name, (change, _) in place.changes(again).items()} == {"nh": "joined", "na": "stayed", "nb": "left", "nc": "left"}
    assert {row["previous_issue_id"] for row in again["core/list_change"].to_pylist()} == {"list-2026-10-05"}
    # Whoever is taken off between the two runs of the day has left, for that reason.
    place.people["na"] |= {"is_sensitive": True}
    pruned = place.changes(place.lists(week, again, teams=("NORTH",)))
    assert pruned["na"] == ("left", "the record is marked as not to be shared")


def test_a_team_that_ends_with_another_ones_issue_still_says_so_that_night(world: Callable[..., Any]) -> None:
    place = world()
    first = place.lists(place.monday)
    # The quay's PCN is merged into the north's.
    del place.teams["QUAY"]
    for name in ("qa", "qb", "qc"):
        place.people[name] |= {"neighbourhood_code": "U00001"}
    place.people["qa"]["points"] = 40
    merged = place.lists(place.monday + 7 * DAY, first)
    assert place.on_list(merged) == ["qa", "na", "nb"]
    assert place.changes(merged, "QUAY") == dict.fromkeys(("qa", "qb", "qc"), ("removed", "the team is not in force any more"))
    assert not {"QUAY"} & {*merged[LIST]["team_id"].to_pylist(), *merged[ACCOUNT]["team_id"].to_pylist()}
    # Run once more it is told still, and on the next night no longer.
    assert place.changes(place.lists(place.monday + 7 * DAY, merged), "QUAY") == place.changes(merged, "QUAY")
    assert place.changes(place.lists(place.monday + 8 * DAY, merged), "QUAY") == {}


def test_a_list_from_before_a_column_was_kept_still_stands(world: Callable[..., Any]) -> None:
    place = world()
    first = place.lists(place.monday)
    older = {
        **first,
        ACCOUNT: first[ACCOUNT].drop_columns(["scored_count", "elsewhere_count"]),
        GROUP: first[GROUP].drop_columns(["admissions_given_up"]),
    }
    second = place.lists(place.monday + DAY, older)
    assert second[ACCOUNT]["scored_count"].null_count == second[ACCOUNT].num_rows > 0


def test_the_candidates_say_whether_a_model_is_in_use(world: Callable[..., Any]) -> None:
    # The only people who are scored object to lists made from scores: a model is in use all the same.
    place = world({"na": {"points": 12, "risk": 0.3, "excluded_from_score_list": True}}, priority="risk")
    lists = place.lists(place.monday)
    account = place.account(lists)
    assert account["priority_used"] == "risk"
    assert "No model is in use" not in account["rule"]


def test_a_team_that_is_no_more_has_its_people_taken_off_and_then_no_list(world: Callable[..., Any]) -> None:
    place = world()
    first = place.lists(place.monday)
    del place.teams["QUAY"]
    alone = place.lists(place.monday + DAY, first)
    assert (place.on_list(alone, "QUAY"), place.on_list(alone, "QUAY", "removed")) == ([], ["qa", "qb", "qc"])
    assert set(place.changes(alone, "QUAY").values()) == {("removed", "the team is not in force any more")}
    place.teams["WHARF"] = {"neighbourhood_code": "U00002"}
    second = place.lists(place.monday + DAY, first)
    # The new team has had no list yet, so it has one at once, and the old one ends with it.
    assert place.account(second, "WHARF")["issue_id"] == "list-2026-10-06"
    assert place.on_list(second, "WHARF") == ["qa", "qb", "qc"]
    assert "QUAY" not in second[LIST]["team_id"].to_pylist()


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no such team": ({"teams": ("SOUTH",)}, "there is no team SOUTH on 2026-10-05; there are 2"),
    "no such setting": ({"changes": {"NORTH": {"exclude": "adult"}}}, "exclude cannot be changed for one list"),
    "too many": ({"changes": {"NORTH": {"slots_count": 5000}}}, "slots_count must be from 1 to 2000"),
    "no number": ({"changes": {"NORTH": {"core20_floor": "1"}}}, "core20_floor must be a number"),
    "no priority": ({"changes": {"NORTH": {"priority": "luck"}}}, "priority must be one of risk, gap, risk_and_gap, need"),
    "all kept free": ({"changes": {"NORTH": {"reserve_count": 9}}}, "reserve_count must not be more than slots_count"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_cannot_be_asked_for(world: Callable[..., Any], what: str) -> None:
    asked, message = WRONG[what]
    place = world()
    with pytest.raises(SettingsWrong, match=message):
        place.lists(place.monday, None, **asked)


def test_a_reference_tells_nothing_and_no_two_are_alike() -> None:
    people = [f"p{number:011d}" for number in range(2_000)]
    made = row_references("list-2026-10-05", "NORTH", people)
    assert len(set(made)) == len(people)
    assert all(set(reference) <= set("BCDFGHJKMNPQRSTVWXYZ") and len(reference) >= SHORTEST for reference in made)
    assert row_references("list-2026-10-05", "NORTH", people[::-1]) == made[::-1]
    others = {row_reference("list-2026-10-12", "NORTH", people[0]), row_reference("list-2026-10-05", "QUAY", people[0])}
    assert made[0] not in others and len(others) == 2


def test_references_that_would_be_alike_are_lengthened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fuller_popheath.cohorts.row_reference.SHORTEST", 2)
    people = [f"p{number:011d}" for number in range(300)]
    made = row_references("list-2026-10-05", "NORTH", people)
    assert len(set(made)) == 300 and {len(reference) for reference in made} >= {2, 3}
    assert all(reference == row_reference("list-2026-10-05", "NORTH", person, len(reference)) for reference, person in zip(made, people, strict=True))
