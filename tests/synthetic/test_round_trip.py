"""A practice's records written as EMIS and as SystmOne would send them, and read again: the same rows, but for what a layout cannot carry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv
import pytest

from fuller_popheath import registry
from fuller_popheath.codelists.loading import codelist
from fuller_popheath.contracts import Checked, check, load_contract
from fuller_popheath.sources import emis, tpp
from fuller_popheath.sources.care_words import NATIONAL_CATEGORIES, NATIONAL_MODES
from fuller_popheath.sources.opening import heads
from fuller_popheath.specs import FileHead, SupplierSpec
from fuller_popheath.synthetic.nhs_numbers import draw_test_numbers
from fuller_popheath.synthetic.suppliers import emis as emis_writer
from fuller_popheath.synthetic.suppliers import tpp as tpp_writer
from fuller_popheath.synthetic.suppliers.made_up import postcode_of, postcodes

PRACTICE, DAY = "Y90001", date(2026, 10, 1)
LIST, EVENT, ISSUE, APPOINTMENT = "inbound/practice_list", "inbound/clinical_event", "inbound/medication_issue", "inbound/appointment"
CONTRACTS = (LIST, EVENT, ISSUE, APPOINTMENT)
PEOPLE, EVENTS, ISSUES, APPOINTMENTS = 300, 4000, 2000, 2500
STAFF = {"G1000001": "gp", "G1000002": "gp", "G1000003": "gp_locum", "N1": "nurse", "P1": "pharmacist", "H1": "healthcare_assistant", "O1": "other"}
LISTS = codelist()
LSOAS = ("E01012345", "E01033755", "E01900001", "W01001901")


def _some(rng: np.random.Generator, values: Any, share_missing: float, kind: pa.DataType | None = None) -> pa.Array:
    return pa.array(values, kind, mask=rng.random(len(values)) < share_missing)


def _days(rng: np.random.Generator, count: int, first: str, last: str) -> np.ndarray:
    start, end = np.datetime64(first, "D"), np.datetime64(last, "D")
    return start + rng.integers(0, (end - start).astype(int), count)


def _practice_list(rng: np.random.Generator) -> pa.Table:
    start = _days(rng, PEOPLE, "1999-01-01", "2026-09-01")
    ended = np.minimum(start + rng.integers(1, 4000, PEOPLE), np.datetime64("2026-09-30"))
    categories = np.array(["A", "H", "N", "Z", "99"])
    return pa.table(
        {
            "extract_date": pa.array([DAY] * PEOPLE),
            "practice_code": pa.array([PRACTICE] * PEOPLE),
            "patient_id": pa.array([f"patient{at}" for at in range(PEOPLE)]),
            "nhs_number": _some(rng, draw_test_numbers(rng, PEOPLE).astype("<U10"), 0.02),
            "date_of_birth": pa.array(_days(rng, PEOPLE, "1920-01-01", "1998-12-31")),
            "sex": pa.array(rng.choice(["male", "female", "indeterminate", "unknown"], PEOPLE)),
            "ethnic_category": _some(rng, rng.choice(categories, PEOPLE), 0.1),
            "lsoa_code": _some(rng, rng.choice(LSOAS, PEOPLE), 0.02),
            "registration_start_date": pa.array(start),
            "registration_end_date": _some(rng, ended, 0.8),
            "usual_gp_code": _some(rng, rng.choice(["G1000001", "G1000002", "G1000009"], PEOPLE), 0.02),
            "death_date": _some(rng, _days(rng, PEOPLE, "2026-08-01", "2026-09-30"), 0.98),
            "registration_type": _some(rng, rng.choice(["regular", "temporary", "other"], PEOPLE), 0.2),
            "is_sensitive": pa.array(rng.random(PEOPLE) < 0.02),
        }
    )


def _whose(rng: np.random.Generator, people: pa.Table, count: int, name: str) -> dict[str, pa.Array]:
    at = rng.integers(0, PEOPLE, count)
    return {
        "extract_date": pa.array([DAY] * count),
        "practice_code": pa.array([PRACTICE] * count),
        "patient_id": people["patient_id"].take(at),
        "nhs_number": people["nhs_number"].take(at),
        "record_id": pa.array([f"{name}{at}" for at in range(count)]),
    }


def _events(rng: np.random.Generator, people: pa.Table) -> pa.Table:
    kinds = [("synthetic", "z.hypertension.1"), ("synthetic", "z.systolic_bp.1"), ("snomed", "248279007"), ("local", "YESTERDAYS")]
    kind = rng.integers(0, len(kinds), EVENTS)
    is_reading = kind == 1
    day = _days(rng, EVENTS, "2022-01-01", "2026-09-20")
    return pa.table(
        {
            **_whose(rng, people, EVENTS, "event"),
            "event_date": pa.array(day),
            "recorded_date": _some(rng, day + rng.integers(0, 10, EVENTS), 0.1),
            "code_system": pa.array([kinds[at][0] for at in kind]),
            "code": pa.array([kinds[at][1] for at in kind]),
            "value": pa.array(np.round(rng.normal(135, 15, EVENTS), 1), mask=~is_reading),
            "unit": pa.array(["mmHg"] * EVENTS, mask=~is_reading),
            "is_confidential": pa.array(rng.random(EVENTS) < 0.01),
        }
    )


def _issues(rng: np.random.Generator, people: pa.Table) -> pa.Table:
    kinds = [("synthetic", "z.statin.1"), ("synthetic", "z.metformin.2"), ("dmd", "320000004")]
    kind = rng.integers(0, len(kinds), ISSUES)
    day = _days(rng, ISSUES, "2022-01-01", "2026-09-20")
    return pa.table(
        {
            **_whose(rng, people, ISSUES, "issue"),
            "issue_date": pa.array(day),
            "recorded_date": pa.array(day),
            "code_system": pa.array([kinds[at][0] for at in kind]),
            "code": pa.array([kinds[at][1] for at in kind]),
            "is_repeat": _some(rng, rng.random(ISSUES) < 0.6, 0.1),
        }
    )


def _appointments(rng: np.random.Generator, people: pa.Table) -> pa.Table:
    day = _days(rng, APPOINTMENTS, "2022-01-01", "2026-09-30")
    status = rng.choice(["attended", "did_not_attend", "cancelled"], APPOINTMENTS, p=[0.85, 0.1, 0.05])
    ahead = rng.random(APPOINTMENTS) < 0.05
    day[ahead], status[ahead] = np.datetime64("2026-10-09"), "booked"
    clinician = rng.choice(np.array(list(STAFF)), APPOINTMENTS)
    nobody = rng.random(APPOINTMENTS) < 0.03
    minutes = rng.integers(8 * 60, 18 * 60, APPOINTMENTS)
    return pa.table(
        {
            **_whose(rng, people, APPOINTMENTS, "appointment"),
            "appointment_date": pa.array(day),
            "start_time": _some(rng, [f"{m // 60:02d}:{m % 60:02d}" for m in minutes], 0.05),
            "booked_date": _some(rng, np.minimum(day - rng.integers(0, 30, APPOINTMENTS), np.datetime64(DAY)), 0.1),
            "status": pa.array(status),
            "clinician_id": pa.array(clinician, mask=nobody),
            "clinician_type": pa.array(np.where(nobody, "unknown", np.array([STAFF[each] for each in clinician]))),
            "mode": pa.array(rng.choice(list(NATIONAL_MODES), APPOINTMENTS)),
            "category": _some(rng, rng.choice(list(NATIONAL_CATEGORIES), APPOINTMENTS), 0.2),
        }
    )


@pytest.fixture(scope="module")
def own() -> dict[str, pa.Table]:
    """The tables of one practice in our own layout, every row of which its contract accepts."""
    rng = np.random.default_rng(3)
    people = _practice_list(rng)
    return {LIST: people, EVENT: _events(rng, people), ISSUE: _issues(rng, people), APPOINTMENT: _appointments(rng, people)}


def read_drop(supplier: SupplierSpec, paths: tuple[Path, ...]) -> dict[str, Checked]:
    """Each inbound contract of a drop as the door reads it: rows that the supplier removed apart, the others against their contract."""
    found: dict[str, tuple[FileHead, ...]] = {}
    for path in paths:
        (head,) = heads(path)
        name = supplier.recognise(head)
        if name is not None:
            found[name] = (*found.get(name, ()), head)
    assert supplier.extract_date(found) == DAY
    assert supplier.practice_code(found) == PRACTICE
    assert {file for files in supplier.needs.values() for file in files} <= set(found)
    read = {contract: supplier.read(contract, found, LISTS) for contract in supplier.contracts}
    return {contract: check(table.filter(pc.is_null(table["_removed"])), load_contract(contract)) for contract, table in read.items()}


Naming = Callable[[str, str, str], str]
KIND_OF_RECORD = {EVENT: "event", ISSUE: "issue", APPOINTMENT: "appointment"}
NOTHING_BROKEN: dict[str, dict[str, int]] = {contract: {} for contract in CONTRACTS}
CORE = ("core/registration", "core/event", "core/measurement", "core/medication_issue", "core/contact")
EMIS_LOST = {LIST: {"postcode"}, APPOINTMENT: {"booked_date"}}
TPP_LOST = {LIST: {"postcode", "usual_gp_code", "is_sensitive"}, EVENT: {"is_confidential"}}


def as_ours(drop: Mapping[str, Checked], own: Mapping[str, pa.Table], naming: Naming) -> dict[str, pa.Table]:
    """What was accepted of a drop under our identifiers, LSOAs looked up by postcode, without the entries that carry the ethnic category."""
    staff = {*own[APPOINTMENT]["clinician_id"].to_pylist(), *own[LIST]["usual_gp_code"].to_pylist()} - {None}
    ours = {"patient_id": own[LIST]["patient_id"].to_pylist(), "clinician_id": staff, "usual_gp_code": staff}
    kinds = {"patient_id": "patient", "clinician_id": "staff", "usual_gp_code": "staff"}
    lsoa = dict(zip(*postcodes(own[LIST]["lsoa_code"]).to_pydict().values(), strict=True))
    made = {}
    for contract, checked in drop.items():
        table = checked.accepted
        back = {name: {naming(kind, PRACTICE, each): each for each in ours[name]} for name, kind in kinds.items()}
        if contract in KIND_OF_RECORD:
            back["record_id"] = {naming(KIND_OF_RECORD[contract], PRACTICE, each): each for each in own[contract]["record_id"].to_pylist()}
        for name in set(back) & set(table.column_names):
            # GMP codes are the same everywhere, and entries of ethnicity are not ours: both stay as they are.
            renamed = [back[name].get(each, each) for each in table[name].to_pylist()]
            table = table.set_column(table.column_names.index(name), name, pa.array(renamed, pa.string()))
        if contract == LIST:
            looked_up = pa.array([lsoa.get(each) for each in table["postcode"].to_pylist()], pa.string())
            table = table.set_column(table.column_names.index("lsoa_code"), "lsoa_code", looked_up)
        if contract == EVENT:
            table = table.filter(pc.invert(pc.starts_with(table["code"], "z.ethnicity_")))
        made[contract] = table
    return made


def core(tables: Mapping[str, pa.Table]) -> dict[str, pa.Table]:
    """The core tables that the door makes of accepted rows; a person is called by their NHS number, or else by their number with the practice."""
    made: dict[str, pa.Table] = {}
    for contract, table in tables.items():
        person = pc.coalesce(table["nhs_number"], table["patient_id"])
        known = table.append_column("person_id", person).append_column("is_linked", pc.is_valid(table["nhs_number"]))
        made.update(registry.extracts()[contract].to_core(known))
    return {contract: made[contract].select(load_contract(contract).column_names) for contract in CORE}


def same_rows(before: pa.Table, after: pa.Table, without: set[str]) -> None:
    """Assert that the two have the same rows, in any order, in the columns of the first but those of `without`."""
    columns = [name for name in before.column_names if name not in without]
    order = [(name, "ascending") for name in columns]
    found = after.select(columns).cast(before.select(columns).schema)
    assert found.sort_by(order).to_pylist() == before.select(columns).sort_by(order).to_pylist()


def accepted_as_they_are(own: Mapping[str, pa.Table]) -> dict[str, pa.Table]:
    """Our own tables as their contracts have them."""
    return {contract: check(table, load_contract(contract)).accepted for contract, table in own.items()}


def test_through_our_own_layout_and_back(own: dict[str, pa.Table], tmp_path: Path) -> None:
    supplier = registry.suppliers()["own"]
    for contract, table in own.items():
        path = tmp_path / f"{contract.split('/')[1]}_{PRACTICE}.csv"
        arrow_csv.write_csv(table, path)
        (head,) = heads(path)
        checked = check(supplier.read(contract, {str(supplier.recognise(head)): (head,)}, LISTS), load_contract(contract))
        assert checked.counts == {}
        same_rows(accepted_as_they_are(own)[contract], checked.accepted, set())


@pytest.mark.parametrize("version", ["newest", "5.0"])
def test_through_emis_and_back(own: dict[str, pa.Table], tmp_path: Path, version: Any) -> None:
    drop = read_drop(emis.SUPPLIER, emis_writer.write_drop(tmp_path, PRACTICE, own, DAY, np.random.default_rng(5), version=version))
    assert {contract: checked.counts for contract, checked in drop.items()} == NOTHING_BROKEN
    before, after = accepted_as_they_are(own), as_ours(drop, own, emis_writer.emis_guid)
    # A cancelled appointment is not in the extract; nothing else is missing.
    before[APPOINTMENT] = before[APPOINTMENT].filter(pc.not_equal(before[APPOINTMENT]["status"], "cancelled"))
    # EMIS says of every issue whether it is confidential; ours say nothing, which is no.
    said = before[ISSUE].column_names.index("is_confidential")
    before[ISSUE] = before[ISSUE].set_column(said, "is_confidential", pc.fill_null(before[ISSUE]["is_confidential"], False))
    for contract in CONTRACTS:
        same_rows(before[contract], after[contract], EMIS_LOST.get(contract, set()))
    core_before, core_after = core(before), core(after)
    for contract in CORE:
        # The day an appointment was booked is lost, and so the day from which a coming one is known.
        same_rows(core_before[contract], core_after[contract], {"recorded_date", "booked_date"} if contract == "core/contact" else set())
    assert {name: EMIS_LOST[name] - {"postcode"} <= set(emis_writer.LOST[name]) for name in EMIS_LOST} == dict.fromkeys(EMIS_LOST, True)


def test_through_systmone_and_back(own: dict[str, pa.Table], tmp_path: Path) -> None:
    drop = read_drop(tpp.SUPPLIER, tpp_writer.write_drop(tmp_path, PRACTICE, own, DAY, np.random.default_rng(5)))
    assert {contract: checked.counts for contract, checked in drop.items()} == NOTHING_BROKEN
    before, after = accepted_as_they_are(own), as_ours(drop, own, tpp_writer.tpp_row_number)
    for contract in CONTRACTS:
        same_rows(before[contract], after[contract], TPP_LOST.get(contract, set()))
    core_before, core_after = core(before), core(after)
    for contract in CORE:
        same_rows(core_before[contract], core_after[contract], {"usual_gp_code", "is_sensitive"} if contract == "core/registration" else set())
    assert {name: TPP_LOST[name] - {"postcode"} <= set(tpp_writer.LOST[name]) for name in TPP_LOST} == dict.fromkeys(TPP_LOST, True)


def test_a_practice_with_nothing_but_its_list(own: dict[str, pa.Table], tmp_path: Path) -> None:
    for supplier, write in ((emis.SUPPLIER, emis_writer.write_drop), (tpp.SUPPLIER, tpp_writer.write_drop)):
        drop = read_drop(supplier, write(tmp_path, PRACTICE, {LIST: own[LIST]}, DAY, np.random.default_rng(5)))
        assert {contract: checked.counts for contract, checked in drop.items()} == NOTHING_BROKEN
        assert (drop[LIST].accepted.num_rows, drop[ISSUE].rows_read, drop[APPOINTMENT].rows_read) == (PEOPLE, 0, 0)


def test_cancelled_and_free_slots_of_emis_are_accounted_for(own: dict[str, pa.Table], tmp_path: Path) -> None:
    paths = emis_writer.write_drop(tmp_path, PRACTICE, own, DAY, np.random.default_rng(5))
    slots = {emis.recognise(head): (head,) for path in paths for head in heads(path)}
    read = emis.read(APPOINTMENT, slots, LISTS)
    cancelled = pc.sum(pc.equal(own[APPOINTMENT]["status"], "cancelled")).as_py()
    free = int(emis_writer.FREE_SLOTS * APPOINTMENTS)
    assert read.num_rows == APPOINTMENTS + free
    assert pc.value_counts(read["_removed"].drop_null()).to_pylist() == [{"values": "no_patient", "counts": cancelled + free}]


def test_the_same_seed_writes_the_same_bytes_and_only_the_owner_may_read_them(own: dict[str, pa.Table], tmp_path: Path) -> None:
    for write in (emis_writer.write_drop, tpp_writer.write_drop):
        once = write(tmp_path / "once", PRACTICE, own, DAY, np.random.default_rng(5))
        again = write(tmp_path / "again", PRACTICE, own, DAY, np.random.default_rng(5))
        assert [path.name for path in once] == [path.name for path in again]
        assert all(a.read_bytes() == b.read_bytes() and a.stat().st_mode & 0o777 == 0o600 for a, b in zip(once, again, strict=True))


def test_no_name_and_no_identifier_of_ours_stands_in_a_written_extract(own: dict[str, pa.Table], tmp_path: Path) -> None:
    for write in (emis_writer.write_drop, tpp_writer.write_drop):
        text = "".join(path.read_text() for path in write(tmp_path, PRACTICE, own, DAY, np.random.default_rng(5)))
        assert not any(word in text for word in ("patient1", "event1", "appointment1", "issue1"))


def test_every_lsoa_has_a_postcode_of_its_own_that_nobody_has() -> None:
    codes = [f"{country}01{number:06d}" for country in "EWS" for number in (0, 1, 9, 10, 4000, 99_999, 100_000, 395_999, 396_000, 950_001, 999_999)]
    made = [postcode_of(code) for code in codes]
    assert len(set(made)) == len(codes)
    assert all(each is not None and each[:2] in {"ZZ", "ZX", "ZV"} and not each.startswith("ZZ99") for each in made)
    assert [postcode_of(code) for code in (None, "NO2011", "CLOSED", "95AA01S1")] == [None] * 4
    lookup = postcodes(pa.chunked_array([["E01000001", None, "E01000001", "E01000002"]]))
    assert lookup["lsoa_code"].to_pylist() == ["E01000001", "E01000002"]


def test_a_million_postcodes_are_all_different() -> None:
    made = {postcode_of(f"E01{number:06d}") for number in range(0, 1_000_000, 7)}
    assert len(made) == len(range(0, 1_000_000, 7))
