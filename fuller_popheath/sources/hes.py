"""Hospital Episode Statistics: admitted patient care (one row an episode), accident and emergency, and outpatients. Each file is one extract.

HES has no NHS number: a person is `PSEUDO_HESID`. Episodes of one stay become one spell: the first of them, by EPIORDER, stands for it, the others
come too, marked as folded into it. An episode that was unfinished when the year ended (EPISTAT) is no record: it comes again, finished, in the file
of the year in which it ends. A stay across 31 March whose first episodes had ended stands in both files, open in the first, with the same person,
provider and day of admission: readers of core/spell take the two for one stay. An attendance at A&E has no such state: it is in the year of its
arrival only. Outpatient attendances are none of our tables: `unmapped` counts them. Source of headers and codes: HES Data Dictionaries of NHS England
(Admitted Patient Care; Accident and Emergency; Outpatients), and the artificial HES samples. What does not belong here: how one file is read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

from fuller_popheath.errors import FileRefused
from fuller_popheath.sources.canonical import as_code, as_date
from fuller_popheath.sources.layouts import LayoutColumn, first_value
from fuller_popheath.sources.names import file_told
from fuller_popheath.sources.opening import text_table
from fuller_popheath.sources.supplier_files import REMOVED, Heads, SupplierFile, by_distinct, days, fetched, read_file, row_marks, told_among
from fuller_popheath.specs import ContractId, FileHead, SupplierSpec

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

NAME = "hes"
FOLDED, UNFINISHED = "folded_into_spell", "unfinished_episode"
UNFINISHED_STATES = ("1", "9")
"""EPISTAT: unfinished; derived unfinished. 3 is finished, and so is what files without the column hold: the finished episodes only."""
NO_DAYS = ("1800-01-01", "1801-01-01", "1582-10-15", "1600-01-01")
"""What HES writes for a day: 1800-01-01 none was sent, 1801-01-01 it was none; the last two in older extracts. They are no days of anybody."""
NOT_GIVEN = re.compile(r"[-&\s]*")
"""A cell of only hyphens, ampersands and blanks says that nothing was sent."""
DIAGNOSES = 20
DEPARTMENTS = {"99": None, "9": None}
ADMITTED, NO_DISPOSAL = "01", "99"
"""AEATTENDDISP: admitted to a hospital bed (or became a lodged patient) of the same provider; not known."""
UNKNOWN_ORDERS = (98, 99)
"""EPIORDER: not applicable; not known."""


def _given(value: str) -> str:
    return "" if NOT_GIVEN.fullmatch(value) else value


def _column(name: str, *, is_needed: bool = True) -> LayoutColumn:
    return LayoutColumn(name.lower(), (name,), needed=is_needed)


_PERSON, _YEAR, _PRACTICE = _column("PSEUDO_HESID"), _column("FYEAR"), _column("GPPRAC", is_needed=False)
_PROVIDER = LayoutColumn("provider", ("PROCODE3", "PROCODE"), as_code)
_DAY_OF_DISCHARGE = LayoutColumn("disdate", ("DISDATE",), as_date)
APC = SupplierFile(
    "APC",
    ("PSEUDO_HESID", "EPIKEY", "ADMIDATE", "ADMIMETH", "EPIORDER"),
    (
        *(_PERSON, _YEAR, _PROVIDER, _PRACTICE, _DAY_OF_DISCHARGE),
        *(_column("EPIKEY"), _column("ADMIDATE"), _column("ADMIMETH"), _column("EPIORDER"), _column("EPISTART", is_needed=False)),
        _column("EPISTAT", is_needed=False),
        *(_column(f"DIAG_4_{number:02d}", is_needed=number == 1) for number in range(1, DIAGNOSES + 1)),
    ),
)
AE = SupplierFile(
    "AE",
    ("PSEUDO_HESID", "AEKEY", "ARRIVALDATE", "AEATTENDCAT"),
    (*(_PERSON, _YEAR, _PROVIDER, _PRACTICE), _column("AEKEY"), _column("ARRIVALDATE"), _column("AEDEPTTYPE"), _column("AEATTENDDISP")),
)
OP = SupplierFile("OP", ("PSEUDO_HESID", "ATTENDKEY", "APPTDATE", "ATTENDED"), ())


def recognise(head: FileHead) -> str | None:
    """`APC`, `AE` or `OP` by the headers; None for any other file."""
    return told_among((APC, AE, OP), head)


def extract_date(files: Heads) -> date | None:
    """31 March on which the year of the data ends (FYEAR 0102: 2002); the day that the file carries goes before it. None where neither is there."""
    told = (head.saved_on or _year_end(first_value(APC.layout, head, "fyear")) for heads in files.values() for head in heads)
    return next((day for day in told if day is not None), None)


def practice_code(files: Heads) -> str | None:
    """None: these are files of no one practice."""
    return None


def read(contract: ContractId, files: Heads, _codelists: pa.Table) -> pa.Table:
    """The rows of one inbound contract. Raises FileRefused where the file cannot be read, or does not say of which year it is."""
    readers: Mapping[ContractId, Callable[[Heads], pa.Table]] = {"inbound/hospital_spell": _hospital_spells, "inbound/ed_attendance": _ed_attendances}
    day = extract_date(files)
    if day is None:
        told = next((file_told(head.path.name) for heads in files.values() for head in heads), NAME)
        raise FileRefused(f"{told}: says nowhere of which year it is: expected FYEAR as 0102 in its first row, or a day in its name")
    table = readers[contract](files)
    for name, value in (("extract_date", day.isoformat()), ("nhs_number", None)):
        table = table.append_column(name, _same(value, table.num_rows))
    return table


def unmapped(files: Heads) -> pa.Table:
    """What none of our tables can say: columns vocabulary, code (both null here), table, rows; a row for outpatients where there are any."""
    import pyarrow as pa

    schema = pa.schema([("vocabulary", pa.string()), ("code", pa.string()), ("table", pa.string()), ("rows", pa.int64())])
    rows = sum(text_table(head, [0]).num_rows for head in files.get(OP.name, ()))
    return pa.table([[None], [None], [OP.name], [rows]] if rows else [[], [], [], []], schema=schema)


def _year_end(year: str) -> date | None:
    """The end of a financial year told as 0102 or 200102."""
    found = re.fullmatch(r"(?:19|20)?(\d\d)(\d\d)", year)
    if found is None or (int(found[1]) + 1) % 100 != int(found[2]):
        return None
    end = int(found[2])
    return date((1900 if end > 80 else 2000) + end, 3, 31)


def _same(value: str | None, rows: int) -> pa.ChunkedArray:
    import pyarrow as pa

    return pa.chunked_array([pa.repeat(pa.scalar(value, pa.string()), rows)])


def _read(file: SupplierFile, files: Heads) -> pa.Table:
    """The file's rows, cells that say nothing as null."""
    rows = read_file(file, files)
    for column in file.columns:
        at = rows.column_names.index(column.name)
        rows = rows.set_column(at, column.name, by_distinct(rows[column.name], lambda text: _given(text) or None))
    return rows


def _days(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return by_distinct(days(column), lambda day: None if day in NO_DAYS else day)


def _diagnosis(text: str) -> str:
    """An ICD-10 code without dot and without the filler that HES puts behind codes of three characters (I10X, M15-)."""
    code = text.upper().replace(".", "")
    return code[:3] if re.fullmatch(r"[A-Z]\d\d[X-]\d?", code) else code.rstrip("-")


def _spell_of_each(rows: pa.Table, admitted: pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray]:
    """(for each row the number of its spell; the rows in the order of spell and episode).

    A spell is a person, a day of admission and a provider; where one of them is not known, the episode is a spell of its own.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    keys = pa.table({"person": rows["pseudo_hesid"], "day": admitted, "provider": rows["provider"]})
    is_known = pc.and_(pc.and_(pc.is_valid(keys["person"]), pc.is_valid(keys["day"])), pc.is_valid(keys["provider"]))
    joined = pc.binary_join_element_wise(keys["person"], keys["day"], keys["provider"], "|")
    own = pa.chunked_array([pa.array([f"row {at}" for at in range(rows.num_rows)], pa.string())])
    spells = pc.if_else(is_known, joined, own).combine_chunks().dictionary_encode().indices.to_numpy(zero_copy_only=False)
    orders = by_distinct(rows["epiorder"], lambda text: text if text.isdecimal() and int(text) not in UNKNOWN_ORDERS else None)
    order = pc.fill_null(pc.cast(orders, pa.int64()), 1 << 30).to_numpy()
    starts = pc.fill_null(_days(rows["epistart"]), "9999").to_numpy().astype(str)
    return spells, np.lexsort((np.arange(rows.num_rows), starts, order, spells))


def _hospital_spells(files: Heads) -> pa.Table:
    """One row an episode, in the order of the file; the first finished one of a spell stands for all of it, the others have `_removed`.

    A spell without a day of discharge was open when the file was made: that is the day on which it is known (`recorded_date`).
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    rows = _read(APC, files)
    day = extract_date(files)
    admitted, discharged = _days(rows["admidate"]), _days(rows["disdate"])
    unfinished = pc.fill_null(pc.is_in(rows["epistat"], value_set=pa.array(UNFINISHED_STATES)), False).to_numpy()
    spells, sequence = _spell_of_each(rows, admitted)
    sequence = sequence[~unfinished[sequence]]
    begins = np.ones(len(sequence), dtype=bool)
    begins[1:] = spells[sequence][1:] != spells[sequence][:-1]
    heads = sequence[begins]
    first = np.zeros(rows.num_rows, dtype=bool)
    first[heads] = True
    # Of each row that stands for a spell the spell's place among them; null for the other rows.
    at = np.full(rows.num_rows, -1)
    at[heads] = np.arange(len(heads))
    place = pa.array(at, mask=~first)
    group = np.cumsum(begins) - 1
    in_order = rows.take(pa.array(sequence))
    diagnoses = [by_distinct(in_order[name], _diagnosis) for name in rows.column_names if name.startswith("diag_4_")]
    ends = pa.table({"group": group, "day": discharged.take(pa.array(sequence))}).group_by("group").aggregate([("day", "max")]).sort_by("group")
    discharge = fetched(ends["day_max"], place)
    nothing = pa.scalar(None, pa.string())
    removed = pc.if_else(pa.array(unfinished), pa.scalar(UNFINISHED), pc.if_else(pa.array(first), nothing, pa.scalar(FOLDED)))
    return pa.table(
        {
            **row_marks(rows),
            REMOVED: removed,
            "provider_code": rows["provider"],
            "patient_id": rows["pseudo_hesid"],
            "record_id": rows["epikey"],
            "practice_code": rows["gpprac"],
            "admission_date": admitted,
            "admission_method": rows["admimeth"],
            "primary_diagnosis_code": by_distinct(rows["diag_4_01"], _diagnosis),
            "discharge_date": discharge,
            "diagnosis_codes": fetched(_joined(diagnoses, group, len(heads)), place),
            "recorded_date": pc.if_else(pc.is_null(discharge), pa.scalar(day.isoformat() if day else None, pa.string()), nothing),
        }
    )


def _joined(diagnoses: Sequence[pa.ChunkedArray], group: np.ndarray, groups: int) -> pa.ChunkedArray:
    """The codes of each group of rows, each once and in the order of rows and columns, with semicolons between; null where there is none."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    found = []
    for number, column in enumerate(diagnoses):
        there = np.flatnonzero(pc.is_valid(column).to_numpy())
        found.append(pa.table({"group": group[there], "at": there * DIAGNOSES + number, "code": column.take(pa.array(there))}))
    codes = pa.concat_tables(found).group_by(["group", "code"]).aggregate([("at", "min")]).sort_by("at_min")
    lists = codes.group_by("group", use_threads=False).aggregate([("code", "list")])
    joined = pc.binary_join(lists["code_list"], ";")
    return fetched(joined, pc.index_in(pa.array(np.arange(groups)), value_set=lists["group"].combine_chunks()))


def _ed_attendances(files: Heads) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    rows = _read(AE, files)
    disposal = rows["aeattenddisp"]
    is_known = pc.and_(pc.is_valid(disposal), pc.not_equal(disposal, NO_DISPOSAL))
    return pa.table(
        {
            **row_marks(rows),
            "provider_code": rows["provider"],
            "patient_id": rows["pseudo_hesid"],
            "record_id": rows["aekey"],
            "practice_code": rows["gpprac"],
            "arrival_date": _days(rows["arrivaldate"]),
            "department_type": by_distinct(rows["aedepttype"], lambda text: DEPARTMENTS.get(text, text.lstrip("0"))),
            "is_admitted": pc.if_else(is_known, pc.equal(disposal, ADMITTED), pa.scalar(None, pa.bool_())),
        }
    )


SUPPLIER = SupplierSpec(
    name=NAME,
    expects="a file of Hospital Episode Statistics (CSV with PSEUDO_HESID and EPIKEY, AEKEY or ATTENDKEY)",
    contracts=("inbound/hospital_spell", "inbound/ed_attendance"),
    recognise=recognise,
    needs={"inbound/hospital_spell": (APC.name,), "inbound/ed_attendance": (AE.name,)},
    read=read,
    extract_date=extract_date,
    practice_code=practice_code,
    is_set=False,
    is_one_scope=True,
    files_add_up=True,
    unmapped=unmapped,
)
