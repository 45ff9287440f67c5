"""A person's ethnic category where a clinical system holds it as a coded entry of the record: the newest one counts.

The codes are those of kind `ethnicity` in the code lists that the reader is given, one cluster a category of the NHS Data Dictionary (`ethnicity_a`
to `ethnicity_99`).
What does not belong here: how a system writes its codes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

PREFIX = "ethnicity_"


def ethnic_category_codes(codelists: pa.Table) -> dict[tuple[str, str], str]:
    """The category (A to S, Z, 99) that each (code_system, code) of the lists (columns cluster, kind, code_system, code) stands for."""
    columns = (codelists[name].to_pylist() for name in ("kind", "cluster", "code_system", "code"))
    return {(system, code): cluster.removeprefix(PREFIX).upper() for kind, cluster, system, code in zip(*columns, strict=True) if kind == "ethnicity"}


def category_of_each(codes: Sequence[tuple[str | None, str | None]], codelists: pa.Table) -> list[str | None]:
    """The category of each (code_system, code), None for codes of anything else."""
    known = ethnic_category_codes(codelists)
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
