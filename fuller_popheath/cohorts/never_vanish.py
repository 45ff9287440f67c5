"""Whom no product may drop: under-18s, every PLUS group, and people without a contact in a year, wherever they are in the population.

A count that is hidden is there; a row that is missing is not. What does not belong here: whether a count is right, and what becomes of the answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fuller_popheath.specs import ContractId, Inputs

if TYPE_CHECKING:
    import pyarrow as pa

PERSON, PLUS, CONTACTS = "core/person", "core/person_plus", "features/contacts"
POPULATION: tuple[ContractId, ...] = (PERSON, PLUS, CONTACTS)
POPULATION_COLUMNS: Mapping[ContractId, tuple[str, ...]] = {
    PERSON: ("person_id", "age_years"),
    PLUS: ("plus_group", "membership"),
    CONTACTS: ("person_id", "contact_count_365"),
}
SEGMENT_COUNT, SELECTION_GROUP, SCORECARD = "products/segment_count", "core/selection_group", "products/risk_scorecard"
GROUP = "people_group"
"""The column by which a table tells of groups of people. Whatever in core/ or products/ has it in its contract is looked at."""
NAMED_OTHERWISE: tuple[ContractId, ...] = (SELECTION_GROUP, SCORECARD)
"""These tell of groups of people in columns of other names."""
FOLDERS = ("core", "products")
UNDER_18, LOW_CONTACT, ANY_PLUS = "under_18", "low_contact", "plus"
ADULT_FROM = 18
MEMBER = "yes"


def __getattr__(name: str) -> tuple[ContractId, ...]:
    """PRODUCTS, the answer of `products_looked_at`: made when it is asked for, because it reads contracts."""
    if name == "PRODUCTS":
        return products_looked_at()
    raise AttributeError(f"module {__name__} has no attribute {name}")


def products_looked_at() -> tuple[ContractId, ...]:
    """What must tell of every group: each table of core/ and products/ whose contract has the column GROUP, and NAMED_OTHERWISE; sorted."""
    from fuller_popheath.contracts import contract_ids, load_contract

    found = {name for folder in FOLDERS for name in contract_ids(folder) if GROUP in load_contract(name).column_names}
    return tuple(sorted({*found, *NAMED_OTHERWISE}))


def groups_in(population: Inputs) -> tuple[str, ...]:
    """The groups that have anybody: under_18, low_contact, and PLUS groups by name. `population`: POPULATION, with POPULATION_COLUMNS at least."""
    import pyarrow.compute as pc

    plus = population[PLUS]
    found = sorted(plus.filter(pc.equal(plus["membership"], MEMBER))["plus_group"].unique().to_pylist())
    is_there = {
        UNDER_18: pc.any(pc.less(population[PERSON]["age_years"], ADULT_FROM)).as_py(),
        LOW_CONTACT: pc.any(pc.equal(population[CONTACTS]["contact_count_365"], 0)).as_py(),
    }
    return (*(group for group, holds in is_there.items() if holds), *found)


def vanished(population: Inputs, products: Mapping[ContractId, pa.Table]) -> list[tuple[ContractId, str]]:
    """Each product and group of the population of which it says nothing; none: nobody has vanished.

    `products`: those of `products_looked_at` that were made. In products/segment_count a group must be there at every level of areas (PLUS groups
    above the PCN); in core/selection_group on every list; products/risk_scorecard judges PLUS groups of its own, so that there any of them will do
    (`plus`); in any other a group must stand somewhere. A product without a row has not been made, and is not judged.
    """
    groups = groups_in(population)
    found = []
    for name, table in products.items():
        if table.num_rows:
            told = _TOLD[name](table) if name in _TOLD else set(table[GROUP].unique().to_pylist())
            asked = _own(groups) if name == SCORECARD else groups
            found += [(name, group) for group in asked if group not in told]
    return found


def _own(groups: tuple[str, ...]) -> tuple[str, ...]:
    """The same with one word for all PLUS groups."""
    plain = tuple(group for group in groups if group in (UNDER_18, LOW_CONTACT))
    return plain if len(plain) == len(groups) else (*plain, ANY_PLUS)


def _everywhere(table: pa.Table, by: tuple[str, ...], group: str) -> set[str]:
    """The groups that have a row in every combination of some columns."""
    pairs = table.group_by([*by, group]).aggregate([]).to_pylist()
    parts: dict[tuple[str, ...], set[str]] = {}
    for row in pairs:
        parts.setdefault(tuple(str(row[name]) for name in by), set()).add(row[group])
    return set.intersection(*parts.values())


def _of_segments(table: pa.Table) -> set[str]:
    """PLUS groups are told of by ICB and place only: in a PCN nearly all of their counts would be hidden."""
    import pyarrow.compute as pc

    above = table.filter(pc.not_equal(table["area_type"], "pcn"))
    by_pcn = _everywhere(table, ("area_type", "scheme"), GROUP)
    return by_pcn | (_everywhere(above, ("area_type", "scheme"), GROUP) - {UNDER_18, LOW_CONTACT} if above.num_rows else set())


def _of_selection(table: pa.Table) -> set[str]:
    return _everywhere(table, ("issue_id", "team_id"), "group")


def _of_scorecard(table: pa.Table) -> set[str]:
    rows = table.group_by(["age_group", "subgroup_kind", "subgroup"]).aggregate([]).to_pylist()
    told = {UNDER_18 for row in rows if row["age_group"] == UNDER_18}
    told |= {LOW_CONTACT for row in rows if (row["subgroup_kind"], row["subgroup"]) == ("contact_level", "no_contact")}
    return told | {ANY_PLUS for row in rows if row["subgroup_kind"] == "plus_group"}


_TOLD = {SEGMENT_COUNT: _of_segments, SELECTION_GROUP: _of_selection, SCORECARD: _of_scorecard}
