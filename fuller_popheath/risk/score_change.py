"""Whose risk rose or fell since they were last scored, and which reasons changed most.

Only the main reasons of each day are stored. A reason that is among them on one day only counted, on the other, no more than the least of the reasons
told then; so what is compared is the change that is certain, and nothing is guessed. What does not belong here: scoring.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from fuller_popheath.contracts import conform, load_contract
from fuller_popheath.errors import ContractBroken
from fuller_popheath.risk.explaining import MOST_REASONS

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

SCORE_CHANGE = "risk/score_change"
ROSE, FELL, STEADY, NEW = "rose", "fell", "steady", "new"
CHANGES = (ROSE, FELL, STEADY, NEW)

ODDS_RATIO = 1.25
LEAST_DIFFERENCE = 0.01
"""A risk rose or fell where its odds changed by a quarter and the risk by one in a hundred: a local choice. Less is noise to whoever reads it."""

MOST_TOLD = 2
OTHER_MODEL = "scored by another model than before"
NOT_THERE = -1


def score_change(scores: pa.Table, reasons: pa.Table, before: pa.Table | None, reasons_before: pa.Table | None, as_of: date) -> pa.Table:
    """`risk/score_change`: one row for each row of `scores` (risk/score), in its order.

    `reasons`: risk/score_reason of the same night; `before` and `reasons_before`: both tables of the last night with scores, None where there is
    none. Raises ContractBroken where the night before is not before.
    """
    import pyarrow as pa

    _refuse_later(before, as_of)
    there = np.full(scores.num_rows, NOT_THERE) if before is None else _places(scores, before)
    is_new = there == NOT_THERE
    previous = np.full(scores.num_rows, np.nan)
    is_other = np.zeros(scores.num_rows, dtype=bool)
    if before is not None and before.num_rows:
        previous[~is_new] = before["probability"].to_numpy()[there[~is_new]]
        is_other[~is_new] = (_texts(scores, "model_id") != _texts(before, "model_id")[there])[~is_new]
    change = _change(scores["probability"].to_numpy(), previous)
    moved = np.isin(change, (CHANGES.index(ROSE), CHANGES.index(FELL)))
    words = np.full(scores.num_rows, None, dtype=object)
    words[is_other & moved] = OTHER_MODEL
    told_of = np.flatnonzero(moved & ~is_other)
    if len(told_of) and reasons_before is not None:
        people = scores.select(["person_id", "outcome"]).take(pa.array(told_of))
        rose = change[told_of] == CHANGES.index(ROSE)
        words[told_of] = _told(_main(reasons, people), _main(reasons_before, people), rose)
    day = None if before is None or not before.num_rows else before["as_of"][0].as_py()
    table = {
        "as_of": pa.repeat(pa.scalar(as_of, pa.date32()), scores.num_rows),
        "person_id": scores["person_id"],
        "outcome": scores["outcome"],
        "previous_as_of": pa.array(np.full(scores.num_rows, day, dtype=object), pa.date32(), mask=is_new),
        "previous_probability": pa.array(previous, mask=is_new),
        "probability": scores["probability"],
        "change": pa.DictionaryArray.from_arrays(pa.array(change.astype(np.int32)), pa.array(CHANGES)),
        "is_other_model": pa.array(is_other),
        "words": pa.array(words, pa.string()),
    }
    return conform(pa.table(table), load_contract(SCORE_CHANGE))


def _refuse_later(before: pa.Table | None, as_of: date) -> None:
    import pyarrow.compute as pc

    if before is None:
        return
    late = pc.sum(pc.greater_equal(before["as_of"], as_of)).as_py() or 0
    if late or pc.count_distinct(before["as_of"]).as_py() > 1:
        raise ContractBroken(f"the scores before are not of one day before {as_of} ({late} of {before.num_rows} rows are of it or later)")


def _texts(table: pa.Table, name: str) -> np.ndarray:
    """A column of few different texts, as objects."""
    import pyarrow as pa

    coded = table[name].cast(pa.string()).combine_chunks().dictionary_encode()
    return np.array([*coded.dictionary.to_pylist(), None], dtype=object)[coded.indices.to_numpy()]


def _places(rows: pa.Table, among: pa.Table) -> np.ndarray:
    """For each row the place of the row about the same person and outcome in another table, where each has one at most; else NOT_THERE."""
    import pyarrow as pa
    import pyarrow.compute as pc

    place = np.full(rows.num_rows, NOT_THERE)
    ids, other_ids = (table["person_id"].cast(pa.string()).combine_chunks() for table in (rows, among))
    outcome, other_outcome = _texts(rows, "outcome"), _texts(among, "outcome")
    for name in sorted(set(outcome) & set(other_outcome)):
        here, there = np.flatnonzero(outcome == name), np.flatnonzero(other_outcome == name)
        found = pc.index_in(ids.take(pa.array(here)), value_set=other_ids.take(pa.array(there))).fill_null(NOT_THERE).to_numpy()
        place[here] = np.where(found >= 0, there[found], NOT_THERE)
    return place


def _change(now: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Of each person the place in CHANGES; `before` is NaN where there was no score."""
    with np.errstate(divide="ignore", invalid="ignore"):
        odds = (now / (1 - now)) / (before / (1 - before))
    # From nothing to nothing is no change; from nothing to something is one of any size.
    odds = np.where(np.isnan(odds), 1.0, odds)
    # A difference of just a hundredth counts, though it may be stored as a hair less.
    differs = np.abs(now - before) >= LEAST_DIFFERENCE - 1e-12
    rose, fell = differs & (odds >= ODDS_RATIO), differs & (odds <= 1 / ODDS_RATIO)
    return np.select([np.isnan(before), rose, fell], [3, 0, 1], 2)


def _main(reasons: pa.Table, people: pa.Table) -> pd.DataFrame:
    """The stored reasons of some people and outcomes: row (their place among `people`), reason, contribution, words and place."""
    import pandas as pd
    import pyarrow as pa

    row = _places(reasons, people)
    kept = reasons.take(pa.array(np.flatnonzero(row != NOT_THERE)))
    frame = pd.DataFrame({"row": row[row != NOT_THERE], "contribution": kept["contribution"].to_numpy(), "place": kept["place"].to_numpy()})
    for name in ("reason", "words"):
        frame[name] = pd.Series(kept[name].cast(pa.string()).to_pylist(), dtype=object)
    return frame


def _bounds(main: pd.DataFrame, rows: int) -> np.ndarray:
    """For each row how much any reason that is not told can have counted: as much as the last of MOST_REASONS, else nothing worth telling."""
    bound = np.zeros(rows)
    last = main[main["place"] == MOST_REASONS]
    bound[last["row"].to_numpy()] = last["contribution"].abs().to_numpy()
    return bound


def _told(now: pd.DataFrame, before: pd.DataFrame, rose: np.ndarray) -> np.ndarray:
    """For each row the MOST_TOLD reasons that changed most in the direction of the risk (`rose`: up), as one text; None where none is certain."""
    rows = len(rose)
    both = now.merge(before, on=["row", "reason"], how="outer", suffixes=("", "_before"), validate="one_to_one")
    row = both["row"].to_numpy()
    bound_now, bound_before = _bounds(now, rows)[row], _bounds(before, rows)[row]
    is_now, was_before = both["words"].notna().to_numpy(), both["words_before"].notna().to_numpy()
    here, there = both["contribution"].fillna(0).to_numpy(), both["contribution_before"].fillna(0).to_numpy()
    # The other day's part is taken as near as it can have been, so that the change told of is at least as large.
    here = np.where(is_now, here, np.clip(there, -bound_now, bound_now))
    there = np.where(was_before, there, np.clip(here, -bound_before, bound_before))
    both["size"] = (here - there) * np.where(rose[row], 1, -1)
    both = both[both["size"] > 0].sort_values(["row", "size", "reason"], ascending=[True, False, True], kind="stable")
    both = both[both.groupby("row").cumcount() < MOST_TOLD]
    texts = np.full(rows, None, dtype=object)
    for place, text in _sentences(both):
        texts[place] = text if texts[place] is None else f"{texts[place]}; {text}"
    return texts


def _sentences(both: pd.DataFrame) -> Iterable[tuple[int, str]]:
    for place, now, before in zip(both["row"], both["words"], both["words_before"], strict=True):
        if not isinstance(now, str):
            yield place, f"before: {before} (no longer a main reason)"
        elif not isinstance(before, str):
            yield place, f"{now} (not a main reason before)"
        else:
            yield place, f"{now} (before: {before})" if now != before else f"{now} (as before, and counts differently)"
