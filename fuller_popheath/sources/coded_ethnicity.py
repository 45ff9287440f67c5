"""A person's ethnic category where a clinical system holds it as a coded entry of the record: the newest one counts.

The codes are the code lists of kind `ethnicity`, one cluster a category of the NHS Data Dictionary (`ethnicity_a` to `ethnicity_99`).
What does not belong here: how a system writes its codes.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from fuller_popheath.codelists.loading import codelist

if TYPE_CHECKING:
    import pyarrow as pa

PREFIX = "ethnicity_"


@cache
def ethnic_category_codes() -> dict[tuple[str, str], str]:
    """The category (A to S, Z, 99) that each (code_system, code) stands for. Raises SettingsWrong for code lists that cannot be used."""
    listed = codelist(("ethnicity",))
    pairs = zip(listed["code_system"].to_pylist(), listed["code"].to_pylist(), strict=True)
    return dict(zip(pairs, (cluster.removeprefix(PREFIX).upper() for cluster in listed["cluster"].to_pylist()), strict=True))


def category_of_each(codes: Sequence[tuple[str | None, str | None]]) -> list[str | None]:
    """The category of each (code_system, code), None for codes of anything else."""
    known = ethnic_category_codes()
    return [known.get((system, code)) if system and code else None for system, code in codes]


def newest_categories(entries: pa.Table) -> pa.Table:
    """One row a patient from entries (patient, event_date, recorded_date, category): by the day of the entry, then by the day it was made.

    Days are ISO text. Of entries that agree in both days the later in the file counts; entries without day count as the oldest.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    from fuller_popheath.sources.supplier_files import Keys

    numbered = pa.table(
        {
            "patient": entries["patient"],
            "category": entries["category"],
            "event_date": pc.fill_null(entries["event_date"], ""),
            "recorded_date": pc.fill_null(entries["recorded_date"], ""),
            "at": pa.array(np.arange(entries.num_rows)),
        }
    )
    newest_first = numbered.sort_by([("event_date", "descending"), ("recorded_date", "descending"), ("at", "descending")])
    keys = Keys(newest_first["patient"])
    return newest_first.select(["patient", "category"]).take(keys.find(pa.chunked_array([keys.distinct])))
