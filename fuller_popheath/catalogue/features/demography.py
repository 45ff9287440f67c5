"""Who somebody is and where they live: age, sex, ethnic group, deprivation, and for how long they have been registered.

Age and deprivation are those of `core/person`; nothing is computed twice. What does not belong here: anything that was done for somebody.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fuller_popheath.specs import ContractId, FeatureSpec, Night

if TYPE_CHECKING:
    import ibis.expr.types as ir

PERSON = "core/person"
MOST_DEPRIVED = 1
AS_THEY_ARE = (
    "age_years",
    "sex",
    "ethnic_category",
    "imd_2019_quintile",
    "imd_2025_quintile",
    "is_linked",
    "is_temporary",
)
ETHNIC_GROUPS = {
    "white": ("A", "B", "C"),
    "mixed": ("D", "E", "F", "G"),
    "asian": ("H", "J", "K", "L"),
    "black": ("M", "N", "P"),
    "other": ("R", "S"),
}
"""Headings of the NHS Data Dictionary's ETHNIC CATEGORY CODE 2001, under which Chinese (R) stands below Other; Z and 99 are unknown."""


def build(tables: Mapping[ContractId, ir.Table], night: Night) -> ir.Table:
    """One row for every person."""
    import ibis

    person = tables[PERSON]
    as_of = ibis.literal(night.as_of, type="date")
    group = ibis.cases(
        *((person["ethnic_category"].isin(codes), name) for name, codes in ETHNIC_GROUPS.items()),
        else_="unknown",
    )
    return person.select(
        "person_row",
        *AS_THEY_ARE,
        ethnic_group=group,
        is_core20_2019=person["imd_2019_quintile"] == MOST_DEPRIVED,
        is_core20_2025=person["imd_2025_quintile"] == MOST_DEPRIVED,
        has_usual_gp=person["usual_gp_code"].notnull(),
        # Nobody here is registered from a later day, and a start that is not before as_of is not shown to us: it is as_of itself.
        registration_days=as_of.delta(person["registration_start_date"], unit="day").cast("int64").fill_null(0),
    )


FEATURE = FeatureSpec(contract="features/demography", inputs=(PERSON,), build=build)
