"""Core20 against the rest of the same area, and the slope over all five quintiles, made of what is shown: nothing here tells more than the counts do.

What does not belong here: exact counts, and hiding them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.cohorts.indicator_flags import Indicators
from fuller_popheath.cohorts.indicators_shown import KEY, OTHERS, REST
from fuller_popheath.cohorts.segment_counts import ALL

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

CORE20 = "1"
AREA_KEY = tuple(name for name in KEY if name != "quintile")
DRAWS = 10_000
"""Draws of a simulated interval of a slope: enough for a percentage point's hundredth."""


def gaps(shown: pd.DataFrame, indicators: Indicators, confidence: float = 0.95, draws: int = DRAWS, seed: int = 0) -> pd.DataFrame:
    """One row per edition, area and indicator: both groups, gap and ratio with intervals, how many people would close it, and SII and RII.

    `shown`: what `indicators_shown.shown_counts` returns. Percentages are 0 to 100, the gap and the slope index are in percentage points; everything
    that rests on a hidden count is missing. The gap is Core20 minus the rest, the slope index the least deprived end minus the most deprived.
    """
    import numpy as np

    from fuller_popheath.methods.gaps import difference_of_proportions, people_to_close, ratio_of_proportions

    wide = shown.pivot(index=list(AREA_KEY), columns="quintile", values=["numerator", "denominator"])
    (x1, n1), (x2, n2) = (tuple(wide[part, group].astype("Float64") for part in ("numerator", "denominator")) for group in (CORE20, REST))
    known = (x1.notna() & n1.notna() & x2.notna() & n2.notna()).to_numpy(dtype=bool)
    a, b, c, d = (np.where(known, values.to_numpy(dtype=np.int64, na_value=0), 0) for values in (x1, n1, x2, n2))
    made = wide.index.to_frame(index=False)
    for name, values in (("core20_numerator", x1), ("core20_denominator", n1), ("rest_numerator", x2), ("rest_denominator", n2)):
        made[name] = values.to_numpy(dtype=np.float64, na_value=np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        for group in ("core20", "rest"):
            made[f"{group}_value"] = 100 * made[f"{group}_numerator"] / made[f"{group}_denominator"].where(made[f"{group}_denominator"] > 0)
    for name, scale, compare in (("gap", 100.0, difference_of_proportions), ("ratio", 1.0, ratio_of_proportions)):
        for part, numbers in zip((name, f"{name}_lower", f"{name}_upper"), compare(a, b, c, d, confidence), strict=True):
            made[part] = np.where(known & np.isfinite(numbers), scale * numbers, np.nan)
    higher = made["indicator_id"].map({name: spec.direction == "higher_is_better" for name, spec in indicators.items()}).to_numpy(dtype=bool)
    needed = np.where(higher, people_to_close(a, b, c, d), people_to_close(a, b, c, d, is_higher_better=False))
    made["people_to_close_gap"] = np.where(known & (b > 0) & (d > 0), needed, np.nan)
    return _with_target(made, wide, indicators).merge(_slopes(shown, confidence, draws, seed), on=list(AREA_KEY), how="left", validate="one_to_one")


def _with_target(made: pd.DataFrame, wide: pd.DataFrame, indicators: Indicators) -> pd.DataFrame:
    """How many more people of everybody, and of Core20, would reach a stated target."""
    import numpy as np

    from fuller_popheath.methods.gaps import people_to_target

    for column, group in (("people_to_target", ALL), ("core20_people_to_target", CORE20)):
        values = np.full(len(made), np.nan)
        x, n = (wide[part, group].to_numpy(dtype=np.float64, na_value=np.nan) for part in ("numerator", "denominator"))
        for name, spec in indicators.items():
            rows = np.flatnonzero((made["indicator_id"] == name).to_numpy() & ~np.isnan(x + n) & (np.nan_to_num(n) > 0))
            if spec.target is not None and len(rows):
                values[rows] = people_to_target(x[rows], n[rows], spec.target, spec.direction == "higher_is_better")
        made[column] = values
    return made


def _slopes(shown: pd.DataFrame, confidence: float, draws: int, seed: int) -> pd.DataFrame:
    """SII and RII where all five quintiles are shown. Regression on people at the ridit of their quintile (`methods.inequality_by_person`)."""
    from fuller_popheath.methods.inequality_by_person import slope_of_counts

    five = shown[shown["quintile"].isin((CORE20, *OTHERS))]
    whole = five.groupby(list(AREA_KEY))["is_hidden"].transform("any")
    counts = five[~whole.astype(bool)]
    columns = ["sii", "sii_lower", "sii_upper", "rii", "rii_lower", "rii_upper"]
    if not len(counts):
        return shown[list(AREA_KEY)].drop_duplicates().assign(**dict.fromkeys(columns, float("nan")))
    counts = counts.assign(numerator=counts["numerator"].astype("int64"), denominator=counts["denominator"].astype("int64"))
    found = slope_of_counts(counts, list(AREA_KEY), "quintile", confidence, draws, seed)
    for name in columns[:3]:
        found[name] = 100 * found[name]
    return found[[*AREA_KEY, *columns]]


def proportions(shown: pd.DataFrame, confidence: float = 0.95) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Percent of each row of what is shown, with Wilson's limits; not-a-number where a count is hidden or nobody is in the denominator."""
    import numpy as np

    from fuller_popheath.methods.proportions import wilson_interval

    x, n = (shown[name].to_numpy(dtype=np.float64, na_value=np.nan) for name in ("numerator", "denominator"))
    known = ~np.isnan(x + n) & (np.nan_to_num(n) > 0)
    given = np.where(known, x, 0.0), np.where(known, n, 1.0)
    lower, upper = wilson_interval(*given, confidence)
    value = given[0] / given[1]
    return tuple(np.where(known, 100 * part, np.nan) for part in (value, lower, upper))  # type: ignore[return-value]
