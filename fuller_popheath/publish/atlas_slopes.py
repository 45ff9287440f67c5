"""The inequality slope of every indicator and area, as plain data for the page: the five quintiles, and what the product says of the line over them.

The line itself follows from the two indices: with SII = p(1) - p(0) and RII = p(1) / p(0), p(0) = SII / (RII - 1), p the share at the place 0 (most
deprived) to 1 (least) in the order of deprivation. Between its ends it is straight in log-odds, as it was fitted (methods.inequality_by_person).
What does not belong here: fitting anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

Json = dict[str, Any]
TOLD = {
    "sii": ("sii", "sii_lower", "sii_upper"),
    "rii": ("rii", "rii_lower", "rii_upper"),
    "gap": ("gap", "gap_lower", "gap_upper"),
    "close": ("people_to_close_gap",),
}
QUINTILES = ("1", "2", "3", "4", "5")
READ = ("indicator_id", "imd_edition", "area_type", "area_code", "quintile", "numerator", "denominator", "lower", "upper")
LEVELS = ("icb", "place", "pcn")


def slopes(values: pa.Table, inequality: pa.Table, names: Mapping[tuple[str, str], str]) -> Json:
    """`areas` (type, code, name), and `of`: by indicator, edition and position of the area what can be drawn of it.

    In: `products/core20plus5_by_pcn` and `products/inequality_by_area`. `names`: by area type and code; areas without one are left out. Quintiles are
    [numerator, denominator, lower, upper] each, null where hidden. An area of which nothing is shown has no entry.
    """
    if not values.num_rows:
        return {"areas": [], "of": {}}
    areas = [key for level in LEVELS for key in sorted(names, key=lambda each: names[each]) if key[0] == level]
    place = {key: at for at, key in enumerate(areas)}
    found: Json = {}
    rows = zip(*(values[name].to_pylist() for name in READ), strict=True)
    for name, edition, level, code, quintile, *told in rows:
        at = place.get((level, code))
        if at is None or quintile not in QUINTILES or any(value is None or value != value for value in told):
            continue
        entry = found.setdefault(name, {}).setdefault(edition, {}).setdefault(str(at), {"q": [None] * len(QUINTILES)})
        entry["q"][QUINTILES.index(quintile)] = [told[0], told[1], round(told[2], 4), round(told[3], 4)]
    for row in inequality.to_pylist():
        at = place.get((row["area_type"], row["area_code"]))
        entry = found.get(row["indicator_id"], {}).get(row["imd_edition"], {}).get(str(at))
        if entry is not None:
            entry |= {name: [_number(row[column]) for column in columns] for name, columns in TOLD.items() if row[columns[0]] is not None}
    return {"areas": [{"type": level, "code": code, "name": names[level, code]} for level, code in areas], "of": found}


def _number(value: float | None) -> float | None:
    return None if value is None or value != value else round(value, 6)
