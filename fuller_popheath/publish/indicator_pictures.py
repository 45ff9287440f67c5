"""The picture of the headline table: every indicator of an ICB, people in Core20 beside everybody, with intervals.

What does not belong here: gaps between them (`inequality_pictures.py`), and computing any figure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from fuller_popheath import registry
from fuller_popheath.place.neighbourhood_practice import NO_PCN
from fuller_popheath.publish.dotted_rows import HIDDEN, Row, Rows, number, rows_scene
from fuller_popheath.publish.scene import png

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from fuller_popheath.specs import IndicatorSpec, Inputs, Night

CORE20, EVERYBODY = "1", "all"
AGE_GROUPS = {"adult": "adults", "child": "children and young people"}
NOTES = (
    "Filled: people in the most deprived national fifth; hollow: everybody. 95% intervals (Wilson) of the counts shown, which are rounded. "
    "Not corrected for age. Hidden: few people, or nobody.",
)


def draw(table: pa.Table, inputs: Inputs, night: Night) -> dict[str, bytes]:
    """{title: PNG bytes} of products/core20plus5_by_pcn: a picture for each ICB and age group of which anything is shown."""
    drawn = pictures_of(table.to_pandas(), night.site.lists.imd_edition)
    return {each.title: png(rows_scene(each), small=True) for each in drawn}


def pictures_of(rows: pd.DataFrame, edition: str) -> list[Rows]:
    """What is drawn of one IMD edition."""
    rows = rows[(rows["area_type"] == "icb") & (rows["area_code"] != NO_PCN) & (rows["imd_edition"] == edition)]
    several = rows["area_code"].nunique() > 1
    made = []
    for icb, of_icb in rows.groupby("area_code"):
        told = {(row["indicator_id"], row["quintile"]): row for row in of_icb.to_dict("records")}
        for age_group, words in AGE_GROUPS.items():
            sections = by_area(age_group, partial(_row, told))
            title = f"Core20 and everybody, {words}" + (f" ({icb})" if several else "")
            picture = Rows(title, f"Share of people, by indicator; Core20 by IMD {edition}", sections, NOTES, _percent, begins_at=0.0)
            made += [] if picture.is_empty else [picture]
    return made


def by_area(age_group: str, row_of: Callable[[IndicatorSpec], Row | None]) -> Mapping[str, Sequence[Row]]:
    """Rows of every indicator of an age group that has one, under the names of clinical areas."""
    found: dict[str, list[Row]] = {}
    for spec in registry.indicators().values():
        row = row_of(spec) if spec.age_group == age_group else None
        if row is not None:
            found.setdefault(spec.area.replace("_", " ").capitalize(), []).append(row)
    return found


def _row(told: Mapping[Any, Mapping[Any, Any]], spec: IndicatorSpec) -> Row | None:
    core20, everybody = told.get((spec.name, CORE20)), told.get((spec.name, EVERYBODY))
    if core20 is None or everybody is None:
        return None
    value, beside = number(core20["value"]), number(everybody["value"])
    said = HIDDEN if value is None else f"{value:.1f}%" + ("" if beside is None else f" / {beside:.1f}%")
    return Row(spec.title, value, number(core20["lower"]), number(core20["upper"]), beside, said)


def _percent(value: float) -> str:
    return f"{value:.0f}%"
