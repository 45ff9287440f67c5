"""Disclosure control of a long table of counts of people: small ones hidden, and others with them, until nothing hidden can be worked out.

    from fuller_popheath.disclosure.controlled_counts import adds_up, control, hierarchy, overlapping, percent_of, Same
    from fuller_popheath.disclosure.rules import rule_named

    shown = control(
        cells,                                         # pandas, one row a key, exact counts
        key=("area_type", "area_code", "imd_edition", "imd_quintile", "people_group", "segment"),
        counts=("people_count",),                      # columns of whole numbers; null: no such cell
        lines=(
            hierarchy(("area_type", "area_code"), {("pcn", "U00001"): ("place", "00Q"), ("place", "00Q"): ("icb", "QE1")}),
            adds_up("imd_quintile", total="all"),      # rows 1 to 5 and the row "all" agree on every other key column
            adds_up("segment", total="all"),
            overlapping("people_group", total="all"),  # each group against everybody, by itself
        ),
        rule=rule_named(night.site.disclosure.rule),
        same=(Same("imd_edition", {"imd_quintile": "all"}),),   # the rows of all quintiles are the same count in both editions
        parts={"low_received_count": "received_known_count"},   # numerator: denominator, both among counts; also their difference is people
        elsewhere={"people_count": hides},             # what another table of the same people hides (true) or shows (false) already
    )

`control` returns the same rows and columns in the same order: each count column is Int64, rounded, null where hidden, and `is_hidden` (new) says
whether any count of the row is. Nothing else of the table is touched: make rates afterwards, by `percent_of(shown[...], shown[...])`, from what is
shown. A total that can be worked out (from a percent, say) is published, and has to be among the rows. Rows that are left out count as not published:
what is missing between a total and its parts is protected as well.

Decided here: hidden before rounded; a total is a cell like any other, rounded from its own exact count, because sums of what is shown would leave
out everybody who is hidden (many of an ICB's people in a rare group) and several sums would disagree; so rounded parts need not add up exactly. Of 1
to 7 people nothing is told, not even that none of them is in a part. A share of everybody (a numerator within 7 of its denominator) is hidden, as in
`small_numbers.py`. Whoever knows all that is shown, how it adds up, and even which cells were hidden for being small, is left with four small counts
or more of each of these (`Rule.least_possible`).
What does not belong here: what can be told from two tables of different days (`between_releases.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from fuller_popheath.disclosure.cell_lines import Cells, Line, Same, adds_up, cells_of, hierarchy, overlapping
from fuller_popheath.disclosure.hiding import hidden_cells
from fuller_popheath.errors import ContractBroken, SettingsWrong

if TYPE_CHECKING:
    import pandas as pd

    from fuller_popheath.disclosure.rules import Rule

__all__ = ["Line", "Same", "adds_up", "control", "hierarchy", "overlapping", "percent_of"]


def control(
    cells: pd.DataFrame,
    key: Sequence[str],
    counts: Sequence[str],
    lines: Sequence[Line],
    rule: Rule,
    same: Sequence[Same] = (),
    parts: Mapping[str, str] | None = None,
    elsewhere: Mapping[str, pd.Series] | None = None,
) -> pd.DataFrame:
    """The table with small counts hidden, further ones where they would give those away, and the rest rounded. Grain as given: one row a key.

    See the module for what to give. `elsewhere`: by count column, of each row whether another table of the same people and day hides the same count
    (true), shows it (false) or does not tell of it (null): it is hidden here alike, or two tables together would tell what neither does.
    Raises ContractBroken where a key is there twice, a total is smaller than its parts or a count is no whole number, and SettingsWrong where a
    numerator or denominator is not among the counts.
    """
    if missing := sorted({name for pair in (parts or {}).items() for name in pair} - set(counts)):
        raise SettingsWrong(f"{', '.join(missing)} is given as a numerator or denominator and is not among the counts")
    if absent := [column for column in (*key, *counts) if column not in cells.columns]:
        raise ContractBroken(f"the table to be controlled has no column {', '.join(absent)}")
    every = cells_of(cells, tuple(key), list(counts), lines, same, parts or {})
    told = {is_hidden: _elsewhere(every, list(counts), elsewhere or {}, is_hidden) for is_hidden in (True, False)}
    return _shown(cells, every, hidden_cells(every, rule, told[True], told[False]), tuple(counts), rule)


def _elsewhere(cells: Cells, counts: list[str], elsewhere: Mapping[str, pd.Series], is_hidden: bool) -> np.ndarray:
    """Which cells another table hides, or shows."""
    told = np.zeros(len(cells.count), bool)
    for column, hides in elsewhere.items():
        cell = cells.cell_of[:, counts.index(column)]
        says = (hides.astype("boolean") == is_hidden).fillna(False).to_numpy(bool)
        told[cell[says & (cell >= 0)]] = True
    return told


def _shown(table: pd.DataFrame, cells: Cells, hidden: np.ndarray, counts: tuple[str, ...], rule: Rule) -> pd.DataFrame:
    import pandas as pd

    values = (cells.count + rule.rounded_to // 2) // rule.rounded_to * rule.rounded_to
    shown = table.copy()
    any_hidden = np.zeros(len(table), bool)
    for number, column in enumerate(counts):
        cell = cells.cell_of[:, number]
        is_hidden = (cell >= 0) & hidden[cell]
        shown[column] = pd.array(np.where(cell >= 0, values[cell], 0), dtype="Int64")
        shown.loc[is_hidden | (cell < 0), column] = pd.NA
        any_hidden |= is_hidden
    shown["is_hidden"] = any_hidden
    return shown


def percent_of(numerator: pd.Series, denominator: pd.Series, decimals: int = 1) -> pd.Series:
    """Percent of what is shown: null where either is hidden or nobody is in the denominator; never above 100, which rounding could make it.

    Source: percentages are computed from rounded numerator and denominator (NHS England, HES and ECDS disclosure control since September 2018).
    """
    share = numerator.astype("Float64") * 100 / denominator.astype("Float64").where(denominator > 0)
    return share.clip(upper=100).round(decimals)
