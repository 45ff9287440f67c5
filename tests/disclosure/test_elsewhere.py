"""Two tables of the same people: what one of them hides for another's sake must not stand in the other."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fuller_popheath.disclosure.controlled_counts import adds_up, control
from fuller_popheath.disclosure.rules import rule_named

RULE = rule_named("redact_1_7_round_5")


def both(seed: int, areas: int = 12) -> tuple[pd.DataFrame, pd.DataFrame]:
    """People by area and need (three levels), and those with high need by area and the continuity they receive (two kinds)."""
    rng = np.random.default_rng(seed)
    high = rng.choice([2, 5, 9, 14, 30], areas)
    rows = [
        (f"U{n}", need, int(count))
        for n in range(areas)
        for need, count in (("high", high[n]), ("some", rng.choice([3, 12, 40])), ("none", rng.choice([6, 9, 60])))
    ]
    low = [int(rng.integers(0, count + 1)) for count in high]
    split = [(f"U{n}", kind, int(count)) for n in range(areas) for kind, count in (("low", low[n]), ("enough", high[n] - low[n]))]
    return _with_totals(rows, "need"), _with_totals(split, "received")


def _with_totals(rows: list[tuple[str, str, int]], column: str) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["area", column, "n"])
    table = pd.concat([table, *(table.groupby(by, as_index=False)["n"].sum() for by in ("area", column))]).fillna("all")
    everybody = pd.DataFrame({"area": ["all"], column: ["all"], "n": [table.loc[(table["area"] != "all") & (table[column] != "all"), "n"].sum()]})
    return pd.concat([table, everybody], ignore_index=True)


def needs_of(table: pd.DataFrame) -> pd.DataFrame:
    return control(table, ("area", "need"), ("n",), (adds_up("area"), adds_up("need")), RULE)


def received_of(table: pd.DataFrame, needs: pd.DataFrame | None) -> pd.DataFrame:
    elsewhere = {}
    if needs is not None:
        hides = needs[needs["need"] == "high"].set_index("area")["is_hidden"]
        elsewhere = {"n": table["area"].map(hides).astype("boolean").where(table["received"] == "all")}
    return control(table, ("area", "received"), ("n",), (adds_up("area"), adds_up("received")), RULE, elsewhere=elsewhere)


def disagreeing(needs: pd.DataFrame, received: pd.DataFrame) -> int:
    """Areas whose people with high need are hidden in one table and shown in the other."""
    one = needs[needs["need"] == "high"].set_index("area")["is_hidden"]
    other = received[received["received"] == "all"].set_index("area")["is_hidden"]
    return int((one != other.reindex(one.index)).sum())


@pytest.mark.parametrize("seed", range(8))
def test_the_second_table_hides_what_the_first_does(seed: int) -> None:
    needs, received = both(seed)
    shown = needs_of(needs)
    made = received_of(received, shown)
    small = received["n"].between(1, RULE.largest_hidden)
    assert made.loc[small, "is_hidden"].all()
    hidden_there = shown.loc[shown["need"] == "high"].set_index("area")["is_hidden"]
    own = made[made["received"] == "all"].set_index("area")["is_hidden"]
    assert own[hidden_there[hidden_there].index].all(), "what the first hides is hidden here in every case"
    # What the first shows is hidden here only where nothing else was left to hide (two parts of seven, and their sum stands there).
    assert disagreeing(shown, made) <= disagreeing(shown, received_of(received, None))


def test_a_count_that_is_shown_elsewhere_is_not_hidden_to_protect_another() -> None:
    # 95 of 105 people: at least 6 are left, so 6 or 7. Who has both hidden is told nothing; where one of them stands elsewhere, the total goes.
    table = pd.DataFrame({"group": ["a", "b", "all"], "n": [7, 97, 104]})
    free = control(table, ("group",), ("n",), (adds_up("group"),), RULE)
    assert free.loc[free["is_hidden"], "group"].tolist() == ["a", "b"]
    told = {"n": pd.Series([None, False, None], dtype="boolean")}
    fixed = control(table, ("group",), ("n",), (adds_up("group"),), RULE, elsewhere=told)
    assert fixed.loc[fixed["is_hidden"], "group"].tolist() == ["a", "all"]
    hidden = control(table, ("group",), ("n",), (adds_up("group"),), RULE, elsewhere={"n": pd.Series([None, None, True], dtype="boolean")})
    assert hidden.loc[2, "is_hidden"]
