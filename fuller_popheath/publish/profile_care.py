"""How a neighbourhood uses care, what continuity it needs and receives, its clinical areas and its workforce, as figures.

Grain in: products of a night; out: one Figure for all PCNs. What does not belong here: who lives there (`profile_people`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from fuller_popheath import registry
from fuller_popheath.cohorts.segment_counts import ALL
from fuller_popheath.publish import wording
from fuller_popheath.publish.atlas_measures import AREAS
from fuller_popheath.publish.profile_figures import Column, Figure, Measure, Number, Told
from fuller_popheath.publish.profile_given import ACTIVITY, GAP, ICB, INDICATORS, INEQUALITY, PCN, SEGMENTS, STAFF, Given, number, share_of, told_of

if TYPE_CHECKING:
    import pandas as pd

    from fuller_popheath.specs import IndicatorSpec

USE = (
    ("contacts_per_1000", "Contacts per 1,000 people and year", "", 0, ("contacts_lower", "contacts_upper")),
    ("gp_percent", "Contacts with a GP", "%", 1, ()),
    ("urgent_percent", "Urgent contacts", "%", 1, ("urgent_lower", "urgent_upper")),
    ("same_day_percent", "Booked and held on the same day", "%", 1, ("same_day_lower", "same_day_upper")),
    ("did_not_attend_percent", "Appointments not attended", "%", 1, ("did_not_attend_lower", "did_not_attend_upper")),
    ("mean_upc", "Contacts with the usual provider (UPC), mean", "", 2, ()),
    ("slicc", "Contacts with the named usual GP (SLICC)", "", 2, ()),
)
"""Column of products/activity_by_pcn, what it is called, its unit, decimals and limits; columns that the product does not have are left out."""
STAFF_GROUPS = {
    ("gp_workforce", "gp"): "GPs",
    ("workforce", "gp"): "GPs, as supplied",
    ("workforce", "nurse"): "Practice nurses",
    ("workforce", "direct_patient_care"): "Practices’ other direct patient care",
    ("workforce", "admin_non_clinical"): "Practices’ administration",
    ("pcn_workforce", "all"): "PCN-employed staff, all",
    ("pcn_workforce", "direct_patient_care"): "PCN-employed direct patient care",
}
SETTINGS = "site.toml"
"""A meaning that names it is for those who set it."""
ADULTS = "adult"
"""Segment of everybody who is not a child, in the scheme of children: not drawn, it would dwarf the others."""


def care_figures(given: Given) -> Iterator[Figure]:
    """Use of care and continuity, as far as their products have rows."""
    for figure in (use_of_care(given), continuity(given), *segments(given)):
        if figure.measures:
            yield figure


def clinical_figures(given: Given) -> Iterator[Figure]:
    """Indicators of the clinical areas, adults and children."""
    for figure in (indicators(given, "adult", "Adults"), indicators(given, "child", "Children and young people")):
        if figure.measures:
            yield figure


def use_of_care(given: Given) -> Figure:
    """Contacts, who they are with, urgent ones and those not attended, of everybody; and of Core20 beside it."""
    rows = given.rows(ACTIVITY, imd_edition=given.edition)
    everybody, core20 = rows[rows["imd_quintile"] == ALL], rows[rows["imd_quintile"] == "1"]
    made = []
    for column, label, unit, places, limits in USE:
        if column not in rows or not len(everybody):
            continue
        has_limits = bool(limits) and set(limits) <= set(rows.columns)
        wanted = [column, *limits] if has_limits else [column]
        of_core20 = {code: told.value for code, told in told_of(core20, PCN, [column]).items()}
        beside = Column(
            "Core20",
            "core20_value",
            {c: (v, wording.NOT_GIVEN if v is None else f"{wording.decimals(v, places)}{unit}") for c, v in of_core20.items()},
        )
        here, whole = (told_of(everybody, level, wanted) for level in (PCN, ICB))
        made.append(Measure(column, label, here, whole, unit, places, columns=(beside,), other=of_core20))
    lead = "General practice in the 365 days before the day. Not adjusted for age: where people are older they are seen more often."
    return Figure("activity", "Use of general practice", lead, tuple(made))


def continuity(given: Given) -> Figure:
    """Need for continuity against what people with high need receive."""
    rows = given.rows(GAP, imd_edition=given.edition)
    made = []
    for quintile, label, group in ((ALL, "Everybody with high need", ""), ("1", "Of these, in Core20", "")):
        own = rows[rows["imd_quintile"] == quintile]
        if not len(own):
            continue
        columns = (Column("High need", "high_need_count", _counts(own, "high_need_count")),)
        places, wholes = (share_of(own, level, "low_received_count", "received_known_count") for level in (PCN, ICB))
        made.append(Measure(f"low_received_{quintile}", f"{label}: receive little", places, wholes, "%", columns=columns, group=group))
        if quintile == ALL:
            for column, words in (("mean_upc", "With the usual provider (UPC), mean"), ("slicc", "With the named usual GP (SLICC)")):
                places, wholes = (told_of(own, level, [column]) for level in (PCN, ICB))
                made.append(Measure(column, f"High need: {words}", places, wholes, decimals=2, columns=columns))
    lead = (
        "Of the people with high need for continuity, the share who receive little of it, compared with everybody who is seen as often. "
        "Need is a local choice and not validated."
    )
    return Figure("continuity", "Continuity: needed and received", lead, tuple(made))


def segments(given: Given) -> Iterator[Figure]:
    """Every scheme of segments: the share of registered people in each group."""
    rows = given.rows(SEGMENTS, imd_edition=given.edition, imd_quintile=ALL, people_group=ALL)
    for name, scheme in registry.segments().items():
        made = []
        for group in scheme.groups:
            own = rows[(rows["scheme"] == name) & (rows["segment"] == group.name)]
            if len(own) and group.name != ADULTS:
                columns = (Column("People", "people_count", _counts(own, "people_count")),)
                hint = "" if SETTINGS in group.meaning else group.meaning
                places, wholes = (told_of(own, level, ["percent"]) for level in (PCN, ICB))
                made.append(Measure(group.name, group.title, places, wholes, "%", columns=columns, hint=hint))
        yield Figure(f"segments_{name}", scheme.title, "Share of registered people in each group.", tuple(made), notes=(scheme.limits,))


def indicators(given: Given, age_group: str, title: str) -> Figure:
    """The indicators of one age group: everybody's share, Core20 and the rest, the gap, and how many people would close it."""
    values, gaps = given.rows(INDICATORS, imd_edition=given.edition), given.rows(INEQUALITY, imd_edition=given.edition)
    made = []
    for spec in sorted((s for s in registry.indicators().values() if s.age_group == age_group), key=_area_place):
        own = values[(values["indicator_id"] == spec.name) & (values["quintile"] == ALL)]
        if len(own):
            made.append(_indicator(spec, own, gaps[(gaps["indicator_id"] == spec.name) & (gaps["area_type"] == PCN)]))
    lead = (
        "Everybody’s share with its interval and the ICB’s beside it; before: as it last left, in an earlier month; then Core20 and the rest, and "
        "the gap between them. "
        "Closing it: so many people of Core20 would have to change, by rounded counts."
    )
    return Figure(f"indicators_{age_group}", title, lead, tuple(made), (0, 100))


def _area_place(spec: IndicatorSpec) -> int:
    return list(AREAS).index(spec.area) if spec.area in AREAS else len(AREAS)


def _indicator(spec: IndicatorSpec, own: pd.DataFrame, gaps: pd.DataFrame) -> Measure:
    cells: dict[str, dict[str, tuple[Any, str]]] = {"before": {}, "core20": {}, "rest": {}, "gap": {}, "close": {}}
    core20: dict[str, Number] = {}
    for code, value in zip(own["area_code"], own["previous_value"], strict=True):
        before = number(value)
        cells["before"][str(code)] = (before, _percent(before, wording.NOT_GIVEN))
    for row in gaps.to_dict("records"):
        code = str(row["area_code"])
        told = {name: number(row[name]) for name in ("core20_value", "rest_value", "gap", "gap_lower", "gap_upper", "people_to_close_gap")}
        absent = "hidden" if row["is_hidden"] else wording.NOT_GIVEN
        core20[code] = told["core20_value"]
        cells["core20"][code] = (told["core20_value"], _percent(told["core20_value"], absent))
        cells["rest"][code] = (told["rest_value"], _percent(told["rest_value"], absent))
        cells["gap"][code] = (told["gap"], absent if told["gap"] is None else _gap_words(told))
        close = told["people_to_close_gap"]
        cells["close"][code] = (close, absent if close is None else f"{close:,.0f}")
    columns = (
        Column("Before", "previous_percent", cells["before"]),
        Column("Core20", "core20_percent", cells["core20"]),
        Column("Rest", "rest_percent", cells["rest"]),
        Column("Gap, points", "gap", cells["gap"]),
        Column("Closes it", "people_to_close_gap", cells["close"]),
    )
    better = "higher is better" if spec.direction == "higher_is_better" else "lower is better"
    target = f", aim {100 * spec.target:g}%" if spec.target else ""
    hint = f"{better}{target}{'; a proxy' if spec.is_proxy else ''}"
    places, wholes = (told_of(own, level, ["value", "lower", "upper"]) for level in (PCN, ICB))
    group = AREAS.get(spec.area, spec.area.replace("_", " ")).capitalize()
    return Measure(spec.name, spec.title, places, wholes, "%", columns=columns, group=group, hint=hint, other=core20)


def _gap_words(told: Mapping[str, Number]) -> str:
    lower, upper = told["gap_lower"], told["gap_upper"]
    interval = "" if lower is None or upper is None else f" ({wording.signed(lower)} to {wording.signed(upper)})"
    return f"{wording.signed(told['gap'])}{interval}"


def workforce(given: Given) -> Figure:
    """Full-time equivalents per 100,000 people of the newest census of every source, and the share of staff aged 55 or older."""
    rows = given.rows(STAFF, is_newest=True, staff_role=ALL)
    made = []
    for (source, group), label in STAFF_GROUPS.items():
        own = rows[(rows["source"] == source) & (rows["staff_group"] == group)]
        if not len(own):
            continue
        columns = (
            Column("FTE", "fte", _numbers(own, "fte", 1)),
            Column("Need-weighted", "fte_per_100k_weighted", _numbers(own, "fte_per_100k_weighted", 1)),
            Column("Aged 55+", "aged_55_plus_percent", _numbers(own, "aged_55_plus_percent", 0, "%")),
            Column("Of people", "covered_percent", _numbers(own, "covered_percent", 0, "%")),
        )
        places, wholes = (told_of(own, level, ["fte_per_100k", "lower", "upper"]) for level in (PCN, ICB))
        made.append(Measure(f"{source}_{group}", label, places, wholes, columns=columns, hint=f"as at {max(own['census'])}"))
    lead = (
        "Full-time equivalents per 100,000 registered people of the practices that reported, and per need-weighted head. "
        "The interval says how far so few posts differ by chance."
    )
    return Figure("workforce", "Staff by group", lead, tuple(made), value_heading="FTE per 100,000")


def gp_trend(given: Given) -> Figure:
    """GPs per 100,000 people, year by year."""
    rows = given.rows(STAFF, source="gp_workforce", staff_group="gp", staff_role=ALL)
    made = []
    for census in sorted(set(rows["census"])):
        own = rows[rows["census"] == census]
        places, wholes = (told_of(own, level, ["fte_per_100k", "lower", "upper"]) for level in (PCN, ICB))
        made.append(Measure(f"gp_{census}", str(census), places, wholes, columns=(Column("FTE", "fte", _numbers(own, "fte", 1)),)))
    values = [t.value for measure in made for t in (*measure.places.values(), *measure.wholes.values()) if t.value is not None]
    highest = 20.0 * (int(max(values, default=0.0)) // 20 + 1)
    lead = "Full-time equivalent GPs per 100,000 people, without trainees and locums. Practices that closed since are missing with their people."
    return Figure("gp_trend", "GPs over the years", lead, tuple(made), (0.0, highest), value_heading="FTE per 100,000")


def _counts(rows: pd.DataFrame, column: str) -> dict[str, tuple[Any, str]]:
    at = rows[rows["area_type"] == PCN]
    absent = ["hidden" if is_hidden else wording.NOT_GIVEN for is_hidden in at["is_hidden"]]
    values = [number(value) for value in at[column]]
    return {
        str(code): (None, words) if value is None else (int(value), f"{int(value):,}")
        for code, words, value in zip(at["area_code"], absent, values, strict=True)
    }


def _numbers(rows: pd.DataFrame, column: str, places: int, unit: str = "") -> dict[str, tuple[Any, str]]:
    at = rows[rows["area_type"] == PCN]
    values = zip(at["area_code"], (number(value) for value in at[column]), strict=True)
    return {str(code): (value, f"{wording.decimals(value, places)}{unit}") for code, value in values if value is not None}


def _percent(value: Number, absent: str) -> str:
    return absent if value is None else f"{wording.decimals(value, 1)}%"


__all__ = ["Told", "care_figures", "clinical_figures", "gp_trend", "workforce"]
