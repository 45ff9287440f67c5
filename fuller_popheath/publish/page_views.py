"""What the page shows of one edition, worded: headline, legend, one row a PCN, and the ranked plot.

What does not belong here: HTML.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fuller_popheath.publish import wording
from fuller_popheath.publish.bands import BANDS, band_number
from fuller_popheath.publish.core20_map import MOST_NUMBERED, Ranked
from fuller_popheath.publish.ranked_plot import axis_end, curve_scene
from fuller_popheath.publish.scene import svg_marks


@dataclass(frozen=True)
class LegendLine:
    """One of the eight bands: its number from the top, its label, and how many PCNs and registered people are in it."""

    number: int
    label: str
    pcn_count: int
    registered: int


@dataclass(frozen=True)
class PcnRow:
    """One PCN of one edition as the page words it; `exact` values are what columns sort by."""

    number: int
    code: str
    name: str
    short_name: str
    icb: str
    rank_in_icb: str
    practices: int
    registered: int
    core20: int
    share: str
    percent: float
    lower: float
    upper: float
    interval: str
    band: str
    band_number: int
    chance: str
    probability: float
    score: str
    unmatched: int
    wave: str
    marks: str


@dataclass(frozen=True)
class Curve:
    """The ranked plot of many PCNs as SVG marks made of numbers and fixed words only, so that they need no escaping."""

    width: float
    height: float
    marks: str


@dataclass(frozen=True)
class EditionView:
    """Everything of one edition; `place` is its position among the editions of the page."""

    edition: str
    place: int
    pcns: int
    practices: int
    registered: int
    core20: int
    unmatched: int
    share: str
    interval: str
    legend: tuple[LegendLine, ...]
    rows: tuple[PcnRow, ...]
    numbered: bool
    axis_end: int
    curve: Curve | None
    unsure: int


def edition_view(order: Sequence[Ranked], edition: str, waves: Mapping[tuple[str, str], Mapping[str, Any]], place: int) -> EditionView:
    """One edition of `products/core20_by_pcn` in the order of shares, with the wave of each PCN from `products/core20_phasing`."""
    registered, core20, unmatched, practices = (
        sum(r.row[column] for r in order) for column in ("registered_count", "q1_count", "unmatched_count", "practice_count")
    )
    lower, upper = _wilson(core20, registered)
    numbered = len(order) <= MOST_NUMBERED
    return EditionView(
        edition=edition,
        place=place,
        pcns=len(order),
        practices=practices,
        registered=registered,
        core20=core20,
        unmatched=unmatched,
        share=wording.share(core20, registered),
        interval=_interval(lower, upper),
        legend=_legend(order),
        rows=tuple(_row(r, waves.get((edition, r.row["pcn_code"]), {})) for r in order),
        numbered=numbered,
        axis_end=axis_end(order),
        curve=None if numbered else _curve(order),
        unsure=sum(1 for r in order if r.row["band_probability"] < 0.95),
    )


def _wilson(part: int, whole: int) -> tuple[float, float]:
    from fuller_popheath.methods.proportions import wilson_interval

    lower, upper = wilson_interval([part], [whole])
    return 100 * float(lower[0]), 100 * float(upper[0])


def _interval(lower: float, upper: float) -> str:
    return f"{wording.decimals(lower)} to {wording.decimals(upper)}%"


def _legend(order: Sequence[Ranked]) -> tuple[LegendLine, ...]:
    pcns = Counter(r.row["band"] for r in order)
    people: Counter[str] = Counter()
    for r in order:
        people[r.row["band"]] += r.row["registered_count"]
    return tuple(LegendLine(number, band, pcns[band], people[band]) for number, band in enumerate(BANDS))


def _row(r: Ranked, wave: Mapping[str, Any]) -> PcnRow:
    row = r.row
    return PcnRow(
        number=r.number,
        code=row["pcn_code"],
        name=wording.calm(row["pcn_name"]),
        short_name=r.short_name,
        icb=row["icb_code"] or wording.NOT_GIVEN,
        rank_in_icb=wording.count(row["rank_in_icb"]),
        practices=row["practice_count"],
        registered=row["registered_count"],
        core20=row["q1_count"],
        share=r.share,
        percent=round(row["core20_percent"], 6),
        lower=round(row["core20_lower"], 4),
        upper=round(row["core20_upper"], 4),
        interval=_interval(row["core20_lower"], row["core20_upper"]),
        band=row["band"],
        band_number=band_number(row["band"]),
        chance=wording.chance(row["band_probability"]),
        probability=round(row["band_probability"], 6),
        score=wording.decimals(row["mean_imd_score"]),
        unmatched=row["unmatched_count"],
        wave=wave.get("wave") or wording.NOT_GIVEN,
        marks=marks_of(wave),
    )


def marks_of(wave: Mapping[str, Any]) -> str:
    """`R` where the wave hangs on rounding, `E` where it hangs on the edition."""
    return ("R" if wave.get("hangs_on_rounding") else "") + ("E" if wave.get("hangs_on_edition") else "")


def _curve(order: Sequence[Ranked]) -> Curve:
    scene = curve_scene(order)
    return Curve(scene.width, scene.height, svg_marks(scene))
