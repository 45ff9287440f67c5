"""Rows found by what they are about, never by where they stand: keys become codes in a fixed order, and values a matrix of area x band.

Because the order is that of the sorted keys, shuffled rows give the very same numbers. What does not belong here: any statistic.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

Keys = str | Sequence[str]
"""One key column, or several that are a key together; none where everything is one area."""


def key_columns(keys: Keys) -> list[str]:
    """The names of the key columns as a list."""
    return [keys] if isinstance(keys, str) else list(keys)


def codes_of(frame: pd.DataFrame, keys: Keys) -> tuple[NDArray[np.int64], pd.DataFrame]:
    """For each row the number of its key, and the distinct keys, sorted, of which that number is the row.

    Without key columns every row is of one area, whose frame has one row and no columns. Raises ValueError where a key column is not there or blank.
    """
    import pandas as pd

    names = key_columns(keys)
    if absent := [name for name in names if name not in frame.columns]:
        raise ValueError(f"the table has no column {', '.join(absent)}")
    combined, levels = np.zeros(len(frame), dtype=np.int64), []
    for name in names:
        codes, values = pd.factorize(frame[name], sort=True)
        if blank := int((codes < 0).sum()):
            raise ValueError(f"{blank} rows have no {name}")
        combined = combined * max(len(values), 1) + codes
        levels.append(values)
    if not names:
        return combined, pd.DataFrame(index=range(1))
    distinct, number = np.unique(combined, return_inverse=True) if len(names) > 1 else (np.arange(len(levels[0])), combined)
    table, rest = {}, distinct
    for name, values in zip(reversed(names), reversed(levels), strict=True):
        rest, position = np.divmod(rest, max(len(values), 1))
        table[name] = values.take(position)
    return number, pd.DataFrame({name: table[name] for name in names})


def positions_in(frame: pd.DataFrame, key: str, known: pd.Index) -> NDArray[np.int64]:
    """For each row the position of its key among the known ones. Raises ValueError with the count of rows whose key is none of them."""
    import pandas as pd

    if key not in frame.columns:
        raise ValueError(f"the table has no column {key}")
    codes, values = pd.factorize(frame[key])
    if (codes < 0).any():
        raise ValueError(f"{int((codes < 0).sum())} rows have no {key}")
    places = known.get_indexer(pd.Index(values))
    if unknown := int((places[codes] < 0).sum()) if len(values) else 0:
        raise ValueError(f"{unknown} rows have a {key} that the standard does not have")
    return places[codes] if len(values) else codes.astype(np.int64)


def one_row_each(frame: pd.DataFrame, key: str, words: str) -> pd.DataFrame:
    """The frame with its key as index, sorted by it. Raises ValueError where the key is missing, blank, or stands twice."""
    if key not in frame.columns:
        raise ValueError(f"{words} has no column {key}")
    if blank := int(frame[key].isna().sum()):
        raise ValueError(f"{words} has {blank} rows without {key}")
    if twice := int(frame[key].duplicated().sum()):
        raise ValueError(f"{words} has {twice} rows more than one for a {key}")
    return frame.set_index(key).sort_index()


def matrices(
    frame: pd.DataFrame, areas: NDArray[np.int64], bands: NDArray[np.int64], shape: tuple[int, int], columns: Sequence[str], may_miss: Keys = ()
) -> tuple[NDArray[np.bool_], dict[str, NDArray[np.float64]]]:
    """Which cell of area x band has a row, and each column as such a matrix, 0 where there is none.

    Raises ValueError where a cell has two rows, or a value of a column that is not in `may_miss` is not a number.
    """
    cell = areas * shape[1] + bands
    times = np.bincount(cell, minlength=shape[0] * shape[1])
    if twice := int((times > 1).sum()):
        raise ValueError(f"{twice} pairs of area and band stand in more than one row")
    made = {}
    for column in columns:
        values = frame[column].to_numpy(dtype=np.float64, na_value=np.nan)
        wrong = int(np.isnan(values).sum())
        if wrong and column not in key_columns(may_miss):
            raise ValueError(f"{wrong} rows have no number in {column}")
        flat = np.zeros(shape[0] * shape[1])
        flat[cell] = values
        made[column] = flat.reshape(shape)
    return (times > 0).reshape(shape), made
