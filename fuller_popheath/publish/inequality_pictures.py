"""The picture of the gaps of an ICB: for every indicator how far Core20 is from the rest, and how many people it would take to close it.

What does not belong here: the shares themselves (`indicator_pictures.py`), and computing any figure.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from fuller_popheath.place.neighbourhood_practice import NO_PCN
from fuller_popheath.publish import wording
from fuller_popheath.publish.dotted_rows import HIDDEN, Row, Rows, number, rows_scene
from fuller_popheath.publish.indicator_pictures import AGE_GROUPS, by_area
from fuller_popheath.publish.scene import png

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from fuller_popheath.specs import IndicatorSpec, Inputs, Night

NOTES = (
    "Turned so that to the left of the line Core20 is worse, whether a higher or a lower share is better. 95% intervals (Newcombe) of the counts "
    "shown. At the right: the gap, and of how many more (or fewer) people of Core20 this would have to be so to close it. Not corrected for age.",
)


def draw(table: pa.Table, inputs: Inputs, night: Night) -> dict[str, bytes]:
    """{title: PNG bytes} of products/inequality_by_area: a picture for each ICB and age group of which anything is shown."""
    return {each.title: png(rows_scene(each), small=True) for each in pictures_of(table.to_pandas(), night.site.lists.imd_edition)}


def pictures_of(rows: pd.DataFrame, edition: str) -> list[Rows]:
    """What is drawn of one IMD edition."""
    rows = rows[(rows["area_type"] == "icb") & (rows["area_code"] != NO_PCN) & (rows["imd_edition"] == edition)]
    several = rows["area_code"].nunique() > 1
    made = []
    for icb, of_icb in rows.groupby("area_code"):
        told = {row["indicator_id"]: row for row in of_icb.to_dict("records")}
        for age_group, words in AGE_GROUPS.items():
            title = f"Core20 against the rest, {words}" + (f" ({icb})" if several else "")
            sections = by_area(age_group, partial(_row, told))
            picture = Rows(title, f"Difference in percentage points, Core20 by IMD {edition}", sections, NOTES, _points, line_at=0.0)
            made += [] if picture.is_empty else [picture]
    return made


def _row(told: Mapping[Any, Mapping[Any, Any]], spec: IndicatorSpec) -> Row | None:
    if (found := told.get(spec.name)) is None:
        return None
    gap, ends, close = number(found["gap"]), [number(found["gap_lower"]), number(found["gap_upper"])], number(found["people_to_close_gap"])
    if gap is None or ends[0] is None or ends[1] is None:
        return Row(spec.title, None)
    sign = 1.0 if spec.direction == "higher_is_better" else -1.0
    lower, upper = sorted(sign * end for end in ends if end is not None)
    said = _points(sign * gap) + (f"; {wording.plural(round(close), 'person', 'people')}" if close else "")
    return Row(spec.title, sign * gap, lower, upper, said=said or HIDDEN)


def _points(value: float) -> str:
    return f"{value:+.1f}".replace("-", "−") if abs(value) >= 0.05 else "0"
