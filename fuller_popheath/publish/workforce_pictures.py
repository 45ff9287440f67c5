"""The picture of staff: full-time equivalents per 100,000 people by PCN, a picture for each kind of source.

What does not belong here: computing any figure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fuller_popheath.place.neighbourhood_practice import NO_PCN
from fuller_popheath.publish import wording
from fuller_popheath.publish.dotted_rows import Row, Rows, number, rows_scene
from fuller_popheath.publish.scene import png

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from fuller_popheath.specs import Inputs, Night

TITLES = {
    "pcn_workforce": "Staff employed by PCNs, per 100,000 people",
    "gp_workforce": "GPs, per 100,000 people",
    "workforce": "Staff as supplied, per 100,000 people",
}
NOTES = (
    "The dashed line is the whole area. Staff a PCN has with another employer are not in it, and who is well covered is not told by numbers alone.",
)
ALL = "all"


def draw(table: pa.Table, inputs: Inputs, night: Night) -> dict[str, bytes]:
    """{title: PNG bytes} of products/workforce_by_pcn: one for each source that has a PCN."""
    return {each.title: png(rows_scene(each), small=True) for each in pictures_of(table.to_pandas(date_as_object=True))}


def pictures_of(rows: pd.DataFrame) -> list[Rows]:
    """PCNs by full-time equivalents per 100,000, the fewest first; of each source the newest census and all of its staff together."""
    rows = rows[rows["is_newest"] & (rows["area_code"] != NO_PCN)]
    made = []
    for source, title in TITLES.items():
        own = rows[rows["source"] == source]
        groups = set(own["staff_group"])
        whole = ALL if ALL in groups else next(iter(sorted(groups)), ALL)
        own = own[(own["staff_group"] == whole) & (own["staff_role"] == ALL) & own["fte_per_100k"].notna()]
        pcns = own[own["area_type"] == "pcn"].sort_values(["fte_per_100k", "area_code"])
        if not len(pcns):
            continue
        icbs = own.loc[own["area_type"] == "icb", "fte_per_100k"]
        census = wording.day(max(pcns["census"])) if not isinstance(pcns["census"].iloc[0], str) else str(pcns["census"].max())
        section = [_row(row) for row in pcns.to_dict("records")]
        average = float(icbs.iloc[0]) if len(icbs) == 1 else None
        made.append(Rows(title, f"Full-time equivalents, census {census}", {"": section}, NOTES, _plain, line_at=average, begins_at=0.0))
    return made


def _row(row: Mapping[Any, Any]) -> Row:
    value = number(row["fte_per_100k"])
    name = wording.calm(str(row["area_name"] or row["area_code"]))
    return Row(name, value, number(row["lower"]), number(row["upper"]), said="" if value is None else f"{value:.1f}")


def _plain(value: float) -> str:
    return f"{value:g}"
