"""NHS England, Patients Registered at a GP Practice: practice x LSOA (`gp-reg-pat-prac-lsoa-all.csv`, and the male and female files)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.errors import FileRefused
from fuller_popheath.sources.canonical import as_code, as_date, as_whole
from fuller_popheath.sources.layouts import Layout, LayoutColumn, first_date, first_value, read_layout, recognised
from fuller_popheath.sources.opening import text_table
from fuller_popheath.specs import FileHead, Recognised, SourceSpec

if TYPE_CHECKING:
    import pyarrow as pa

LAYOUT = Layout(
    (
        LayoutColumn("extract_date", ("EXTRACT_DATE",), as_date),
        LayoutColumn("practice_code", ("PRACTICE_CODE",), as_code),
        LayoutColumn("practice_name", ("PRACTICE_NAME",)),
        LayoutColumn("lsoa_code", ("LSOA_CODE",), as_code),
        LayoutColumn("sex", ("SEX",), as_code),
        LayoutColumn("registered_count", ("NUMBER_OF_PATIENTS",), as_whole),
    )
)
WHOLE = "ALL"
PARTS = ("FEMALE", "MALE")


def recognise(head: FileHead) -> Recognised | None:
    """Variant "ALL" where the file counts everyone, "MALE" or "FEMALE" where it counts one sex only (such files count together or not at all)."""
    found = recognised(LAYOUT, head, variant=WHOLE, extract_date=first_date(LAYOUT, head, "extract_date"))
    first_sex = first_value(LAYOUT, head, "sex").upper()
    if found is None or found.missing_columns or first_sex not in PARTS:
        return found
    return recognised(LAYOUT, head, variant=_one_sex(head, first_sex), extract_date=found.extract_date)


def _one_sex(head: FileHead, first_sex: str) -> str:
    # Only a file that begins with one sex is looked through: taken for whole, a file of men alone would halve every list unseen.
    import pyarrow.compute as pc

    at = LAYOUT.positions(head.columns)["sex"]
    try:
        sexes = set(pc.unique(pc.utf8_upper(pc.utf8_trim_whitespace(text_table(head, [at])[f"c{at}"]))).to_pylist())
    except FileRefused:
        return first_sex
    return WHOLE if WHOLE in sexes or sexes.issuperset(PARTS) else first_sex


def read(head: FileHead) -> pa.Table:
    """One row per practice, LSOA and sex, as published; rows for ALL stand beside those for MALE and FEMALE where the file has both."""
    return read_layout(LAYOUT, head)


SOURCE = SourceSpec(
    contract="reference/practice_lsoa_count",
    expects="practice x LSOA registrations (gp-reg-pat-prac-lsoa-all.csv, also .gz or its zip)",
    recognise=recognise,
    read=read,
    required=True,
    tags={"whole": WHOLE, "parts": ",".join(PARTS)},
)
