"""An attacker with linear programming against a controlled table: nothing small can be worked out of what is shown, and much can without control."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog
from scipy.sparse import lil_matrix

from fuller_popheath.disclosure.controlled_counts import adds_up, control, hierarchy
from fuller_popheath.disclosure.rules import rule_named

KEY = ("area_type", "area_code", "quintile", "segment")
PCNS, SEGMENTS, QUINTILES = 6, ("a", "b", "c", "d"), ("1", "2", "3", "4", "5")
PARENTS = {("pcn", f"U{n}"): ("place", f"P{n % 2}") for n in range(PCNS)} | {("place", f"P{n}"): ("icb", "Q") for n in range(2)}
RULE = rule_named("redact_1_7_round_5")


def exact(seed: int) -> pd.DataFrame:
    """Counts by PCN, quintile and segment, many of them small, with every total."""
    rng = np.random.default_rng(seed)
    rows = []
    for n, quintile, segment in product(range(PCNS), QUINTILES, SEGMENTS):
        count = int(rng.poisson(rng.choice([0.5, 3.0, 12.0, 60.0])))
        for area in (("pcn", f"U{n}"), PARENTS["pcn", f"U{n}"], ("icb", "Q")):
            rows += [(*area, q, s, count) for q in (quintile, "all") for s in (segment, "all")]
    made = pd.DataFrame(rows, columns=[*KEY, "people_count"])
    return made.groupby(list(KEY), as_index=False)["people_count"].sum()


def shown_of(table: pd.DataFrame) -> pd.DataFrame:
    lines = (hierarchy(("area_type", "area_code"), PARENTS), adds_up("quintile", total="all"), adds_up("segment", total="all"))
    return control(table, KEY, ("people_count",), lines, RULE)


def equations(table: pd.DataFrame) -> lil_matrix:
    """Every total less its parts, written out anew: the attacker knows how areas, quintiles and segments add up."""
    place = {tuple(key): number for number, key in enumerate(table[list(KEY)].itertuples(index=False, name=None))}
    sums: list[dict[int, int]] = []
    for kind, code, quintile, segment in place:
        here = place[kind, code, quintile, segment]
        if quintile == "all":
            sums.append({here: -1} | {place[kind, code, q, segment]: 1 for q in QUINTILES})
        if segment == "all":
            sums.append({here: -1} | {place[kind, code, quintile, s]: 1 for s in SEGMENTS})
        children = [child for child, parent in PARENTS.items() if parent == (kind, code)]
        if children:
            sums.append({here: -1} | {place[(*child, quintile, segment)]: 1 for child in children})
    matrix = lil_matrix((len(sums), len(place)))
    for row, entries in enumerate(sums):
        for column, sign in entries.items():
            matrix[row, column] = sign
    return matrix


def worked_out(table: pd.DataFrame, shown: pd.Series, hides: bool) -> int:
    """How many of the counts from 1 to 7 the attacker knows to within fewer than four possible counts, nought among them."""
    truth = table["people_count"].to_numpy()
    is_hidden = shown.isna().to_numpy()
    told = shown.fillna(0).to_numpy(dtype=float)
    # Shown: what rounds to it, and nought is nought. Hidden: nothing but that nobody is counted less than never.
    low = np.where(is_hidden, 0, np.where(told == 0, 0, np.maximum(told - 2, 8 if hides else 1)))
    high = np.where(is_hidden, np.inf, np.where(told == 0, 0, told + 2))
    if not hides:
        low, high = np.where(is_hidden, 1, told), np.where(is_hidden, 7, told)
    matrix = equations(table).tocsr()
    found = 0
    for cell in np.flatnonzero((truth >= 1) & (truth <= 7)):
        ends = []
        for sign in (1, -1):
            gain = np.zeros(len(truth))
            gain[cell] = sign
            made = linprog(gain, A_eq=matrix, b_eq=np.zeros(matrix.shape[0]), bounds=np.column_stack([low, high]), method="highs")
            ends.append(sign * made.fun if made.status == 0 else (0 if sign == 1 else np.inf))
        found += min(np.floor(ends[1] + 1e-6), 7) - max(np.ceil(ends[0] - 1e-6), 0) + 1 < 4
    return found


@pytest.mark.parametrize("seed", [1, 2])
def test_of_a_controlled_table_no_small_count_can_be_worked_out(seed: int) -> None:
    table = exact(seed)
    shown = shown_of(table)["people_count"]
    assert shown.notna().sum() > 100, "control that shows nothing would be safe too"
    assert worked_out(table, shown, hides=True) == 0


def test_with_small_counts_blanked_and_the_rest_exact_many_can_be_worked_out() -> None:
    table = exact(1)
    blanked = table["people_count"].astype("Int64").mask(table["people_count"].between(1, 7))
    assert worked_out(table, blanked, hides=False) > 20


@pytest.mark.parametrize("seed", [1, 2])
def test_what_is_shown_is_rounded_and_never_small(seed: int) -> None:
    table = exact(seed)
    shown = shown_of(table)
    told = shown["people_count"].dropna().astype(int)
    assert ((told % 5 == 0) & ((told == 0) | (told >= 10))).all()
    assert (abs(told - table.loc[told.index, "people_count"]) <= 2).all()
    assert shown.loc[table["people_count"].between(1, 7), "is_hidden"].all()
