"""Who objects on 1 July 2024, what it keeps them out of, and that what cannot be read counts as an objection."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from fuller_popheath.arrival.plausible_people import objections_readable
from fuller_popheath.catalogue.facts import coded_objection
from fuller_popheath.contracts import load_contract, refuse_if_broken
from fuller_popheath.engine import Engine
from fuller_popheath.feature_store import build_fact
from fuller_popheath.people import objections
from fuller_popheath.site import OBJECTION_PURPOSES

if TYPE_CHECKING:
    import pyarrow as pa

EARLY, LATE, EVE, DAY, NEXT = (date(2023, 1, 1), date(2024, 1, 1), date(2024, 6, 30), date(2024, 7, 1), date(2024, 7, 2))


@pytest.fixture
def build(table: Any, night: Any) -> Any:
    def built(people: str, files: tuple[Any, ...] = (), coded: tuple[Any, ...] = (), extracts: tuple[Any, ...] = (), **sections: Any) -> pa.Table:
        inputs = {
            "core/person": table("core/person", *({"person_id": p, "practice_code": f"A0000{1 + (p > 'm')}"} for p in people)),
            "core/objection": table("core/objection", *files),
            "core/coded_objection": table("core/coded_objection", *coded),
            "core/practice_extract": table("core/practice_extract", *extracts, contract_id="inbound/objection"),
        }
        return refuse_if_broken(objections.build(inputs, night(**sections)), load_contract("core/person_objection"))

    return built


def recorded(*states: tuple[str, date], **more: Any) -> tuple[dict[str, Any], ...]:
    return tuple({"person_id": "a", "state": state, "recorded_date": day, **more} for state, day in states)


DISSENT, WITHDRAWN = "dissent", "withdrawn"
LATEST_WINS = [
    ((), "no_record"),
    (((DISSENT, EARLY),), "dissent"),
    (((DISSENT, EARLY), (WITHDRAWN, LATE)), "withdrawn"),
    (((WITHDRAWN, EARLY), (DISSENT, LATE)), "dissent"),
    (((DISSENT, LATE), (WITHDRAWN, LATE)), "dissent"),  # of one day the dissent holds
    (((DISSENT, EARLY), (WITHDRAWN, EARLY), (DISSENT, LATE), (WITHDRAWN, EVE)), "withdrawn"),
    (((WITHDRAWN, EARLY),), "withdrawn"),
    (((DISSENT, EARLY), (WITHDRAWN, DAY)), "dissent"),  # a withdrawal counts once its day is over
    (((DISSENT, DAY),), "dissent"),  # a dissent at once
    (((DISSENT, NEXT),), "dissent"),  # and on earlier days too: who objects now is left out of work on them
    (((DISSENT, EARLY), (WITHDRAWN, LATE), (DISSENT, NEXT)), "dissent"),
]


@pytest.mark.parametrize(("states", "reason"), LATEST_WINS)
def test_the_latest_of_dissent_and_withdrawal_wins(build: Any, states: tuple[tuple[str, date], ...], reason: str) -> None:
    by_type_1, by_national = build("a", recorded(*states)), build("a", recorded(*states, objection="national_data_opt_out"))
    assert (by_type_1["type_1_reason"].to_pylist(), by_type_1["national_reason"].to_pylist()) == ([reason], ["no_record"])
    assert (by_national["type_1_reason"].to_pylist(), by_national["national_reason"].to_pylist()) == (["no_record"], [reason])
    assert by_type_1["has_type_1_objection"].to_pylist() == by_national["has_national_objection"].to_pylist() == [reason == "dissent"]


def test_codes_and_files_count_alike(build: Any) -> None:
    assert build("a", recorded((WITHDRAWN, LATE)), recorded((DISSENT, EARLY)))["type_1_reason"].to_pylist() == ["withdrawn"]
    assert build("a", recorded((WITHDRAWN, EARLY)), recorded((DISSENT, LATE)))["type_1_reason"].to_pylist() == ["dissent"]


def test_what_people_told_the_house_counts_as_what_files_say(build: Any) -> None:
    told = (*recorded((DISSENT, EARLY), objection="told_national_data_opt_out"), *recorded((DISSENT, LATE), objection="told_type_1"))
    made = build("a", told).to_pylist()[0]
    assert (made["national_reason"], made["type_1_reason"], made["wants_no_lists"]) == ("dissent", "dissent", False)
    # A later withdrawal in a file ends it, as it ends a dissent of a file.
    assert build("a", (*told, *recorded((WITHDRAWN, EVE))))["type_1_reason"].to_pylist() == ["withdrawn"]


def test_who_wants_no_lists_is_kept_off_lists_whatever_the_matrix_says(build: Any) -> None:
    made = build("ab", recorded((DISSENT, EARLY), objection="no_lists"), objections={"type_1": [], "national_data_opt_out": []})
    assert made["wants_no_lists"].to_pylist() == [True, False]
    assert excluded(made) == [{"score_list", "rule_list"}, set()]


def excluded(made: pa.Table) -> list[set[str]]:
    return [{name for name in OBJECTION_PURPOSES if row[f"excluded_from_{name}"]} for row in made.to_pylist()]


def test_each_objection_excludes_from_what_the_matrix_says(build: Any) -> None:
    files = (*recorded((DISSENT, EARLY)), {"person_id": "b", "objection": "national_data_opt_out"})
    usual = {"scoring", "training", "score_list", "rule_list"}
    assert excluded(build("abc", files)) == [usual, usual, set()]
    switched = build("abc", files, objections={"type_1": ["training"], "national_data_opt_out": ["statistics", "scoring"]})
    assert excluded(switched) == [{"training"}, {"statistics", "scoring"}, set()]


UNREADABLE = {"state": "unknown", "recorded_date": None}


def test_what_cannot_be_read_counts_as_an_objection_and_is_said(build: Any) -> None:
    unreadable = tuple({"person_id": p, **UNREADABLE} for p in "ab")
    made = build("abz", recorded((WITHDRAWN, LATE)), unreadable)
    assert made["type_1_reason"].to_pylist() == ["unknown", "unknown", "no_record"]
    assert made["excluded_from_rule_list"].to_pylist() == [True, True, False]
    finding = objections_readable(made)
    assert not finding.is_as_expected
    assert "for 2 people (66.7 %) nobody can tell, so that they count as objecting" in finding.sentence


SENT = ({"practice_code": "A00001"},)


def test_one_row_in_a_practices_file_says_nothing_about_the_others_there(build: Any) -> None:
    unreadable = tuple({"person_id": p, **UNREADABLE} for p in "ab")
    assert build("ab", recorded((DISSENT, EARLY)), unreadable, SENT)["type_1_reason"].to_pylist() == ["dissent", "unknown"]


def test_a_practices_file_stands_in_for_codes_that_cannot_be_read_where_the_site_vouches_for_it(build: Any) -> None:
    def reasons(people: str, files: tuple[Any, ...], extracts: tuple[Any, ...] = SENT) -> list[str]:
        unreadable = tuple({"person_id": p, **UNREADABLE} for p in people)
        return build(people, files, unreadable, extracts, objections={"practice_files_are_complete": True})["type_1_reason"].to_pylist()

    assert reasons("abz", recorded((DISSENT, EARLY))) == ["dissent", "no_record", "unknown"]
    # What one person told the house says nothing about the practice's file; it counts for that person alone.
    assert reasons("ab", recorded((DISSENT, EARLY), objection="told_type_1")) == ["dissent", "unknown"]
    # A file of national opt-outs alone says nothing about Type 1.
    assert reasons("ab", recorded((DISSENT, EARLY), objection="national_data_opt_out")) == ["unknown", "unknown"]
    assert reasons("ab", recorded((DISSENT, EARLY)), ()) == ["dissent", "unknown"]


def test_nobody_opting_out_nationally_is_a_doubt_and_not_good_news(build: Any) -> None:
    assert "no national data opt-out has arrived" in objections_readable(build("a")).sentence
    files = recorded((DISSENT, EARLY), objection="national_data_opt_out")
    assert objections_readable(build("a", files)).is_as_expected


# Codes: who is found, and whose records cannot be read for them.
DISSENT_CODE, WITHDRAWN_CODE = ("synthetic", "z.type_1_dissent.1"), ("synthetic", "z.type_1_withdrawn.1")
FULL = [(*DISSENT_CODE, "type_1_dissent"), (*WITHDRAWN_CODE, "type_1_withdrawn"), ("read2", "9Nu0.", "type_1_dissent")]


Events = list[tuple[int, str, tuple[str, str]]]


def coded(
    events: Events, listed: list[tuple[str, str, str]], night: Any, measured: Events | None = None, days: tuple[date, date] = (EARLY, LATE)
) -> list[tuple[int, str]]:
    """Two people: 0 registered with A00001, 1 with A00002. An event is (person, practice, code); `measured` ones carry a number."""
    import pyarrow as pa

    text, day = pa.string(), pa.date32()

    def rows(of: Events) -> pa.Table:
        return pa.table(
            {
                "person_row": pa.array([e[0] for e in of], pa.int32()),
                "practice_code": pa.array([e[1] for e in of], text),
                "code_system": pa.array([e[2][0] for e in of], text),
                "code": pa.array([e[2][1] for e in of], text),
                "event_date": pa.array([days[0]] * len(of), day),
                "recorded_date": pa.array([days[1]] * len(of), day),
            }
        )

    lists = dict(zip(("code_system", "code", "cluster"), (pa.array([row[n] for row in listed], text) for n in range(3)), strict=True))
    with Engine.duckdb() as engine:
        tables = {
            "core/event": engine.table("event", rows(events)),
            "core/measurement": engine.table("measurement", rows(measured or [])),
            "core/person": engine.table("person", pa.table({"person_row": pa.array([0, 1], pa.int32()), "practice_code": ["A00001", "A00002"]})),
            "codelists": engine.table("codelists", pa.table({**lists, "kind": pa.array(["objection"] * len(listed), text)})),
        }
        found = engine.collect(coded_objection.build(tables, night()).order_by(["person_row", "state"]))
    assert all((row["recorded_date"] == days[1]) == (row["state"] != "unknown") for row in found.to_pylist())
    return list(zip(found["person_row"].to_pylist(), found["state"].to_pylist(), strict=True))


ANY = ("synthetic", "z.asthma.1")


def test_type_1_codes_are_found(night: Any) -> None:
    events = [(0, "A00001", DISSENT_CODE), (0, "A00001", DISSENT_CODE), (0, "A00001", WITHDRAWN_CODE), (1, "A00002", ANY)]
    assert coded(events, FULL, night) == [(0, "dissent"), (0, "withdrawn")]


@pytest.mark.parametrize("days", [(DAY, DAY), (NEXT, NEXT), (EARLY, NEXT), (NEXT, EARLY)])
def test_a_dissent_counts_whatever_its_days_and_a_withdrawal_once_they_are_over(night: Any, days: tuple[date, date]) -> None:
    events = [(0, "A00001", DISSENT_CODE), (0, "A00001", WITHDRAWN_CODE), (1, "A00002", WITHDRAWN_CODE)]
    assert coded(events, FULL, night, days=days) == [(0, "dissent")]
    assert coded(events, FULL, night, days=(EARLY, EVE)) == [(0, "dissent"), (0, "withdrawn"), (1, "withdrawn")]


@pytest.mark.parametrize("day", [DAY, NEXT])
def test_a_coded_dissent_of_the_day_or_later_keeps_a_person_out_of_the_night(table: Any, night: Any, day: date) -> None:
    """Through the feature store, which keeps such rows from every feature."""
    events = [
        {"person_id": "a", "code": "z.type_1_withdrawn.1", "event_date": EARLY},
        {"person_id": "a", "code": "z.type_1_dissent.1", "event_date": day},
        {"person_id": "b", "code": "z.asthma.1", "event_date": EARLY},
        {"person_id": "b", "code": "z.type_1_dissent.1", "event_date": EARLY},
        {"person_id": "b", "code": "z.type_1_withdrawn.1", "event_date": day},
        {"person_id": "c", "code": "z.asthma.1", "event_date": EARLY},
    ]
    same = {"practice_code": "A00001", "code_system": "synthetic"}
    tables = {
        "core/person": table("core/person", *({"person_id": p} for p in "abc")),
        "core/event": table("core/event", *({**same, **e, "recorded_date": e["event_date"]} for e in events)),
        "core/measurement": table("core/measurement"),
        "core/objection": table("core/objection"),
        "core/practice_extract": table("core/practice_extract"),
    }
    with Engine.duckdb() as engine:
        tables["core/coded_objection"] = build_fact(coded_objection.FACT, engine, tables, night())
    made = objections.build(tables, night())
    assert made["type_1_reason"].to_pylist() == ["dissent", "dissent", "no_record"]
    assert made["excluded_from_rule_list"].to_pylist() == [True, True, False]


def test_an_objection_with_a_number_beside_it_is_one(night: Any) -> None:
    assert coded([(0, "A00001", ANY), (1, "A00002", ANY)], FULL, night, measured=[(1, "A00002", DISSENT_CODE)]) == [(1, "dissent")]


def test_an_empty_code_list_fails_closed(night: Any) -> None:
    assert coded([(0, "A00001", DISSENT_CODE), (1, "A00002", ANY)], [], night) == [(0, "unknown"), (1, "unknown")]


def test_withdrawals_alone_are_no_code_list(night: Any) -> None:
    assert coded([(0, "A00001", ANY), (1, "A00002", ANY)], FULL[1:2], night) == [(0, "unknown"), (1, "unknown")]


def test_a_code_system_without_a_dissent_code_closes_the_practices_that_use_it(night: Any) -> None:
    events = [(0, "A00001", ("snomed", "195967001")), (0, "A00001", ANY), (1, "A00002", ANY), (1, "A00002", ("local", "ABC_1"))]
    assert coded(events, FULL, night) == [(0, "unknown")]


def test_a_practice_without_coded_records_cannot_be_read(night: Any) -> None:
    assert coded([(0, "A00001", ANY), (1, "A00002", ("local", "ABC_1"))], FULL, night) == [(1, "unknown")]
