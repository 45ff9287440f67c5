"""What a contract says, once it is read: small frozen objects. What does not belong here: reading YAML, or looking at any data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

LOGICAL_TYPES = ("string", "integer", "number", "date", "boolean", "binary")
"""The types a column may have. `binary` is ODCS' string with format binary (geometry): it is passed through as it is."""

TYPE_WORDS = MappingProxyType(
    {"string": "text", "integer": "whole number", "number": "number", "date": "date", "boolean": "true or false", "binary": "binary (WKB)"}
)
"""How people read the types, in messages and in the dictionary."""


@dataclass(frozen=True)
class Reference:
    """A foreign key: values of the column, but for `except_values`, occur in `column` of the table `contract_id`."""

    contract_id: str
    column: str
    except_values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rule:
    """One thing that every row must satisfy.

    `id` is stable and is what quarantined rows and counts carry: `<column>.<kind>` for a rule of one column, its own name for a rule of the row
    or the table. `kind` and `arguments` are for the engine, `description` is the rule in a sentence for people.
    """

    id: str
    column: str | None
    description: str
    kind: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Column:
    """One column as its contract declares it. `minimum` and `maximum` are inclusive: numbers, or ISO dates for a date.

    `absent` is what a feature is for persons without a record (0 contacts, false); None leaves it empty. `blanks`: a cell that breaks a rule of the
    column is left empty, and its row is kept.
    """

    name: str
    logical_type: str
    description: str
    unit: str | None
    required: bool
    classification: str  # identifier | sensitive | open
    unique: bool = False
    primary_key: bool = False
    pattern: str | None = None
    allowed: tuple[str | int, ...] | None = None
    minimum: float | str | None = None
    maximum: float | str | None = None
    references: Reference | None = None
    absent: float | bool | str | None = None
    blanks: bool = False

    @property
    def arrow_type(self) -> pa.DataType:
        """The Arrow type of the column wherever the table travels."""
        import pyarrow as pa

        types = {
            "string": pa.string(),
            "integer": pa.int64(),
            "number": pa.float64(),
            "date": pa.date32(),
            "boolean": pa.bool_(),
            "binary": pa.binary(),
        }
        return types[self.logical_type]


@dataclass(frozen=True, eq=False)
class Contract:
    """The single declaration of one table (docs/architecture.md, law 2). There is one object a contract, so contracts are compared by identity.

    `columns` are in the order of the table, `rules` in the order in which a row's broken ones are listed. `grain` says what one row is;
    `description` is the purpose, `limitations` what not to conclude from it, `source` where it comes from. `known_by` names the dates of a row
    about a person that must lie before a day for the row to be known on it; the first is the day of the thing itself.
    """

    id: str
    title: str
    description: str
    purpose: str  # open | secondary_use | direct_care | internal
    columns: tuple[Column, ...]
    rules: tuple[Rule, ...]
    primary_key: tuple[str, ...]
    grain: str = ""
    limitations: str = ""
    usage: str = ""
    source: str = ""
    version: str = ""
    known_by: tuple[str, ...] = ()

    @cached_property
    def schema(self) -> pa.Schema:
        """The Arrow schema of the table: every column nullable in Arrow's sense, because nulls are the rules' business."""
        import pyarrow as pa

        return pa.schema([(column.name, column.arrow_type) for column in self.columns])

    @cached_property
    def column_names(self) -> tuple[str, ...]:
        """The names of the columns, in order."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column:
        """The column of that name. Raises KeyError where there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.id} has no column {name}")


@dataclass(frozen=True)
class Checked:
    """What became of the rows of one file: `rows_read == accepted.num_rows + quarantined.num_rows`, always.

    `accepted` has the contract's schema. `quarantined` has every raw column as it was read, `_row` (the row's number in the file) and
    `broken_rules`. `counts` says how many rows broke each rule; a row that broke two counts for both. `blanked`: accepted rows some of whose cells
    were left empty, as they were read, with `_row` and the `broken_rules` of those cells; `cells_blanked` counts the cells by rule.
    """

    accepted: pa.Table
    quarantined: pa.Table
    rows_read: int
    counts: Mapping[str, int]
    blanked: pa.Table | None = None
    cells_blanked: Mapping[str, int] = field(default_factory=dict)
