"""Which teams there are on a day: rows in force, what stands in where they say nothing, areas without a team, and rows that are put aside."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fuller_popheath.arrival.landing import read_file
from fuller_popheath.cohorts import team_capacity
from fuller_popheath.cohorts.team_capacity import teams_not_used
from fuller_popheath.contracts import load_contract, refuse_if_broken
from fuller_popheath.site import ArrivalLimits, Geography, Site
from fuller_popheath.site_lists import Lists
from fuller_popheath.specs import Night

if TYPE_CHECKING:
    import pyarrow as pa

DAY = date(2026, 10, 5)
SENT = {"team_id": "NORTH", "team_name": "North team", "neighbourhood_code": "U00001", "valid_from_date": date(2026, 4, 1), "slots_count": 25}
AREAS = {"U00001": "NORTH PCN", "U00002": "HARBOUR PCN", "U": "Unallocated"}


def table(contract_id: str, rows: list[dict[str, Any]]) -> pa.Table:
    import pyarrow as pa

    schema = load_contract(contract_id).schema
    return pa.table({f.name: pa.array([row.get(f.name) for row in rows], f.type) for f in schema}, schema=schema)


def sent_rows(*rows: dict[str, Any]) -> pa.Table:
    return table("inbound/team_capacity", [{**SENT, **row} for row in rows])


def not_used(*rows: dict[str, Any], geography: Geography | None = None) -> tuple[str, ...]:
    practices = table("core/neighbourhood_practice", [{"neighbourhood_code": code, "neighbourhood_name": name} for code, name in AREAS.items()])
    return teams_not_used(sent_rows(*rows), practices, Night(DAY, Site(geography=geography or Geography())))


def teams(*rows: dict[str, Any], geography: Geography | None = None, **lists: Any) -> dict[str, dict[str, Any]]:
    practices = [{"neighbourhood_code": code, "neighbourhood_name": name} for code, name in AREAS.items()]
    inputs = {"inbound/team_capacity": sent_rows(*rows), "core/neighbourhood_practice": table("core/neighbourhood_practice", practices)}
    made = team_capacity.build(inputs, Night(DAY, Site(lists=Lists(**lists), geography=geography or Geography())))
    kept = refuse_if_broken(made, load_contract("core/team_capacity")).to_pylist()
    assert [row["team_id"] for row in kept] == sorted(row["team_id"] for row in kept)
    return {row["team_id"]: row for row in kept}


def test_a_neighbourhood_without_a_row_has_a_team_of_its_own_and_people_of_no_neighbourhood_have_none() -> None:
    found = teams({}, slots=33, reserve=3, priority="gap", core20_floor=1.3)
    assert set(found) == {"NORTH", "U00002"}
    own = found["U00002"]
    assert (own["team_name"], own["neighbourhood_code"], own["source"]) == ("HARBOUR PCN", "U00002", "site")
    assert (own["slots_count"], own["reserve_count"], own["priority"], own["core20_floor"]) == (33, 3, "gap", 1.3)


def test_what_a_row_leaves_empty_is_the_sites_and_what_it_says_is_its_own() -> None:
    row = {"priority": "need", "core20_floor": 0.0, "reserve_count": 5, "exclude": "care_home", "skills": "frailty;children", "maximum_age": 17}
    north = teams(row, priority="gap", core20_floor=1.3, plus_floor=0.7, slots=33)["NORTH"]
    assert {name: north[name] for name in row} == row
    assert (north["slots_count"], north["plus_floor"], north["source"], north["neighbourhood_name"]) == (25, 0.7, "file", "NORTH PCN")


def test_the_sites_reserve_never_exceeds_a_teams_places() -> None:
    assert teams({"slots_count": 4}, slots=40, reserve=10)["NORTH"]["reserve_count"] == 4


@pytest.mark.parametrize(
    ("start", "end", "is_in_force"),
    [
        (DAY, None, True),
        (date(2026, 10, 6), None, False),
        (date(2026, 4, 1), DAY, False),
        (date(2026, 4, 1), date(2026, 10, 6), True),
    ],
)
def test_a_row_holds_from_its_first_day_until_before_its_last(start: date, end: date | None, is_in_force: bool) -> None:
    assert ("NORTH" in teams({"valid_from_date": start, "valid_to_date": end})) == is_in_force


def test_of_two_rows_in_force_the_later_begun_counts() -> None:
    found = teams({"valid_from_date": date(2026, 9, 1), "slots_count": 60}, {"slots_count": 25})
    assert found["NORTH"]["slots_count"] == 60


def test_several_teams_may_serve_one_neighbourhood() -> None:
    assert set(teams({}, {"team_id": "NORTH-FRAILTY"})) == {"NORTH", "NORTH-FRAILTY", "U00002"}


@pytest.mark.parametrize(
    ("rows", "left", "said"),
    [
        (({"skills": "frailty;juggling"},), {"U00001", "U00002"}, "the team NORTH has the unknown skill juggling; there are frailty, mental_health"),
        (({"exclude": "adult;night_owls"},), {"U00001", "U00002"}, "the team NORTH has the unknown exclusion night_owls; there are care_home"),
        (({"neighbourhood_code": "U00007"},), {"U00001", "U00002"}, "the team NORTH names the neighbourhood U00007, which is not among the 2"),
        (({}, {"neighbourhood_code": "U00002"}), {"U00001", "U00002"}, r"the team NORTH is in force in 2 neighbourhoods \(U00001, U00002\)"),
        (({"team_id": "U00002"},), {"U00001", "U00002"}, "the team U00002 has the code of the neighbourhood U00002's own team"),
    ],
)
def test_a_row_that_cannot_be_used_is_put_aside_and_told_and_no_other_team_loses_its_list(
    rows: tuple[dict[str, Any], ...], left: set[str], said: str
) -> None:
    found = teams(*rows, {"team_id": "QUAY"})
    assert {row["source"] for team, row in found.items() if team != "QUAY"} == {"site"}
    assert set(found) == (left - {"U00001"}) | {"QUAY"}
    assert set(teams(*rows)) == left
    (told,) = not_used(*rows, {"team_id": "QUAY"})
    assert re.search(said, told)


def test_after_a_merger_the_row_of_the_pcn_that_is_gone_is_put_aside_and_the_new_one_counts() -> None:
    rows: tuple[dict[str, Any], ...] = ({"neighbourhood_code": "U00007"}, {"valid_from_date": date(2026, 10, 1), "slots_count": 60})
    assert teams(*rows)["NORTH"]["slots_count"] == 60
    assert len(not_used(*rows)) == 1


def test_an_older_row_does_not_come_back_in_place_of_one_that_is_put_aside() -> None:
    rows: tuple[dict[str, Any], ...] = ({"valid_from_date": date(2026, 9, 1), "skills": "juggling"}, {})
    assert set(teams(*rows)) == {"U00001", "U00002"}


def test_putting_a_team_aside_may_take_the_code_of_another() -> None:
    """U00002 serves U00001, whose own team then has the code of the team that serves U00003."""
    named = Geography(neighbourhood_of_practice={"A00001": "U00003"})
    rows: tuple[dict[str, Any], ...] = ({"team_id": "U00002"}, {"team_id": "U00001", "neighbourhood_code": "U00003"})
    assert {team: row["neighbourhood_code"] for team, row in teams(*rows, geography=named).items()} == {f"U0000{n}": f"U0000{n}" for n in (1, 2, 3)}
    assert [told.split()[3] for told in not_used(*rows, geography=named)] == ["U00001", "U00002"]


def test_what_is_no_longer_in_force_and_what_is_right_tell_nothing() -> None:
    assert not_used({"skills": "juggling", "neighbourhood_code": "U00007", "valid_to_date": date(2026, 9, 1)}) == ()
    assert not_used({"skills": "frailty", "exclude": "care_home;adult"}, {"team_id": "NORTH-FRAILTY"}) == ()


def test_every_neighbourhood_has_a_team_whatever_it_is_called() -> None:
    named = Geography(neighbourhood_of_practice={"A00001": "N01"}, neighbourhood_names={"N01": "North end"})
    assert teams(geography=named)["N01"]["team_name"] == "North end"
    # A code that cannot name a team gives it one made of it; where two would be the same, neither has it.
    codes = ("north end", "the quay", "The_Quay", "U00001 ")
    found = teams(geography=Geography(neighbourhood_of_practice={f"A0000{at}": code for at, code in enumerate(codes)}))
    own = {row["neighbourhood_code"]: team for team, row in found.items()}
    assert (own["north end"], own["U00002"]) == ("NORTH-END", "U00002")
    assert all(own[code].startswith("TEAM-") for code in codes[1:])
    assert len(found) == len(set(own.values())) == 6


HEADER = "Team ID,Team name,Neighbourhood code,Valid from,Valid to,Slots,Reserve,Skills,Exclude,Priority,Newly surfaced,Core20 floor,Minimum age\n"


def sent(folder: Path, *lines: str) -> tuple[list[dict[str, Any]], dict[str, int], int]:
    path = folder / "team_capacity_2026-10-01.csv"
    path.write_text(HEADER + "\n".join(lines) + "\n", encoding="utf-8")
    arrived = read_file(path, ("inbound/team_capacity",), None, ArrivalLimits(max_quarantined_percent=100))
    return arrived.table.to_pylist(), dict(arrived.counts), arrived.rows_quarantined


def test_a_file_is_read_as_teams_write_it(tmp_path: Path) -> None:
    (row,), counts, quarantined = sent(tmp_path, "north,North team,U00001,01/04/2026,,40.0,5,Frailty; mental health,Care home,Risk and gap,20%,1.2,")
    assert (counts, quarantined) == ({}, 0)
    expected = {
        "team_id": "NORTH",
        "valid_from_date": date(2026, 4, 1),
        "valid_to_date": None,
        "slots_count": 40,
        "skills": "frailty;mental_health",
        "exclude": "care_home",
        "priority": "risk_and_gap",
        "newly_surfaced_percent": 20.0,
        "core20_floor": 1.2,
        "plus_floor": None,
    }
    assert {name: row[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("NORTH,North,U00001,2026-04-01,,0,,,,,,,", "slots_count.range"),
        ("NORTH,North,U00001,2026-04-01,,40,41,,,,,,", "reserve_is_of_the_places"),
        ("NORTH,North,U00001,2026-04-01,,40,,,night_owls,,,,", "exclude.pattern"),
        ("NORTH,North,U00001,2026-04-01,,40,,,,fairness,,,", "priority.allowed"),
        ("NORTH,North,U00001,2026-04-01,,40,,,,,101,,", "newly_surfaced_percent.range"),
        ("NORTH,North,U00001,2026-04-01,,40,,,,,,9,", "core20_floor.range"),
        ("NORTH,North,U00001,2026-04-01,2026-03-01,40,,,,,,,", "period_in_order"),
        ("NORTH,=1+1,U00001,2026-04-01,,40,,,,,,,", "team_name.pattern"),
        ("9434765919,North,U00001,2026-04-01,,40,,,,,,,", "team_id.pattern"),
        ("NORTH,For 943 476 5919,U00001,2026-04-01,,40,,,,,,,", "team_name.holds_no_nhs_number"),
    ],
)
def test_a_row_that_cannot_be_is_set_aside_and_the_others_count(tmp_path: Path, line: str, rule: str) -> None:
    rows, counts, quarantined = sent(tmp_path, line, "SOUTH,South team,U00002,2026-04-01,,40,,,,,,,")
    assert [row["team_id"] for row in rows] == ["SOUTH"]
    assert quarantined == 1
    assert rule in {name for name, count in counts.items() if count}
