"""Columns of several tables side by side, one entry a person of core/person, as rules read them. What does not belong here: the rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from fuller_popheath.errors import ContractBroken
from fuller_popheath.specs import ContractId, Inputs

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

PERSON: ContractId = "core/person"
SCORE: ContractId = "risk/score"
SHOWN_RISK = "emergency_admission_12m"
"""The one outcome whose risk segments, needs and lists read."""
SCORE_KEY = ("person_id", "outcome")

Wanted = Mapping[ContractId, tuple[str, ...]]
"""Which columns of which table."""


def wanted_of(several: Iterable[Wanted]) -> dict[ContractId, tuple[str, ...]]:
    """What several rules want together: every table once, every column once, in the order in which they come."""
    together: dict[ContractId, dict[str, None]] = {}
    for wanted in several:
        for name, columns in wanted.items():
            together.setdefault(name, {}).update(dict.fromkeys(columns))
    return {name: tuple(columns) for name, columns in together.items()}


def keys_and(wanted: Wanted) -> dict[ContractId, tuple[str, ...]]:
    """The same with the columns by which people are found, as `TableSpec.columns` asks; core/person is read whole."""
    return {name: (*(SCORE_KEY if name == SCORE else ("person_id",)), *columns) for name, columns in wanted.items() if name != PERSON}


def arrow_columns(inputs: Inputs, wanted: Wanted) -> dict[str, pa.ChunkedArray]:
    """The wanted columns, one entry a person of core/person in its order; of risk/score that of SHOWN_RISK, null for whom it does not score.

    Raises ContractBroken where another table is not about the same people in the same order, or a score stands twice.
    """
    people = inputs[PERSON]["person_id"]
    columns: dict[str, pa.ChunkedArray] = {}
    for name, names in wanted.items():
        table = _by_person(inputs[name], people) if name == SCORE else inputs[name]
        if name != SCORE and not table["person_id"].equals(people):
            raise ContractBroken(f"{name} is not about the same people in the same order as {PERSON}: make it again from tonight's people")
        columns.update({column: table[column] for column in names})
    return columns


def columns_by_name(inputs: Inputs, wanted: Wanted) -> dict[str, np.ndarray]:
    """The same as arrays: a missing number is NaN, missing true-or-false is false, a missing text empty. Raises as `arrow_columns` does."""
    return {name: values(column) for name, column in arrow_columns(inputs, wanted).items()}


def values(column: pa.ChunkedArray) -> np.ndarray:
    """A column as an array: numbers as floats (NaN: missing), true and false as such (missing: false), texts as objects (missing: empty)."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_boolean(column.type):
        return pc.fill_null(column, False).to_numpy()
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        # Each text once: a column of texts has few, and comparing objects that are the same one is quick.
        coded = column.combine_chunks().dictionary_encode()
        texts = np.array([*coded.dictionary.to_pylist(), ""], dtype=object)
        return texts[pc.fill_null(coded.indices, len(texts) - 1).to_numpy()]
    return column.cast(pa.float64()).to_numpy()


def _by_person(score: pa.Table, people: pa.ChunkedArray) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    shown = score.filter(pc.equal(score["outcome"], SHOWN_RISK))
    ids = shown["person_id"].combine_chunks()
    if doubles := len(ids) - len(ids.unique()):
        raise ContractBroken(f"{SCORE} holds {doubles:,} scores of {SHOWN_RISK} for people who have one already: score again")
    places = pc.index_in(people.combine_chunks(), value_set=ids)
    return pa.table({name: shown[name].combine_chunks().take(places) for name in shown.column_names})
