"""Turns a table of features into the matrix a model computes with, the same way at every fit and every score.

What is in it is fixed when the model is fitted: which columns, in which order, which of them are categories and what their values are. So a table
with more columns, another order or a value never seen before gives the matrix the model knows. What does not belong here: imputation and scaling,
which are each estimator's own business.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fuller_popheath.errors import ContractBroken

if TYPE_CHECKING:
    import pyarrow as pa

NUMBER = "number"
FLAG = "flag"
CATEGORY = "category"

KEYS = ("as_of", "person_id")
"""Columns of a feature table that say who and when: never a feature."""

MOST_CATEGORIES = 200
"""Of more different values the commonest are kept and the rest count as missing: gradient boosting has room for 255."""


@dataclass(frozen=True)
class Encoding:
    """Which columns make the matrix, in which order. `kinds`: NUMBER, FLAG (true or false) or CATEGORY; `categories`: values by column, sorted."""

    columns: tuple[str, ...]
    kinds: tuple[str, ...]
    categories: dict[str, tuple[str, ...]]

    @property
    def is_categorical(self) -> tuple[bool, ...]:
        """Which columns of the matrix hold the codes of categories."""
        return tuple(kind == CATEGORY for kind in self.kinds)

    def encode(self, features: pa.Table) -> np.ndarray:
        """The matrix of those rows: float64 (rows, columns), column-major.

        NaN for missing and for a category not seen at the fit; a flag is 0 or 1, a category the place of its value among the sorted ones. Raises
        ContractBroken for a column that is not there or has changed its kind.
        """
        self._refuse_others(features)
        matrix = np.empty((features.num_rows, len(self.columns)), dtype=np.float64, order="F")
        for place, (name, kind) in enumerate(zip(self.columns, self.kinds, strict=True)):
            matrix[:, place] = _numbers(features[name], self.categories[name] if kind == CATEGORY else None)
        return matrix

    def _refuse_others(self, features: pa.Table) -> None:
        there = set(features.column_names)
        missing = [name for name in self.columns if name not in there]
        if missing:
            raise ContractBroken(f"{len(missing)} of the model's {len(self.columns)} columns are not in the features: {_some(missing)}")
        schema = features.schema
        changed = [name for name, kind in zip(self.columns, self.kinds, strict=True) if kind_of(schema.field(name).type) != kind]
        if changed:
            raise ContractBroken(f"{len(changed)} columns are no longer of the kind the model was fitted on: {_some(changed)}; fit it again")


def encoding_of(features: pa.Table, columns: Sequence[str] = ()) -> Encoding:
    """The encoding of a table that a model is about to be fitted on: `columns`, or all but who and when.

    The values of categories are those of this table. Raises ContractBroken for a column that is not there, or is neither number, flag nor text.
    """
    wanted = tuple(columns) or tuple(name for name in features.column_names if name not in KEYS)
    missing = [name for name in wanted if name not in features.column_names]
    if missing:
        raise ContractBroken(f"{len(missing)} columns that the model needs are not in the features: {_some(missing)}")
    kinds = tuple(kind_of(features.schema.field(name).type) for name in wanted)
    if unusable := [name for name, kind in zip(wanted, kinds, strict=True) if not kind]:
        raise ContractBroken(f"{len(unusable)} columns are neither numbers, flags nor text: {_some(unusable)}")
    return Encoding(wanted, kinds, {name: _values(features[name]) for name, kind in zip(wanted, kinds, strict=True) if kind == CATEGORY})


def kind_of(arrow_type: pa.DataType) -> str:
    """NUMBER, FLAG or CATEGORY; empty for a type that no model can use."""
    import pyarrow as pa

    if pa.types.is_boolean(arrow_type):
        return FLAG
    if pa.types.is_integer(arrow_type) or pa.types.is_floating(arrow_type):
        return NUMBER
    if pa.types.is_dictionary(arrow_type):
        return kind_of(arrow_type.value_type)
    return CATEGORY if pa.types.is_string(arrow_type) or pa.types.is_large_string(arrow_type) or pa.types.is_null(arrow_type) else ""


def _values(column: pa.ChunkedArray) -> tuple[str, ...]:
    """The values of a category: at most MOST_CATEGORIES of the commonest (ties: the first in the alphabet), sorted."""
    import pyarrow as pa
    import pyarrow.compute as pc

    counted = pc.value_counts(column.cast(pa.string()).drop_null()).to_pylist()
    commonest = sorted(counted, key=lambda each: (-each["counts"], each["values"]))[:MOST_CATEGORIES]
    return tuple(sorted(each["values"] for each in commonest))


def _numbers(column: pa.ChunkedArray, categories: tuple[str, ...] | None) -> np.ndarray:
    import pyarrow as pa
    import pyarrow.compute as pc

    if categories is not None:
        column = pc.index_in(column.cast(pa.string()), value_set=pa.array(categories, pa.string()))
    return column.cast(pa.float64(), safe=False).to_numpy()


def _some(names: Sequence[str], most: int = 5) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
