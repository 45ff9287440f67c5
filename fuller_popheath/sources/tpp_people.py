"""Who stands in a SystmOne extract: patients, registrations and practices, and what its numbers for words mean.

Rows that the system itself calls no record come with a reason in `_removed`: `deleted` (RemovedData of the row or of its patient), `test_patient`,
`registered_elsewhere` (a registration with another practice that this one may see). Organisations are written as their ODS code, in some extracts as
the row number of SROrganisation; -1 and an empty cell both mean nothing. Facts about the layout: github endeavourhealth/Transforms, commit 6b6a8e17
(transform/tpp). What does not belong here: contacts (`tpp_contacts`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fuller_popheath.sources import tpp_layout as layout
from fuller_popheath.sources.care_words import registration_type_of
from fuller_popheath.sources.coded_ethnicity import category_of_each, newest_categories
from fuller_popheath.sources.supplier_files import (
    REMOVED,
    Heads,
    Keys,
    SupplierFile,
    by_distinct,
    day_for_reading,
    days,
    fetched,
    first_reason,
    flags,
    read_file,
    row_marks,
)

if TYPE_CHECKING:
    import pyarrow as pa

NOTHING = "-1"
SYNTHETIC_CODE = re.compile(r"z\.[a-z0-9_]+\.[0-9]+")
LOCAL_CODE_BEGINS = "Y"
"""CTV3 codes that begin so are TPP's own."""

_HOME_ADDRESS = ("home", "")


@dataclass(frozen=True)
class TppExtract:
    """One extract: its files, its day (ISO), its patients (patient, nhs_number, gone: why their rows are no records) and its organisations."""

    heads: Heads
    day: str
    patients: pa.Table
    patient_keys: Keys
    organisations: pa.Table

    def ods_codes(self, organisation: pa.ChunkedArray) -> pa.ChunkedArray:
        """ODS codes of organisations, of those written by their row number too."""
        import pyarrow.compute as pc

        organisation = known(organisation)
        by_row = fetched(self.organisations["ods_code"], Keys(self.organisations["record"]).find(organisation))
        return pc.utf8_upper(pc.coalesce(by_row, organisation))

    def about(self, rows: pa.Table) -> dict[str, pa.ChunkedArray]:
        """What every row of an extract says of itself: extract_date, practice_code, patient_id, nhs_number, `_removed` and where it stood."""
        import pyarrow as pa
        import pyarrow.compute as pc

        patient = known(rows["patient"])
        at = self.patient_keys.find(patient)
        return {
            "extract_date": pa.repeat(pa.scalar(self.day), rows.num_rows),
            "practice_code": self.ods_codes(rows["visible_to"]),
            "patient_id": patient,
            "nhs_number": fetched(self.patients["nhs_number"], at),
            REMOVED: pc.coalesce(first_reason(rows.num_rows, ("deleted", flags(rows["removed"]))), fetched(self.patients["gone"], at)),
            **row_marks(rows),
        }


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


def open_extract(heads: Heads) -> TppExtract:
    """Read who stands in the extract. Raises FileRefused for files that cannot be read, and for an extract without a day."""
    import pyarrow as pa

    rows = read_file(layout.PATIENT, heads)
    gone = first_reason(rows.num_rows, ("deleted", flags(rows["removed"])), ("test_patient", flags(rows["test_patient"])))
    patients = pa.table({**{name: rows[name] for name in ("nhs_number", "birth_date", "death_date", "sex")}, "patient": rows["record"], "gone": gone})
    day = day_for_reading(heads).isoformat()
    return TppExtract(heads, day, patients, Keys(patients["patient"]), read_file(layout.ORGANISATION, heads))


def practice_list(heads: Heads) -> pa.Table:
    """One row per registration. Where a patient's row is missing, the registration comes without date of birth, and the contract quarantines it."""
    import pyarrow as pa
    import pyarrow.compute as pc

    extract = open_extract(heads)
    rows = read_file(layout.REGISTRATION, heads)
    about, at = extract.about(rows), extract.patient_keys.find(known(rows["patient"]))
    registered_at = extract.ods_codes(pc.coalesce(known(rows["registered_at"]), known(rows["organisation"])))
    elsewhere = first_reason(rows.num_rows, ("registered_elsewhere", pc.not_equal(registered_at, about["practice_code"])))
    ethnicity, addresses = _ethnic_categories(heads), _postcodes(heads)
    return pa.table(
        {
            **about,
            REMOVED: pc.coalesce(about[REMOVED], elsewhere),
            "date_of_birth": days(fetched(extract.patients["birth_date"], at)),
            "sex": fetched(extract.patients["sex"], at),
            "ethnic_category": fetched(ethnicity["category"], Keys(ethnicity["patient"]).find(about["patient_id"])),
            "registration_start_date": days(rows["start_date"]),
            "registration_end_date": days(rows["end_date"]),
            "registration_type": by_distinct(words(rows["status"], heads, layout.MAPPING), registration_type_of),
            "death_date": days(fetched(extract.patients["death_date"], at)),
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


def _ethnic_categories(heads: Heads) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    rows = read_file(layout.ETHNICITY, heads)
    system, code = clinical_codes(rows)
    pairs = pa.table({"system": system, "code": code}).group_by(["system", "code"]).aggregate([])
    pair_of_each = pc.binary_join_element_wise(system, code, "|")
    category = category_of_each(list(zip(pairs["system"].to_pylist(), pairs["code"].to_pylist(), strict=True)))
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


def clinical_codes(rows: pa.Table) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """(code_system, code) of each row of SRCode: SNOMED CT where it is given, else CTV3 or TPP's local code; null where there is neither.

    A CTV3 code that means an objection or is a sensitive one in our code lists goes before SNOMED CT, whose codes for these are not verified.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    snomed, ctv3 = known(rows["snomed_code"]), known(rows["ctv3_code"])
    system = by_distinct(ctv3, _ctv3_system)
    first = pc.fill_null(pc.or_(pc.is_in(ctv3, value_set=_codes_that_must_not_be_lost()), pc.equal(system, "synthetic")), False)
    by_snomed = pc.and_(pc.is_valid(snomed), pc.invert(first))
    return pc.if_else(by_snomed, pa.scalar("snomed"), system), pc.if_else(by_snomed, snomed, ctv3)


def _ctv3_system(code: str) -> str:
    if SYNTHETIC_CODE.fullmatch(code):
        return "synthetic"
    return "local" if code.startswith(LOCAL_CODE_BEGINS) else "ctv3"


def _codes_that_must_not_be_lost() -> pa.Array:
    import pyarrow as pa

    from fuller_popheath.codelists.loading import codelist

    listed = codelist(("objection", "sensitive"))
    pairs = zip(listed["code_system"].to_pylist(), listed["code"].to_pylist(), strict=True)
    return pa.array([code for system, code in pairs if system == "ctv3"], pa.string())
