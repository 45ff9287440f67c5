"""ODS epraccur: GP practices and other prescribing cost centres, 27 fields and no header, so told by its shape."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fuller_popheath.sources.canonical import Reading, as_code, as_date, as_text, canonical
from fuller_popheath.sources.layouts import finished
from fuller_popheath.sources.opening import text_table
from fuller_popheath.specs import FileHead, Recognised, SourceSpec

if TYPE_CHECKING:
    import pyarrow as pa

FIELD_COUNT = 27
# Position (from 0) and reading of each field that is kept; ODS publishes the order with the file. Field 15 holds the sub-ICB since 2022.
FIELDS: dict[str, tuple[int, Reading]] = {
    "practice_code": (0, as_code),
    "practice_name": (1, as_text),
    "region_code": (2, as_code),
    "icb_code": (3, as_code),
    "postcode": (9, as_text),
    "open_date": (10, as_date),
    "close_date": (11, as_date),
    "status_code": (12, as_code),
    "sub_icb_code": (14, as_code),
    "prescribing_setting_code": (25, as_text),
}
ORGANISATION_CODE = re.compile(r"[A-Z0-9]{5,8}")


def recognise(head: FileHead) -> Recognised | None:
    """27 fields of which the first looks like an organisation code, the 11th like a day, the 13th is a status and the 26th a number or blank."""
    row = head.columns
    if head.kind != "csv" or len(row) != FIELD_COUNT or not ORGANISATION_CODE.fullmatch(row[0]):
        return None
    fits = row[12] in ("A", "C", "D", "P") and bool(re.fullmatch(r"\d{8}|", row[10])) and bool(re.fullmatch(r"\d{0,2}", row[25]))
    return Recognised(extract_date=head.saved_on, richness=FIELD_COUNT) if fits else None


def read(head: FileHead) -> pa.Table:
    """One row per organisation, GP practices (setting 4) and others."""
    raw = text_table(head, sorted(at for at, _ in FIELDS.values()), has_header=False)
    return finished(raw, {name: canonical(raw[f"c{at}"], reading) for name, (at, reading) in FIELDS.items()}, {})


SOURCE = SourceSpec(
    contract="reference/organisation",
    expects="GP practices of ODS (epraccur.csv: 27 fields, no header; also .gz or its zip)",
    recognise=recognise,
    read=read,
)
