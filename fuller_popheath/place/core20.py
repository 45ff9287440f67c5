"""Core20 arithmetic, once for every level: practices summed up to PCN, place and ICB, with share, interval, band and mean score.

Core20 is national quintile 1. Whole people were shared out per practice, so every level is the plain sum of the one below.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.errors import ContractBroken
from fuller_popheath.methods.proportions import wilson_interval
from fuller_popheath.place.bands import band_labels, band_probabilities
from fuller_popheath.place.neighbourhood_practice import NO_PCN
from fuller_popheath.place.quintile_counts import Q_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    import pyarrow as pa

COUNTS = ("registered_count", "matched_count", "unmatched_count", *Q_COLUMNS)
SCORES = ("imd_score_sum", "scored_count")


def practices_with_a_list(practice_quintile: pa.Table, neighbourhood_practice: pa.Table) -> pd.DataFrame:
    """One row per edition and practice with anybody registered, with its PCN and ICB. Raises ContractBroken where a practice stands twice."""
    belongs = neighbourhood_practice.drop_columns(["as_of", "start_date", "membership_source"]).to_pandas()
    doubles = int(belongs["practice_code"].duplicated().sum())
    if doubles:
        raise ContractBroken(f"core/neighbourhood_practice holds {doubles:,} practices more than once: a practice belongs to one neighbourhood a day")
    counted = practice_quintile.to_pandas()
    practices = counted[counted["registered_count"] > 0].merge(belongs, on="practice_code", how="inner")
    return practices.sort_values(["imd_edition", "practice_code"], ignore_index=True)


def in_a_pcn(practices: pd.DataFrame) -> pd.DataFrame:
    """The practices that belong to a real PCN: "U" is a value of the published files and means none."""
    return practices[practices["pcn_code"] != NO_PCN]


def summed(practices: pd.DataFrame, area: Sequence[str], names: Sequence[str] = ()) -> pd.DataFrame:
    """Practices summed up to one row per edition and area, with practice_count, pcn_count and the share columns of `with_share`.

    `area`: the columns of its key; `names`: columns that are the same for a whole area, or of which the first practice's is shown.
    """
    key = ["as_of", "imd_edition", *area]
    sums = {column: (column, "sum") for column in (*COUNTS, *SCORES)}
    rows = practices.groupby(key, as_index=False, dropna=False).agg(
        registrations_extract=("registrations_extract", "max"),
        membership_snapshot=("membership_snapshot", "max"),
        practice_count=("practice_code", "nunique"),
        pcn_count=("pcn_code", "nunique"),
        **{name: (name, "first") for name in names},
        **sums,
    )
    return with_share(rows.sort_values(key, ignore_index=True))


def with_share(rows: pd.DataFrame) -> pd.DataFrame:
    """Add core20_percent (of everyone registered, 0 to 100, unrounded), its 95 % Wilson interval, band, band_probability and mean_imd_score.

    mean_imd_score is the mean over the people whose LSOA has a score; empty where nobody's has one. Every row must have somebody registered.
    """
    q1, registered = (rows[name].to_numpy(dtype="int64") for name in ("q1_count", "registered_count"))
    lower, upper = wilson_interval(q1, registered)
    scored = rows["scored_count"].where(rows["scored_count"] > 0)
    return rows.assign(
        core20_percent=100 * q1 / registered,
        core20_lower=100 * lower,
        core20_upper=100 * upper,
        band=band_labels(q1, registered),
        band_probability=band_probabilities(q1, registered),
        mean_imd_score=rows["imd_score_sum"] / scored,
    )
