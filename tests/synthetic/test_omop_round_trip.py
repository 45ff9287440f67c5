"""Records written as OMOP CDM 5.4 and read again: the same core tables as from our own layout, but for what OMOP cannot carry, which is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from fuller_popheath import registry
from fuller_popheath.arrival.extract_store import ExtractStore
from fuller_popheath.codelists.loading import codelist
from fuller_popheath.contracts import Checked, check, load_contract
from fuller_popheath.sources import omop, omop_kinds
from fuller_popheath.sources.opening import heads
from fuller_popheath.specs import FileHead
from fuller_popheath.synthetic import write_landing
from fuller_popheath.synthetic.suppliers import omop as writer
from tests.synthetic.conftest import AS_OF, through_the_door
from tests.synthetic.test_round_trip import APPOINTMENT, DAY, EVENT, ISSUE, LIST, PRACTICE, own, same_rows

__all__ = ["own"]

SPELL, ATTENDANCE = writer.SPELL, writer.ATTENDANCE
OTHER = "Y90002"
LISTS = codelist()
SPELLS, ATTENDANCES = 400, 500
OF_BECOMING: Mapping[str, str] = {core: inbound for inbound, spec in registry.extracts().items() for core in spec.becomes}
CORE = ("core/registration", "core/event", "core/measurement", "core/medication_issue", "core/contact", "core/spell", "core/ed_attendance")
NOT_CARRIED: Mapping[str, set[str]] = {
    "core/registration": {"is_sensitive"},
    "core/event": {"recorded_date"},
    "core/measurement": {"recorded_date"},
    "core/medication_issue": {"recorded_date"},
    "core/contact": {"booked_date"},
    "core/spell": {"recorded_date"},
    "core/ed_attendance": {"recorded_date", "chief_complaint_code"},
}
"""Columns of core tables that do not come back, beside that nobody is linked; every other one does, in every row."""
KINDS = {EVENT: "event", ISSUE: "issue", APPOINTMENT: "appointment", SPELL: "spell", ATTENDANCE: "attendance"}


def _hospital(rng: np.random.Generator, people: pa.Table, count: int) -> dict[str, pa.Array]:
    at = rng.integers(0, people.num_rows, count)
    return {
        "extract_date": pa.array([DAY] * count),
        "provider_code": pa.array(rng.choice(["ZZ1", "ZZ2"], count)),
        "nhs_number": people["nhs_number"].take(at),
        "patient_id": people["patient_id"].take(at),
        "practice_code": people["practice_code"].take(at),
        "record_id": pa.array([f"visit{each}" for each in range(count)]),
    }


def _spells(rng: np.random.Generator, people: pa.Table) -> pa.Table:
    day = np.datetime64("2022-01-01") + rng.integers(0, 1700, SPELLS)
    codes = ["J18.9", "I50.0", "N39.0", "E11", "S72.0"]
    every = [list(rng.permutation(codes)[: rng.integers(1, 4)]) for _ in range(SPELLS)]
    still_in = rng.random(SPELLS) < 0.05
    return pa.table(
        {
            **_hospital(rng, people, SPELLS),
            "admission_date": pa.array(day),
            "discharge_date": pa.array(day + rng.integers(0, 20, SPELLS), mask=still_in),
            "admission_method": pa.array(rng.choice(["11", "21", "2A", "28", "31", "99"], SPELLS)),
            "primary_diagnosis_code": pa.array([each[0] for each in every], mask=still_in),
            "diagnosis_codes": pa.array([";".join(each) for each in every], mask=still_in),
            "recorded_date": pa.array(day + 40),
        }
    )


def _attendances(rng: np.random.Generator, people: pa.Table) -> pa.Table:
    return pa.table(
        {
            **_hospital(rng, people, ATTENDANCES),
            "arrival_date": pa.array(np.datetime64("2022-01-01") + rng.integers(0, 1700, ATTENDANCES)),
            "department_type": pa.array(rng.choice(["1", "2", "3", "4"], ATTENDANCES), mask=rng.random(ATTENDANCES) < 0.1),
            "is_admitted": pa.array(rng.random(ATTENDANCES) < 0.3, mask=rng.random(ATTENDANCES) < 0.1),
        }
    )


@pytest.fixture(scope="module")
def region(own: dict[str, pa.Table]) -> dict[str, pa.Table]:
    """Two practices with the same patient ids, staff and record ids, and two hospitals that they share."""

    def moved(table: pa.Table) -> pa.Table:
        return table.set_column(table.column_names.index("practice_code"), "practice_code", pa.array([OTHER] * table.num_rows))

    both = {name: pa.concat_tables([table, moved(table)]) for name, table in own.items()}
    rng = np.random.default_rng(8)
    return {**both, SPELL: _spells(rng, both[LIST]), ATTENDANCE: _attendances(rng, both[LIST])}


@pytest.fixture(scope="module")
def written(region: dict[str, pa.Table], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    return writer.write_drop(tmp_path_factory.mktemp("omop"), "QZZ", region, DAY, np.random.default_rng(5))


def files_of(paths: tuple[Path, ...]) -> dict[str, tuple[FileHead, ...]]:
    found: dict[str, tuple[FileHead, ...]] = {}
    for path in paths:
        (head,) = heads(path)
        name = omop.recognise(head)
        assert name == path.stem
        found[name] = (head,)
    return found


def drop_of(paths: tuple[Path, ...]) -> dict[str, Checked]:
    """Each inbound contract as the door reads it: rows that are no record apart, the others against their contract."""
    files = files_of(paths)
    assert omop.extract_date(files) == DAY
    made = {}
    for contract in omop.SUPPLIER.contracts:
        assert set(omop.SUPPLIER.needs[contract]) <= set(files)
        table = omop.read(contract, files, LISTS)
        table = table.filter(pc.is_null(table["_removed"])) if "_removed" in table.column_names else table
        made[contract] = check(table, load_contract(contract))
    return made


def core(tables: Mapping[str, pa.Table], naming: Callable[[str, str], str]) -> dict[str, pa.Table]:
    """The core tables that the door makes of accepted rows; `naming` calls a person of a practice, nobody goes by an NHS number."""
    made: dict[str, pa.Table] = {}
    for contract, table in tables.items():
        names = [naming(*each) for each in zip(table["practice_code"].to_pylist(), table["patient_id"].to_pylist(), strict=True)]
        known = table.append_column("person_id", pa.array(names)).append_column("is_linked", pa.array([False] * table.num_rows))
        made.update(registry.extracts()[contract].to_core(known))
    return {name: made[name].select(load_contract(name).column_names) for name in CORE}


def carried(own: Mapping[str, pa.Table]) -> dict[str, pa.Table]:
    """Our rows without those that OMOP has no place for, and staff by the name under which they come back."""
    made = {contract: check(table, load_contract(contract)).accepted for contract, table in own.items()}
    made[EVENT] = made[EVENT].filter(pc.invert(pc.fill_null(made[EVENT]["is_confidential"], False)))
    made[APPOINTMENT] = made[APPOINTMENT].filter(pc.equal(made[APPOINTMENT]["status"], "attended"))
    contacts = made[APPOINTMENT]
    staff = [
        each if each is None or omop.GP_CODE.fullmatch(each) else writer.omop_number("staff", practice, each)
        for practice, each in zip(contacts["practice_code"].to_pylist(), contacts["clinician_id"].to_pylist(), strict=True)
    ]
    made[APPOINTMENT] = contacts.set_column(contacts.column_names.index("clinician_id"), "clinician_id", pa.array(staff))
    return made


def test_through_omop_and_back(region: dict[str, pa.Table], written: tuple[Path, ...]) -> None:
    drop = drop_of(written)
    assert {contract: checked.counts for contract, checked in drop.items()} == {contract: {} for contract in omop.SUPPLIER.contracts}
    before = core(carried(region), lambda practice, patient: writer.omop_number("patient", practice, patient))
    after = core({contract: checked.accepted for contract, checked in drop.items()}, lambda _, patient: patient)
    for name in CORE:
        assert before[name].num_rows > 100
        same_rows(before[name], after[name], NOT_CARRIED[name])
        assert NOT_CARRIED[name] <= {*writer.LOST[OF_BECOMING[name]]}, name
    assert set(writer.LOST) == set(omop.SUPPLIER.contracts)


def test_what_cannot_be_carried_really_is_not(written: tuple[Path, ...]) -> None:
    """The list of what is lost is no longer than it must be: each of these columns is empty, or says nothing but what another column does."""
    drop = {contract: checked.accepted for contract, checked in drop_of(written).items()}
    assert all(table["nhs_number"].null_count == table.num_rows for table in drop.values())
    unsaid = {EVENT: ("recorded_date", "is_confidential"), ISSUE: ("recorded_date", "is_confidential"), APPOINTMENT: ("booked_date",)}
    unsaid |= {LIST: ("is_sensitive",), SPELL: ("recorded_date",), ATTENDANCE: ("recorded_date", "chief_complaint_code")}
    for contract, names in unsaid.items():
        assert all(drop[contract][name].null_count == drop[contract].num_rows for name in names)
        assert set(names) <= set(writer.LOST[contract])
    assert pc.unique(drop[APPOINTMENT]["status"]).to_pylist() == ["attended"]


def test_records_come_back_under_numbers_that_follow_from_ours(region: dict[str, pa.Table], written: tuple[Path, ...]) -> None:
    drop = {contract: checked.accepted for contract, checked in drop_of(written).items()}
    words = {EVENT: ("condition", "observation", "measurement"), ISSUE: ("drug",), APPOINTMENT: ("visit",), SPELL: ("visit",), ATTENDANCE: ("visit",)}
    for contract, kind in KINDS.items():
        rows = carried(region)[contract]
        keys = rows["record_id"].to_pylist()
        if contract in (SPELL, ATTENDANCE):
            keys = [f"{provider}|{key}" for provider, key in zip(rows["provider_code"].to_pylist(), keys, strict=True)]
        expected = {writer.omop_number(kind, practice, key) for practice, key in zip(rows["practice_code"].to_pylist(), keys, strict=True)}
        found = [record.partition("-") for record in drop[contract]["record_id"].to_pylist()]
        assert {number for _, _, number in found} == expected and len(found) == len(expected)
        assert {word for word, _, _ in found} <= {*words[contract]}


def test_a_confidential_objection_is_not_left_out(own: dict[str, pa.Table], tmp_path: Path) -> None:
    code = next(row["code"] for row in LISTS.to_pylist() if row["kind"] == "objection")
    events = own[EVENT].slice(0, 2).set_column(own[EVENT].column_names.index("code"), "code", pa.array([code, "z.hypertension.1"]))
    events = events.set_column(events.column_names.index("code_system"), "code_system", pa.array(["synthetic"] * 2))
    events = events.set_column(events.column_names.index("is_confidential"), "is_confidential", pa.array([True, True]))
    drop = drop_of(writer.write_drop(tmp_path, PRACTICE, {LIST: own[LIST], EVENT: events}, DAY, np.random.default_rng(5)))
    assert drop[EVENT].accepted["code"].to_pylist() == [code]


def test_diagnoses_of_a_stay_stand_in_it_and_are_accounted_for(region: dict[str, pa.Table], written: tuple[Path, ...]) -> None:
    read = omop.read(EVENT, files_of(written), LISTS)
    codes = sum(len(text.split(";")) for text in region[SPELL]["diagnosis_codes"].to_pylist() if text)
    assert pc.value_counts(read["_removed"].drop_null()).to_pylist() == [{"values": omop_kinds.SPELL_DIAGNOSIS, "counts": codes}]
    conditions = (written[0].parent / "CONDITION_OCCURRENCE.csv").read_bytes().count(b"\n") - 1
    assert pc.sum(pc.equal(read["_file"], "CONDITION_OCCURRENCE")).as_py() == conditions > codes


def test_everything_in_it_can_be_mapped_and_make_believe_codes_are_marked(written: tuple[Path, ...]) -> None:
    files = files_of(written)
    assert omop.unmapped(files).num_rows == 0
    concepts = (written[0].parent / "CONCEPT.csv").read_text()
    assert '"Synthetic"' in concepts and '"z.hypertension.1"' in concepts
    assert "of no real vocabulary" in (written[0].parent / "VOCABULARY.csv").read_text()


def test_a_practice_with_nothing_but_its_list(own: dict[str, pa.Table], tmp_path: Path) -> None:
    drop = drop_of(writer.write_drop(tmp_path, PRACTICE, {LIST: own[LIST]}, DAY, np.random.default_rng(5)))
    assert all(checked.counts == {} for checked in drop.values())
    rows = {contract: checked.rows_read for contract, checked in drop.items()}
    assert rows == {**dict.fromkeys(omop.SUPPLIER.contracts, 0), LIST: own[LIST].num_rows}


def test_the_same_seed_writes_the_same_bytes_that_hold_no_identifier(own: dict[str, pa.Table], tmp_path: Path) -> None:
    once, again = (writer.write_drop(tmp_path / name, PRACTICE, own, DAY, np.random.default_rng(5)) for name in ("once", "again"))
    assert all(a.read_bytes() == b.read_bytes() and a.stat().st_mode & 0o777 == 0o600 for a, b in zip(once, again, strict=True))
    text = "".join(path.read_text() for path in once)
    numbers = [number for number in own[LIST]["nhs_number"].to_pylist() if number]
    assert not any(word in text for word in ("patient1", "event1", "appointment1", "issue1", *numbers[:50]))


UNSAID = {**NOT_CARRIED, "core/contact": {"clinician_id", "booked_date"}}
"""Staff other than GPs have another number in each layout."""


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same make-believe people in both layouts."""
    made = {}
    for layout in ("own", "omop"):
        made[layout] = tmp_path_factory.mktemp(layout) / "landing"
        write_landing(made[layout], seed=3, as_of=AS_OF, people=2_000, records=True, years=2, layout=layout, workers=1)
    return made


@pytest.mark.parametrize("inbound", [LIST, EVENT, ISSUE, APPOINTMENT, SPELL, ATTENDANCE])
def test_a_whole_place_gives_the_same_core_tables_through_the_door(places: dict[str, Path], inbound: str, tmp_path: Path) -> None:
    stores = {}
    for layout, folder in places.items():
        taken = through_the_door(folder, inbound, tmp_path / layout)
        assert (taken.rows_quarantined, taken.counts) == (0, {})
        stores[layout] = ExtractStore(tmp_path / layout / "store")
    for core_table in registry.extracts()[inbound].becomes:
        before, after = (store.read(core_table, AS_OF) for store in stores.values())
        if core_table == "core/contact":
            before = before.filter(pc.equal(before["status"], "attended"))
        assert before.num_rows > 100
        same_rows(before, after, {"person_id", "is_linked", *UNSAID[core_table]})
        assert before["person_id"].null_count == after["person_id"].null_count == 0
