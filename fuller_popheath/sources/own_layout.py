"""Our own layout for what practices and trusts send: one file a table and sender, CSV (also .gz, or in a .zip), Parquet or a sheet.

Headers are as in the contract, in any order; further columns are passed over. What does not belong here: the layouts of clinical systems.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING

from fuller_popheath.errors import FileRefused
from fuller_popheath.periods import parse_published_date
from fuller_popheath.sources import parquet_files
from fuller_popheath.sources.canonical import Reading, as_code, as_date, as_flag, as_lower, as_nhs_number, as_number, as_text, canonical_coded
from fuller_popheath.sources.csv_text import ROW, SHAPE
from fuller_popheath.sources.heads import columns_shown, header_key
from fuller_popheath.sources.layouts import Layout, LayoutColumn, NearMiss, first_value
from fuller_popheath.sources.names import file_told
from fuller_popheath.sources.opening import as_opened, text_table
from fuller_popheath.sources.practice_list import PRACTICE_LIST
from fuller_popheath.specs import ContractId, FileHead, Recognised, SourceSpec, SupplierSpec

if TYPE_CHECKING:
    import pyarrow as pa

NAME = "own"
FILE = "_file"
Files = Mapping[str, tuple[FileHead, ...]]
SENDER = re.compile(r"(?<![A-Z0-9])([A-HJ-NPV-Y]\d{5})(?![A-Z0-9])")
PROVIDER = re.compile(r"[A-Z0-9]{3,5}")
OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "upright strokes"}


def _columns(needed: Mapping[str, Reading], optional: Mapping[str, Reading]) -> Layout:
    return Layout(
        tuple(LayoutColumn(name, (name,), reading) for name, reading in needed.items())
        + tuple(LayoutColumn(name, (name,), reading, needed=False) for name, reading in optional.items())
    )


_EXTRACT: Mapping[str, Reading] = {"extract_date": as_date, "practice_code": as_code}
_RECORD: Mapping[str, Reading] = {"patient_id": as_text, "record_id": as_text}
_HOSPITAL: Mapping[str, Reading] = {"extract_date": as_date, "provider_code": as_code, "nhs_number": as_nhs_number, "record_id": as_text}
_NHS: Mapping[str, Reading] = {"nhs_number": as_nhs_number}
_CODED: Mapping[str, Reading] = {"code_system": as_lower, "code": as_text}

LAYOUTS: Mapping[ContractId, Layout] = {
    "inbound/practice_list": PRACTICE_LIST,
    "inbound/clinical_event": _columns(
        {**_EXTRACT, **_RECORD, "event_date": as_date, **_CODED},
        {**_NHS, "recorded_date": as_date, "value": as_number, "unit": as_text, "is_confidential": as_flag},
    ),
    "inbound/medication_issue": _columns(
        {**_EXTRACT, **_RECORD, "issue_date": as_date, **_CODED}, {**_NHS, "recorded_date": as_date, "is_repeat": as_flag, "is_confidential": as_flag}
    ),
    "inbound/appointment": _columns(
        {**_EXTRACT, **_RECORD, "appointment_date": as_date, "status": as_lower, "clinician_type": as_lower, "mode": as_lower},
        {**_NHS, "start_time": as_text, "booked_date": as_date, "clinician_id": as_text, "category": as_lower},
    ),
    "inbound/hospital_spell": _columns(
        {**_HOSPITAL, "admission_date": as_date, "admission_method": as_code},
        {
            "patient_id": as_text,
            "practice_code": as_code,
            "discharge_date": as_date,
            "primary_diagnosis_code": as_code,
            "diagnosis_codes": as_code,
            "recorded_date": as_date,
        },
    ),
    "inbound/ed_attendance": _columns(
        {**_HOSPITAL, "arrival_date": as_date},
        {
            "patient_id": as_text,
            "practice_code": as_code,
            "department_type": as_text,
            "chief_complaint_code": as_text,
            "is_admitted": as_flag,
            "recorded_date": as_date,
        },
    ),
    "inbound/objection": _columns(
        {"extract_date": as_date, "record_id": as_text, "objection": as_lower, "state": as_lower, "recorded_date": as_date},
        # The national data opt-out service sends nobody's practice.
        {**_NHS, "patient_id": as_text, "practice_code": as_code},
    ),
}
NOT_CODED = ("record_id", "value")
"""Columns in which hardly a value stands twice."""


def contract_of(head: FileHead) -> tuple[ContractId | None, tuple[str, ...]]:
    """The table that a file's headers are of, and the needed columns it lacks; (None, ()) where it is not even nearly one.

    Nearly: two thirds of the needed columns are there, and three at least.
    """
    if head.kind not in ("csv", "sheet", "parquet"):
        return None, ()
    best: tuple[int, int, ContractId | None, tuple[str, ...]] = (1_000, 0, None, ())
    for contract, layout in LAYOUTS.items():
        missing, found = layout.missing(head.columns), len(layout.positions(head.columns))
        needed = sum(column.needed for column in layout.columns)
        present = needed - len(missing)
        if missing and (present < 3 or 3 * present < 2 * needed):
            continue
        best = min(best, (len(missing), -found, contract, missing), key=lambda each: each[:2])
    return best[2], best[3]


def recognise(head: FileHead) -> str | None:
    """The contract that the file fills, by its headers.

    Raises FileRefused where it is nearly one of our tables and lacks a column, or where its columns are not separated by commas.
    """
    contract, missing = contract_of(head)
    if contract is not None and not missing:
        return contract
    name = file_told(head.path.name)
    if contract is not None:
        layout = ", ".join(column.published for column in LAYOUTS[contract].columns if column.needed)
        raise NearMiss(
            f"{name}: a {words(contract)} ({layout}) needs the column{'s' * (len(missing) > 1)} {', '.join(missing)}; "
            f"found {columns_shown(head.columns)}; ask for the file again or name the column as in its contract",
            len(missing),
        )
    if separator := _other_separator(head):
        raise FileRefused(f"{name}: its columns are separated by {separator}; expected commas; save it as CSV with commas")
    return None


def words(contract: ContractId) -> str:
    """How messages call a table of our layout."""
    return f"{contract.partition('/')[2].replace('_', ' ')} extract"


def _other_separator(head: FileHead) -> str | None:
    if head.kind != "csv" or len(head.columns) != 1:
        return None
    for sign, name in OTHER_SEPARATORS.items():
        # Our headers hold no blanks, and a tab is a blank by the time a header is told.
        parts = {header_key(part) for part in head.columns[0].split(" " if sign == "\t" else sign)}
        for layout in LAYOUTS.values():
            needed = {header_key(column.published) for column in layout.columns if column.needed}
            if 3 * len(parts & needed) >= 2 * len(needed):
                return name
    return None


def extract_date(files: Files) -> date | None:
    """The day that the first row gives."""
    head = _only(files)
    return parse_published_date(first_value(LAYOUTS[next(iter(files))], head, "extract_date")) or head.saved_on


def practice_code(files: Files) -> str | None:
    """The practice or provider that the first row names, else the practice code in the file's name."""
    contract, head = next(iter(files)), _only(files)
    layout = LAYOUTS[contract]
    if any(column.name == "provider_code" for column in layout.columns):
        told = first_value(layout, head, "provider_code").upper()
        return told if PROVIDER.fullmatch(told) else None
    told = first_value(layout, head, "practice_code").upper()
    found = SENDER.fullmatch(told) or SENDER.search(head.path.name.upper())
    return found.group(1) if found else None


def _only(files: Files) -> FileHead:
    return next(iter(files.values()))[0]


def read(contract: ContractId, files: Files, _codelists: pa.Table | None = None) -> pa.Table:
    """The rows of one file: its columns as its contract names them, in one spelling, text that recurs dictionary-encoded; `_row`, `_file`, `_shape`.

    Typed columns of a Parquet file stay typed. Raises FileRefused if it cannot be read or a column stands twice.
    """
    import numpy as np
    import pyarrow as pa

    head, layout = files[contract][0], LAYOUTS[contract]
    positions = layout.positions(head.columns)
    keys = [header_key(header) for header in head.columns]
    twice = [head.columns[at] for at in positions.values() if keys.count(keys[at]) > 1]
    if twice:
        raise FileRefused(f"{file_told(head.path.name)}: the column {twice[0]} stands twice, so it is not clear which one counts; remove one of them")
    readings: Mapping[str, Reading] = {column.name: column.reading for column in layout.columns}
    if head.kind == "parquet":
        raw = parquet_files.read(head.path, [head.columns[at] for at in positions.values()])
        found = {name: raw[head.columns[at]] for name, at in positions.items()}
        marks = {ROW: pa.array(np.arange(1, raw.num_rows + 1))}
    else:
        coded = [at for name, at in positions.items() if name not in NOT_CODED]
        raw = text_table(as_opened(head), sorted(set(positions.values())), coded=coded)
        found = {name: raw[f"c{at}"] for name, at in positions.items()}
        marks = {name: raw[name] for name in (ROW, SHAPE) if name in raw.column_names}
    columns = {name: canonical_coded(column, readings[name]) for name, column in found.items()}
    optional = {column.name for column in layout.columns if not column.needed}
    if "practice_code" in optional - set(columns):
        # Where it is part of a table's key it must be there, even if it says nothing.
        columns["practice_code"] = pa.chunked_array([pa.nulls(raw.num_rows, pa.string())])
    file = pa.DictionaryArray.from_arrays(pa.array(np.zeros(raw.num_rows, np.int32)), pa.array([contract]))
    return pa.table({**columns, **marks, FILE: file})


def as_source(contract: ContractId) -> SourceSpec:
    """One table of our layout as a layout of its own, for a file that is given by name (`fuller check`)."""

    def is_it(head: FileHead) -> Recognised | None:
        found, missing = contract_of(head)
        if found != contract:
            return None
        told = {contract: (head,)}
        day, richness = extract_date(told), len(LAYOUTS[contract].positions(head.columns))
        return Recognised(variant=practice_code(told) or "", extract_date=day, missing_columns=missing, richness=richness)

    def read_it(head: FileHead) -> pa.Table:
        import pyarrow as pa

        table = read(contract, {contract: (head,)}).drop_columns([FILE])
        kinds = ((name, table[name]) for name in table.column_names)
        return pa.table({name: column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column for name, column in kinds})

    return SourceSpec(contract=contract, expects=f"a {words(contract)} in our own layout", recognise=is_it, read=read_it, per_practice=True)


def _needs() -> Mapping[ContractId, tuple[str, ...]]:
    return {contract: (contract,) for contract in LAYOUTS}


SUPPLIER = SupplierSpec(
    name=NAME,
    expects="our own layout: a file a table and sender, CSV or Parquet, headers as in the inbound contracts",
    contracts=tuple(LAYOUTS),
    recognise=recognise,
    needs=_needs(),
    read=read,
    extract_date=extract_date,
    practice_code=practice_code,
    is_set=False,
)
