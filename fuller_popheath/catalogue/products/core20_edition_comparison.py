"""Core20 by PCN in IMD 2019 and IMD 2025 side by side: which PCNs change band, and why. Two measures of one day, not a trend."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.contracts import conform, empty_table, load_contract
from fuller_popheath.place.bands import band_labels
from fuller_popheath.place.core20 import in_a_pcn, practices_with_a_list
from fuller_popheath.specs import Inputs, Night, TableSpec

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa

CONTRACT = "products/core20_edition_comparison"
OLD, NEW = "2019", "2025"


def build(inputs: Inputs, night: Night) -> pa.Table:
    """One row per PCN with anybody registered; no rows where only one edition was given."""
    import pyarrow as pa

    practices = in_a_pcn(practices_with_a_list(inputs["core/practice_quintile"], inputs["core/neighbourhood_practice"]))
    if not {OLD, NEW} <= set(practices["imd_edition"]):
        return empty_table(load_contract(CONTRACT))
    compared = compare(_pcns_of(practices, OLD), _pcns_of(practices, NEW))
    return conform(pa.Table.from_pandas(compared.assign(as_of=night.as_of), preserve_index=False), load_contract(CONTRACT))


def _pcns_of(practices: pd.DataFrame, edition: str) -> pd.DataFrame:
    return (
        practices[practices["imd_edition"] == edition]
        .groupby("pcn_code")
        .agg(
            pcn_name=("pcn_name", "min"),
            icb_code=("icb_code", "first"),
            registered_count=("registered_count", "sum"),
            q1_count=("q1_count", "sum"),
            redrawn_q1_count=("redrawn_q1_count", "sum"),
        )
        .sort_index()
    )


def compare(old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """Both editions of each PCN and the reason of a change of band; the frames are indexed by pcn_code and hold the same PCNs and people.

    The change in quintile 1 is taken apart: people on LSOAs that are the same in both vintages (re-ranked) and people on LSOAs that were
    split, merged or fragmented (re-drawn). Counterfactual: with only one of the two changes, would the band be another? The reason is the
    one change that is enough by itself; "both" where each is, or neither.
    """
    import numpy as np

    n = old["registered_count"].to_numpy(dtype=np.int64)
    q_old, q_new = (frame["q1_count"].to_numpy(dtype=np.int64) for frame in (old, new))
    redrawn = (new["redrawn_q1_count"] - old["redrawn_q1_count"]).to_numpy(dtype=np.int64)
    reranked = q_new - q_old - redrawn
    band_old, band_new = band_labels(q_old, n), band_labels(q_new, n)
    percent_old, percent_new = 100 * q_old / n, 100 * q_new / n
    return (
        old[["icb_code", "pcn_name", "registered_count"]]
        .assign(
            q1_2019_count=q_old,
            q1_2025_count=q_new,
            core20_2019_percent=percent_old,
            core20_2025_percent=percent_new,
            difference_points=percent_new - percent_old,
            band_2019=band_old,
            band_2025=band_new,
            band_changed=band_old != band_new,
            reranked_q1_change_count=reranked,
            redrawn_q1_change_count=redrawn,
            reason=_reasons(band_old, band_new, band_labels(q_old + reranked, n), band_labels(q_old + redrawn, n)),
        )
        .reset_index()
    )


def _reasons(old: np.ndarray, new: np.ndarray, only_reranked: np.ndarray, only_redrawn: np.ndarray) -> np.ndarray:
    import numpy as np

    reranking, redrawing = only_reranked != old, only_redrawn != old
    conditions = [old == new, reranking & ~redrawing, redrawing & ~reranking]
    return np.select(conditions, ["band unchanged", "re-ranked LSOAs", "re-drawn LSOAs"], default="both")


TABLE = TableSpec(contract=CONTRACT, inputs=("core/practice_quintile", "core/neighbourhood_practice"), build=build)
