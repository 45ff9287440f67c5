"""Extracts in the OMOP Common Data Model 5.4: one CSV a table, also inside a zip. All tables of one folder or zip are one extract.

OMOP has no NHS number: a person is the sender's `person_id`. What cannot be said in our tables is not dropped: a code of a vocabulary that we do
not know comes as a `local` code that names the vocabulary, and `unmapped` lists it, with what is not read at all. What does not belong here: the
headers (`omop_layout`), and how one file is read (`supplier_files`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING

from fuller_popheath.errors import FileRefused
from fuller_popheath.periods import parse_published_date
from fuller_popheath.sources import omop_codes, omop_kinds
from fuller_popheath.sources import omop_layout as tables
from fuller_popheath.sources.care_words import clinician_type_of
from fuller_popheath.sources.layouts import first_date
from fuller_popheath.sources.supplier_files import FILE, REMOVED, Heads, Keys, by_distinct, days, fetched, read_file, row_marks, times, told_among
from fuller_popheath.specs import ContractId, FileHead, SupplierSpec

if TYPE_CHECKING:
    import pyarrow as pa

NAME = "omop"
NO_PRACTICE = "V81999"
"""GP practice code not known: default code of the NHS Data Dictionary (GENERAL MEDICAL PRACTICE CODE, default codes). Rows of persons without a care
site whose own code is an ODS code have it: they are in the account, and no practice is made up for them. It is no sender's of hospital rows."""
NO_PROVIDER = "89999"
"""Provider without an organisation code: default code of the NHS Data Dictionary (ORGANISATION CODE (CODE OF PROVIDER), default codes)."""
NOT_KNOWN, EMERGENCY = "99", "21"
"""Methods of admission (NHS Data Dictionary): not known; through the emergency department of the provider."""

PRACTICE_CODE = re.compile(r"[A-HJ-NPV-Y][0-9]{5}")
PROVIDER_CODE = re.compile(r"[A-Z0-9]{3,5}")
LSOA_CODE = re.compile(r"[EWS]01[0-9]{6}|[LMN][0-9]{8}|95[A-Z]{2}[0-9]{2}[SW][0-9]")
POSTCODE = re.compile(r"[A-Z]{1,2}[0-9][0-9A-Z]? ?[0-9][A-Z]{2}")
GP_CODE = re.compile(r"G[0-9]{7}")
ETHNIC_CATEGORIES = frozenset([*"ABCDEFGHJKLMNPRSZ", "99"])
SEXES = {"8507": "male", "8532": "female", "8521": "indeterminate"}

# Standard concepts of the domain Visit: outpatient, office, home and telehealth visits with the way of contact that each says.
OUTPATIENT = {"9202": "unknown", "581477": "face_to_face", "581476": "home_visit", "5083": "unknown"}
INPATIENT, EMERGENCY_ROOM, BOTH = "9201", "9203", "262"
EMERGENCY_PLACES = (EMERGENCY_ROOM, "8870")
HOSPITAL_PLACES, HOME, STILL_IN = (INPATIENT, "8717"), ("8536", "581476"), "32220"
ENROLMENTS = ("44814722", "44814723")
"""Types of observation period that are an enrolment. Any other is inferred from visits, and ends with the last one, not with a registration."""

VISIT_CONTRACTS: Mapping[ContractId, tuple[str, ...]] = {
    "inbound/appointment": tuple(OUTPATIENT),
    "inbound/hospital_spell": (INPATIENT, BOTH),
    "inbound/ed_attendance": (EMERGENCY_ROOM, BOTH),
}


def recognise(head: FileHead) -> str | None:
    """The name of the OMOP table that the headers are of, also of one that is not read; None for any other file."""
    return told_among(tables.TOLD, head)


def extract_date(files: Heads) -> date | None:
    """The day of the sender's data as CDM_SOURCE gives it, else the day that the file of PERSON carries; None where neither is there."""
    told = (first_date(tables.CDM_SOURCE.layout, head, name) for name in _RELEASES for head in files.get("CDM_SOURCE", ()))
    saved = (head.saved_on for head in files.get("PERSON", ()))
    return next((day for day in (*told, *saved) if day is not None), None)


_RELEASES = ("source_release_date", "cdm_release_date")


def practice_code(files: Heads) -> str | None:
    """None: the rows say whose they are, those of practices and those of hospitals each in their own column."""
    return None


def read(contract: ContractId, files: Heads, _codelists: pa.Table) -> pa.Table:
    """The rows of one inbound contract. Raises FileRefused for a table that cannot be read, or where nothing gives the day of the extract."""
    readers: Mapping[ContractId, Callable[[Heads], pa.Table]] = {
        "inbound/practice_list": _practice_list,
        "inbound/clinical_event": _clinical_events,
        "inbound/medication_issue": _medication_issues,
        "inbound/appointment": _appointments,
        "inbound/hospital_spell": _hospital_spells,
        "inbound/ed_attendance": _ed_attendances,
    }
    table = readers[contract](files)
    return table.append_column("extract_date", _same(_day(files).isoformat(), table.num_rows)).append_column(
        "nhs_number", _same(None, table.num_rows)
    )


def unmapped(files: Heads) -> pa.Table:
    """What an extract holds that our tables cannot say: columns vocabulary, code, table, rows (a count), sorted; one row a table and code.

    Codes that came as `local`; visits of a kind that none of our tables is about; coded answers (`value_as_concept_id`, told as the vocabulary
    with `answer:` before it); and, without vocabulary and code, the rows of tables that are not read.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    concepts = omop_codes.concepts(files)
    found = [
        omop_codes.unmapped_of(read_file(table.file, files), concepts, systems, table.file.name)
        for systems, group in ((omop_codes.CLINICAL_SYSTEMS, tables.CLINICAL), (omop_codes.MEDICINE_SYSTEMS, (tables.DRUG,)))
        for table in group
    ]
    kinds = pc.fill_null(read_file(tables.VISIT, files)["visit_concept_id"], "0")
    known = pa.array(sorted({kind for kinds in VISIT_CONTRACTS.values() for kind in kinds}))
    found.append(omop_codes.concepts_counted(kinds.filter(pc.invert(pc.is_in(kinds, value_set=known))), concepts, tables.VISIT.name))
    found.extend(omop_codes.rows_counted(files.get(file.name, ()), file.name) for file in tables.NOT_MAPPED)
    return pa.concat_tables(found).sort_by([("table", "ascending"), ("vocabulary", "ascending"), ("code", "ascending")])


def _day(files: Heads) -> date:
    day = extract_date(files)
    if day is None:
        periods = days(read_file(tables.OBSERVATION_PERIOD, files)["observation_period_end_date"])
        told = (parse_published_date(text) for text in set(periods.to_pylist()) if text)
        day = max((each for each in told if each is not None), default=None)
    if day is None:
        raise FileRefused("this OMOP extract says nowhere of which day it is: CDM_SOURCE with source_release_date is missing or empty; send it too")
    return day


def _same(value: str | None, rows: int) -> pa.ChunkedArray:
    import pyarrow as pa

    return pa.chunked_array([pa.repeat(pa.scalar(value, pa.string()), rows)])


def _only(column: pa.ChunkedArray, pattern: re.Pattern[str]) -> pa.ChunkedArray:
    """The values that are what the pattern says, in capitals; null for others."""
    return by_distinct(column, lambda text: text.upper() if pattern.fullmatch(text.upper()) else None)


def _practices(person_ids: pa.ChunkedArray, files: Heads) -> pa.ChunkedArray:
    """The practice of each person's care site where its own code is an ODS code, else `NO_PRACTICE`: none is made up."""
    import pyarrow.compute as pc

    persons, sites = read_file(tables.PERSON, files), read_file(tables.CARE_SITE, files)
    of_person = fetched(persons["care_site_id"], Keys(persons["person_id"]).find(person_ids))
    codes = fetched(sites["care_site_source_value"], Keys(sites["care_site_id"]).find(of_person))
    return pc.fill_null(_only(codes, PRACTICE_CODE), NO_PRACTICE)


def _practice_list(files: Heads) -> pa.Table:
    """One row per observation period, and one for each person without any; each stands for a registration."""
    import pyarrow as pa
    import pyarrow.compute as pc

    periods, persons = read_file(tables.OBSERVATION_PERIOD, files), read_file(tables.PERSON, files)
    types = omop_kinds.registration_types(periods["period_type_concept_id"], omop_codes.concepts(files))
    periods = periods.append_column("registration_type", types)
    periods = periods.append_column("registration_end_date", _registration_ends(periods, _day(files)))
    without = persons.filter(pc.invert(pc.fill_null(pc.is_in(persons["person_id"], value_set=pc.unique(periods["person_id"])), False)))
    rows = pa.concat_tables([periods, without.select([n for n in without.column_names if n in periods.column_names])], promote_options="default")
    at = Keys(persons["person_id"]).find(rows["person_id"])
    of_person = {name: fetched(persons[name], at) for name in persons.column_names if name not in ("_row", FILE)}
    deaths, places, providers = read_file(tables.DEATH, files), read_file(tables.LOCATION, files), read_file(tables.PROVIDER, files)
    deaths = deaths.sort_by("death_date")
    place = Keys(places["location_id"]).find(of_person["location_id"])
    postcodes = _only(fetched(places["zip"], place), POSTCODE)
    gps = fetched(providers["provider_source_value"], Keys(providers["provider_id"]).find(of_person["provider_id"]))
    ethnic = pc.coalesce(*(by_distinct(of_person[name], _ethnic_category) for name in ("ethnicity_source_value", "race_source_value")))
    return pa.table(
        {
            **row_marks(rows),
            "practice_code": _practices(rows["person_id"], files),
            "patient_id": rows["person_id"],
            "date_of_birth": _births(of_person),
            "sex": by_distinct(pc.fill_null(of_person["gender_concept_id"], "0"), lambda concept: SEXES.get(concept, "unknown")),
            "ethnic_category": ethnic,
            "lsoa_code": _only(fetched(places["location_source_value"], place), LSOA_CODE),
            "postcode": postcodes,
            "registration_start_date": days(rows["observation_period_start_date"]),
            "registration_end_date": rows["registration_end_date"],
            "registration_type": rows["registration_type"],
            "usual_gp_code": _only(gps, GP_CODE),
            "death_date": days(fetched(deaths["death_date"], Keys(deaths["person_id"]).find(rows["person_id"]))),
        }
    )


def _ethnic_category(text: str) -> str | None:
    return text.upper() if text.upper() in ETHNIC_CATEGORIES else None


def _births(person: Mapping[str, pa.ChunkedArray]) -> pa.ChunkedArray:
    """Day of birth; a day that is left out is taken as the 15th, a month as July (OMOP allows both to be withheld)."""
    import pyarrow as pa
    import pyarrow.compute as pc

    parts = zip(*(person[name].to_pylist() for name in ("year_of_birth", "month_of_birth", "day_of_birth")), strict=True)
    made = [f"{year}-{int(month or 7):02d}-{int(day or 15):02d}" if _whole(year, month, day) else year for year, month, day in parts]
    return pc.coalesce(days(person["birth_datetime"]), pa.chunked_array([pa.array(made, pa.string())]))


def _whole(year: str | None, month: str | None, day: str | None) -> bool:
    return bool(year) and all(text is None or text.isdecimal() for text in (year, month, day))


def _registration_ends(periods: pa.Table, extract: date) -> pa.ChunkedArray:
    """The day after a period's last day (our last day is outside).

    Open where the period reaches the extract, and for a person's last period of a type that is no enrolment. As sent where it is no day.
    """
    import pyarrow as pa

    ends = days(periods["observation_period_end_date"]).to_pylist()
    persons, types = periods["person_id"].to_pylist(), periods["period_type_concept_id"].to_pylist()
    types = [kind if told is None else ENROLMENTS[0] for kind, told in zip(types, periods["registration_type"].to_pylist(), strict=True)]
    last: dict[str | None, str] = {}
    for person, end in zip(persons, ends, strict=True):
        last[person] = max(last.get(person, ""), end or "")
    made: list[str | None] = []
    for person, end, kind in zip(persons, ends, types, strict=True):
        day = parse_published_date(end or "")
        is_open = day is not None and (day >= extract or (kind not in ENROLMENTS and end == last[person]))
        made.append(None if is_open else (day + timedelta(days=1)).isoformat() if day else end)
    return pa.chunked_array([pa.array(made, pa.string())])


def _coded(table: tables.EventTable, files: Heads, concepts: pa.Table, code_systems: Mapping[str, str]) -> dict[str, pa.ChunkedArray]:
    import pyarrow.compute as pc

    rows = read_file(table.file, files)
    systems, codes = omop_codes.coded(rows, concepts, code_systems)
    return {
        **row_marks(rows),
        "practice_code": _practices(rows["person_id"], files),
        "patient_id": rows["person_id"],
        "record_id": pc.binary_join_element_wise(_same(f"{table.word}-", rows.num_rows), rows["record"], ""),
        "day": days(rows["day"]),
        "code_system": systems,
        "code": codes,
        **({"value": rows["value_as_number"], "unit": omop_codes.units(rows, concepts)} if "value_as_number" in rows.column_names else {}),
    }


def _clinical_events(files: Heads) -> pa.Table:
    import pyarrow as pa

    concepts = omop_codes.concepts(files)
    found = [pa.table(_coded(table, files, concepts, omop_codes.CLINICAL_SYSTEMS)) for table in tables.CLINICAL]
    found[0] = found[0].append_column(REMOVED, _why_no_event(files, concepts))
    rows = pa.concat_tables(found, promote_options="default")
    return rows.rename_columns(["event_date" if name == "day" else name for name in rows.column_names])


def _why_no_event(files: Heads, concepts: pa.Table) -> pa.ChunkedArray:
    """Of each row of CONDITION_OCCURRENCE why it is no clinical event: it is a diagnosis of a spell, and stands there."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    conditions, visits = read_file(tables.CONDITION.file, files), read_file(tables.VISIT, files)
    is_spell = pc.fill_null(pc.is_in(visits["visit_concept_id"], value_set=pa.array(VISIT_CONTRACTS["inbound/hospital_spell"])), False)
    is_event = np.ones(conditions.num_rows, dtype=bool)
    is_event[omop_kinds.diagnoses(conditions, visits["visit_occurrence_id"].filter(is_spell), concepts)["at"].to_numpy()] = False
    return pa.chunked_array([pc.if_else(pa.array(is_event), pa.scalar(None, pa.string()), pa.scalar(omop_kinds.SPELL_DIAGNOSIS))])


def _medication_issues(files: Heads) -> pa.Table:
    import pyarrow as pa

    concepts = omop_codes.concepts(files)
    columns = _coded(tables.DRUG, files, concepts, omop_codes.MEDICINE_SYSTEMS)
    is_repeat = omop_kinds.repeats(read_file(tables.DRUG.file, files)["drug_type_concept_id"], concepts)
    return pa.table({**{"issue_date" if name == "day" else name: column for name, column in columns.items()}, "is_repeat": is_repeat})


def _visits(contract: ContractId, files: Heads) -> tuple[pa.Table, dict[str, pa.ChunkedArray]]:
    """The visits that a contract is about, and the columns that all three contracts have."""
    import pyarrow as pa
    import pyarrow.compute as pc

    every = read_file(tables.VISIT, files)
    rows = every.filter(pc.fill_null(pc.is_in(every["visit_concept_id"], value_set=pa.array(VISIT_CONTRACTS[contract])), False))
    record = pc.binary_join_element_wise(_same("visit-", rows.num_rows), rows["visit_occurrence_id"], "")
    practices = _practices(rows["person_id"], files)
    return rows, {**row_marks(rows), "practice_code": practices, "patient_id": rows["person_id"], "record_id": record}


def _provider_codes(rows: pa.Table, files: Heads) -> pa.ChunkedArray:
    import pyarrow.compute as pc

    sites = read_file(tables.CARE_SITE, files)
    codes = fetched(sites["care_site_source_value"], Keys(sites["care_site_id"]).find(rows["care_site_id"]))
    return pc.fill_null(_only(codes, PROVIDER_CODE), NO_PROVIDER)


def _appointments(files: Heads) -> pa.Table:
    """Outpatient visits, which OMOP has only of those that took place."""
    import pyarrow as pa
    import pyarrow.compute as pc

    rows, same = _visits("inbound/appointment", files)
    providers, concepts = read_file(tables.PROVIDER, files), omop_codes.concepts(files)
    at = Keys(providers["provider_id"]).find(rows["provider_id"])
    names = fetched(concepts["concept_name"], Keys(concepts["concept_id"]).find(fetched(providers["specialty_concept_id"], at)))
    told = pc.coalesce(names, fetched(providers["specialty_source_value"], at))
    start = times(rows["visit_start_datetime"])
    return pa.table(
        {
            **same,
            "appointment_date": days(rows["visit_start_date"]),
            # Midnight is what a system writes that knows no time.
            "start_time": pc.if_else(pc.equal(start, "00:00"), pa.scalar(None, pa.string()), start),
            "status": _same("attended", rows.num_rows),
            # As a person's usual GP is told by their GMP code, so is a GP here, where there is one.
            "clinician_id": pc.coalesce(_only(fetched(providers["provider_source_value"], at), GP_CODE), rows["provider_id"]),
            "clinician_type": pc.fill_null(by_distinct(told, _clinician_type), "unknown"),
            "mode": pc.coalesce(omop_kinds.modes(rows["visit_source_value"]), by_distinct(rows["visit_concept_id"], OUTPATIENT.get)),
            "category": omop_kinds.categories(rows["visit_source_concept_id"], concepts),
        }
    )


def _clinician_type(specialty: str) -> str:
    """A specialty as a type of clinician; general and family practice are GPs."""
    is_gp = re.search(r"\b(general practice|family (practice|medicine))\b", specialty.casefold())
    return "gp" if is_gp else clinician_type_of(None, specialty)


def _hospital_spells(files: Heads) -> pa.Table:
    """Inpatient visits. The method of admission is not known, unless the sender's own concept says it or the visit came through an emergency room.

    ICD-10 codes of the visit are its diagnoses; anything else that was recorded in it is a clinical event.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    rows, same = _visits("inbound/hospital_spell", files)
    through = pc.fill_null(pc.is_in(rows["admitted_from_concept_id"], value_set=pa.array(EMERGENCY_PLACES)), False)
    is_emergency = pc.or_(pc.equal(rows["visit_concept_id"], BOTH), through)
    concepts = omop_codes.concepts(files)
    still_in = pc.fill_null(pc.equal(rows["discharged_to_concept_id"], STILL_IN), False)
    method = omop_kinds.admission_methods(rows["visit_source_concept_id"], concepts)
    primary, every = omop_kinds.spell_diagnoses(rows["visit_occurrence_id"], files, concepts)
    return pa.table(
        {
            **same,
            "provider_code": _provider_codes(rows, files),
            "admission_date": days(rows["visit_start_date"]),
            # The end of a visit of which it is said that the patient is still in is the day of the extract.
            "discharge_date": pc.if_else(still_in, pa.scalar(None, pa.string()), days(rows["visit_end_date"])),
            "admission_method": pc.coalesce(method, pc.if_else(is_emergency, EMERGENCY, NOT_KNOWN)),
            "primary_diagnosis_code": primary,
            "diagnosis_codes": every,
        }
    )


def _ed_attendances(files: Heads) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    rows, same = _visits("inbound/ed_attendance", files)
    onward = pc.fill_null(pc.is_in(rows["discharged_to_concept_id"], value_set=pa.array(HOSPITAL_PLACES)), False)
    is_admitted = pc.or_(pc.equal(rows["visit_concept_id"], BOTH), onward)
    went_home = pc.fill_null(pc.is_in(rows["discharged_to_concept_id"], value_set=pa.array(HOME)), False)
    return pa.table(
        {
            **same,
            "provider_code": _provider_codes(rows, files),
            "arrival_date": days(rows["visit_start_date"]),
            "department_type": omop_kinds.department_types(rows["visit_source_concept_id"], omop_codes.concepts(files)),
            # That it says nothing about an admission is not to say that there was none.
            "is_admitted": pc.if_else(is_admitted, pa.scalar(True), pc.if_else(went_home, pa.scalar(False), pa.scalar(None, pa.bool_()))),
        }
    )


_VISITS_NEED = ("VISIT_OCCURRENCE", "PERSON")
SUPPLIER = SupplierSpec(
    name=NAME,
    expects="an extract in the OMOP Common Data Model 5.4 (one CSV a table, with PERSON, OBSERVATION_PERIOD, VISIT_OCCURRENCE, CONCEPT and others)",
    contracts=("inbound/practice_list", "inbound/clinical_event", "inbound/medication_issue", *VISIT_CONTRACTS),
    recognise=recognise,
    needs={
        "inbound/practice_list": ("PERSON", "OBSERVATION_PERIOD", "DEATH"),
        "inbound/clinical_event": ("PERSON", "CONCEPT", *(table.file.name for table in tables.CLINICAL)),
        "inbound/medication_issue": ("PERSON", "CONCEPT", tables.DRUG.file.name),
        "inbound/appointment": (*_VISITS_NEED, "PROVIDER"),
        "inbound/hospital_spell": _VISITS_NEED,
        "inbound/ed_attendance": _VISITS_NEED,
    },
    read=read,
    extract_date=extract_date,
    practice_code=practice_code,
    is_one_scope=True,
    unmapped=unmapped,
)
