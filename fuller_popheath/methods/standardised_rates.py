"""Rates and ratios that allow for age: directly standardised rates, and observed against expected events (indirect standardisation).

Events and populations stand one row an area and age band, the standard one row a band; both are joined by the band's key, never by position.
What does not belong here: which events or people are counted, and any table of ours.
"""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fuller_popheath.methods.counts import byar_interval, observed_over_expected
from fuller_popheath.methods.keys import Keys, codes_of, matrices, one_row_each, positions_in

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

HERE = Path(__file__).resolve().parent

FEWEST_EVENTS = 10
"""Under so many events there is no standardised rate. Source: PHEindicatormethods 2.1.0, calculate_dsr."""

TOO_FEW, NO_POPULATION = "fewer than 10 events", "an age band without population"


@cache
def _published_standard() -> tuple[tuple[str, str, int, float], ...]:
    with (HERE / "esp2013.csv").open(encoding="utf-8", newline="") as lines:
        return tuple((row["age_band"], row["age_band_19"], int(row["age_from"]), float(row["weight"])) for row in csv.DictReader(lines))


def european_standard_population(bands: int = 19) -> pd.DataFrame:
    """The European Standard Population of 2013: columns age_band, age_from (years) and weight (of 100,000), one row a band.

    21 bands as published, or 19 (0-4 and 90+ in one band each). Raises ValueError for another number. Source: esp2013.csv beside this file.
    """
    import pandas as pd

    if bands not in (19, 21):
        raise ValueError("the European Standard Population has 19 or 21 bands")
    rows = [(band if bands == 21 else merged, start, weight) for band, merged, start, weight in _published_standard()]
    made = pd.DataFrame(rows, columns=["age_band", "age_from", "weight"])
    return made.groupby("age_band", as_index=False, sort=False).agg(age_from=("age_from", "min"), weight=("weight", "sum"))


def age_bands(ages: ArrayLike, bands: int = 19) -> NDArray[np.object_]:
    """The name of each age's band in the European Standard Population. Ages in completed years; raises ValueError where one is below 0."""
    years = np.asarray(ages)
    if (years < 0).any():
        raise ValueError(f"{int((years < 0).sum())} ages are below 0")
    standard = european_standard_population(bands)
    position = np.searchsorted(standard["age_from"].to_numpy(), years, side="right") - 1
    return standard["age_band"].to_numpy(dtype=object)[position]


def directly_standardised_rates(
    events: pd.DataFrame,
    standard: pd.DataFrame,
    area: Keys = "area",
    band: str = "age_band",
    confidence: float = 0.95,
    per: float = 100_000,
    squares: str | None = None,
) -> pd.DataFrame:
    """The rate each area would have if its people had the ages of the standard, with Dobson's limits.

    `events`: one row an area and band with `count` and `population`; `standard`: one row a band with `weight`. `squares` names a column that holds,
    for events that one person may have several times (admissions), the sum over persons of the square of their events: the limits then allow
    for it. Returns the area's keys, count, population, value, lower, upper and `reason`; value and limits are missing, and the reason
    says why, under 10 events and where a band of the standard has nobody in it. Areas stand in the order of their sorted keys.

    Source: value sum(w x / n) / sum(w); variance sum(w^2 x / n^2) / sum(w)^2, for repeated events sum((w / n)^2 squares) / sum(w)^2; limits
    value + sqrt(variance / O) (Byar(O) - O) by A. J. Dobson and others, Stat Med 10 (1991) 457-462; PHEindicatormethods 2.1.0, calculate_dsr.
    Raises ValueError where a key is blank or stands twice, a band is not in the standard, a number is missing or negative, or nobody has events.
    """
    weights = one_row_each(standard, band, "the standard")["weight"]
    w = weights.to_numpy(dtype=np.float64)
    if not ((w >= 0).all() and w.sum() > 0):
        raise ValueError("the weights of the standard must be numbers, none below 0 and not all 0")
    columns = ["count", "population", *([squares] if squares else [])]
    areas, keys = codes_of(events, area)
    _, cells = matrices(events, areas, positions_in(events, band, weights.index), (len(keys), len(w)), columns)
    x, n = cells["count"], cells["population"]
    _refuse_impossible(x, n)
    q = cells[squares] if squares else x
    if (wrong := int((q < x).sum())) and squares:
        raise ValueError(f"{wrong} sums of squares are smaller than their count of events")

    observed = x.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(n > 0, w / n, 0.0) / w.sum()
        value = (share * x).sum(axis=1)
        variance = (share**2 * q).sum(axis=1)
        stretch = np.sqrt(variance / observed)
    lower, upper = byar_interval(observed, confidence)
    made = keys.assign(count=observed, population=n.sum(axis=1))
    reason = np.where(((n == 0) & (w > 0)).any(axis=1), NO_POPULATION, "")
    reason = np.where(observed < FEWEST_EVENTS, TOO_FEW, reason)
    limits = {"value": value, "lower": value + stretch * (lower - observed), "upper": value + stretch * (upper - observed)}
    for name, numbers in limits.items():
        made[name] = np.where(reason == "", per * numbers, np.nan)
    return made.assign(reason=reason)


def indirectly_standardised_ratios(
    events: pd.DataFrame,
    reference: pd.DataFrame,
    area: Keys = "area",
    band: str = "age_band",
    confidence: float = 0.95,
    per: float = 1.0,
) -> pd.DataFrame:
    """Observed over expected events of each area: expected if each of its bands had the rate of the reference. The limits hold at zero events.

    `events`: one row an area and band with `count` and `population`; `reference`: one row a band with both. Returns the area's keys, observed,
    expected, value, lower, upper (times `per`, 100 for a ratio like an SMR) in the order of the sorted keys; missing where nothing
    was expected. A band the area has no row of counts as nobody. Limits: observed_over_expected; the reference is taken as known.
    Raises ValueError as directly_standardised_rates does.
    """
    known = one_row_each(reference, band, "the reference")
    reference_count, reference_people = (known[name].to_numpy(dtype=np.float64) for name in ("count", "population"))
    _refuse_impossible(reference_count, reference_people)
    if not (reference_people > 0).all():
        raise ValueError(f"{int((reference_people == 0).sum())} bands of the reference have nobody in them")
    areas, keys = codes_of(events, area)
    _, cells = matrices(events, areas, positions_in(events, band, known.index), (len(keys), len(known)), ["count", "population"])
    _refuse_impossible(cells["count"], cells["population"])
    observed = cells["count"].sum(axis=1)
    expected = (cells["population"] * (reference_count / reference_people)).sum(axis=1)
    value, (lower, upper) = observed_over_expected(observed, expected, confidence)
    return keys.assign(observed=observed, expected=expected, value=per * value, lower=per * lower, upper=per * upper)


def repeated_events(people: pd.DataFrame, keys: Keys, times: str = "times", persons: str = "persons") -> pd.DataFrame:
    """Events told as "so many persons had so many each", as directly_standardised_rates wants them: the keys, count and squares.

    Grain in: one row per key and number of times; out: one row per key, sorted. Raises ValueError where a number is missing or below 0.
    """
    numbers, found = codes_of(people, keys)
    f, k = (people[name].to_numpy(dtype=np.float64, na_value=np.nan) for name in (times, persons))
    if wrong := int((~(f >= 0) | ~(k >= 0)).sum()):
        raise ValueError(f"{wrong} rows have a number that is missing or below 0")
    count, squares = (np.bincount(numbers, weights=part, minlength=len(found)) for part in (f * k, f * f * k))
    return found.assign(count=count, squares=squares)


def _refuse_impossible(counts: NDArray[np.float64], people: NDArray[np.float64]) -> None:
    wrong = ~(counts >= 0) | ~(people >= 0) | ((people == 0) & (counts > 0))
    if wrong.any():
        raise ValueError(f"{int(wrong.sum())} bands have a number below 0, or events but nobody in them")
