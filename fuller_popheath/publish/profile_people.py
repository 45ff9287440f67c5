"""Who lives in a neighbourhood and what they have, as figures: deprivation and its domains, PLUS groups, conditions; and the age pyramid.

Grain in: products of a night; out: one Figure for all PCNs. What does not belong here: how people use care (`profile_care`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from fuller_popheath.cohorts.population_profile import AGE_SEX, CONDITION, CONDITIONS, NOT_RECORDED, PLUS_GROUP, SEXES, age_band_names
from fuller_popheath.cohorts.segment_counts import ALL
from fuller_popheath.publish import wording
from fuller_popheath.publish.profile_figures import Column, Figure, Measure, Number, Told, data_link
from fuller_popheath.publish.profile_given import BY_ICB, BY_PCN, DOMAINS, ICB, PCN, POPULATION, Given, number, share_of, told_of
from fuller_popheath.publish.segment_pictures import QUINTILES, group_name

if TYPE_CHECKING:
    import pandas as pd

DOMAIN_NAMES = {
    "income": "Income",
    "employment": "Employment",
    "education": "Education, skills and training",
    "health": "Health and disability",
    "crime": "Crime",
    "barriers": "Barriers to housing and services",
    "environment": "Living environment",
}
CONDITION_NAMES = {
    "stroke_tia": "Stroke or TIA",
    "copd": "COPD",
    "non_diabetic_hyperglycaemia": "Raised blood sugar without diabetes",
    "parkinsons_disease": "Parkinson’s disease",
    "palliative_care": "Palliative care",
}
LEAST_EXPECTED = 20.0
"""Where fewer people would be expected to have a condition, the ratio is not told: expected numbers are rounded (our own choice)."""
RATIO_AXIS = (0.4, 2.5)


def people_figures(given: Given) -> Iterator[Figure]:
    """Deprivation, domains, PLUS groups and conditions, as far as their products have rows."""
    for figure in (deprivation(given), domains(given), plus_groups(given), conditions(given)):
        if figure.measures:
            yield figure


def deprivation(given: Given) -> Figure:
    """Of registered people, the share in each national quintile, by edition; from published counts."""
    made = []
    for edition in sorted(set(given.frames[BY_PCN]["imd_edition"]), reverse=True):
        areas = _stacked(given, edition)
        for quintile, label in QUINTILES.items():
            counts = areas.assign(count=areas[f"q{quintile}_count"])
            column = Column("People", "people_count", _counts(counts, "count"))
            places, wholes = (share_of(counts, level, "count", "registered_count") for level in (PCN, ICB))
            made.append(Measure(f"imd_{edition}_quintile_{quintile}", label, places, wholes, "%", columns=(column,), group=f"IMD {edition}"))
    lead = "Share of registered people who live in each fifth of England’s small areas. Quintile 1 is Core20."
    return Figure("deprivation", "Deprivation", lead, tuple(made), (0, 100))


def _stacked(given: Given, edition: str) -> pd.DataFrame:
    import pandas as pd

    by_pcn = given.rows(BY_PCN, imd_edition=edition).assign(area_type=PCN).rename(columns={"pcn_code": "area_code"})
    by_icb = given.rows(BY_ICB, imd_edition=edition).assign(area_type=ICB).rename(columns={"icb_code": "area_code"})
    columns = ["area_type", "area_code", "registered_count", *(f"q{quintile}_count" for quintile in QUINTILES)]
    return pd.concat([by_pcn[columns], by_icb[columns]], ignore_index=True)


def domains(given: Given) -> Figure:
    """Of registered people, the share in the most deprived fifth by each domain, by edition; from published counts."""
    made = []
    for edition in sorted(set(given.frames[DOMAINS]["imd_edition"]), reverse=True):
        for domain, label in DOMAIN_NAMES.items():
            rows = given.rows(DOMAINS, imd_edition=edition, domain=domain)
            if len(rows):
                column = Column("People", "most_deprived_count", _counts(rows, "most_deprived_count"))
                places, wholes = (told_of(rows, level, ["percent"]) for level in (PCN, ICB))
                made.append(Measure(f"imd_{edition}_{domain}", label, places, wholes, "%", columns=(column,), group=f"IMD {edition}"))
    lead = "Share of registered people whose small area is in the most deprived fifth of England by each domain: what deprivation is made of here."
    return Figure("domains", "Domains of deprivation", lead, tuple(made), (0, 100))


def plus_groups(given: Given) -> Figure:
    """Of registered people, the share in each PLUS group of the site."""
    made = []
    rows, unknown = given.rows(POPULATION, topic=PLUS_GROUP), given.rows(POPULATION, topic=NOT_RECORDED)
    for name in [name for name in dict.fromkeys(rows["group"]) if name != ALL]:
        own = rows[rows["group"] == name]
        not_told = {code: told.value for code, told in told_of(unknown[unknown["group"] == name], PCN, ["percent"]).items()}
        columns = (
            Column("People", "people_count", _counts(own, "people_count")),
            Column("Not recorded", "not_recorded_percent", {code: (value, _percent(value)) for code, value in not_told.items() if value}),
        )
        places, wholes = (told_of(own, level, ["percent"]) for level in (PCN, ICB))
        made.append(Measure(name, group_name(name), places, wholes, "%", columns=columns))
    lead = "Share of registered people in each PLUS group. Groups overlap. Of people of whom something was not recorded nobody can say."
    return Figure("plus", "PLUS groups", lead, tuple(made))


def conditions(given: Given) -> Figure:
    """People with each condition, and how that compares with what the ages and sexes of the PCN would lead to expect at the rates of its ICB."""
    rows = given.rows(POPULATION, topic=CONDITION)
    made = []
    for name in CONDITIONS:
        own = rows[(rows["group"] == name) & rows["area_type"].isin([PCN, ICB])]
        if not len(own):
            continue
        percent, whole = (told_of(own, level, ["percent"]) for level in (PCN, ICB))
        icb_of = {pcn.code: pcn.icb for pcn in given.pcns}
        of_icb = {code: whole[icb].value for code, icb in icb_of.items() if icb in whole}
        columns = (
            Column("People", "people_count", _counts(own, "people_count")),
            Column("Share", "percent", {code: (told.value, _percent(told.value, 1)) for code, told in percent.items()}),
            Column("ICB", "icb_percent", {code: (value, _percent(value, 1)) for code, value in of_icb.items()}),
        )
        label = CONDITION_NAMES.get(name, name.replace("_", " ").capitalize())
        made.append(Measure(name, label, _ratios(own[own["area_type"] == PCN]), {}, decimals=2, columns=columns, reference=1.0))
    lead = (
        "People with each condition as coded, and the ratio of that number to the one expected if each age and sex had it as often as in the ICB: "
        "1 is as expected, 2 twice as many. A low ratio can be good health, or a condition that is not found."
    )
    note = f"The ratio’s limits hold the expected number for certain (Byar); not told where fewer than {LEAST_EXPECTED:g} people are expected."
    return Figure("conditions", "Long-term conditions", lead, tuple(made), RATIO_AXIS, is_log=True, value_heading="Against expected", notes=(note,))


def _ratios(rows: pd.DataFrame) -> dict[str, Told]:
    from fuller_popheath.methods.counts import observed_over_expected

    found = {}
    for code, hidden, observed, expected in zip(rows["area_code"], rows["is_hidden"], rows["people_count"], rows["expected_count"], strict=True):
        seen, due = number(observed), number(expected)
        if seen is None or due is None or due < LEAST_EXPECTED:
            found[str(code)] = Told(is_hidden=bool(hidden))
            continue
        ratio, (lower, upper) = observed_over_expected([seen], [due])
        found[str(code)] = Told(float(ratio[0]), float(lower[0]), float(upper[0]))
    return found


def _counts(rows: pd.DataFrame, column: str) -> dict[str, tuple[Any, str]]:
    """By PCN a count and how it is written."""
    at = rows[rows["area_type"] == PCN]
    hidden = at["is_hidden"].tolist() if "is_hidden" in at else [False] * len(at)
    made: dict[str, tuple[Any, str]] = {}
    for code, is_hidden, value in zip(at["area_code"], hidden, at[column], strict=True):
        whole = number(value)
        made[str(code)] = (None, "hidden" if is_hidden else wording.NOT_GIVEN) if whole is None else (int(whole), f"{int(whole):,}")
    return made


def _percent(value: Number, places: int = 0) -> str:
    return wording.NOT_GIVEN if value is None else f"{wording.decimals(value, places)}%"


@dataclass(frozen=True)
class Bar:
    """One age band of a pyramid, widths in the drawing's units: of both sexes here, and in the ICB; None: hidden."""

    label: str
    y: float
    female: Number
    male: Number
    icb_female: float
    icb_male: float
    told: tuple[str, str, str, str]


@dataclass(frozen=True)
class Pyramid:
    """Ages and sexes of one PCN as shares of its people, from the oldest band down; `outline` are the ICB's steps as SVG paths."""

    bars: tuple[Bar, ...]
    outline: tuple[str, str]
    width: float
    height: float
    step: float
    widest: str
    file: str
    link: str


HALF, STEP, LABEL = 160.0, 15.0, 46.0


class Pyramids:
    """The pyramids of every PCN: shares by area, sex and band are looked up once."""

    def __init__(self, given: Given) -> None:
        rows = given.rows(POPULATION, topic=AGE_SEX)
        wholes = {(r.area_type, r.area_code): number(r.people_count) for r in rows[(rows["sex"] == ALL)].itertuples()}
        self.counts: dict[tuple[str, str, str, str], Number] = {}
        self.share: dict[tuple[str, str, str, str], Number] = {}
        for row in rows[(rows["age_band"] != ALL) & rows["area_type"].isin([PCN, ICB])].itertuples():
            key = (str(row.area_type), str(row.area_code), str(row.sex), str(row.age_band))
            count, whole = number(row.people_count), wholes.get((row.area_type, row.area_code))
            self.counts[key] = count
            self.share[key] = 100 * count / whole if count is not None and whole else None
        self.widest = max((share for share in self.share.values() if share is not None), default=1.0)

    def of(self, code: str, icb: str, as_of: date) -> Pyramid | None:
        """One PCN's pyramid; None where nothing is known of its ages."""
        bands = age_band_names()
        if (PCN, code, SEXES[0], bands[0]) not in self.share:
            return None
        bars = tuple(self._bar(code, icb, band, place * STEP) for place, band in enumerate(reversed(bands)))
        outline = tuple(_steps([getattr(bar, f"icb_{sex}") for bar in bars], -1 if sex == "female" else 1) for sex in SEXES)
        records = [
            {
                "as_of": as_of,
                "pcn_code": code,
                "figure": "ages",
                "sex": sex,
                "age_band": band,
                "people_count": None if (count := self.counts[PCN, code, sex, band]) is None else int(count),
                "percent_of_all": self.share[PCN, code, sex, band],
                "icb_percent_of_all": self.share.get((ICB, icb, sex, band)),
            }
            for sex in SEXES
            for band in bands
        ]
        file = f"{code}_ages_{as_of.isoformat()}.csv"
        widest = f"{wording.decimals(self.widest, 1)}%"
        height = STEP * len(bars)
        return Pyramid(bars, (outline[0], outline[1]), 2 * HALF + LABEL, height, STEP, widest, file, data_link(records))

    def _bar(self, code: str, icb: str, band: str, y: float) -> Bar:
        here = [self.share[PCN, code, sex, band] for sex in SEXES]
        whole = [self.share.get((ICB, icb, sex, band)) for sex in SEXES]
        told = tuple("hidden" if share is None else f"{wording.decimals(share, 1)}%" for share in (*here, *whole))
        widths = [None if share is None else round(share / self.widest * HALF, 1) for share in here]
        icb_widths = [round((share or 0.0) / self.widest * HALF, 1) for share in whole]
        return Bar(band.replace("-", "–"), y, widths[0], widths[1], icb_widths[0], icb_widths[1], (told[0], told[1], told[2], told[3]))


def _steps(widths: Sequence[float], side: int) -> str:
    """An outline down one side of the pyramid, from the top."""
    middle = HALF + LABEL / 2
    start = middle + side * LABEL / 2
    points = [f"M{start:g} 0"]
    for place, width in enumerate(widths):
        points.append(f"H{start + side * width:g}V{(place + 1) * STEP:g}")
    return "".join(points) + f"H{start:g}"
