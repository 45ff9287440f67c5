"""Who stands in a SystmOne extract: patients, registrations and practices, and what its numbers for words mean.

Rows that the system itself calls no record come with a reason in `_removed`: `deleted` (RemovedData of the row or of its patient), `test_patient`,
`registered_elsewhere` (a registration with another practice that this one may see). Organisations are written as their ODS code, in some extracts as
the row number of SROrganisation; -1 and an empty cell both mean nothing. Facts about the layout: github endeavourhealth/Transforms, commit 6b6a8e17
(transform/tpp). What does not belong here: contacts (`tpp_contacts`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fuller_popheath.sources import tpp_layout as layout
from fuller_popheath.sources.care_words import registration_type_of
from fuller_popheath.sources.coded_ethnicity import category_of_each, newest_categories
from fuller_popheath.sources.listed_codes import SYNTHETIC_CODE, codes_not_to_translate
from fuller_popheath.sources.supplier_files import (
    REMOVED,
    Heads,
    Keys,
    Patients,
    SupplierFile,
    by_distinct,
    day_for_reading,
    days,
    fetched,
    first_reason,
    flags,
    read_file,
)

if TYPE_CHECKING:
    import pyarrow as pa

NOTHING = "-1"
LOCAL_CODE_BEGINS = "Y"
"""CTV3 codes that begin so are TPP's own."""

_HOME_ADDRESS = ("home", "")


@dataclass(frozen=True)
class TppExtract:
    """One extract: its files, its day (ISO), its patients and organisations, and the code lists in use (cluster, kind, code_system, code)."""

    heads: Heads
    day: str
    patients: Patients
    organisations: pa.Table
    codelists: pa.Table

    def ods_codes(self, organisation: pa.ChunkedArray) -> pa.ChunkedArray:
        """ODS codes of organisations, of those written by their row number too."""
        return ods_codes(organisation, self.organisations)

    def about(self, rows: pa.Table) -> dict[str, pa.ChunkedArray]:
        """What every row of an extract says of itself (`Patients.about`)."""
        return self.patients.about(rows, self.day, self.ods_codes(rows["visible_to"]), known(rows["patient"]), flags(rows["removed"]))


def ods_codes(organisation: pa.ChunkedArray, organisations: pa.Table) -> pa.ChunkedArray:
    """ODS codes of organisations, of those written by their row number in SROrganisation (record, ods_code) too."""
    import pyarrow.compute as pc

    organisation = known(organisation)
    by_row = fetched(organisations["ods_code"], Keys(organisations["record"]).find(organisation))
    return pc.utf8_upper(pc.coalesce(by_row, organisation))


def known(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Identifiers, with -1 as null."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.if_else(pc.equal(column, NOTHING), pa.scalar(None, pa.string()), column)


def words(column: pa.ChunkedArray, heads: Heads, dictionary: SupplierFile) -> pa.ChunkedArray:
    """A column of words, or of numbers that one of the extract's files puts into words; a number that it does not hold stays a number."""
    import pyarrow.compute as pc

    listed = read_file(dictionary, heads)
    column = known(column)
    return pc.coalesce(fetched(listed["words"], Keys(listed["record"]).find(column)), column)


def open_extract(heads: Heads, codelists: pa.Table) -> TppExtract:
    """Read who stands in the extract. Raises FileRefused for files that cannot be read, and for an extract without a day."""
    import pyarrow as pa

    rows = read_file(layout.PATIENT, heads)
    gone = first_reason(rows.num_rows, ("deleted", flags(rows["removed"])), ("test_patient", flags(rows["test_patient"])))
    patients = pa.table({**{name: rows[name] for name in ("nhs_number", "birth_date", "death_date", "sex")}, "patient": rows["record"], "gone": gone})
    day = day_for_reading(heads).isoformat()
    return TppExtract(heads, day, Patients(patients), read_file(layout.ORGANISATION, heads), codelists)


def practice_list(extract: TppExtract) -> pa.Table:
    """One row per registration. Where a patient's row is missing, the registration comes without date of birth, and the contract quarantines it."""
    import pyarrow as pa
    import pyarrow.compute as pc

    heads, patients = extract.heads, extract.patients.table
    rows = read_file(layout.REGISTRATION, heads)
    about, at = extract.about(rows), extract.patients.keys.find(known(rows["patient"]))
    registered_at = extract.ods_codes(pc.coalesce(known(rows["registered_at"]), known(rows["organisation"])))
    elsewhere = first_reason(rows.num_rows, ("registered_elsewhere", pc.not_equal(registered_at, about["practice_code"])))
    ethnicity, addresses = _ethnic_categories(extract), _postcodes(heads)
    return pa.table(
        {
            **about,
            REMOVED: pc.coalesce(about[REMOVED], elsewhere),
            "date_of_birth": days(fetched(patients["birth_date"], at)),
            "sex": fetched(patients["sex"], at),
            "ethnic_category": fetched(ethnicity["category"], Keys(ethnicity["patient"]).find(about["patient_id"])),
            "registration_start_date": days(rows["start_date"]),
            "registration_end_date": days(rows["end_date"]),
            "registration_type": by_distinct(words(rows["status"], heads, layout.MAPPING), registration_type_of),
            "death_date": days(fetched(patients["death_date"], at)),
            "postcode": fetched(addresses["postcode"], Keys(addresses["patient"]).find(about["patient_id"])),
        }
    )


def _postcodes(heads: Heads) -> pa.Table:
    """patient, postcode: home addresses, those without an end first, then the newest; the first of a patient is theirs."""
    import pyarrow as pa
    import pyarrow.compute as pc

    rows = read_file(layout.ADDRESS, heads)
    kind = pc.fill_null(pc.utf8_lower(words(rows["type"], heads, layout.MAPPING)), "")
    is_home = pc.or_(pc.is_in(kind, value_set=pa.array(_HOME_ADDRESS)), pc.utf8_is_digit(kind))
    rows = rows.filter(pc.and_(is_home, pc.invert(flags(rows["removed"]))))
    until = pc.fill_null(days(rows["end_date"]), "9999-12-31")
    table = pa.table(
        {"patient": known(rows["patient"]), "postcode": pc.utf8_upper(rows["postcode"]), "until": until, "day": days(rows["event_date"])}
    )
    return table.sort_by([("until", "descending"), ("day", "descending")])


def _ethnic_categories(extract: TppExtract) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    rows = read_file(layout.ETHNICITY, extract.heads)
    system, code = clinical_codes(rows, extract.codelists)
    pairs = pa.table({"system": system, "code": code}).group_by(["system", "code"]).aggregate([])
    pair_of_each = pc.binary_join_element_wise(system, code, "|")
    category = category_of_each(list(zip(pairs["system"].to_pylist(), pairs["code"].to_pylist(), strict=True)), extract.codelists)
    known_pairs = Keys(pc.binary_join_element_wise(pairs["system"], pairs["code"], "|"))
    found = fetched(pa.chunked_array([pa.array(category, pa.string())]), known_pairs.find(pair_of_each))
    rows = rows.append_column("category", found).filter(pc.and_(pc.is_valid(found), pc.invert(flags(rows["removed"]))))
    return newest_categories(
        pa.table(
            {
                "patient": known(rows["patient"]),
                "event_date": days(rows["event_date"]),
                "recorded_date": days(rows["recorded_date"]),
                "category": rows["category"],
            }
        )
    )


def clinical_codes(rows: pa.Table, codelists: pa.Table) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """(code_system, code) of each row of SRCode: SNOMED CT where it is given, else CTV3 or TPP's local code; null where there is neither.

    A CTV3 or local code that the code lists say not to translate (`listed_codes.codes_not_to_translate`) goes before SNOMED CT.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    snomed, ctv3 = known(rows["snomed_code"]), known(rows["ctv3_code"])
    system = by_distinct(ctv3, _ctv3_system)
    kept = pa.array([code for listed, code in codes_not_to_translate(codelists) if listed == _ctv3_system(code)], pa.string())
    first = pc.fill_null(pc.or_(pc.is_in(ctv3, value_set=kept), pc.equal(system, "synthetic")), False)
    by_snomed = pc.and_(pc.is_valid(snomed), pc.invert(first))
    return pc.if_else(by_snomed, pa.scalar("snomed"), system), pc.if_else(by_snomed, snomed, ctv3)


def _ctv3_system(code: str) -> str:
    if SYNTHETIC_CODE.fullmatch(code):
        return "synthetic"
    return "local" if code.startswith(LOCAL_CODE_BEGINS) else "ctv3"
