"""Going back to an earlier release brings nobody back, whatever became of them since, and what cannot be told of today is left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fuller_popheath.contracts import load_contract, refuse_if_broken
from fuller_popheath.errors import ContractBroken, SettingsWrong
from fuller_popheath.publish.release import INTERNAL, Part, release
from fuller_popheath.publish.release_manifest import Statement, refuse_changed
from fuller_popheath.publish.release_signature import signing_key
from fuller_popheath.publish.rolling_back import (
    carried_over,
    chosen,
    left_out,
    lists_for_today,
    lists_kept,
    people_of_today,
    refuse_other_lists,
    still_there,
    tables_of_people,
)
from fuller_popheath.registry import LIST_TABLES

LIST, ACCOUNT, GROUP, LOG, CHANGE = LIST_TABLES
DAY, WEEK = timedelta(days=1), timedelta(days=7)


def dies(place: Any, name: str, day: date, lists: Any) -> None:
    del place.people[name]
    place.dead[name] = day


def leaves(place: Any, name: str, day: date, lists: Any) -> None:
    place.people[name] |= {"practice_code": "A00003", "neighbourhood_code": "U00002"}


def changes_practice(place: Any, name: str, day: date, lists: Any) -> None:
    place.people[name] |= {"practice_code": "A00002"}


def objects(place: Any, name: str, day: date, lists: Any) -> None:
    told = {"has_type_1_objection": True, "type_1_reason": "yes", "excluded_from_rule_list": True, "excluded_from_score_list": True}
    place.people[name] |= told


def is_reviewed(place: Any, name: str, day: date, lists: Any) -> None:
    place.review(lists, name, "declined", day)


def wants_no_lists(place: Any, name: str, day: date, lists: Any) -> None:
    place.review(lists, name, "no_lists_please", day)


def is_hidden(place: Any, name: str, day: date, lists: Any) -> None:
    place.people[name] |= {"is_sensitive": True}


BEFALLS = {each.__name__: each for each in (dies, leaves, changes_practice, objects, is_reviewed, wants_no_lists, is_hidden)}


@pytest.mark.parametrize("what", BEFALLS)
@pytest.mark.parametrize("weeks", [0, 1])
def test_whatever_befell_somebody_since_they_do_not_come_back(world: Callable[..., Any], what: str, weeks: int) -> None:
    """Within the week of the list, and to the list of the week before."""
    place = world()
    first = place.lists(place.monday)
    latest = place.lists(place.monday + WEEK, first) if weeks else first
    today = place.monday + weeks * WEEK + DAY
    BEFALLS[what](place, "nb", today, latest)
    made = lists_for_today(today, first, latest, place.tables(today))
    assert place.on_list(first) == ["na", "nb", "nc"] and place.on_list(made) == ["na", "nc"]
    assert place.row(made, "nb")["state"] == "removed" and place.account(made)["listed_count"] == 2
    assert set(made[LIST]["as_of"].to_pylist()) == {today}


def test_what_is_gone_back_from_stays_in_the_log(world: Callable[..., Any]) -> None:
    """A wrong list of the same day went out: its reviews still find their rows, and no later list gets its id."""
    place = world()
    first = place.lists(place.monday)
    wrong = place.lists(place.monday, first, teams=("NORTH",), changes={"NORTH": {"slots_count": 5}})
    (other,) = {row["issue_id"] for row in wrong[ACCOUNT].to_pylist()} - {row["issue_id"] for row in first[ACCOUNT].to_pylist()}
    made = lists_for_today(place.monday, first, wrong, place.tables(place.monday))
    assert place.on_list(wrong) == ["na", "nb", "nc", "nd", "ne"] and place.on_list(made) == ["na", "nb", "nc"]
    log = made[LOG].to_pylist()
    assert {row["issue_id"] for row in log} == {row["issue_id"] for row in first[LOG].to_pylist()} | {other}
    assert sum(row["is_listed"] for row in log if row["issue_id"] == other) == 5
    for name, table in made.items():
        refuse_if_broken(table, load_contract(name))
    again = place.lists(place.monday, made, teams=("NORTH",))
    assert {row["issue_id"] for row in again[LIST].to_pylist() if row["team_id"] == "NORTH"}.isdisjoint({other, first[LIST]["issue_id"][0].as_py()})


def write_table(table: pa.Table, path: Path) -> None:
    pq.write_table(table, path)


def parts_of(lists: Mapping[str, pa.Table]) -> Iterator[Part]:
    for name, table in lists.items():
        stem = name.rpartition("/")[2]
        yield Part(INTERNAL, f"{stem}.parquet", partial(write_table, table), table.num_rows, name)
        if name in (LIST, ACCOUNT):
            yield Part("direct_care", f"{stem}.parquet", partial(write_table, table), table.num_rows, name)
    for purpose in ("open", "secondary_use", "direct_care"):
        yield Part(purpose, f"{purpose}.txt", lambda path: path.write_text("as it was", encoding="utf-8"), made_of=f"pages/{purpose}")


@pytest.fixture
def released(world: Callable[..., Any], tmp_path: Path) -> tuple[Any, dict[str, pa.Table], Path, dict[str, Any]]:
    place = world()
    lists = place.lists(place.monday)
    key = signing_key(tmp_path / "vault")
    folder = release(tmp_path / "products", tmp_path / "releases", Statement(place.monday, "1"), parts_of(lists), key).folder
    return place, lists, folder, dict(refuse_changed(folder, key.public))


def test_files_that_hold_nobody_are_taken_as_they_are_and_no_other(released: Any) -> None:
    _, lists, folder, manifest = released
    parts = list(carried_over(folder, manifest))
    assert [(part.purpose, part.name) for part in parts] == [("open", "open.txt"), ("secondary_use", "secondary_use.txt")]
    assert left_out(manifest, parts, LIST_TABLES) == ("pages/direct_care",)
    assert left_out(manifest, parts, ()) == ("pages/direct_care", LIST, ACCOUNT)
    kept = lists_kept(folder, manifest)
    assert kept is not None and all(kept[name].equals(lists[name]) for name in LIST_TABLES)


def test_lists_of_the_store_are_taken_only_where_they_are_those_of_the_release(released: Any) -> None:
    place, lists, folder, manifest = released
    without = {**manifest, "files": [file for file in manifest["files"] if file["purpose"] != INTERNAL]}
    assert lists_kept(folder, without) is None
    refuse_other_lists(folder, lists)
    with pytest.raises(ContractBroken, match="another run of that day has replaced them"):
        refuse_other_lists(folder, place.lists(place.monday, lists, teams=("NORTH",)))


def test_of_another_table_of_people_only_those_stay_who_are_in_todays() -> None:
    was = pa.table({"team_id": ["N", "N", "Q"], "person_id": ["a", "b", "c"], "gap": [1, 2, 3]})
    today = pa.table({"person_id": ["c", "a", "d"], "team_id": ["N", "N", "N"]})
    assert still_there(was, today).to_pylist() == [{"team_id": "N", "person_id": "a", "gap": 1}]


def test_a_table_of_people_that_has_no_today_is_left_out(released: Any) -> None:
    _, lists, folder, manifest = released
    assert tables_of_people(manifest) == {}
    other = {**manifest, "files": [{"purpose": "direct_care", "made_of": "products/care_gap_list", "file": "direct_care/care_gap_list.csv"}]}
    assert tables_of_people(other) == {"products/care_gap_list": ["direct_care/care_gap_list.csv"]}
    files = ["direct_care/cohort_list.parquet", "direct_care/cohort_list.csv"]
    assert people_of_today(folder, LIST, files, None) == []
    gone = lists[LIST].slice(1)
    parts = people_of_today(folder, LIST, files, gone)
    assert [(part.name, part.rows) for part in parts] == [("cohort_list.csv", gone.num_rows), ("cohort_list.parquet", gone.num_rows)]
    assert people_of_today(folder, LIST, ["direct_care/cohort_list_N.parquet"], gone) == [], "a file a team cannot be told apart"


def test_which_release_is_gone_back_to() -> None:
    newest, middle, oldest = (Path("releases") / name for name in ("c", "b", "a"))
    kept = (newest, middle, oldest)
    assert (chosen(kept, newest), chosen(kept, middle), chosen(kept, newest, "a"), chosen(kept, newest, "c")) == (middle, oldest, oldest, newest)
    for current, to, words in (
        (oldest, "", "no release before the current one"),
        (None, "", "no release before"),
        (newest, "x", "there are c, b, a"),
    ):
        with pytest.raises(SettingsWrong, match=words):
            chosen(kept, current, to)
