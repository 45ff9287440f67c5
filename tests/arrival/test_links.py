"""Links between tables: they hold for records without numbers, and what cannot be linked is not in use, or is told."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from fuller_popheath.arrival.plausible_extracts import rows_of_nobody, sensitive_codes_listed
from fuller_popheath.people.pseudonyms import PseudonymKey

DAY, NEXT = date(2026, 8, 1), date(2026, 8, 2)
OTHER_KEY = PseudonymKey(b"another key, long enough too", version=2)
OBJECTIONS = "extract_date,practice_code,patient_id,nhs_number,record_id,objection,state,recorded_date"


def _people(night: Any, core: str, day: date = DAY) -> set[str]:
    return set(night.store.read(core, day)["person_id"].to_pylist())


def _list(landing: Any, test_number: Any, practice: str = "P81001", first: int = 0, day: str = "2026-08-01", people: int = 10) -> None:
    """A list that has both numbers of each of its people: `p<n>` of the practice, and the NHS number of `first` + n."""
    header = landing.practice_list(practice, people=0).read_text().strip()
    rows = [f"{day},{practice},{test_number(first + at)},1950-05-12,female,A,E01012345,2001-01-01,,G1234567,,p{at}" for at in range(people)]
    landing.lines(f"practice_lists/{practice}.csv", [f"{header},patient_id", *rows])


def _events(landing: Any, practice: str = "P81001", rows: int = 40, people: int = 10) -> None:
    """Entries that have the practice's own number only."""
    header = landing.events(practice, rows=0).read_text().strip()
    sound = [f"2026-08-01,{practice},p{at % people},,r{at}x,2025-03-{at % 28 + 1:02d},,synthetic,z.asthma.1,,," for at in range(rows)]
    landing.lines(f"clinical_event/{practice}.csv", [header, *sound])


def test_an_extract_made_with_another_key_never_stands_in(landing: Any, night: Any, test_number: Any) -> None:
    gone = landing.practice_list("P81001", people=60)
    landing.practice_list("P81002", people=60, start=1000)
    landing.lines("opt_outs.csv", [OBJECTIONS, f"2026-08-01,,,{test_number(3)},o1,national_data_opt_out,dissent,2024-01-01"])
    night.take()
    night.take(table="objection")
    gone.unlink()
    (landing.folder / "opt_outs.csv").unlink()
    taken = night.take("2026-08-02", key=OTHER_KEY)
    assert night.states(taken) == {"P81001": "never", "P81002": "new"}
    row = night.row(taken, "P81001")
    assert (row["reason"], row["rows_in_use"]) == (
        "the extract of 2026-08-01 was made with another key, so that nobody in it is known by any other table; send it again",
        0,
    )
    assert set(night.store.read("core/registration", NEXT)["practice_code"].to_pylist()) == {"P81002"}
    assert "another key" in night.row(night.take("2026-08-02", "objection", key=OTHER_KEY), "national")["reason"]
    assert "another key" in night.row(night.take("2026-08-03", "objection", key=OTHER_KEY), "national")["reason"]
    assert night.states(night.take("2026-08-03", key=OTHER_KEY)) == {"P81001": "never", "P81002": "unchanged"}
    assert night.states(night.take("2026-08-03")) == {"P81001": "stale", "P81002": "new"}


def test_an_older_extract_of_the_folder_is_read_where_the_one_in_use_has_another_key(landing: Any, night: Any) -> None:
    landing.practice_list("P81001", people=60, day="2026-07-30", name="old.csv")
    newer = landing.practice_list("P81001", people=60, name="new.csv")
    night.take()
    newer.unlink()
    row = night.row(night.take("2026-08-02", key=OTHER_KEY), "P81001")
    assert (row["state"], row["extract_date"], row["rows_in_use"]) == ("new", date(2026, 7, 30), 60)


def test_an_extract_from_which_other_codes_were_withheld_stands_in_and_says_so(landing: Any, night: Any) -> None:
    path = landing.events("P81001")
    night.take(table="clinical_event")
    path.unlink()
    row = night.row(night.take("2026-08-02", "clinical_event", site={"arrival": {"drop_sensitive_codes": False}}), "P81001")
    assert (row["state"], row["rows_in_use"]) == ("stale", 50)
    assert row["reason"].endswith("; other sensitive codes were withheld from it than are tonight, so ask for it again")
    assert "sensitive" not in night.row(night.take("2026-08-02", "clinical_event"), "P81001")["reason"]


@pytest.mark.parametrize("table", ["clinical_event", "medication_issue", "appointment", "objection"])
def test_records_without_a_number_have_that_of_their_practice_s_list(landing: Any, night: Any, test_number: Any, table: str) -> None:
    """In each of two practices `p1` is somebody else, whom the practice's own list names."""
    lines = {
        "medication_issue": "2026-08-01,{0},p1,m1,2025-03-01,synthetic,z.statin.1",
        "appointment": "2026-08-01,{0},p1,a1,2025-03-01,attended,gp,telephone",
        "objection": "2026-08-01,{0},p1,o1,type_1,dissent,2024-01-01",
        "clinical_event": "2026-08-01,{0},p1,r1,2025-03-01,synthetic,z.asthma.1",
    }
    headers = {
        "medication_issue": "extract_date,practice_code,patient_id,record_id,issue_date,code_system,code",
        "appointment": "extract_date,practice_code,patient_id,record_id,appointment_date,status,clinician_type,mode",
        "objection": "extract_date,practice_code,patient_id,record_id,objection,state,recorded_date",
        "clinical_event": "extract_date,practice_code,patient_id,record_id,event_date,code_system,code",
    }
    for at, practice in enumerate(("P81001", "P81002")):
        _list(landing, test_number, practice, first=1000 * at)
        landing.lines(f"{table}/{practice}.csv", [headers[table], lines[table].format(practice)])
    night.take()
    taken = night.take(table=table)
    expected = {night.key.person_id(f"nhs:{test_number(1000 * at + 1)}") for at in range(2)}
    assert taken.rows_accepted == 2
    assert _people(night, taken.core[0]) == expected <= _people(night, "core/registration")


def test_another_list_reads_records_without_numbers_again_and_no_others(landing: Any, night: Any, test_number: Any) -> None:
    _list(landing, test_number)
    _events(landing)
    landing.events("P81002")
    night.take()
    night.take(table="clinical_event")
    assert night.states(night.take("2026-08-02", "clinical_event")) == {"P81001": "unchanged", "P81002": "unchanged"}
    _list(landing, test_number, first=500, day="2026-08-02")
    night.take("2026-08-02")
    assert night.states(night.take("2026-08-02", "clinical_event")) == {"P81001": "new", "P81002": "unchanged"}
    own = {row["person_id"] for row in night.store.read("core/event", NEXT).to_pylist() if row["practice_code"] == "P81001"}
    assert own == {night.key.person_id(f"nhs:{test_number(500 + at)}") for at in range(10)}
    assert night.states(night.take("2026-08-02", "clinical_event")) == {"P81001": "unchanged", "P81002": "unchanged"}


def test_who_has_two_numbers_in_a_list_or_none_stays_who_they_were(landing: Any, night: Any, test_number: Any) -> None:
    header = landing.practice_list("P81001", people=0).read_text().strip()
    person = "2026-08-01,P81001,{},1950-05-12,female,A,E01012345,2001-01-01,,G1234567,,{}".format
    rows = [person(test_number(1), "p1"), person(test_number(2), "p1"), person("", "p2"), person(test_number(3), "p3")]
    landing.lines("practice_lists/P81001.csv", [f"{header},patient_id", *rows])
    _events(landing, people=4)
    night.take()
    night.take(table="clinical_event")
    local = {night.key.person_id(f"local:P81001|p{at}") for at in range(3)}
    assert _people(night, "core/event") == local | {night.key.person_id(f"nhs:{test_number(3)}")}


def test_rows_of_nobody_are_counted_by_practice(landing: Any, night: Any, test_number: Any) -> None:
    landing.practice_list("P81001", people=10)
    landing.practice_list("P81002", people=10, start=1000)
    landing.events("P81001", rows=100)
    night.take()
    night.take(table="clinical_event")
    finding, is_error = rows_of_nobody(night.store, DAY)
    assert finding.is_as_expected and not is_error and finding.numbers["rows of nobody"] == 0
    _events(landing, "P81002", rows=60)
    night.take(table="clinical_event")
    finding, is_error = rows_of_nobody(night.store, DAY)
    assert (finding.is_as_expected, is_error) == (False, True)
    assert (finding.numbers["rows"], finding.numbers["rows of nobody"], finding.numbers["practices with many"]) == (160, 60, 1)
    assert "P81002 event 100.0 %" in finding.sentence and "P81001" not in finding.sentence


@pytest.mark.parametrize(("strangers", "is_as_expected"), [(5, True), (6, False)])
def test_a_few_rows_of_nobody_are_expected(landing: Any, night: Any, test_number: Any, strangers: int, is_as_expected: bool) -> None:
    landing.practice_list("P81001", people=10)
    row = "2026-08-01,P81001,p1,{},r{}x,2025-03-01,,synthetic,z.asthma.1,,,".format
    header = landing.events("P81001", rows=0).read_text().strip()
    numbers = [test_number(700 if at < strangers else at % 10) for at in range(100)]
    landing.lines("clinical_event/P81001.csv", [header, *(row(number, at) for at, number in enumerate(numbers))])
    night.take()
    night.take(table="clinical_event")
    finding, is_error = rows_of_nobody(night.store, DAY)
    assert (finding.is_as_expected, is_error, finding.numbers["rows of nobody"]) == (is_as_expected, False, strangers)


def test_without_any_list_nobody_is_missed(landing: Any, night: Any) -> None:
    landing.events("P81001")
    night.take(table="clinical_event")
    assert rows_of_nobody(night.store, DAY)[0].is_as_expected


def test_a_code_system_without_sensitive_codes_is_told(landing: Any, night: Any) -> None:
    landing.events("P81001", rows=20, extra=[f"2026-08-01,P81001,p1,,x{at},2025-03-01,,read2,C10..,,," for at in range(3)])
    taken = night.take(table="clinical_event")
    assert taken.code_systems == {"read2": 3, "synthetic": 20}
    assert taken.sensitive is not None and taken.sensitive["synthetic"] > 0
    finding = sensitive_codes_listed(taken.sensitive, taken.code_systems)
    assert not finding.is_as_expected and "none for read2 (3 rows)" in finding.sentence
    assert sensitive_codes_listed(taken.sensitive, {"synthetic": 20}).is_as_expected
    off = night.take(table="clinical_event", site={"arrival": {"drop_sensitive_codes": False}})
    assert off.sensitive is None and sensitive_codes_listed(off.sensitive, off.code_systems).is_as_expected


def test_a_confidential_issue_of_a_medicine_is_withheld(landing: Any, night: Any, test_number: Any) -> None:
    header = "extract_date,practice_code,patient_id,nhs_number,record_id,issue_date,code_system,code,is_confidential"
    rows = [f"2026-08-01,P81001,p1,{test_number(1)},m{at},2025-03-01,synthetic,z.statin.1,{flag}" for at, flag in enumerate(("true", "false", ""))]
    landing.lines("medication_issue.csv", [header, *rows])
    row = night.row(night.take(table="medication_issue"), "P81001")
    assert (row["rows_accepted"], row["rows_in_use"]) == (3, 2)


def test_people_of_a_practice_that_is_not_known_are_let_in(landing: Any, night: Any) -> None:
    """V81999 stands for a practice that is not known (NHS Data Dictionary): no neighbourhood has it among its practices."""
    landing.practice_list("V81999", people=60)
    landing.practice_list("P89999", people=60, start=1000)
    taken = night.take(known=["P81001"])
    assert night.states(taken) == {"P81001": "never", "P89999": "never", "V81999": "new"}
    assert "P89999 is not one of the practices here" in night.row(taken, "P89999")["reason"]


def test_another_version_of_a_core_contract_reads_extracts_again(landing: Any, night: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    from fuller_popheath import contracts

    landing.practice_list("P81001", people=60)
    night.take()
    load = contracts.load_contract
    core = "core/registration"
    monkeypatch.setattr(contracts, "load_contract", lambda name: replace(load(name), version="9.9.9") if name == core else load(name))
    assert night.states(night.take("2026-08-02")) == {"P81001": "new"}


@pytest.mark.parametrize(("table", "severity"), [("objection", "ERROR"), ("practice_list", "WARN")])
def test_an_objection_that_cannot_be_read_is_an_error(landing: Any, night: Any, test_number: Any, table: str, severity: str) -> None:
    import dagster as dg

    from pipelines.extract_steps import _contract_verdict

    sound = [f"2026-08-01,P81001,p{at},{test_number(at)},o{at},type_1,dissent,2024-01-01" for at in range(40)]
    landing.lines("objections.csv", [OBJECTIONS, *sound, "2026-08-01,P81001,p1,,o99,type_1,dissent,never"])
    landing.practice_list("P81001", people=60, extra=["2026-08-01,P81001,,never,female,,,2001-01-01,,,"])
    taken = night.take(table=table)
    assert taken.rows_quarantined == 1
    verdict = _contract_verdict(dg.AssetKey(["core", "x"]), taken)
    assert (verdict.passed, verdict.severity.value) == (False, severity)
    assert ("is not honoured" in str(verdict.description)) is (severity == "ERROR")
