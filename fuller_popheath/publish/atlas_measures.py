"""What the atlas can show, as plain data for the page: areas by level, and of every measure its series by view, level and edition, with its classes.

Grain in: products. A series is a mapping of lists as long as its level has areas, in their order: counts as they stand in the product, limits of
intervals in percent, and `c`, the position of the class that colours it (-1: nothing to show). What does not belong here: shapes, HTML.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fuller_popheath.place.editions import EDITIONS
from fuller_popheath.place.neighbourhood_practice import NO_PCN
from fuller_popheath.publish import wording
from fuller_popheath.publish.bands import BANDS, COLOURS, band_number, ink_on

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from fuller_popheath.specs import IndicatorSpec

Json = dict[str, Any]
QUINTILES = (
    "1: most deprived fifth (Core20)",
    "2",
    "3: middle fifth",
    "4",
    "5: least deprived fifth",
)
GAPS = (
    ("Core20 worse by 10 points or more", "#6d1a53"),
    ("Core20 worse", "#bd6f9f"),
    ("No clear difference", "#e3e8ea"),
    ("Core20 better", "#2b8a83"),
)
FAR = 10.0
"""Percentage points from which a gap has a colour of its own."""
MOST_CLASSES = 7
VIEWS = [{"id": "all", "title": "Everybody"}, {"id": "core20", "title": "People in Core20"}, {"id": "gap", "title": "Core20 against the rest"}]
"""Of whom an indicator is shown."""
SMALL_LEVELS, EITHER = ("practice", "lsoa"), "either"
"""Indicators are shown of everybody only here, which is the same in either edition."""
AREAS = {
    "maternity": "maternity",
    "severe_mental_illness": "severe mental illness",
    "respiratory": "respiratory",
    "cancer": "early cancer diagnosis",
    "hypertension": "hypertension and cholesterol",
    "smoking": "smoking",
    "prevention": "prevention",
    "asthma": "asthma",
    "diabetes": "diabetes",
    "epilepsy": "epilepsy",
    "oral_health": "oral health",
    "mental_health": "mental health",
}


def levels(tables: Mapping[str, pa.Table], names: Mapping[str, str], leads: Mapping[str, str], drawn: Sequence[str]) -> Json:
    """Every level with its codes, names and, of small areas and practices, the PCN each is drawn or belongs with, in the order of codes.

    `drawn`: the small areas on the map; those beyond it are not in the atlas.
    """
    made: Json = {}
    by_pcn = _first_of(tables["products/core20_by_pcn"], "pcn_code")
    pcn_names = {row["pcn_code"]: wording.calm(row["pcn_name"]) for row in by_pcn}
    if drawn:
        codes = sorted(drawn)
        parents = [pcn_names.get(leads.get(code, ""), "no PCN") for code in codes]
        made["lsoa"] = {"codes": codes, "names": [names.get(code, code) for code in codes], "parents": parents}
    practices = _first_of(tables["products/core20_by_practice"], "practice_code")
    made["practice"] = {
        "codes": [row["practice_code"] for row in practices],
        "names": [wording.calm(row["practice_name"]) for row in practices],
        "parents": [wording.calm(row["pcn_name"]) if row["pcn_code"] in pcn_names else "no PCN" for row in practices],
    }
    made["pcn"] = {"codes": list(pcn_names), "names": list(pcn_names.values())}
    places = [row for row in _first_of(tables["products/core20_by_place"], "place_code") if row["place_code"]]
    if len(places) > 1:
        made["place"] = {
            "codes": [row["place_code"] for row in places],
            "names": [wording.calm(row["place_name"] or row["place_code"]) for row in places],
        }
    return made


def _first_of(table: pa.Table, key: str) -> list[Mapping[str, Any]]:
    """One row a code, in the order of codes; the newest edition's."""
    rows = {row[key]: row for row in sorted(table.to_pylist(), key=lambda row: row["imd_edition"])}
    return [rows[code] for code in sorted(rows, key=str)]


def core20(tables: Mapping[str, pa.Table], of: Json) -> Json:
    """The measure that every atlas has: share of registered people in Core20 by PCN, practice and place; of small areas their quintile."""
    series: Json = {}
    for level, contract, key in (
        ("practice", "products/core20_by_practice", "practice_code"),
        ("pcn", "products/core20_by_pcn", "pcn_code"),
        ("place", "products/core20_by_place", "place_code"),
    ):
        if level not in of:
            continue
        for edition, rows in _by_edition(tables[contract], key):
            found = [rows.get(code) for code in of[level]["codes"]]
            series[f"all|{level}|{edition}"] = {
                "n": [row and row["q1_count"] for row in found],
                "d": [row and row["registered_count"] for row in found],
                "l": [row and round(row["core20_lower"], 4) for row in found],
                "u": [row and round(row["core20_upper"], 4) for row in found],
                "c": [band_number(row["band"]) if row else -1 for row in found],
            }
    if "lsoa" in of:
        for edition, rows in _by_edition(tables["products/core20_by_lsoa"], "lsoa_code"):
            found = [rows.get(code) for code in of["lsoa"]["codes"]]
            series[f"all|lsoa|{edition}"] = {
                "c": [(row["imd_quintile"] or 0) - 1 if row else -1 for row in found],
                "t": [row and row["imd_decile"] for row in found],
                "r": [row and row["imd_rank"] and round(row["imd_rank"], 1) for row in found],
                "d": [row and row["registered_count"] for row in found],
                "m": [row and row["core20_percent"] is not None and row["lsoa_part_count"] > 1 and round(row["core20_percent"], 1) for row in found],
            }
    return {
        "id": "core20",
        "title": "Core20: people in the most deprived 20% of areas",
        "group": "Deprivation",
        "legend": "Registered people in Core20",
        "note": "From published counts of people registered at each practice by small area.",
        "about": [],
        "views": [{"id": "all", "title": "Everybody"}],
        "by_edition": ["all"],
        "classes": {
            "all": [{"label": band, "colour": fill, "ink": ink_on(fill)} for band, fill in zip(BANDS, COLOURS, strict=True)],
            "lsoa": _coloured(QUINTILES),
        },
        "series": series,
        "of": {e.name: e.lsoa_count for e in EDITIONS},
    }


def _by_edition(table: pa.Table, key: str) -> list[tuple[str, dict[Any, Mapping[str, Any]]]]:
    found: dict[str, dict[Any, Mapping[str, Any]]] = {}
    for row in table.to_pylist():
        found.setdefault(row["imd_edition"], {})[row[key]] = row
    return sorted(found.items())


def _colours(count: int) -> list[str]:
    """So many of the bands' colours, dark to light, evenly chosen."""
    return [COLOURS[round(place * (len(COLOURS) - 1) / max(1, count - 1))] for place in range(count)]


def _coloured(labels: Sequence[str]) -> list[Json]:
    """Classes with their colours, dark to light."""
    return [{"label": label, "colour": fill, "ink": ink_on(fill)} for label, fill in zip(labels, _colours(len(labels)), strict=True)]


def indicators(values: pa.Table, gaps: pa.Table, small: pa.Table, of: Json, specs: Mapping[str, IndicatorSpec]) -> list[Json]:
    """One measure an indicator of `products/core20plus5_by_pcn`, by PCN and place: for everybody, in Core20, and how far Core20 is from the rest.

    `small`: `products/indicator_by_small_area`, everybody by practice and small area.
    """
    if not values.num_rows:
        return []
    shown, differences, smaller = (table.to_pandas(date_as_object=True) for table in (values, gaps, small))
    made = []
    for name, rows in shown.groupby("indicator_id"):
        if name in specs:
            of_gaps, of_small = (frame[frame["indicator_id"] == name] for frame in (differences, smaller))
            made.append(_indicator(specs[str(name)], rows, of_gaps, of_small, of))
    order = {name: place for place, name in enumerate(specs)}
    areas = list(AREAS)
    return sorted(made, key=lambda m: (m["age"], areas.index(m["area"]) if m["area"] in areas else 99, order[m["id"]]))


def _indicator(spec: IndicatorSpec, rows: pd.DataFrame, gaps: pd.DataFrame, small: pd.DataFrame, of: Json) -> Json:
    is_higher_better = spec.direction == "higher_is_better"
    classes, edges = _classes(rows[(rows["area_type"] == "pcn") & rows["quintile"].isin(["all", "1"])], is_higher_better)
    series: Json = {}
    earlier = sorted(rows["previous_as_of"].dropna().unique().tolist())
    for level in (each for each in ("pcn", "place") if each in of):
        codes = of[level]["codes"]
        at = rows[rows["area_type"] == level]
        for edition, some in at.groupby("imd_edition"):
            for view, quintile in (("all", "all"), ("core20", "1")):
                of_view = some[some["quintile"] == quintile]
                made = _shares(of_view, codes, edges, is_higher_better)
                series[f"{view}|{level}|{edition}"] = made | ({"p": _before(of_view, codes)} if earlier else {})
        for edition, some in gaps[gaps["area_type"] == level].groupby("imd_edition"):
            series[f"gap|{level}|{edition}"] = _gaps(some, codes, is_higher_better)
    told = {"all": _coloured(classes), "gap": [{"label": label, "colour": fill, "ink": ink_on(fill)} for label, fill in GAPS]}
    for smaller in (each for each in SMALL_LEVELS if each in of):
        known = small[(small["area_type"] == smaller) & small["area_code"].isin(of[smaller]["codes"])]
        if len(known):
            labels, own_edges = _classes(known, is_higher_better)
            told[smaller] = _coloured(labels)
            series[f"all|{smaller}|{EITHER}"] = _shares(known, of[smaller]["codes"], own_edges, is_higher_better)
    return {
        "id": spec.name,
        "title": spec.title,
        "age": spec.age_group,
        "area": spec.area,
        "group": f"{'Adults' if spec.age_group == 'adult' else 'Children and young people'}: {AREAS.get(spec.area, spec.area.replace('_', ' '))}",
        "legend": f"Share of {spec.unit}",
        "note": "Higher is better." if is_higher_better else "Lower is better.",
        "about": [
            ["Counted", spec.numerator],
            ["Out of", spec.denominator],
            ["Left out", spec.exclusions],
            ["A proxy" if spec.is_proxy else "What it cannot tell", spec.limits],
            ["Source of the rule", spec.source],
        ],
        "target": None if spec.target is None else 100 * spec.target,
        "higher": is_higher_better,
        "since": wording.day(earlier[-1]) if earlier else "",
        "views": VIEWS,
        "by_edition": ["core20", "gap"],
        "classes": told,
        "series": series,
        "totals": _totals(rows[rows["area_type"] == "icb"]),
    }


def _totals(rows: pd.DataFrame) -> Json:
    """Counts of the whole area by view and edition, where it is one ICB and they are shown."""
    known = rows[rows["numerator"].notna() & rows["denominator"].notna() & (rows["area_code"] != NO_PCN)]
    if known["area_code"].nunique() != 1:
        return {}
    views = {"all": "all", "1": "core20"}
    return {
        f"{views[row['quintile']]}|{row['imd_edition']}": [int(row["numerator"]), int(row["denominator"])]
        for row in known.to_dict("records")
        if row["quintile"] in views and row["denominator"]
    }


def _shares(rows: pd.DataFrame, codes: Sequence[str], edges: Sequence[int], is_higher_better: bool) -> Json:
    at = rows.set_index("area_code").reindex(list(codes))
    n, d = (_whole(at[name]) for name in ("numerator", "denominator"))
    return {
        "n": n,
        "d": d,
        "l": _rounded(at["lower"]),
        "u": _rounded(at["upper"]),
        "c": [_class_of(x, whole, edges, is_higher_better) for x, whole in zip(n, d, strict=True)],
    }


def _before(rows: pd.DataFrame, codes: Sequence[str]) -> list[float | None]:
    """What was released of an earlier month."""
    return _rounded(rows.set_index("area_code").reindex(list(codes))["previous_value"])


def _gaps(rows: pd.DataFrame, codes: Sequence[str], is_higher_better: bool) -> Json:
    at = rows.set_index("area_code").reindex(list(codes))
    gap, lower, upper = (_rounded(at[name]) for name in ("gap", "gap_lower", "gap_upper"))
    return {
        "g": gap,
        "l": lower,
        "u": upper,
        "a": _rounded(at["core20_value"]),
        "b": _rounded(at["rest_value"]),
        "k": _whole(at["people_to_close_gap"]),
        "c": [_gap_class(*each, is_higher_better) for each in zip(gap, lower, upper, strict=True)],
    }


def _gap_class(gap: float | None, lower: float | None, upper: float | None, is_higher_better: bool) -> int:
    """Clear where the interval leaves out no difference at all."""
    if gap is None or lower is None or upper is None:
        return -1
    if lower <= 0 <= upper:
        return 2
    is_worse = (gap < 0) == is_higher_better
    return (0 if abs(gap) >= FAR else 1) if is_worse else 3


def _classes(rows: pd.DataFrame, is_higher_better: bool) -> tuple[list[str], list[int]]:
    """Even classes over the shares there are, the worst first: labels, and the lower edges in tenths of a percent, ascending."""
    tenths = [t for n, d in zip(_whole(rows["numerator"]), _whole(rows["denominator"]), strict=True) if (t := _tenths(n, d)) is not None]
    if not tenths:
        return ["no value is shown"], [0]
    low, high = min(tenths), max(tenths)
    step = next((s for s in (5, 10, 20, 50, 100, 200) if high // s - low // s + 1 <= MOST_CLASSES), 200)
    edges = list(range(low // step * step, high + 1, step))
    labels = [f"{edge / 10:.1f}% to {(min(edge + step, 1001) - 1) / 10:.1f}%" for edge in edges]
    return (labels if is_higher_better else labels[::-1]), edges


def _tenths(n: int | None, d: int | None) -> int | None:
    from fuller_popheath.methods.bands import percent_tenths

    return None if n is None or not d else int(percent_tenths(n, d))


def _class_of(n: int | None, d: int | None, edges: Sequence[int], is_higher_better: bool) -> int:
    tenths = _tenths(n, d)
    if tenths is None:
        return -1
    at = max(0, sum(edge <= tenths for edge in edges) - 1)
    return at if is_higher_better else len(edges) - 1 - at


def _whole(values: pd.Series[Any]) -> list[int | None]:
    return [None if value is None or value != value else int(value) for value in values.astype("Float64").astype(object).where(values.notna(), None)]


def _rounded(values: pd.Series[Any]) -> list[float | None]:
    return [None if value != value else round(value, 4) for value in values.astype("float64").tolist()]


def deciles(by_lsoa: pa.Table) -> Json:
    """By edition: the registered people of the area's practices in each national decile, wherever they live, and those without one."""
    rows = by_lsoa.to_pandas()
    made: Json = {}
    for edition, some in rows.groupby("imd_edition"):
        by_decile = some.groupby("imd_decile")["registered_count"].sum()
        made[str(edition)] = {
            "people": [int(by_decile.get(decile, 0)) for decile in range(1, 11)],
            "without": int(some.loc[some["imd_decile"].isna(), "registered_count"].sum()),
        }
    return made
