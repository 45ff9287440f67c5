"""Which of some named things each person has, from long facts, in one pass.

A pass with a condition an aggregate reads every fact once for each; here every name is one bit of a whole number, so that forty names cost as much as
one. What does not belong here: which names, and what they mean.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ibis.expr.types as ir

MOST = 62
"""How many names go into one sixty-four-bit number and leave its sign alone."""


class Marks:
    """The bits of a set of names, by their order. Raises ValueError for more than MOST names, which is a mistake in the code that asks."""

    def __init__(self, names: Iterable[str]) -> None:
        """`names`: which subjects are asked for; each counts once."""
        self.names = tuple(dict.fromkeys(names))
        if len(self.names) > MOST:
            raise ValueError(f"{len(self.names)} names do not go into one number; at most {MOST} do")

    def of(self, facts: ir.Table, subject: str) -> ir.Table:
        """One row per person with one of the names: person_row and `marks`. `facts` has each person and subject once, filtered to what counts."""
        import ibis

        wanted = facts.filter(facts[subject].isin(self.names))
        bits = ((name, ibis.literal(2**place, "int64")) for place, name in enumerate(self.names))
        bit = wanted[subject].cases(*bits, else_=ibis.literal(0, "int64"))
        # Adding up is setting bits, because no person has a name twice.
        return wanted.select("person_row", bit=bit).group_by("person_row").agg(marks=lambda rows: rows.bit.sum().cast("int64"))

    def has(self, marks: ir.IntegerValue, *names: str) -> ir.BooleanValue:
        """Whether any of `names` is marked. `marks`: a person's, null for somebody without a row."""
        import ibis

        bits = reduce(or_, (2 ** self.names.index(name) for name in names))
        return (marks.fill_null(0) & ibis.literal(bits, "int64")) != 0


def beside(person: ir.Table, **tables: ir.Table) -> ir.Table:
    """Every person with the columns of several tables of one row a person, each column named `<table>_<column>`; null without a row."""
    together = person
    for name, table in tables.items():
        own = table.rename({f"{name}_{column}": column for column in table.columns})
        together = together.left_join(own, together.person_row == own[f"{name}_person_row"]).drop(f"{name}_person_row")
    return together
