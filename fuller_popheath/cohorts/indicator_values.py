"""What the rules of indicators read, one entry a person of core/person: columns of wide tables, and single subjects of long facts.

What does not belong here: any rule, and counting.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fuller_popheath.cohorts.person_columns import PERSON, arrow_columns, values, wanted_of
from fuller_popheath.contracts import load_contract
from fuller_popheath.errors import ContractBroken
from fuller_popheath.specs import ContractId, IndicatorSpec, Inputs, Night

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa

Facts = Mapping[ContractId, Mapping[str, tuple[str, ...]]]


def facts_of(several: Iterable[Facts]) -> dict[ContractId, dict[str, tuple[str, ...]]]:
    """What several indicators want of long facts together: every table, subject and column once, in the order in which they come."""
    together: dict[ContractId, dict[str, dict[str, None]]] = {}
    for wanted in several:
        for contract_id, subjects in wanted.items():
            for subject, columns in subjects.items():
                together.setdefault(contract_id, {}).setdefault(subject, {}).update(dict.fromkeys(columns))
    return {contract_id: {subject: tuple(columns) for subject, columns in subjects.items()} for contract_id, subjects in together.items()}


def subject_of(contract_id: ContractId) -> str:
    """The column of long facts that names the subject: what their key has besides the day and the person."""
    (subject,) = (name for name in load_contract(contract_id).primary_key if name not in ("as_of", "person_id"))
    return subject


@dataclass(frozen=True)
class _Subject:
    """The rows of one subject: positions of their people in core/person, and the columns that are wanted of it."""

    people: np.ndarray
    columns: Mapping[str, pa.Array]


class IndicatorValues:
    """The values that indicators read tonight. Made of the tables once; arrays are made when an indicator asks for them, and wide ones kept."""

    def __init__(self, specs: Iterable[IndicatorSpec], inputs: Inputs, night: Night) -> None:
        """Finds every row's person. Raises ContractBroken where a table is not about tonight's people, or a person has two rows of one subject."""
        several = tuple(specs)
        self._night = night
        self._person_count = inputs[PERSON].num_rows
        self._arrow = arrow_columns(inputs, wanted_of(spec.columns for spec in several))
        self._wide: dict[str, np.ndarray] = {}
        people = inputs[PERSON]["person_id"].combine_chunks()
        self._subjects: dict[tuple[ContractId, str], _Subject] = {}
        for contract_id, subjects in facts_of(spec.facts for spec in several).items():
            self._find(contract_id, inputs[contract_id], subjects, people)

    def of(self, spec: IndicatorSpec) -> dict[str, np.ndarray]:
        """The values of one indicator by name, as IndicatorSpec says."""
        told = {name: self._column(name) for names in spec.columns.values() for name in names}
        for contract_id, subjects in spec.facts.items():
            for subject, columns in subjects.items():
                told |= {f"{subject}.{column}": self._fact(contract_id, subject, column) for column in columns}
        return told

    def _column(self, name: str) -> np.ndarray:
        if name not in self._wide:
            self._wide[name] = values(self._arrow[name])
        return self._wide[name]

    def _find(self, contract_id: ContractId, table: pa.Table, subjects: Mapping[str, tuple[str, ...]], people: pa.Array) -> None:
        import pyarrow as pa
        import pyarrow.compute as pc

        wanted = list(subjects)
        which = pc.index_in(table[subject_of(contract_id)], value_set=pa.array(wanted, pa.string())).combine_chunks()
        kept = np.flatnonzero(pc.is_valid(which).to_numpy(zero_copy_only=False))
        number = pc.fill_null(which, 0).to_numpy()[kept]
        place = pc.index_in(table["person_id"].take(pa.array(kept)), value_set=people).combine_chunks()
        if place.null_count:
            raise ContractBroken(
                f"{contract_id} has {place.null_count:,} rows about people who are not in {PERSON}: make it again from tonight's people"
            )
        position = place.to_numpy()
        for turn, subject in enumerate(wanted):
            here = np.flatnonzero(number == turn)
            if twice := len(here) - len(np.unique(position[here])):
                raise ContractBroken(f"{contract_id} has {twice:,} rows of {subject} about people who have one already: make it again")
            rows = pa.array(kept[here])
            columns = {column: table[column].take(rows).combine_chunks() for column in subjects[subject]}
            self._subjects[contract_id, subject] = _Subject(position[here], columns)

    def _fact(self, contract_id: ContractId, subject: str, column: str) -> np.ndarray:
        import pyarrow as pa

        found = self._subjects[contract_id, subject]
        cells = found.columns[column]
        if pa.types.is_boolean(cells.type):
            flags = np.zeros(self._person_count, dtype=bool)
            flags[found.people] = cells.fill_null(False).to_numpy(zero_copy_only=False)
            return flags
        if pa.types.is_date(cells.type):
            day = (self._night.as_of - type(self._night.as_of)(1970, 1, 1)).days
            numbers = day - cells.cast(pa.int32()).cast(pa.float64()).to_numpy(zero_copy_only=False)
        else:
            numbers = cells.cast(pa.float64()).to_numpy(zero_copy_only=False)
        placed = np.full(self._person_count, 0.0 if pa.types.is_integer(cells.type) else np.nan)
        placed[found.people] = numbers
        return placed
