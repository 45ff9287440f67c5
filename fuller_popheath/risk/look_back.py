"""Features as far back as every index date can see, so that a model is not scored on more history than it was made with.

Records begin on one day: seen from an earlier index date they reach less far back, and "no blood pressure in three years" would mean another thing
there than tonight. What lies further back than `LOOK_BACK_DAYS` is therefore as if it were not there, at every date alike. What somebody has
(a condition, once coded) stays. What does not belong here: how a feature is computed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

LOOK_BACK_DAYS = 730
"""Two years before the development index date, which is itself two years before tonight: four years of records, as a site is asked to send."""

DAYS_SINCE = "days_since_"
TREND = "_change_per_year"
"""Trends are of the readings of three years."""

LAST_ADMISSION = {"last_admission_length_days": "days_since_last_admission"}
"""Columns that tell of the same thing as a `days_since_` column of another name."""


def within_look_back(features: pa.Table) -> pa.Table:
    """The features, with what is older than the look-back emptied: days since it, and its value. Rows, columns and order stay.

    Counts and trends over a longer window than the look-back are emptied for everybody: no model learns from them.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    names = set(features.column_names)
    columns = {name: features[name] for name in features.column_names}
    for name in features.column_names:
        window = re.search(r"_(\d+)$", name)
        if (window and int(window[1]) > LOOK_BACK_DAYS and "count" in name) or name.endswith(TREND):
            columns[name] = pa.chunked_array([pa.nulls(features.num_rows, features[name].type)])
            continue
        since = _days_since(name, names)
        if since is not None:
            is_old = pc.fill_null(pc.greater(features[since], LOOK_BACK_DAYS), False)
            columns[name] = pc.if_else(is_old, pa.scalar(None, features[name].type), features[name])
    return pa.table(columns)


def _days_since(name: str, names: set[str]) -> str | None:
    """The column that says how old what `name` tells is; None where it has no age."""
    if name.startswith(DAYS_SINCE):
        return name
    subject = name.removeprefix("latest_").removesuffix("_status")
    found = LAST_ADMISSION.get(name, f"{DAYS_SINCE}{subject}")
    return found if (found in names and subject != name) or name in LAST_ADMISSION else None
