"""What a hostile or careless file may not do at the door: stop the night, carry a person's number through, or cost an objection."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fuller_popheath.arrival.files import State, survey
from fuller_popheath.arrival.one_extract import hold
from fuller_popheath.errors import FileRefused
from fuller_popheath.site import ArrivalLimits

P, Q = "P81001", "P81002"
APPOINTMENTS = (
    "extract_date,practice_code,patient_id,nhs_number,record_id,appointment_date,start_time,booked_date,status,"
    "clinician_id,clinician_type,mode,category"
)
OBJECTIONS = "extract_date,practice_code,patient_id,nhs_number,record_id,objection,state,recorded_date"


def _appointments(landing: Any, number: Any, extra: list[str]) -> None:
    rows = [f"2026-08-01,{P},p{at % 9},{number(at % 9)},a{at},2026-07-01,09:30,,attended,c1,gp,telephone," for at in range(60)]
    landing.lines("appointment.csv", [APPOINTMENTS, *rows, *extra])


def _words(path: Path, column: str) -> list[str]:
    coded = pq.read_table(path, read_dictionary=[column], partitioning=None)[column]
    return [word for chunk in coded.chunks for word in chunk.dictionary.to_pylist()]


def test_a_malformed_time_costs_its_row_only(landing: Any, night: Any, test_number: Any) -> None:
    _appointments(landing, test_number, [f"2026-08-01,{P},p1,{test_number(1)},bad,2026-07-01,later,,attended,c1,gp,telephone,"])
    row = night.row(night.take(table="appointment"), P)
    assert (row["rows_in_use"], row["rows_quarantined"]) == (60, 1)


def test_columns_of_lists_refuse_their_file_and_the_others_go_on(landing: Any, night: Any, test_number: Any) -> None:
    landing.events(P)
    rows = pa.table(
        {
            "extract_date": ["2026-08-01"] * 3,
            "practice_code": [Q] * 3,
            "patient_id": ["p1"] * 3,
            "nhs_number": [test_number(1)] * 3,
            "record_id": ["r1", "r2", "r3"],
            "event_date": ["2025-03-01"] * 3,
            "code_system": ["synthetic"] * 3,
            "code": [["z.asthma.1"]] * 3,
        }
    )
    nested = landing.folder / "clinical_event" / f"{Q}.parquet"
    pq.write_table(rows, nested)
    taken = night.take(table="clinical_event")
    assert night.row(taken, P)["rows_in_use"] == 50
    told = " | ".join(str(reason) for use, reason in taken.files.values() if use == "refused")
    assert "failed with Arrow" in told and "fuller_popheath/" in told and "asthma" not in told
    with pytest.raises(FileRefused, match="failed with Arrow"):
        hold(nested, "inbound/clinical_event", ArrivalLimits(), pa.table({"kind": pa.array([], pa.string())}))


def test_no_part_says_what_only_a_quarantined_row_says(landing: Any, night: Any, test_number: Any) -> None:
    planted = "c7777777"
    _appointments(landing, test_number, [f"2026-08-01,{P},p1,{test_number(1)},bad,never,09:30,,attended,{planted},gp,telephone,"])
    night.take(table="appointment")
    (part,) = (night.store.folder / "core/contact/parts").rglob("*.parquet")
    assert _words(part, "clinician_id") == ["c1"]
    told = pq.read_metadata(part).row_group(0)
    assert all(planted not in str(told.column(at).statistics) for at in range(told.num_columns))


@pytest.mark.parametrize(("dissents", "broken"), [(60, 40), (2, 0)])
def test_a_poor_or_shrunken_file_costs_no_new_dissent(landing: Any, night: Any, test_number: Any, dissents: int, broken: int) -> None:
    def line(day: str, at: int, state: str) -> str:
        return f"{day},{P},,{test_number(at)},o{at},type_1,{state},2026-07-01"

    landing.lines("objection.csv", [OBJECTIONS, *(line("2026-08-01", at, "dissent") for at in range(60))])
    night.take(table="objection")
    new = [line("2026-08-02", 100 + at, "dissent") for at in range(dissents)] + [line("2026-08-02", 500 + at, "?") for at in range(broken)]
    landing.lines("objection.csv", [OBJECTIONS, *new])
    row = night.row(night.take("2026-08-02", table="objection"), P)
    assert (row["rows_in_use"], row["rows_quarantined"]) == (dissents, broken)
    # What stood in the fuller file of the day before still counts, and goes on counting until a whole one comes.
    assert night.store.read("core/objection", date(2026, 8, 2)).num_rows == 60 + dissents
    night.take("2026-08-03", table="objection")
    assert night.store.read("core/objection", date(2026, 8, 3)).num_rows == 60 + dissents
    landing.lines("objection.csv", [OBJECTIONS, *(line("2026-08-04", at, "dissent") for at in range(70))])
    night.take("2026-08-04", table="objection")
    assert night.store.read("core/objection", date(2026, 8, 4)).num_rows == 70


@pytest.mark.parametrize("column", ["code", "unit", "code of snomed"])
def test_a_number_of_nobody_in_the_extract_is_no_code(landing: Any, night: Any, column: str) -> None:
    system, code, unit = {
        "code": ("synthetic", "A9434765919", ""),
        "unit": ("synthetic", "z.asthma.1", "943-476-591-9"),
        "code of snomed": ("snomed", "9434765102", ""),  # Modulus 11 holds, Verhoeff does not
    }[column]
    landing.events(P, rows=60, extra=[f"2026-08-01,{P},p99,,x1,2025-03-01,,{system},{code},{'1' if unit else ''},{unit},"])
    assert night.take(table="clinical_event").counts == {f"{column.split()[0]}.holds_no_nhs_number": 1}


def test_a_value_as_long_as_an_nhs_number_is_no_measurement(landing: Any, night: Any) -> None:
    landing.events(P, rows=60, extra=[f"2026-08-01,{P},p99,,x1,2025-03-01,,synthetic,z.asthma.1,9434765919,,"])
    assert night.take(table="clinical_event").counts == {"value.range": 1}


def test_links_out_pipes_and_dangling_links_are_told_and_not_opened(landing: Any, tmp_path: Path) -> None:
    landing.practice_list(P)
    outside = tmp_path / "outside.csv"
    outside.write_text("secret\n")
    (landing.folder / "out.csv").symlink_to(outside)
    (landing.folder / "dangling.csv").symlink_to(tmp_path / "nothing.csv")
    os.mkfifo(landing.folder / "pipe.csv")
    found = {file.file_name: file for file in survey(landing.folder)}
    for name, said in (("out.csv", "leads out of the landing folder"), ("dangling.csv", "leads out|link to nothing"), ("pipe.csv", "is no file")):
        assert found[name].state is State.NOT_RECOGNISED
        assert any(words in str(found[name].problem) for words in said.split("|"))
    with pytest.raises(FileRefused, match="is no file"):
        hold(landing.folder / "pipe.csv", "inbound/practice_list", ArrivalLimits(), pa.table({"kind": pa.array([], pa.string())}))
