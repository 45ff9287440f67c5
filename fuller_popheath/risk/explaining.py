"""Why a model gives somebody the score it does: what each feature adds, summed into the reasons of the catalogue, and told in words.

The sums are exact: the intercept and all reasons add up to the log-odds before recalibration. A reason says what the record says; whether it raises
or lowers the risk, and how much it counts beside the others, is the model's, relative to the average of the people it was fitted on. It is
no cause. What does not belong here: any sentence (`catalogue/reasons`), and any table (`scoring.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fuller_popheath.errors import SettingsWrong
from fuller_popheath.specs import ReasonSpec

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from fuller_popheath.risk.fitted import FittedModel

MOST_REASONS = 5
"""How many reasons are told of one person: what fits a line that somebody reads. A local choice."""

PEOPLE_AT_A_TIME = 32_768
"""Contributions are 8 bytes a person and column: so many people take about 50 MB."""

_PEOPLE_IN_CACHE = 2_048
NO_REASON = -1


@dataclass(frozen=True, eq=False)
class Explanation:
    """The main reasons for the scores of some people, in the order of the people, the one that counts most first.

    `log_odds`: float64 (people,), the model's own, before recalibration. The others are (people, places): `reason` is an index into `reasons`, or
    NO_REASON where somebody has fewer that count; `contribution` is what it adds to the log-odds; `share_percent` its whole percent of all that
    moves the score up or down; `words` an index into `texts`.
    """

    reasons: tuple[str, ...]
    texts: tuple[str, ...]
    log_odds: np.ndarray
    reason: np.ndarray
    contribution: np.ndarray
    share_percent: np.ndarray
    words: np.ndarray


def explain(model: FittedModel, features: pa.Table, reasons: Mapping[str, ReasonSpec], most: int = MOST_REASONS) -> Explanation:
    """At most `most` reasons for each row of `features` (every feature column of `reasons`, types as in the contracts; one row a person).

    A reason whose share rounds to nothing is left out. A person's reasons do not depend on who else is in the table. Raises SettingsWrong for
    a model that cannot be explained, a feature of the model that no reason covers, and a reason that does not say something of everybody;
    ContractBroken where a column is missing.
    """
    kept = min(most, len(reasons))
    pool: dict[str, int] = {}
    parts = []
    for rows, log_odds, sums in _sums(model, features, tuple(reasons.values())):
        chosen, contribution, share = _strongest(sums, kept)
        parts.append((log_odds, chosen, contribution, share, _words(features.slice(rows.start, len(rows)), tuple(reasons.values()), chosen, pool)))
    joined = [np.concatenate(part) for part in zip(*parts, strict=True)]
    return Explanation(tuple(reasons), tuple(pool), *joined)


def reason_contributions(model: FittedModel, features: pa.Table, reasons: Mapping[str, ReasonSpec]) -> tuple[float, np.ndarray]:
    """The intercept, and what each of all reasons adds to the log-odds of each row: float64 (rows, reasons). Errors as in `explain`."""
    sums = [part for _, _, part in _sums(model, features, tuple(reasons.values()))]
    intercept, _ = model.contributions(features.slice(0, 0))
    return intercept, np.concatenate(sums)


def _sums(model: FittedModel, features: pa.Table, reasons: Sequence[ReasonSpec]) -> Iterator[tuple[range, np.ndarray, np.ndarray]]:
    """For slices of the rows: which, their log-odds, and what each reason adds."""
    belongs_to = _reason_of(model.columns, reasons)
    for start in range(0, max(features.num_rows, 1), PEOPLE_AT_A_TIME):
        intercept, parts = model.contributions(features.slice(start, PEOPLE_AT_A_TIME))
        log_odds = np.full(len(parts), intercept, np.float64)
        sums = np.zeros((len(parts), len(reasons)), np.float64, order="F")
        for first in range(0, len(parts), _PEOPLE_IN_CACHE):
            people = slice(first, first + _PEOPLE_IN_CACHE)
            # Column by column, in the model's order: so a sum does not depend on who else is there, and the first is the model's own to the last bit.
            for column, reason in enumerate(belongs_to):
                log_odds[people] += parts[people, column]
                sums[people, reason] += parts[people, column]
        yield range(start, start + len(parts)), log_odds, sums


def _reason_of(columns: Sequence[str], reasons: Sequence[ReasonSpec]) -> list[int]:
    """The place of the reason to which each column of a model belongs."""
    places = {column: place for place, reason in enumerate(reasons) for column in reason.columns}
    if nowhere := [column for column in columns if column not in places]:
        raise SettingsWrong(f"{len(nowhere)} features stand in no reason: {', '.join(nowhere[:5])}; add them to a file of catalogue/reasons")
    return [places[column] for column in columns]


def _strongest(sums: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each row the `most` largest sums by size, the largest first: which, how large, and their whole percent of all sizes together."""
    sizes = np.abs(np.ascontiguousarray(sums))
    rows = np.arange(len(sizes))[:, None]
    some = np.argpartition(-sizes, min(most, sizes.shape[1] - 1), axis=1)[:, :most]
    # Of two that count the same the one that comes first in the catalogue.
    some.sort(axis=1)
    chosen = some[rows, np.argsort(-sizes[rows, some], axis=1, kind="stable")]
    together = np.zeros(len(sizes))
    for reason in range(sizes.shape[1]):
        together += sizes[:, reason]
    percent = np.floor(100 * sizes[rows, chosen] / np.where(together > 0, together, 1)[:, None] + 0.5).astype(np.int8)
    return np.where(percent > 0, chosen, NO_REASON).astype(np.int16), sums[rows, chosen], percent


def _words(features: pa.Table, reasons: Sequence[ReasonSpec], chosen: np.ndarray, pool: dict[str, int]) -> np.ndarray:
    """The text of each chosen reason, as its place in `pool`, which new texts are added to; a reason is only asked about whom it is told of."""
    import pandas as pd

    words = np.full(chosen.size, NO_REASON, np.int32)
    order = np.argsort(chosen, axis=None, kind="stable")
    ends = np.searchsorted(chosen.ravel()[order], np.arange(len(reasons) + 1))
    for place, reason in enumerate(reasons):
        cells = order[ends[place] : ends[place + 1]]
        if not len(cells):
            continue
        people = cells // chosen.shape[1]
        number, texts = reason.words(pd.DataFrame({name: _values(features, name)[people] for name in reason.columns}))
        if len(number) != len(cells) or (number < 0).any() or number.max() >= len(texts):
            raise SettingsWrong(f"the reason {reason.name} does not say one thing of each of {len(cells):,} people; look at its words")
        words[cells] = np.array([pool.setdefault(text, len(pool)) for text in texts], np.int32)[number]
    return words.reshape(chosen.shape)


def _values(features: pa.Table, name: str) -> np.ndarray | pd.Categorical:
    """A column as reasons read it: texts as a Categorical, anything else as float64 with NaN for missing and 0 or 1 for flags."""
    import pandas as pd
    import pyarrow as pa

    column = features[name]
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type) or pa.types.is_dictionary(column.type):
        coded = column.combine_chunks()
        coded = coded if pa.types.is_dictionary(coded.type) else coded.dictionary_encode()
        return pd.Categorical.from_codes(coded.indices.fill_null(-1).to_numpy(), coded.dictionary.to_pylist())
    return column.cast(pa.float64(), safe=False).to_numpy()
