"""OMOP 5.4: a third party's extract comes whole, and what our tables cannot say is listed; a small one shows every mapping."""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fuller_popheath.codelists.loading import codelist
from fuller_popheath.contracts import check, load_contract
from fuller_popheath.errors import FileRefused
from fuller_popheath.sources import omop
from fuller_popheath.sources.opening import heads
from fuller_popheath.specs import FileHead

if TYPE_CHECKING:
    import pyarrow as pa

Files = Mapping[str, tuple[FileHead, ...]]
NO_LISTS = codelist(())

EVENT = "person_id,{0}_concept_id,{0}_source_value,{0}_source_concept_id"
VALUES = "value_as_number,value_as_concept_id,unit_concept_id,unit_source_value"
SMALL: dict[str, tuple[str, ...]] = {
    "PERSON": (
        "person_id,gender_concept_id,year_of_birth,month_of_birth,day_of_birth,birth_datetime,location_id,provider_id,care_site_id,race_source_value",
        "1,8507,1960,2,29,,5,7,3,A",
        "2,8532,1950,,,,,,,white",
        "3,0,1970,1,1,1970-01-01 00:00:00,,,4,",
        "4,8521,2000,6,,,,,,",
    ),
    "OBSERVATION_PERIOD": (
        "observation_period_id,person_id,observation_period_start_date,observation_period_end_date,period_type_concept_id",
        "1,1,2001-01-01,2005-12-31,44814724",
        "2,1,2010-01-01,2021-05-05,44814724",
        "3,2,2015-01-01,2020-06-30,44814722",
        "4,3,2016-01-01,2022-10-10,44814722",
        "5,99,2016-01-01,2022-10-10,44814722",
    ),
    "DEATH": ("person_id,death_date,death_type_concept_id", "2,2020-07-01,0"),
    "LOCATION": ("location_id,address_1,zip,location_source_value", "5,,la1 1aa,E01025287"),
    "CARE_SITE": (
        "care_site_id,care_site_name,place_of_service_concept_id,care_site_source_value",
        "3,,0,P81001",
        "4,,0,North Surgery",
        "8,,0,RXN",
    ),
    "PROVIDER": (
        "provider_id,provider_name,specialty_concept_id,provider_source_value,specialty_source_value",
        "7,,38004446,G1234567,GENERAL PRACTICE",
        "8,,0,x,Practice nurse",
        "9,,0,x,Dietitian",
    ),
    "CONCEPT": (
        "concept_id,concept_name,vocabulary_id,concept_code",
        "0,No matching concept,None,No matching concept",
        "11,Frailty,SNOMED,248279007",
        "12,Asthma,Read,H33..",
        "13,Weight,LOINC,29463-7",
        "14,Something,ICD10CM,J45.909",
        "15,A tablet,dm+d,404904002",
        "16,millimetre of mercury,UCUM,mm[Hg]",
        "17,Yes,SNOMED,373066001",
    ),
    "CDM_SOURCE": ("cdm_source_name,cdm_version,source_release_date,cdm_release_date", "x,5.4,2022-10-10,2022-11-01"),
    "CONDITION_OCCURRENCE": (
        "condition_occurrence_id,condition_start_date," + EVENT.format("condition"),
        "1,2020-01-01,1,11,H33..,12",
        "2,2020-01-02,1,11,J45.909,14",
        "3,2020-01-03,1,0,J45.909,14",
        "4,2020-01-04,1,0,ASTHMA?,0",
        "5,2020-01-05,2,0,,0",
    ),
    "OBSERVATION": (f"observation_id,observation_date,{EVENT.format('observation')},{VALUES}", "1,2020-02-01,1,13,x,13,,17,0,"),
    "MEASUREMENT": (
        f"measurement_id,measurement_date,{EVENT.format('measurement')},{VALUES}",
        "1,2020-03-01,1,13,x,13,80.5,0,0,kg",
        "2,2020-03-01,3,11,x,0,120,0,16,wrong",
    ),
    "PROCEDURE_OCCURRENCE": ("procedure_occurrence_id,procedure_date," + EVENT.format("procedure"), "1,2020-04-01,99,11,x,11"),
    "DRUG_EXPOSURE": (
        "drug_exposure_id,drug_exposure_start_date," + EVENT.format("drug"),
        "1,2020-05-01,1,14,x,15",
        "2,2020-05-02,1,12,x,0",
    ),
    "VISIT_OCCURRENCE": (
        "visit_occurrence_id,person_id,visit_concept_id,visit_start_date,visit_end_date,visit_start_datetime,provider_id,care_site_id,"
        "admitted_from_concept_id,discharged_to_concept_id",
        "1,1,9202,2020-06-01,2020-06-01,2020-06-01 09:30:00,7,,0,0",
        "2,1,581477,2020-06-02,2020-06-02,2020-06-02 00:00:00,8,,0,0",
        "3,2,581476,2020-06-03,2020-06-03,,9,,0,0",
        "4,1,9201,2020-06-04,2020-06-08,,,8,0,0",
        "5,1,9201,2020-06-05,,,,,9203,0",
        "6,1,262,2020-06-06,2020-06-07,,,8,0,0",
        "7,2,9203,2020-06-07,2020-06-07,,,8,0,8717",
        "8,2,9203,2020-06-08,2020-06-08,,,,0,0",
        "9,2,42898160,2020-06-09,2020-06-19,,,,0,0",
    ),
    "NOTE": ("note_id,person_id,note_date,note_text", "1,1,2020-01-01,words"),
}


def recognised(found: list[Any]) -> Files:
    files: dict[str, tuple[FileHead, ...]] = {}
    for head in found:
        name = omop.recognise(head)
        assert name
        files[name] = (*files.get(name, ()), head)
    return files


@pytest.fixture
def small(write_csv: Callable[..., Path]) -> Callable[..., Files]:
    def write(**others: tuple[str, ...]) -> Files:
        return recognised([head for name, lines in {**SMALL, **others}.items() if lines for head in heads(write_csv(f"{name.lower()}.csv", lines))])

    return write


@pytest.fixture(scope="module")
def synthea(synthetic_data: Path) -> Files:
    return recognised(heads(synthetic_data / "omop54_synthea27nj_csv.zip"))


def lines_in(synthetic_data: Path, table: str) -> int:
    with zipfile.ZipFile(synthetic_data / "omop54_synthea27nj_csv.zip") as archive:
        name = next(name for name in archive.namelist() if name.endswith(f"{table}.csv") and "MACOSX" not in name)
        return archive.read(name).count(b"\n") - 1


def rows_of(contract: str, files: Files) -> list[dict[str, Any]]:
    table: list[dict[str, Any]] = omop.read(contract, files, NO_LISTS).to_pylist()
    return table


def accepted(contract: str, files: Files) -> pa.Table:
    checked = check(omop.read(contract, files, NO_LISTS), load_contract(contract))
    assert not checked.counts
    return checked.accepted


def test_the_synthea_set_comes_whole(synthea: Files, synthetic_data: Path) -> None:
    """28 persons, 1,791 visits, 10,040 measurements (the set's own totals), every row of every table that is read, and none is quarantined."""
    assert omop.extract_date(synthea) == date(2022, 10, 10)
    assert accepted("inbound/practice_list", synthea).num_rows == 28
    events = omop.read("inbound/clinical_event", synthea, NO_LISTS)
    by_file = Counter(events["_file"].to_pylist())
    assert by_file["MEASUREMENT"] == 10040
    assert by_file == {name: lines_in(synthetic_data, name) for name in by_file}
    assert accepted("inbound/clinical_event", synthea).num_rows == sum(by_file.values()) == 20258
    assert accepted("inbound/medication_issue", synthea).num_rows == lines_in(synthetic_data, "DRUG_EXPOSURE") == 883
    visits = {name: accepted(name, synthea).num_rows for name in omop.VISIT_CONTRACTS}
    assert visits == {"inbound/appointment": 1722, "inbound/hospital_spell": 13, "inbound/ed_attendance": 56}
    assert sum(visits.values()) == lines_in(synthetic_data, "VISIT_OCCURRENCE") == 1791


def test_what_the_synthea_set_says_in_other_vocabularies_is_listed_in_full(synthea: Files) -> None:
    listed = omop.unmapped(synthea).to_pylist()
    local = {
        contract: Counter(omop.read(contract, synthea, NO_LISTS)["code_system"].to_pylist())["local"]
        for contract in ("inbound/clinical_event", "inbound/medication_issue")
    }
    per_table = Counter[str]()
    for row in listed:
        per_table[row["table"]] += row["rows"]
    assert per_table["OBSERVATION"] + per_table["MEASUREMENT"] == local["inbound/clinical_event"] == 7649 + 9155
    assert per_table["DRUG_EXPOSURE"] == local["inbound/medication_issue"] == 883
    assert per_table["DEVICE_EXPOSURE"] == 1
    assert {"vocabulary": "LOINC", "code": "8480-6", "table": "MEASUREMENT", "rows": 726} in listed
    assert "VISIT_OCCURRENCE" not in per_table


def test_every_member_of_the_zip_is_known_and_no_other_file_is(synthea: Files, write_csv: Callable[..., Path]) -> None:
    assert len(synthea) == 39
    assert omop.recognise(heads(write_csv("x.csv", ("person_id,death_date", "1,2020-01-01")))[0]) is None


def test_a_registration_is_an_observation_period(small: Callable[..., Files]) -> None:
    rows = {(row["patient_id"], row["registration_start_date"]): row for row in rows_of("inbound/practice_list", small())}
    assert len(rows) == 6
    ends = {key: row["registration_end_date"] for key, row in rows.items()}
    assert ends == {
        ("1", "2001-01-01"): "2006-01-01",  # our last day is outside
        ("1", "2010-01-01"): None,  # the last one was inferred from visits: it ends with a visit, not with the registration
        ("2", "2015-01-01"): "2020-07-01",  # an enrolment ends when it says
        ("3", "2016-01-01"): None,  # reaches the day of the data
        ("99", "2016-01-01"): None,
        ("4", None): None,  # a person whom nobody observed comes too
    }
    first = rows["1", "2010-01-01"]
    assert (first["practice_code"], first["usual_gp_code"], first["lsoa_code"], first["postcode"]) == ("P81001", "G1234567", "E01025287", "LA1 1AA")
    assert (first["date_of_birth"], first["sex"], first["ethnic_category"]) == ("1960-02-29", "male", "A")
    second = rows["2", "2015-01-01"]
    assert (second["date_of_birth"], second["sex"], second["ethnic_category"], second["death_date"]) == ("1950-07-15", "female", None, "2020-07-01")
    assert rows["3", "2016-01-01"]["sex"] == "unknown"
    assert rows["4", None]["date_of_birth"] == "2000-06-15"


def test_a_practice_is_never_made_up(small: Callable[..., Files]) -> None:
    """V81999 and 89999 are the NHS Data Dictionary's default codes for a practice and a provider that are not known."""
    practices = {row["patient_id"]: row["practice_code"] for row in rows_of("inbound/practice_list", small())}
    assert practices == {"1": "P81001", "2": "V81999", "3": "V81999", "4": "V81999", "99": "V81999"}
    assert omop.practice_code(small()) is None
    # An extract without care sites is no practice's of that code: not in the account of hospitals either.
    assert omop.practice_code(small(CARE_SITE=())) is None


def test_what_cannot_be_a_registration_is_quarantined_not_dropped(small: Callable[..., Files]) -> None:
    checked = check(omop.read("inbound/practice_list", small(), NO_LISTS), load_contract("inbound/practice_list"))
    assert checked.rows_read == checked.accepted.num_rows + checked.quarantined.num_rows == 6
    assert set(checked.quarantined["patient_id"].to_pylist()) == {"99", "4"}


def test_what_was_recorded_goes_before_what_it_was_mapped_to(small: Callable[..., Files]) -> None:
    codes = {row["record_id"]: (row["code_system"], row["code"]) for row in rows_of("inbound/clinical_event", small())}
    assert codes == {
        "condition-1": ("read2", "H33.."),
        "condition-2": ("snomed", "248279007"),  # ICD10CM is none of our systems, the standard concept is
        "condition-3": ("local", "ICD10CM_J45-909"),
        "condition-4": ("local", "none_ASTHMA-"),
        "condition-5": ("local", None),
        "observation-1": ("local", "LOINC_29463-7"),
        "measurement-1": ("local", "LOINC_29463-7"),
        "measurement-2": ("snomed", "248279007"),
        "procedure-1": ("snomed", "248279007"),
    }
    issues = {row["record_id"]: (row["code_system"], row["code"]) for row in rows_of("inbound/medication_issue", small())}
    assert issues == {"drug-1": ("dmd", "404904002"), "drug-2": ("read2", "H33..")}


def test_values_come_with_their_units(small: Callable[..., Files]) -> None:
    found = {row["record_id"]: (row["value"], row["unit"]) for row in rows_of("inbound/clinical_event", small()) if row["value"]}
    assert found == {"measurement-1": ("80.5", "kg"), "measurement-2": ("120", "mmHg")}


def test_visits_are_contacts_spells_and_attendances(small: Callable[..., Files]) -> None:
    contacts = {row["record_id"]: row for row in rows_of("inbound/appointment", small())}
    told = {key: (row["clinician_type"], row["mode"], row["start_time"], row["status"]) for key, row in contacts.items()}
    assert told == {
        "visit-1": ("gp", "unknown", "09:30", "attended"),
        "visit-2": ("nurse", "face_to_face", None, "attended"),
        "visit-3": ("other", "home_visit", None, "attended"),
    }
    spells = {
        row["record_id"]: (row["provider_code"], row["admission_method"], row["discharge_date"]) for row in rows_of("inbound/hospital_spell", small())
    }
    assert spells == {"visit-4": ("RXN", "99", "2020-06-08"), "visit-5": ("89999", "21", None), "visit-6": ("RXN", "21", "2020-06-07")}
    attendances = {row["record_id"]: row["is_admitted"] for row in rows_of("inbound/ed_attendance", small())}
    assert attendances == {"visit-6": True, "visit-7": True, "visit-8": None}


def test_everything_unmapped_is_listed(small: Callable[..., Files]) -> None:
    listed = {(row["table"], row["vocabulary"], row["code"]): row["rows"] for row in omop.unmapped(small()).to_pylist()}
    assert listed == {
        ("CONDITION_OCCURRENCE", "ICD10CM", "J45.909"): 1,
        ("CONDITION_OCCURRENCE", "none", "ASTHMA?"): 1,
        ("CONDITION_OCCURRENCE", "none", None): 1,
        ("MEASUREMENT", "LOINC", "29463-7"): 1,
        ("OBSERVATION", "LOINC", "29463-7"): 1,
        ("OBSERVATION", "answer:SNOMED", "373066001"): 1,
        ("VISIT_OCCURRENCE", "none", "42898160"): 1,
        ("NOTE", None, None): 1,
    }


def test_an_extract_without_its_own_day_takes_the_last_day_of_observation(small: Callable[..., Files]) -> None:
    files = small(CDM_SOURCE=())
    assert omop.extract_date(files) is None
    assert set(omop.read("inbound/clinical_event", files, NO_LISTS)["extract_date"].to_pylist()) == {"2022-10-10"}
    with pytest.raises(FileRefused, match="says nowhere of which day it is"):
        omop.read("inbound/clinical_event", small(CDM_SOURCE=(), OBSERVATION_PERIOD=SMALL["OBSERVATION_PERIOD"][:1]), NO_LISTS)


def test_only_a_senders_own_concepts_are_read_by_their_names(small: Callable[..., Files]) -> None:
    """OMOP keeps numbers from 2,000,000,000 on for senders' own concepts; a standard concept of the same name means what the standard says."""
    own = (*SMALL["CONCEPT"], "2000000001,Acute issue,Synthetic,a", "18,Repeat issue,Type Concept,r", "2000000002,Home Visit,Synthetic,h")
    own += ("2000000003,Admission method 2a,Synthetic,m", "2000000004,Temporary registration,Synthetic,t", "19,Home Visit,Visit,v")
    drugs = ("drug_exposure_id,drug_exposure_start_date,drug_type_concept_id,refills," + EVENT.format("drug"),)
    drugs += tuple(f"{at},2020-05-01,{kind},{at},1,14,x,15" for at, kind in enumerate(("2000000001", "18", "0", "")))
    visits = (SMALL["VISIT_OCCURRENCE"][0] + ",visit_source_value,visit_source_concept_id",)
    visits += ("1,1,5083,2020-06-01,2020-06-01,,7,,0,0,Telephone/Audio,2000000002", "2,1,5083,2020-06-01,2020-06-01,,8,,0,0,3528b5de,19")
    visits += ("3,1,9201,2020-06-04,2022-10-10,,,8,8870,32220,,2000000003", "4,1,9203,2020-06-04,2020-06-04,,,8,0,8536,,0")
    periods = (SMALL["OBSERVATION_PERIOD"][0], "1,1,2001-01-01,2005-12-31,2000000004", "2,2,2001-01-01,2005-12-31,44814724")
    files = small(CONCEPT=own, DRUG_EXPOSURE=drugs, VISIT_OCCURRENCE=visits, OBSERVATION_PERIOD=periods)
    assert [row["is_repeat"] for row in rows_of("inbound/medication_issue", files)] == ["false", None, None, None]
    told = [(row["mode"], row["category"], row["clinician_id"]) for row in rows_of("inbound/appointment", files)]
    assert told == [("telephone", "home_visit", "G1234567"), ("unknown", None, "8")]
    (spell,) = rows_of("inbound/hospital_spell", files)
    assert (spell["admission_method"], spell["discharge_date"]) == ("2A", None)
    assert [row["is_admitted"] for row in rows_of("inbound/ed_attendance", files)] == [False]
    kinds = {row["patient_id"]: (row["registration_type"], row["registration_end_date"]) for row in rows_of("inbound/practice_list", files)}
    assert (kinds["1"], kinds["2"]) == (("temporary", "2006-01-01"), (None, None))


def test_icd10_codes_of_a_stay_are_its_diagnoses_and_anything_else_is_an_event(small: Callable[..., Files]) -> None:
    concepts = (*SMALL["CONCEPT"], "21,x,ICD10,J18.9", "22,x,ICD10,I50", "23,x,ICD10,A00-B99")
    conditions = ("condition_occurrence_id,condition_start_date,visit_occurrence_id,condition_status_concept_id," + EVENT.format("condition"),)
    lines = (
        ("9", "4", "0", "22"),
        ("10", "4", "32902", "21"),
        ("11", "4", "0", "11"),
        ("12", "4", "0", "23"),
        ("13", "1", "0", "22"),
        ("14", "", "", "22"),
    )
    conditions += tuple(f"{record},2020-06-05,{visit},{status},1,0,x,{code}" for record, visit, status, code in lines)
    files = small(CONCEPT=concepts, CONDITION_OCCURRENCE=conditions)
    spells = {row["record_id"]: (row["primary_diagnosis_code"], row["diagnosis_codes"]) for row in rows_of("inbound/hospital_spell", files)}
    assert spells == {"visit-4": ("J18.9", "J18.9;I50"), "visit-5": (None, None), "visit-6": (None, None)}
    removed = {row["record_id"]: row["_removed"] for row in rows_of("inbound/clinical_event", files) if row["_file"] == "CONDITION_OCCURRENCE"}
    assert removed == {f"condition-{record}": "spell_diagnosis" if record in ("9", "10") else None for record, *_ in lines}
