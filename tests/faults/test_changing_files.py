"""A landing file that is another one by the time it is read: none of it is used, what stood stands, and the next night takes it as it is then."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from fuller_popheath.arrival.choice import plan
from fuller_popheath.arrival.door import take_extracts
from fuller_popheath.arrival.files import survey
from fuller_popheath.arrival.reading import read_and_check
from fuller_popheath.errors import FileRefused
from fuller_popheath.site import Site
from tests.arrival.conftest import Landing, Night, nhs_number

FIRST, SECOND = "2026-08-01", "2026-08-02"
CHANGES = ("grown", "cut", "other people, as long", "gone")


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    return Landing(tmp_path / "landing")


def change(path: Path, how: str) -> None:
    text = path.read_text(encoding="utf-8")
    if how == "gone":
        path.unlink()
    elif how == "cut":
        path.write_text("".join(text.splitlines(keepends=True)[:-2]), encoding="utf-8")
    elif how == "grown":
        with path.open("a", encoding="utf-8") as lines:
            lines.write(f"{SECOND},P81001,{nhs_number(900)},1950-05-12,female,A,E01012345,2001-01-01,,G1234567,\n")
    else:
        path.write_text(text.replace("1950-05-12", "1951-06-13"), encoding="utf-8")


def take(night: Night, day: str, change_how: str = "", path: Path | None = None) -> dict[str, dict[str, object]]:
    """A night whose folder is surveyed before the file changes."""
    site = Site.model_validate({"pseudonyms": {"data_is_synthetic": True}})
    surveyed = survey(night.landing)
    if path is not None:
        change(path, change_how)
    folders = (night.store, night.vault, night.quarantine)
    taken = take_extracts("inbound/practice_list", surveyed, date.fromisoformat(day), site, *folders, None, {}, night.key)
    return {row["practice_code"]: row for row in taken.account.to_pylist()}


@pytest.mark.parametrize("how", CHANGES)
def test_an_extract_that_changes_while_it_is_read_leaves_its_practice_on_the_last_good_one(landing: Landing, tmp_path: Path, how: str) -> None:
    for at, practice in enumerate(("P81001", "P81002")):
        landing.practice_list(practice, people=60, start=at * 1000)
    night = Night(landing.folder, tmp_path)
    take(night, FIRST)
    path = landing.practice_list("P81001", day=SECOND, people=61)
    landing.practice_list("P81002", day=SECOND, people=61, start=1000)
    told = take(night, SECOND, how, path)
    assert (told["P81001"]["state"], told["P81002"]["state"]) == ("stale", "new")
    said = "cannot be read from disk" if how == "gone" else "it changed while it was read, so none of it is used tonight"
    assert f"P81001.csv: {said}" in str(told["P81001"]["reason"])
    rows = night.store.read("core/registration", date.fromisoformat(SECOND))
    counted = {row["practice_code"]: row["n"] for row in rows.group_by("practice_code").aggregate([([], "count_all")]).rename_columns(
        ["practice_code", "n"]).to_pylist()}  # fmt: skip
    assert counted == {"P81001": 60, "P81002": 61}
    if how == "gone":
        landing.practice_list("P81001", day=SECOND, people=61)
    told = take(night, "2026-08-03")
    assert {row["state"] for row in told.values()} == {"new", "unchanged"}
    assert told["P81001"]["rows_in_use"] == {"grown": 62, "cut": 59}.get(how, 61)


@pytest.mark.parametrize("how", ["cut", "gone"])
def test_a_published_file_that_changes_while_it_is_read_is_refused(landing: Landing, how: str) -> None:
    path = landing.registrations()
    arrival = plan(survey(landing.folder), date(2022, 7, 1))
    change(path, how)
    with pytest.raises(FileRefused, match=r"reg\.csv: (it changed while it was read|.*cannot be read)"):
        read_and_check(arrival, "reference/practice_lsoa_count")
    if how == "cut":
        assert read_and_check(plan(survey(landing.folder), date(2022, 7, 1)), "reference/practice_lsoa_count").rows_accepted == 98
