"""What a list would be: from the store, beside the list as it is now, in counts; costs are differences of two best lists; nobody is named."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from fuller_popheath import list_commands
from fuller_popheath.cohorts.what_if import what_if
from fuller_popheath.contracts import conform, load_contract
from fuller_popheath.errors import InputMissing, SettingsWrong
from fuller_popheath.site import SITE_FILE_VARIABLE
from fuller_popheath.site_lists import Lists

if TYPE_CHECKING:
    import pyarrow as pa

DAY = date(2026, 10, 5)
ISSUE = "list-2026-10-05"
TEAM = {
    "team_name": "North team",
    "neighbourhood_code": "U00001",
    "slots_count": 10,
    "reserve_count": 0,
    "priority": "risk",
    "newly_surfaced_percent": 0.0,
    **dict.fromkeys(("core20_floor", "plus_floor", "under_18_floor"), 0.0),
    "source": "site",
}
LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
PEOPLE = 300
Store = Callable[..., Path]


def table(contract_id: str, rows: list[dict[str, Any]]) -> pa.Table:
    import pyarrow as pa

    contract = load_contract(contract_id)
    full = [{"as_of": DAY, **row} for row in rows]
    return conform(pa.table({f.name: pa.array([row.get(f.name) for row in full], f.type) for f in contract.schema}), contract)


def candidates(team_id: str, seed: int) -> list[dict[str, Any]]:
    """Three hundred people of a team: a third of Core20, who have the lower risks; every tenth cannot be listed."""
    rng = np.random.default_rng(seed)
    rows = []
    for at in range(PEOPLE):
        is_core20 = bool(at % 3 == 0)
        risk = float(rng.beta(2, 8)) * (0.5 if is_core20 else 1.0)
        is_eligible = at % 10 != 9
        rows.append(
            {
                "team_id": team_id,
                "person_id": "".join(rng.choice(list(LETTERS), 12)),
                "neighbourhood_code": "U00001",
                "verdict": "eligible" if is_eligible else "below_points",
                "need_points": int(rng.integers(2, 9)) if is_eligible else 0,
                "need_level": "some",
                "risk": risk,
                "score": risk if is_eligible else None,
                "priority_used": "risk",
                "is_core20": is_core20,
                "is_plus": bool(rng.random() < 0.3),
                "plus_groups": "carer" if at % 7 == 0 else None,
                "age_band": "18_64",
                "is_under_18": False,
                "is_low_contact": False,
                "is_newly_surfaced": bool(rng.random() < 0.7),
            }
        )
    return rows


@pytest.fixture
def night(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Writes tables into a store as a night does, and makes it the site's."""
    import pyarrow.parquet as pq

    site = tmp_path / "site.toml"
    site.write_text(f'[folders]\nstore = "{(tmp_path / "store").as_posix()}"\n', encoding="utf-8")
    monkeypatch.setenv(SITE_FILE_VARIABLE, str(site))
    monkeypatch.setenv("COLUMNS", "160")

    def write(contract_id: str, rows: list[dict[str, Any]], day: date = DAY) -> Path:
        path = tmp_path / "store" / contract_id / f"as_of={day.isoformat()}" / "part.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table(contract_id, rows), path, row_group_size=100)
        return path

    return write


@pytest.fixture
def two_teams(night: Store) -> list[dict[str, Any]]:
    """A night with the teams EAST and NORTH; the rows of NORTH."""
    north = candidates("NORTH", 1)
    night("core/list_candidate", [*candidates("EAST", 2), *north])
    night("core/team_capacity", [{"team_id": team_id, **TEAM} for team_id in ("EAST", "NORTH")])
    return north


def asked(*options: str) -> str:
    app = typer.Typer()
    app.callback()(lambda: None)
    list_commands.add_to(app, print)
    result = CliRunner().invoke(app, ["what-if", *options], catch_exceptions=False)
    assert result.exit_code == 0
    return " ".join(result.output.split())


def best_with(rows: list[dict[str, Any]], size: int, of_core20: int) -> float:
    """The highest sum of risks of so many people of whom so many at least are of Core20: the best of each kind, whatever the split."""
    kinds = [sorted((row["score"] for row in rows if row["score"] is not None and row["is_core20"] == kind), reverse=True) for kind in (True, False)]
    return max(sum(kinds[0][:count]) + sum(kinds[1][: size - count]) for count in range(of_core20, size + 1))


def test_a_floor_of_core20_costs_the_difference_of_two_best_lists(two_teams: list[dict[str, Any]]) -> None:
    told = asked("--team", "north", "--slots", "60", "--core20-floor", "1.2")
    eligible = [row for row in two_teams if row["verdict"] == "eligible"]
    floor = int(np.ceil(1.2 * 60 * sum(row["is_core20"] for row in eligible) / len(eligible) - 1e-9))
    cost = best_with(two_teams, 60, 0) - best_with(two_teams, 60, floor)
    assert cost > 1
    assert f"core20 - - - {floor} {cost:.2f} {cost:.2f} expected admissions" in told
    assert "North team (NORTH), people as at 2026-10-05: 270 could be listed" in told
    assert "places 10 60" in told
    expected = [best_with(two_teams, 10, 0), best_with(two_teams, 60, floor)]
    shown = re.search(r"people expected to be admitted in a year ([\d.]+) \(\d+ to \d+\) ([\d.]+) \(\d+ to \d+\)", told)
    assert shown is not None
    assert [float(number) for number in shown.groups()] == pytest.approx(expected, abs=0.05)
    assert f"({floor})" in told
    assert "Of the list now" in told and "At the margin as asked" in told


def test_a_yield_says_of_how_many_it_is(night: Store, two_teams: list[dict[str, Any]]) -> None:
    best = sorted((row for row in two_teams if row["score"] is not None), key=lambda row: -row["score"])
    unscored = {row["person_id"] for row in best[:4]}
    night("core/list_candidate", [{**row, "risk": None if row["person_id"] in unscored else row["risk"]} for row in two_teams])
    told = asked("--team", "NORTH", "--slots", "4")
    expected = sum(row["risk"] for row in best[4:10])
    shown = re.search(r"people expected to be admitted in a year ([\d.]+) \(\d+ to \d+\), of the 6 with a known risk not known", told)
    assert shown is not None
    assert float(shown.group(1)) == pytest.approx(expected, abs=0.05)


def test_nobody_is_named_on_the_screen(two_teams: list[dict[str, Any]]) -> None:
    told = asked("--team", "NORTH", "--slots", "60", "--core20-floor", "2")
    assert not [row for row in two_teams if row["person_id"] in told]


def test_floors_that_cannot_all_be_met_are_told_with_by_how_much(two_teams: list[dict[str, Any]]) -> None:
    # A third of those who could be listed, five times over, is more than the list.
    told = asked("--team", "NORTH", "--core20-floor", "5")
    assert re.search(r"cannot all be met as asked; the nearest list misses core20 by 7 of 17\.", told)


def test_people_on_another_teams_list_are_not_available_and_those_on_the_last_one_stay(night: Store, two_teams: list[dict[str, Any]]) -> None:
    best = sorted((row for row in two_teams if row["score"] is not None), key=lambda row: -row["score"])
    listed = {"issue_id": "list-2026-09-28", "state": "listed"}
    rows = [{**listed, "team_id": "EAST", "person_id": best[0]["person_id"]}, {**listed, "team_id": "NORTH", "person_id": best[11]["person_id"]}]
    night("products/cohort_list", rows, date(2026, 10, 4))
    told = asked("--team", "NORTH")
    assert "269 could be listed" in told
    # Eleventh of those who are left, on a list of ten: within 1.25 times the places.
    assert "stay on 1 1" in told


def test_another_priority_orders_the_same_people_anew_without_those_who_object_to_scores(night: Store, two_teams: list[dict[str, Any]]) -> None:
    night("core/team_capacity", [{"team_id": "NORTH", **TEAM, "priority": "need"}])
    rows = [{**row, "score": float(row["need_points"]) if row["score"] is not None else None, "priority_used": "need"} for row in two_teams]
    night("core/list_candidate", rows)
    with pytest.raises(InputMissing, match="core/person_objection is not in the store"):
        list_commands.what_if("NORTH", {"priority": "risk"}, "", print)
    objecting = max((row for row in two_teams if row["score"] is not None), key=lambda row: row["score"])["person_id"]
    night("core/person_objection", [{"person_id": row["person_id"], "excluded_from_score_list": row["person_id"] == objecting} for row in rows])
    told = asked("--team", "NORTH", "--priority", "risk")
    left = [row for row in two_teams if row["person_id"] != objecting]
    assert "ordered by need risk" in told
    assert re.search(rf"people expected to be admitted in a year [\d.]+ \([^)]*\) {best_with(left, 10, 0):.1f} \(", told)


def test_the_same_question_has_the_same_answer_and_nothing_asked_changes_nothing(two_teams: list[dict[str, Any]]) -> None:
    rows = table("core/list_candidate", two_teams)
    answers = [what_if(rows, {"team_id": "NORTH", **TEAM}, {"slots_count": 20, "plus_floor": 1.5}, (), ISSUE, Lists()) for _ in range(2)]
    assert answers[0].asked.listed == answers[1].asked.listed
    same = what_if(rows, {"team_id": "NORTH", **TEAM}, {}, (), ISSUE, Lists())
    assert (same.stay_count, same.join_count, same.leave_count) == (10, 0, 0)
    assert answers[0].stay_count + answers[0].join_count == 20


@pytest.mark.parametrize(
    ("team_id", "changes", "as_of", "error", "message"),
    [
        ("SOUTH", {}, "", SettingsWrong, "there is no such team; there are EAST, NORTH"),
        ("NORTH", {"slots_count": 0}, "", SettingsWrong, "slots_count must be from 1 to 2000"),
        ("NORTH", {"core20_floor": 7.0}, "", SettingsWrong, "core20_floor must be from 0 to 5"),
        ("NORTH", {"priority": "charm"}, "", SettingsWrong, "priority must be one of risk, gap"),
        ("NORTH", {"reserve_count": 11}, "", SettingsWrong, "reserve_count must not be more"),
        ("NORTH", {}, "2026-10-04", InputMissing, r"not in the store for 2026-10-04 \(it is there for 2026-10-05\)"),
        ("NORTH", {}, "yesterday", SettingsWrong, "must be a day written as YYYY-MM-DD"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_words(
    two_teams: list[dict[str, Any]], night: Store, team_id: str, changes: dict[str, Any], as_of: str, error: type[Exception], message: str
) -> None:
    night("core/person_objection", [])
    with pytest.raises(error, match=message):
        list_commands.what_if(team_id, changes, as_of, print)


def test_a_store_without_a_night_says_what_to_do(night: Store) -> None:
    with pytest.raises(InputMissing, match=r"core/list_candidate is not in the store: run a night first"):
        list_commands.what_if("NORTH", {}, "", print)
