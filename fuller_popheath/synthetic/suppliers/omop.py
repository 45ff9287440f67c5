"""Writes records as an extract in the OMOP Common Data Model 5.4: one folder with a CSV a table, every column of each.

What OMOP cannot carry stands in `LOST`. Identifiers become numbers that follow from ours (`omop_number`), save the codes of practices, providers and
GPs. Nothing is mapped to a standard concept: codes are source concepts, in a vocabulary table of their own in which make-believe ones are marked as
such (`Synthetic`). What does not belong here: drawing any record.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from fuller_popheath.specs import ContractId
from fuller_popheath.synthetic.suppliers.made_up import row_number, write_csv
from fuller_popheath.synthetic.suppliers.omop_headers import TABLES, header
from fuller_popheath.synthetic.suppliers.omop_records import Drop, PracticeRecords
from fuller_popheath.synthetic.suppliers.own_tables import APPOINTMENT, EVENT, ISSUE, LIST, OwnTables

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

SPELL, ATTENDANCE = "inbound/hospital_spell", "inbound/ed_attendance"
LOST: Mapping[ContractId, Mapping[str, str]] = {
    LIST: {
        "nhs_number": "no column for it: everybody is unlinked, and one person on two practices' lists is two",
        "is_sensitive": "no column for it",
        "lsoa_code": "what is no LSOA (NO2011, CLOSED) is read as none",
        "usual_gp_code": "a person has one row, so one GP for all registrations with a practice; only GMP codes are read",
        "registration_end_date": "one on the day of the extract or later is read as open, one on the first day as on the next",
    },
    EVENT: {
        "nhs_number": "as on the list",
        "recorded_date": "no column for it: an entry is known from its own day",
        "is_confidential": "no column for it: entries that are confidential are left out, but for objections",
    },
    ISSUE: {
        "nhs_number": "as on the list",
        "recorded_date": "no column for it",
        "is_confidential": "no column for it: issues that are confidential are left out",
    },
    APPOINTMENT: {
        "nhs_number": "as on the list",
        "status": "a visit took place: appointments that were missed, cancelled or are to come are left out",
        "booked_date": "no column for it",
        "start_time": "midnight is read as no time",
        "clinician_type": "stands with the clinician, so it is unknown where there is none",
    },
    SPELL: {
        "nhs_number": "as on the list",
        "recorded_date": "no column for it: a stay is known from the day of discharge",
        "diagnosis_codes": "the main one is put first; where there is a main one alone, it is all of them",
    },
    ATTENDANCE: {"nhs_number": "as on the list", "recorded_date": "no column for it", "chief_complaint_code": "not written"},
}
"""Why the values of these columns, or some of them, do not come back."""


def omop_number(kind: str, practice_code: str, identifier: str) -> str:
    """The number in an extract for our identifier of a `patient`, `staff`, `event`, `issue`, `appointment`, `spell` or `attendance`."""
    return row_number(kind, practice_code, identifier)


def write_drop(
    folder: Path, practice_code: str, tables: Mapping[ContractId, pa.Table], extract_date: date, rng: np.random.Generator
) -> tuple[Path, ...]:
    """Write one extract into a folder of its own under `folder`, named with `practice_code` and the day; returns the files.

    `tables` has the columns of inbound/practice_list, clinical_event, medication_issue, appointment, hospital_spell and ed_attendance; all but the
    first may be absent. Rows may be of several practices, as `practice_code` in each says, and rows of hospitals have the practice's own patient_id:
    a region's OMOP is one extract. Rows stand in an order drawn from `rng`.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    drop = Drop(extract_date)
    for code in sorted(set(tables[LIST]["practice_code"].to_pylist())):
        of_practice = {name: table.filter(pc.fill_null(pc.equal(table["practice_code"], code), False)) for name, table in tables.items()}
        PracticeRecords(drop, code, OwnTables(of_practice).shuffled(rng)).add()
    whole = folder / f"{practice_code}_{extract_date:%Y%m%d}"
    made = drop.tables()
    files = []
    for name in TABLES:
        table = made.get(name, pa.table({}))
        files.append(write_csv(whole / f"{name}.csv", header(name), {column: table[column] for column in table.column_names}, table.num_rows))
    return tuple(files)
