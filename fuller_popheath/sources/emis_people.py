"""Who stands in an EMIS extract: patients and practices, and with which codes of the record; the parts that every table of an extract needs.

Rows that the system itself calls no record come with a reason in `_removed`: `deleted` (the row's own mark, or its patient's), `test_patient` (the
patient is a dummy). A patient whom the extract does not hold has no NHS number here, and the row stays. Facts about the layout: github
endeavourhealth/Transforms, commit 6b6a8e17 (transform/emis). What does not belong here: contacts (`emis_contacts`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from fuller_popheath.codelists.loading import codelist
from fuller_popheath.sources import emis_layout as layout
from fuller_popheath.sources.care_words import plain_words, registration_type_of
from fuller_popheath.sources.coded_ethnicity import category_of_each, newest_categories
from fuller_popheath.sources.supplier_files import (
    REMOVED,
    Heads,
    Keys,
    by_distinct,
    day_for_reading,
    days,
    fetched,
    first_reason,
    flags,
    guids,
    read_file,
    row_marks,
)

if TYPE_CHECKING:
    import pyarrow as pa

SYNTHETIC_CODE = re.compile(r"z\.[a-z0-9_]+\.[0-9]+")
_DIGITS = re.compile(r"[0-9]+")
_READ_CODE = re.compile(r"[0-9A-Za-z.]{1,5}")
# Codes that EMIS and its users have made are written in the column of Read codes, as a few national sets that are not Read are.
_LOCAL_PREFIXES = ("EMIS", "ESCT", "FUNDHC", "JHCC", "RAFME")
_LOCAL_SUFFIXES = ("KC60", "SHHAPT")


@dataclass(frozen=True)
class EmisExtract:
    """One extract: its files, its day (ISO), its patients (patient, nhs_number, gone: why their rows are no records) and its organisations."""

    heads: Heads
    day: str
    patients: pa.Table
    patient_keys: Keys
    organisations: pa.Table

    def practice_codes(self, organisation: pa.ChunkedArray) -> pa.ChunkedArray:
        """The ODS code of each organisation's guid, null for one that the extract does not name."""
        return fetched(self.organisations["ods_code"], Keys(self.organisations["organisation"]).find(guids(organisation)))

    def about(self, rows: pa.Table) -> dict[str, pa.ChunkedArray]:
        """What every row of an extract says of itself: extract_date, practice_code, patient_id, nhs_number, `_removed` and where it stood."""
        import pyarrow as pa
        import pyarrow.compute as pc

        patient = guids(rows["patient"])
        at = self.patient_keys.find(patient)
        return {
            "extract_date": pa.repeat(pa.scalar(self.day), rows.num_rows),
            "practice_code": self.practice_codes(rows["organisation"]),
            "patient_id": patient,
            "nhs_number": fetched(self.patients["nhs_number"], at),
            REMOVED: pc.coalesce(first_reason(rows.num_rows, ("deleted", flags(rows["deleted"]))), fetched(self.patients["gone"], at)),
            **row_marks(rows),
        }


def open_extract(heads: Heads) -> EmisExtract:
    """Read who stands in the extract. Raises FileRefused for files that cannot be read, and for an extract without a day."""
    import pyarrow as pa

    day = day_for_reading(heads).isoformat()
    rows = read_file(layout.PATIENT, heads)
    patients = pa.table({"patient": guids(rows["patient"]), "nhs_number": rows["nhs_number"], "gone": _gone(rows)})
    organisations = read_file(layout.ORGANISATION, heads)
    organisations = organisations.set_column(organisations.column_names.index("organisation"), "organisation", guids(organisations["organisation"]))
    return EmisExtract(heads, day, patients, Keys(patients["patient"]), organisations)


def _gone(rows: pa.Table) -> pa.ChunkedArray:
    import pyarrow as pa
    import pyarrow.compute as pc

    dummy = pc.or_(flags(rows["dummy"]), pc.fill_null(pc.equal(by_distinct(rows["type"], plain_words), pa.scalar("dummy")), False))
    return first_reason(rows.num_rows, ("deleted", flags(rows["deleted"])), ("test_patient", dummy))


def practice_list(heads: Heads) -> pa.Table:
    """One row per patient: the registration that the system holds of them (it keeps the last one only)."""
    import pyarrow as pa
    import pyarrow.compute as pc

    extract = open_extract(heads)
    rows = read_file(layout.PATIENT, heads)
    ethnicity = _ethnic_categories(heads)
    about = extract.about(rows)
    return pa.table(
        {
            **about,
            REMOVED: extract.patients["gone"],
            "date_of_birth": days(rows["birth_date"]),
            "sex": rows["sex"],
            "ethnic_category": fetched(ethnicity["category"], Keys(ethnicity["patient"]).find(about["patient_id"])),
            "registration_start_date": days(rows["start_date"]),
            "registration_end_date": days(rows["end_date"]),
            "registration_type": by_distinct(rows["type"], registration_type_of),
            "usual_gp_code": guids(rows["usual_gp"]),
            "death_date": days(rows["death_date"]),
            "postcode": pc.utf8_upper(rows["postcode"]),
            "is_sensitive": pc.or_(flags(rows["confidential"]), flags(rows["spine_sensitive"])),
        }
    )


def _ethnic_categories(heads: Heads) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    rows = read_file(layout.ETHNICITY, heads)
    codes = clinical_codes(heads, rows["code_id"])
    category = pa.array(category_of_each(list(zip(codes["code_system"].to_pylist(), codes["code"].to_pylist(), strict=True))), pa.string())
    found = fetched(pa.chunked_array([category]), Keys(codes["code_id"]).find(rows["code_id"]))
    rows = rows.append_column("category", found).filter(pc.and_(pc.is_valid(found), pc.invert(flags(rows["deleted"]))))
    return newest_categories(
        pa.table(
            {
                "patient": guids(rows["patient"]),
                "event_date": days(rows["effective_date"]),
                "recorded_date": days(rows["entered_date"]),
                "category": rows["category"],
            }
        )
    )


def clinical_codes(heads: Heads, used: pa.ChunkedArray) -> pa.Table:
    """code_id, code_system, code of the clinical codes among `used`; the system's own list holds a million others."""
    import pyarrow.compute as pc

    listed = read_file(layout.CLINICAL_CODE, heads)
    listed = listed.filter(pc.is_in(listed["code_id"], value_set=pc.unique(used.combine_chunks())))
    columns = (listed[name].to_pylist() for name in ("snomed_code", "read_code", "national_code"))
    pairs = [clinical_code(snomed, read, national) for snomed, read, national in zip(*columns, strict=True)]
    return _as_codes(listed["code_id"], pairs)


def drug_codes(heads: Heads) -> pa.Table:
    """code_id, code_system, code of the drugs: dm+d products and packs. A drug without such a code has neither."""
    listed = read_file(layout.DRUG_CODE, heads)
    return _as_codes(listed["code_id"], [_drug_code(code) for code in listed["dmd_code"].to_pylist()])


def _as_codes(code_ids: pa.ChunkedArray, pairs: list[tuple[str | None, str | None]]) -> pa.Table:
    import pyarrow as pa

    text = pa.string()
    return pa.table(
        {"code_id": code_ids, "code_system": pa.array([pair[0] for pair in pairs], text), "code": pa.array([pair[1] for pair in pairs], text)}
    )


def clinical_code(snomed: str | None, read: str | None, national: str | None) -> tuple[str | None, str | None]:
    """(code_system, code) of one line of the code list: SNOMED CT, else Read version 2, else a local code; (None, None) where there is only a term.

    A Read code that means an objection or is a sensitive one in our code lists goes before SNOMED CT, whose codes for these are not verified: an
    objection must not be lost by translation.
    """
    read_system, read_code = _read_code(read)
    if read_system == "synthetic" or (read_system, read_code) in _codes_that_must_not_be_lost():
        return read_system, read_code
    if snomed and _DIGITS.fullmatch(snomed) and snomed != "0":
        return "snomed", snomed
    if read_code:
        return read_system, read_code
    return ("local", national) if national else (None, None)


@cache
def _codes_that_must_not_be_lost() -> frozenset[tuple[str, str]]:
    listed = codelist(("objection", "sensitive"))
    return frozenset(zip(listed["code_system"].to_pylist(), listed["code"].to_pylist(), strict=True))


def _read_code(text: str | None) -> tuple[str | None, str | None]:
    """(code_system, code) of what stands in the column of Read codes: filled up to five characters, without the synonym's number (`9Nu0.-1`)."""
    if not text:
        return None, None
    if SYNTHETIC_CODE.fullmatch(text):
        return "synthetic", text
    before, _, behind = text.partition("-")
    if before.startswith(_LOCAL_PREFIXES) or behind in _LOCAL_SUFFIXES or not _READ_CODE.fullmatch(before):
        return "local", text
    return "read2", before.ljust(5, ".")


def _drug_code(text: str | None) -> tuple[str | None, str | None]:
    if text and SYNTHETIC_CODE.fullmatch(text):
        return "synthetic", text
    return ("dmd", text) if text and _DIGITS.fullmatch(text) else (None, None)
