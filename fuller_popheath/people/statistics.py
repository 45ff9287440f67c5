"""Whom an objection keeps out of statistics: the one place where it acts, on whatever counts people for a purpose other than their own care.

`of_statistics` makes a table's builder see nobody who objects: every table about persons that it is given is without them, so that they are in no
numerator, denominator or total. Which objections do that is a switch of the site ([objections], purpose statistics), off until the site's
information governance has decided. What does not belong here: published counts, which no objection can reach, and training (`risk`).
"""

from __future__ import annotations

from dataclasses import replace
from functools import wraps
from typing import TYPE_CHECKING

from fuller_popheath.specs import Inputs, Night, TableSpec

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.site import Site

OBJECTION, PERSON_ID = "core/person_objection", "person_id"
PURPOSE, COLUMN = "statistics", "excluded_from_statistics"


def is_switched_on(site: Site) -> bool:
    """Whether any objection keeps a person out of statistics here."""
    return PURPOSE in (*site.objections.type_1, *site.objections.national_data_opt_out)


def of_statistics(spec: TableSpec) -> TableSpec:
    """The same table, made without the people who object to statistics; it then reads core/person_objection too."""
    build = spec.build

    @wraps(build)
    def without_objectors(inputs: Inputs, night: Night) -> pa.Table:
        if not is_switched_on(night.site):
            return build(inputs, night)
        told = inputs[OBJECTION]
        return build({name: without(table, told) if name != OBJECTION else table for name, table in inputs.items()}, night)

    inputs = tuple(dict.fromkeys((*spec.inputs, OBJECTION)))
    columns = {**spec.columns, OBJECTION: tuple(dict.fromkeys((PERSON_ID, *spec.columns.get(OBJECTION, ()), COLUMN)))}
    return replace(spec, build=without_objectors, inputs=inputs, columns=columns)


def without(table: pa.Table, told: pa.Table) -> pa.Table:
    """The rows of a table about persons without those who object, in their order; any other table as it is. `told`: core/person_objection.

    Somebody of whom it is not known whether they object is left out.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if PERSON_ID not in getattr(table, "column_names", ()):
        return table
    out = told[PERSON_ID].filter(pc.fill_null(told[COLUMN], True)).combine_chunks()
    if not len(out):
        return table
    return table.filter(pc.invert(pc.is_in(table[PERSON_ID].cast(pa.string()), value_set=out.cast(pa.string()))))
