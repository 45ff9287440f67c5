"""Whoever was forgotten is not taken in by the door again, by number or by their practice's own; the account says how many rows that cost."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from fuller_popheath.people.suppressed import Suppressed

NEXT = date(2026, 8, 2)
PRACTICE, PEOPLE, GONE = "P81001", 40, 3


def _list(landing: Any, test_number: Any, day: str, extra: tuple[str, ...] = ()) -> None:
    header = landing.practice_list(PRACTICE, people=0).read_text().strip()
    rows = [f"{day},{PRACTICE},{test_number(at)},1950-05-12,female,A,E01012345,2001-01-01,,G1234567,,p{at}" for at in range(PEOPLE)]
    landing.lines(f"practice_lists/{PRACTICE}.csv", [f"{header},patient_id", *rows, *extra])


def _events(landing: Any, test_number: Any, day: str) -> None:
    """Of everybody one entry with the NHS number, and one with the practice's own alone."""
    header = landing.events(PRACTICE, rows=0).read_text().strip()
    entry = "2025-03-04,,synthetic,z.asthma.1,,,"
    rows = [f"{day},{PRACTICE},p{at},{number},r{at}{kind},{entry}" for at in range(PEOPLE) for kind, number in (("a", test_number(at)), ("b", ""))]
    landing.lines(f"clinical_event/{PRACTICE}.csv", [header, *rows])


def _said(folder: Path) -> str:
    """All that every file says."""
    told = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        told.append(path.read_bytes().decode("latin-1"))
        told += [str(column.to_pylist()) for column in pq.read_table(path, partitioning=None).columns] if path.suffix == ".parquet" else []
    return "\n".join(told)


def test_no_row_of_somebody_forgotten_is_taken_in(landing: Any, night: Any, test_number: Any) -> None:
    number, own = test_number(GONE), f"local:{PRACTICE}|p{GONE}"
    Suppressed(night.vault).add([number], [(PRACTICE, f"p{GONE}")])
    _list(landing, test_number, "2026-08-02")
    _events(landing, test_number, "2026-08-02")
    listed, events = night.take("2026-08-02"), night.take("2026-08-02", "clinical_event")
    assert (listed.rows_read, listed.rows_accepted, listed.account["rows_in_use"].to_pylist()) == (PEOPLE, PEOPLE, [PEOPLE - 1])
    assert (events.rows_read, events.rows_accepted, events.account["rows_in_use"].to_pylist()) == (2 * PEOPLE, 2 * PEOPLE, [2 * PEOPLE - 2])
    ids = {night.key.person_id(f"nhs:{number}"), night.key.person_id(own)}
    for core in ("core/registration", "core/event"):
        assert len(people := set(night.store.read(core, NEXT)["person_id"].to_pylist())) == PEOPLE - 1
        assert not people & ids
    said = _said(night.vault) + _said(night.folder / "store") + _said(night.quarantine)
    assert not [word for word in (number, *ids) if word in said]
    assert said.count('"forgotten": 1') == 1 and said.count('"forgotten": 2') == 1, "each extract's own account says so"


def test_their_faulty_rows_do_not_lie_in_quarantine(landing: Any, night: Any, test_number: Any) -> None:
    number = test_number(GONE)
    Suppressed(night.vault).add([number], ())
    spaced = f"{number[:3]} {number[3:6]} {number[6:]}"
    faulty = tuple(f"2026-08-02,{PRACTICE},{each},never,female,A,E01012345,2001-01-01,,,,x" for each in (number, spaced, test_number(PEOPLE + 1)))
    _list(landing, test_number, "2026-08-02", extra=faulty)
    taken = night.take("2026-08-02", site={"arrival": {"max_quarantined_percent": 20.0}})
    assert taken.rows_quarantined == 3, "they are counted all the same"
    said = _said(night.quarantine)
    assert number not in said and spaced not in said and test_number(PEOPLE + 1) in said


def test_somebody_else_with_their_practices_own_number_is_taken_in(landing: Any, night: Any, test_number: Any) -> None:
    """Practices use such a number again: it counts only where nothing else tells who is meant."""
    Suppressed(night.vault).add([], [(PRACTICE, f"p{GONE}")])
    _list(landing, test_number, "2026-08-02")
    assert night.take("2026-08-02").account["rows_in_use"].to_pylist() == [PEOPLE]


def test_what_a_withheld_row_costs_a_practice_is_not_held_against_its_file(landing: Any, night: Any, test_number: Any) -> None:
    """Many forgotten people make no file look shrunken: rows sent are compared, not rows in use."""
    _list(landing, test_number, "2026-08-01")
    night.take("2026-08-01")
    Suppressed(night.vault).add([test_number(at) for at in range(10)], ())
    _list(landing, test_number, "2026-08-02")
    taken = night.take("2026-08-02")
    assert night.states(taken) == {PRACTICE: "new"} and taken.account["rows_in_use"].to_pylist() == [PEOPLE - 10]
