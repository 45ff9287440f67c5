"""Pictures of how people use care: contacts per 1,000 people, and appointments not attended, by deprivation quintile and PCN.

What does not belong here: computing any figure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fuller_popheath.place.neighbourhood_practice import NO_PCN
from fuller_popheath.publish import wording
from fuller_popheath.publish.dotted_rows import Row, Rows, number, rows_scene
from fuller_popheath.publish.scene import png
from fuller_popheath.publish.segment_pictures import PRACTICES, QUINTILES, pcn_names

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from fuller_popheath.specs import Inputs, Night


@dataclass(frozen=True)
class Measure:
    """A column of the product with its limits, and how it is called."""

    title: str
    column: str
    lower: str
    upper: str
    unit: str


MEASURES = (
    Measure("Contacts per 1,000 people in a year", "contacts_per_1000", "contacts_lower", "contacts_upper", ""),
    Measure("Appointments not attended", "did_not_attend_percent", "did_not_attend_lower", "did_not_attend_upper", "%"),
    Measure("Urgent contacts", "urgent_percent", "urgent_lower", "urgent_upper", "%"),
)
NOTES = ("95% intervals of the counts shown, which are rounded. Not corrected for age: older people are seen more often.",)


def draw(table: pa.Table, inputs: Inputs, night: Night) -> dict[str, bytes]:
    """{title: PNG bytes} of products/activity_by_pcn; `inputs` needs core/neighbourhood_practice for the names of PCNs."""
    rows, names = table.to_pandas(), pcn_names(inputs[PRACTICES])
    drawn = (picture_of(measure, rows, night.site.lists.imd_edition, names) for measure in MEASURES)
    return {each.title: png(rows_scene(each), small=True) for each in drawn if not each.is_empty}


def picture_of(measure: Measure, rows: pd.DataFrame, edition: str, names: Mapping[str, str]) -> Rows:
    """Everybody, quintiles of one edition, and PCNs from the highest on. Where an area holds several ICBs, each has its own rows."""
    rows = rows[(rows["imd_edition"] == edition) & ~((rows["area_type"] == "icb") & (rows["area_code"] == NO_PCN))]
    heading = f"Deprivation quintile (IMD {edition})"
    found: dict[str, list[Row]] = {"": [], heading: [], "PCN": []}
    several = rows.loc[rows["area_type"] == "icb", "area_code"].nunique() > 1
    for row in rows.sort_values(["area_code", "imd_quintile"]).to_dict("records"):
        prefix = f"{row['area_code']}: " if several and row["area_type"] == "icb" else ""
        if row["area_type"] == "icb":
            is_all = row["imd_quintile"] == "all"
            found["" if is_all else heading].append(_row(prefix + ("Everybody" if is_all else QUINTILES[row["imd_quintile"]]), row, measure))
        elif row["area_type"] == "pcn" and row["imd_quintile"] == "all":
            found["PCN"].append(_row(wording.calm(names.get(row["area_code"], row["area_code"])), row, measure))
    found["PCN"].sort(key=lambda each: (-(each.value if each.value is not None else -1.0), each.label))
    sections = {name: each for name, each in found.items() if each}
    return Rows(measure.title, "By deprivation quintile and PCN", sections, NOTES, lambda value: f"{value:,.0f}{measure.unit}")


def _row(label: str, row: Mapping[Any, Any], measure: Measure) -> Row:
    value, lower, upper = (number(row.get(name)) for name in (measure.column, measure.lower, measure.upper))
    if value is None:
        return Row(label, None)
    return Row(label, value, lower, upper, said=f"{value:,.1f}{measure.unit}" if measure.unit else f"{value:,.0f}")
