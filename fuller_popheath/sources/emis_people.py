"""Who stands in an EMIS extract: patients and practices, and with which codes of the record; the parts that every table of an extract needs.

Rows that the system itself calls no record come with a reason in `_removed`: `deleted` (the row's own mark, or its patient's), `test_patient` (the
patient is a dummy). A patient whom the extract does not hold has no NHS number here, and the row stays. Facts about the layout: github
endeavourhealth/Transforms, commit 6b6a8e17 (transform/emis). What does not belong here: contacts (`emis_contacts`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fuller_popheath.sources import emis_layout as layout
from fuller_popheath.sources.care_words import plain_words, registration_type_of
from fuller_popheath.sources.coded_ethnicity import category_of_each, newest_categories
from fuller_popheath.sources.listed_codes import SYNTHETIC_CODE, codes_not_to_translate
from fuller_popheath.sources.supplier_files import (
    REMOVED,
    Heads,
    Keys,
    Patients,
    by_distinct,
    day_for_reading,
    days,
    fetched,
    first_reason,
    flags,
    guids,
    read_file,
)

if TYPE_CHECKING:
    import pyarrow as pa

_DIGITS = re.compile(r"[0-9]+")
_READ_CODE = re.compile(r"[0-9A-Za-z.]{1,5}")
# Codes that EMIS and its users have made are written in the column of Read codes, as a few national sets that are not Read are.
_LOCAL_PREFIXES = ("EMIS", "ESCT", "FUNDHC", "JHCC", "RAFME")
_LOCAL_SUFFIXES = ("KC60", "SHHAPT")


@dataclass(frozen=True)
class EmisExtract:
    """One extract: its files, its day (ISO), its patients and organisations, and the code lists in use (cluster, kind, code_system, code)."""

    heads: Heads
    day: str
    patients: Patients
    organisations: pa.Table
    codelists: pa.Table

    def practice_codes(self, organisation: pa.ChunkedArray) -> pa.ChunkedArray:
        """The ODS code of each organisation's guid, null for one that the extract does not name."""
        return fetched(self.organisations["ods_code"], Keys(self.organisations["organisation"]).find(guids(organisation)))

    def about(self, rows: pa.Table) -> dict[str, pa.ChunkedArray]:
        """What every row of an extract says of itself (`Patients.about`)."""
        return self.patients.about(rows, self.day, self.practice_codes(rows["organisation"]), guids(rows["patient"]), flags(rows["deleted"]))


def open_extract(heads: Heads, codelists: pa.Table) -> EmisExtract:
    """Read who stands in the extract. Raises FileRefused for files that cannot be read, and for an extract without a day."""
    import pyarrow as pa

    day = day_for_reading(heads).isoformat()
    rows = read_file(layout.PATIENT, heads)
    patients = pa.table({"patient": guids(rows["patient"]), "nhs_number": rows["nhs_number"], "gone": _gone(rows)})
    organisations = read_file(layout.ORGANISATION, heads)
    organisations = organisations.set_column(organisations.column_names.index("organisation"), "organisation", guids(organisations["organisation"]))
    return EmisExtract(heads, day, Patients(patients), organisations, codelists)


def _gone(rows: pa.Table) -> pa.ChunkedArray:
    import pyarrow as pa
    import pyarrow.compute as pc

    dummy = pc.or_(flags(rows["dummy"]), pc.fill_null(pc.equal(by_distinct(rows["type"], plain_words), pa.scalar("dummy")), False))
    return first_reason(rows.num_rows, ("deleted", flags(rows["deleted"])), ("test_patient", dummy))


def practice_list(extract: EmisExtract) -> pa.Table:
    """One row per patient: the registration that the system holds of them (it keeps the last one only)."""
    import pyarrow as pa
    import pyarrow.compute as pc

    rows = read_file(layout.PATIENT, extract.heads)
    ethnicity = _ethnic_categories(extract)
    about = extract.about(rows)
    return pa.table(
        {
            **about,
            REMOVED: extract.patients.table["gone"],
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


def _ethnic_categories(extract: EmisExtract) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    rows = read_file(layout.ETHNICITY, extract.heads)
    codes = clinical_codes(extract, rows["code_id"])
    pairs = list(zip(codes["code_system"].to_pylist(), codes["code"].to_pylist(), strict=True))
    category = pa.array(category_of_each(pairs, extract.codelists), pa.string())
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


def clinical_codes(extract: EmisExtract, used: pa.ChunkedArray) -> pa.Table:
    """code_id, code_system, code of the clinical codes among `used`; the system's own list holds a million others."""
    import pyarrow.compute as pc

    listed, kept = read_file(layout.CLINICAL_CODE, extract.heads), codes_not_to_translate(extract.codelists)
    listed = listed.filter(pc.is_in(listed["code_id"], value_set=pc.unique(used.combine_chunks())))
    columns = (listed[name].to_pylist() for name in ("snomed_code", "read_code", "national_code"))
    pairs = [clinical_code(snomed, read, national, kept) for snomed, read, national in zip(*columns, strict=True)]
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


def clinical_code(snomed: str | None, read: str | None, national: str | None, kept: frozenset[tuple[str, str]]) -> tuple[str | None, str | None]:
    """(code_system, code) of one line of the code list: SNOMED CT, else Read version 2, else a local code; (None, None) where there is only a term.

    A Read or local code among `kept` (as `listed_codes.codes_not_to_translate` tells them) goes before SNOMED CT.
    """
    read_system, read_code = _read_code(read)
    if read_system == "synthetic" or (read_system, read_code) in kept:
        return read_system, read_code
    if national and ("local", national) in kept:
        return "local", national
    if snomed and _DIGITS.fullmatch(snomed) and snomed != "0":
        return "snomed", snomed
    if read_code:
        return read_system, read_code
    return ("local", national) if national else (None, None)


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
