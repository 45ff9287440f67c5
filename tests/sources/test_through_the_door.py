"""What suppliers' readers are given and give at the door: the site's own code lists, senders, years that add up, a national file of objections."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from fuller_popheath import registry
from fuller_popheath.arrival.door import Taken, take_extracts
from fuller_popheath.arrival.extract_store import ExtractStore
from fuller_popheath.arrival.files import survey
from fuller_popheath.arrival.one_extract import hold
from fuller_popheath.codelists.loading import codelist
from fuller_popheath.people.pseudonyms import PseudonymKey
from fuller_popheath.site import Site
from fuller_popheath.synthetic.suppliers import emis_headers, tpp_headers

DAY = date(2026, 10, 2)
PRACTICE = "Y90001"
Take = Callable[..., Taken]

OUR_LIST = (
    "cluster,kind,code_system,code,term",
    "ethnicity_a,ethnicity,read2,9i0..,White British",
    "ethnicity_a,ethnicity,ctv3,XaJQv,White British",
    "termination,sensitive,read2,7E0A.,A sensitive entry",
    "termination,sensitive,ctv3,XaSen,A sensitive entry",
    "type_1_dissent,objection,read2,9Xy1.,An objection",
    "type_1_dissent,objection,ctv3,XaObj,An objection",
)
"""Codes that no shipped list has, each sent beside a SNOMED CT translation that no list has either."""

TRANSLATION = "38341003"


def written(path: Path, columns: Sequence[str], rows: Sequence[Mapping[str, str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [columns, *([row.get(column, "") for column in columns] for row in rows)]
    path.write_text("\n".join(",".join(f'"{cell}"' for cell in line) for line in lines) + "\n")


@pytest.fixture
def landing(tmp_path: Path) -> Path:
    folder = tmp_path / "landing"
    folder.mkdir()
    return folder


@pytest.fixture
def store(tmp_path: Path, landing: Path) -> ExtractStore:
    return ExtractStore(tmp_path / "store", str(landing))


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    folder = tmp_path / "lists"
    folder.mkdir()
    (folder / "ours.csv").write_text("\n".join(OUR_LIST) + "\n")
    return folder


@pytest.fixture
def take(landing: Path, store: ExtractStore, tmp_path: Path) -> Take:
    """Take what lies in the landing folder into one inbound table, with a folder of code lists or without."""

    def taken(table: str, folder: Path | None = None, as_of: date = DAY) -> Taken:
        settings: dict[str, Any] = {"pseudonyms": {"data_is_synthetic": True}, "arrival": {"drop_sensitive_codes": True}}
        site = Site(**settings, codelists={"folder": str(folder or "")})  # type: ignore[arg-type]
        key = PseudonymKey(b"a key of the tests, long enough")
        return take_extracts(f"inbound/{table}", survey(landing), as_of, site, store, tmp_path / "vault", None, None, {}, key)

    return taken


def an_emis_extract(folder: Path) -> None:
    patient = {
        "PatientGuid": "b1",
        "OrganisationGuid": "a1",
        "Sex": "F",
        "DateOfBirth": "1950-05-12",
        "DateOfRegistration": "2001-01-01",
        "NhsNumber": "9990000018",
        "PatientTypeDescription": "Regular",
    }
    codes = {"1": "9i0..", "2": "7E0A.", "3": "9Xy1.", "4": "G20.."}
    entry = {"PatientGuid": "b1", "OrganisationGuid": "a1", "EffectiveDate": "2026-01-05", "EnteredDate": "2026-01-05"}
    files: dict[str, list[dict[str, str]]] = {
        "Admin_Organisation": [{"OrganisationGuid": "a1", "ODSCode": PRACTICE}],
        "Admin_Patient": [patient],
        "CareRecord_Observation": [{**entry, "ObservationGuid": f"o{code}", "CodeId": code} for code in codes],
        "Coding_ClinicalCode": [{"CodeId": number, "ReadTermId": read, "SnomedCTConceptId": TRANSLATION} for number, read in codes.items()],
    }
    for name, rows in files.items():
        written(folder / "20261001" / f"{name}.csv", list(emis_headers.header(name, "newest")), rows)


def a_tpp_extract(folder: Path) -> None:
    seen = {"IDOrganisationVisibleTo": PRACTICE, "IDPatient": "11"}
    patient = {"RowIdentifier": "11", "NHSNumber": "9990000018", "DateBirth": "12 May 1950 00:00:00", "Gender": "F"}
    registration = {"RowIdentifier": "21", "DateRegistration": "01 Jan 2001", "RegistrationStatus": "GMS", "IDOrganisation": PRACTICE}
    entry = {**seen, "DateEvent": "05 Jan 2026 00:00:00", "DateEventRecorded": "05 Jan 2026 00:00:00", "SNOMEDCode": TRANSLATION}
    files = {
        "SRPatient": [{**seen, **patient}],
        "SRPatientRegistration": [{**seen, **registration, "IDOrganisationRegisteredAt": PRACTICE}],
        "SRPatientAddressHistory": [],
        "SRCode": [{**entry, "RowIdentifier": f"3{at}", "CTV3Code": code} for at, code in enumerate(("XaJQv", "XaSen", "XaObj", "XE0Uc"))],
    }
    for name, rows in files.items():
        written(folder / "20261001" / f"{name}.csv", list(tpp_headers.header(name)), rows)


@pytest.mark.parametrize(
    ("write", "kept"),
    [
        (an_emis_extract, [("read2", "9Xy1."), ("read2", "9i0.."), ("snomed", TRANSLATION)]),
        (a_tpp_extract, [("ctv3", "XaJQv"), ("ctv3", "XaObj"), ("snomed", TRANSLATION)]),
    ],
)
def test_the_site_s_own_code_lists_count_in_a_clinical_system_s_extract(
    write: Callable[[Path], None], kept: list[tuple[str, str]], landing: Path, lists: Path, store: ExtractStore, take: Take
) -> None:
    """The ethnic category is found, the sensitive entry withheld and the objection kept, none of them lost in translation."""
    write(landing)
    take("practice_list", lists)
    taken = take("clinical_event", lists)
    assert store.read("core/registration", DAY)["ethnic_category"].to_pylist() == ["A"]
    events = store.read("core/event", DAY)
    assert sorted(zip(events["code_system"].to_pylist(), events["code"].to_pylist(), strict=True)) == kept
    (row,) = taken.account.to_pylist()
    assert (row["rows_read"], row["rows_accepted"], row["rows_in_use"]) == (4, 4, 3)


def test_an_extract_is_read_again_when_the_code_lists_change(landing: Path, lists: Path, store: ExtractStore, take: Take) -> None:
    an_emis_extract(landing)

    def category(as_of: date) -> str | None:
        take("practice_list", lists, as_of)
        found: list[str | None] = store.read("core/registration", as_of)["ethnic_category"].to_pylist()
        return found[0]

    assert category(date(2026, 10, 2)) == "A"
    (lists / "ours.csv").write_text("\n".join(OUR_LIST).replace("ethnicity_a", "ethnicity_b") + "\n")
    assert category(date(2026, 10, 3)) == "B"
    # A list of conditions is no reason to read everything again.
    parts = store.folder / "core/registration" / "parts" / PRACTICE
    before = sorted(parts.iterdir())
    (lists / "more.csv").write_text("cluster,kind,code_system,code,term\nasthma,condition,read2,H33..,Asthma\n")
    assert category(date(2026, 10, 4)) == "B"
    assert sorted(parts.iterdir()) == before


def test_an_omop_extract_without_care_sites_is_no_practice_s_in_the_account_of_hospitals(landing: Path, store: ExtractStore, take: Take) -> None:
    """The default code V81999 stands for a practice that is not known; it sends no spells."""
    files = {
        "PERSON": ("person_id,gender_concept_id,year_of_birth,race_concept_id,ethnicity_concept_id", "1,8507,1960,0,0"),
        "OBSERVATION_PERIOD": (
            "observation_period_id,person_id,observation_period_start_date,observation_period_end_date,period_type_concept_id",
            "1,1,2010-01-01,2026-09-30,44814722",
        ),
        "DEATH": ("person_id,death_date,death_type_concept_id", ""),
        "CDM_SOURCE": ("cdm_source_name,source_release_date,cdm_release_date,cdm_version", "x,2026-10-01,2026-10-01,v5.4"),
        "VISIT_OCCURRENCE": (
            "visit_occurrence_id,person_id,visit_concept_id,visit_start_date,visit_end_date,visit_type_concept_id",
            "4,1,9201,2020-06-04,2020-06-08,0",
        ),
    }
    for name, lines in files.items():
        (landing / f"{name}.csv").write_text("\n".join(lines) + "\n")
    assert [row["practice_code"] for row in take("hospital_spell").account.to_pylist()] == ["89999"]
    assert [row["practice_code"] for row in take("practice_list").account.to_pylist()] == ["V81999"]
    assert store.read("core/spell", DAY).num_rows == store.read("core/registration", DAY).num_rows == 1


def test_a_national_file_of_objections_needs_no_column_of_practices(landing: Path, store: ExtractStore, take: Take) -> None:
    path = landing / "national_data_opt_outs.csv"
    path.write_text(
        "extract_date,nhs_number,record_id,objection,state,recorded_date\n2026-10-01,9990000018,o1,national_data_opt_out,dissent,2020-01-01\n"
    )
    held = hold(path, "inbound/objection", Site().arrival, codelist())
    assert (held.rows_read, held.rows_accepted) == (1, 1)
    taken = take("objection")
    assert [row["practice_code"] for row in taken.account.to_pylist()] == ["national"]
    assert store.read("core/objection", DAY).select(["objection", "state"]).to_pylist() == [
        {"objection": "national_data_opt_out", "state": "dissent"}
    ]


def test_those_who_hold_more_than_our_tables_can_say_count_it() -> None:
    assert {name for name, spec in registry.suppliers().items() if spec.unmapped is not None} == {"omop", "hes"}


HES = "FYEAR,PSEUDO_HESID,EPIKEY,ADMIDATE,EPISTART,EPIORDER,EPISTAT,ADMIMETH,DISDATE,PROCODE3,GPPRAC,DIAG_4_01"


def test_a_stay_across_31_march_has_one_person_provider_and_day_in_both_years(landing: Path, store: ExtractStore, take: Take) -> None:
    """Its first episode had ended, its second goes on into the next year; another stay had no finished episode, and is in the second file only."""
    first = (
        HES,
        "0102,A,1,2002-03-20,2002-03-20,1,3,21,1800-01-01,RXN,P81001,J440",
        "0102,A,2,2002-03-20,2002-03-28,2,1,21,1800-01-01,RXN,P81001,I501",
        "0102,B,3,2002-03-25,2002-03-25,1,1,21,1800-01-01,RXN,P81001,K250",
    )
    second = (
        HES,
        "0203,A,4,2002-03-20,2002-03-28,2,3,21,2002-04-09,RXN,P81001,I501",
        "0203,B,5,2002-03-25,2002-03-25,1,3,21,2002-04-02,RXN,P81001,K250",
    )
    (landing / "first.csv").write_text("\n".join(first) + "\n")
    (landing / "second.csv").write_text("\n".join(second) + "\n")
    taken = take("hospital_spell")
    assert (taken.rows_read, taken.rows_quarantined) == (5, 0)
    rows = store.read("core/spell", DAY).sort_by([("admission_date", "ascending"), ("recorded_date", "ascending")]).to_pylist()
    told = [(row["admission_date"], row["discharge_date"], row["recorded_date"], row["diagnosis_codes"]) for row in rows]
    assert told == [
        (date(2002, 3, 20), None, date(2002, 3, 31), "J440"),
        (date(2002, 3, 20), date(2002, 4, 9), date(2002, 4, 9), "I501"),
        (date(2002, 3, 25), date(2002, 4, 2), date(2002, 4, 2), "K250"),
    ]
    assert rows[0]["person_id"] == rows[1]["person_id"] != rows[2]["person_id"]
