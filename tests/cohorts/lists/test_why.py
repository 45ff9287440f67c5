"""`fuller why`: for people on and off a list the trace names every rule in order, and the one that decided, from what the store keeps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest
import typer
from typer.testing import CliRunner

from fuller_popheath import why_command
from fuller_popheath.errors import InputMissing, SettingsWrong
from fuller_popheath.stored_tables import StoredTables
from fuller_popheath.why_command import traces

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.cohorts.why import Trace

DAY, WEEK = timedelta(days=1), timedelta(days=7)
OBJECTS = {"excluded_from_rule_list": True, "has_type_1_objection": True, "type_1_reason": "dissent"}


class Nights:
    """A world whose nights are kept in a store."""

    def __init__(self, place: Any, folder: Path) -> None:
        self.place, self.store, self.lists = place, StoredTables(folder), None

    def run(self, as_of: date, **asked: Any) -> Mapping[str, pa.Table]:
        self.lists = self.place.lists(as_of, self.lists, **asked)
        for name, table in {**self.place.tables(as_of), **self.lists}.items():
            path = self.store.folder / name / f"as_of={as_of}" / "part.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(table, path)
        return self.lists

    def why(self, name: str, **asked: str) -> Trace:
        (found,) = traces(self.store, self.place.site, person=name.ljust(12, "x"), **asked)
        return found


@pytest.fixture
def nights(world: Callable[..., Any], tmp_path: Path) -> Callable[..., Nights]:
    return lambda *people, **team: Nights(world(*people, **team), tmp_path)


def step(trace: Trace, rule: str) -> tuple[bool | None, str]:
    (found,) = (step for step in trace.steps if step.rule == rule)
    return found.is_against, found.words


def test_a_listed_person_by_the_row_of_the_list(nights: Callable[..., Nights]) -> None:
    kept = nights({"nb": {"points": 11, "risk": 0.2}})
    lists = kept.run(kept.place.monday)
    row = kept.place.row(lists, "nb")
    (trace,) = traces(kept.store, kept.place.site, issue="list-2026-10-05", row=row["row_reference"])
    assert (trace.person_id, trace.team_id) == (row["person_id"], "NORTH")
    assert trace.answer == f"On the list list-2026-10-05 of team NORTH: listed by score alone, as number 2, row {row['row_reference']}"
    assert [each.rule for each in trace.steps] == [
        *("registered", "team", "objections", "record", "reviews", "team's exclusions", "need", "score", "place by score", "choice"),
        "since the issue",
    ]
    assert not any(each.is_against for each in trace.steps)
    assert step(trace, "need")[1] == "11 points (high): dementia 4; a list asks for 2. In words: dementia"
    assert step(trace, "score")[1].startswith(
        "by the points of need for continuity; risk about 1 in 6 (reason 1; reason 2; reason 3); continuity received not known"
    )
    assert step(trace, "place by score")[1].startswith("place 2 by score of 8 who could be listed; the list has 3 places; draw 0.")


def test_a_declined_person_on_the_next_day_and_on_the_next_list(nights: Callable[..., Nights]) -> None:
    kept = nights()
    monday = kept.place.monday
    kept.place.review(kept.run(monday), "nb", "declined", monday, received_on=monday + DAY)
    kept.run(monday + DAY)
    said = "declined by the person on 5 Oct 2026, until 5 Oct 2027 (said by team NORTH in list-2026-10-05)"
    trace = kept.why("nb")
    assert trace.answer == f"Was on the list list-2026-10-05 of team NORTH, and is off it: taken off on 6 Oct 2026: {said}"
    assert step(trace, "reviews") == (False, "said later: declined by the person on 5 Oct 2026, until 5 Oct 2027")
    kept.run(monday + WEEK)
    trace = kept.why("nb")
    assert trace.answer == f"Not on the list list-2026-10-12 of team NORTH. Reviews: {said}, after which the person may return"
    assert step(trace, "score") == (None, "none: only who could be listed is put in order")
    # A year on, it is over.
    kept.run(date(2027, 10, 11))
    assert step(kept.why("nb"), "reviews") == (False, "on 5 Oct 2026: declined by the person")
    # And the list of last year still answers, as at its own day.
    assert kept.why("nb", issue="list-2026-10-12").answer.startswith("Not on the list list-2026-10-12 of team NORTH. Reviews: declined")


def test_below_the_points_and_somebody_who_objects(nights: Callable[..., Nights]) -> None:
    kept = nights({"low": {"points": 1}, "obj": {"points": 9, **OBJECTS}, "sec": {"points": 9, "is_sensitive": True}})
    kept.run(kept.place.monday)
    assert (
        kept.why("low").answer
        == "Not on the list list-2026-10-05 of team NORTH. Need: 1 point (none): dementia 4; a list asks for 2. In words: dementia"
    )
    objecting = kept.why("obj")
    assert objecting.answer.endswith("Objections: has objected: Type 1; keeps the person off lists made by a rule")
    # The rules after the one that decided are still told.
    assert step(objecting, "need")[0] is False
    assert kept.why("sec").answer.endswith("Record: the record is marked as not to be shared")


def test_who_the_team_does_not_see(nights: Callable[..., Nights]) -> None:
    kept = nights({"old": {"points": 9, "age_years": 95, "has_care_home": True}}, exclude="care_home;under_18", maximum_age=90)
    kept.run(kept.place.monday)
    assert step(kept.why("old"), "team's exclusions") == (
        True,
        "the team does not see: care home (which leaves the person out); the team does not see: under 18; "
        "the team sees people up to 90 years (which leaves the person out)",
    )


def test_the_margin(nights: Callable[..., Nights]) -> None:
    kept = nights(None, site={"lists": {"margin_band": 2}}, slots_count=4)
    lists = kept.run(kept.place.monday)
    listed = kept.place.on_list(lists)
    band = [row for row in lists["core/selection_log"].to_pylist() if row["is_in_margin_band"] and row["team_id"] == "NORTH"]
    assert {row["person_id"].rstrip("x") for row in band} == {"nc", "nd", "ne", "nf"}
    for row in band:
        name = row["person_id"].rstrip("x")
        trace = kept.why(name)
        assert (step(trace, "choice")[0] is False) == (name in listed) == row["is_listed"]
        words = "stood in the margin band, where the lot decides" if name in listed else "the lot at the margin went to somebody else"
        assert words in step(trace, "choice")[1]
    assert kept.why("nh").answer.startswith(
        "Not on the list list-2026-10-05 of team NORTH. Place by score: place 8 by score of 8 who could be listed"
    )


def test_floors_that_give_a_place_and_take_one(nights: Callable[..., Nights]) -> None:
    kept = nights({"nh": {"points": 5, "imd_2025_quintile": 1}}, slots_count=2, core20_floor=4.0)
    kept.run(kept.place.monday)
    assert "listed so that a group has its share" in kept.why("nh").answer
    assert "would be by score alone, but floors, quota or staying on give the place to others" in step(kept.why("nb"), "choice")[1]


def test_somebody_nobody_knows_and_somebody_of_no_team(nights: Callable[..., Nights]) -> None:
    kept = nights({"far": {"points": 9, "neighbourhood_code": "U"}})
    kept.run(kept.place.monday)
    assert "Registered: not among the people registered as at 5 Oct 2026" in kept.why("zz").answer
    assert "the person's neighbourhood is U; team NORTH serves U00001, and lists its own people alone" in kept.why("far", team="NORTH").answer
    assert kept.why("far").answer == "Not on the list list-2026-10-05 of team NO-TEAM. Team: no team serves the neighbourhood U"


def test_a_row_of_a_list_that_was_replaced_on_the_same_day(nights: Callable[..., Nights]) -> None:
    kept = nights()
    lists = kept.run(kept.place.monday)
    reference = kept.place.row(lists, "nc")["row_reference"]
    kept.run(kept.place.monday, teams=("NORTH",), changes={"NORTH": {"slots_count": 2}})
    (trace,) = traces(kept.store, kept.place.site, issue="list-2026-10-05", row=reference)
    assert trace.answer.startswith("On the list list-2026-10-05 of team NORTH: listed by score alone, as number 3")
    assert kept.why("nc").answer.startswith("Not on the list list-2026-10-05-2 of team NORTH. Place by score: place 3 by score")


def test_what_is_asked_for_wrongly(nights: Callable[..., Nights], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = nights()
    with pytest.raises(InputMissing, match="products/cohort_list_account is not in the store"):
        kept.why("na")
    kept.run(kept.place.monday)
    for issue, row, message in (
        ("list-2026-13-45", "BBBBBB", "--issue must be written"),
        ("list-2026-10-05", "BBBBBB", "has no row of that reference"),
    ):
        with pytest.raises(SettingsWrong, match=message):
            traces(kept.store, kept.place.site, issue=issue, row=row)
    app = typer.Typer()
    said: list[str] = []
    why_command.add_to(app, said.append)
    app.command("other")(lambda: None)
    monkeypatch.setattr(
        why_command,
        "load_site",
        lambda: kept.place.site.model_copy(update={"folders": kept.place.site.folders.model_copy(update={"store": str(tmp_path)})}),
    )
    for words, message in (
        ([], "give either --row"),
        (["--row", "BBBBBB"], "--row needs the --issue"),
        (["--person", "943 476 5919"], "never an NHS number"),
    ):
        outcome = CliRunner().invoke(app, ["why", *words])
        assert isinstance(outcome.exception, SettingsWrong)
        assert message in str(outcome.exception)
        assert "943" not in str(outcome.exception)
    assert CliRunner().invoke(app, ["why", "--person", "na".ljust(12, "x").upper()]).exit_code == 0
    assert said[1].startswith("On the list list-2026-10-05 of team NORTH: listed by score alone, as number 1")
    assert any(line.startswith("   7. need") for line in said)
