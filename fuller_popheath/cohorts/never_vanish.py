"""Whom no product may drop: under-18s, every PLUS group, and people without a contact in a year, wherever they are in the population.

A count that is hidden is there; a row that is missing is not, nor is one that says nought of people who are there. What does not belong here:
whether a count is right, and what becomes of the answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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
SCORE: ContractId = "risk/score"
"""A scorecard speaks of whom a model scores: without a model for children it has nothing to say of them."""
FOLDERS = ("core", "products")
FEWEST_FOR_AN_ERROR = 10
"""A group of fewer people is missed with a warning."""
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


@dataclass(frozen=True)
class Vanished:
    """A group of so many people of which a product says nothing: nowhere (`is_outright`), or not everywhere it should."""

    product: ContractId
    group: str
    people_count: int
    is_outright: bool

    @property
    def is_error(self) -> bool:
        """Whether nothing may be released before it is looked into."""
        return self.is_outright and self.people_count >= FEWEST_FOR_AN_ERROR

    @property
    def words(self) -> str:
        """The finding in a sentence without a full stop."""
        where = "nowhere tells" if self.is_outright else "does not everywhere tell"
        return f"{self.product} {where} of {self.group}, which {self.people_count:,} people are in"


def groups_in(population: Inputs) -> dict[str, int]:
    """The people of each group that has anybody: under_18, low_contact, and PLUS groups by name. `population`: POPULATION_COLUMNS at least."""
    import pyarrow.compute as pc

    plus = population[PLUS]
    members = pc.value_counts(plus.filter(pc.equal(plus["membership"], MEMBER))["plus_group"]).to_pylist()
    counted = {
        UNDER_18: pc.sum(pc.less(population[PERSON]["age_years"], ADULT_FROM)).as_py() or 0,
        LOW_CONTACT: pc.sum(pc.equal(population[CONTACTS]["contact_count_365"], 0)).as_py() or 0,
        **{each["values"]: each["counts"] for each in sorted(members, key=lambda each: str(each["values"]))},
    }
    return {group: people for group, people in counted.items() if people}


def vanished(population: Inputs, products: Mapping[ContractId, pa.Table]) -> list[Vanished]:
    """Each product and group of the population of which it says nothing; none: nobody has vanished.

    `products`: those of `products_looked_at` that were made. In products/segment_count a group must be there at every level of areas;
    in core/selection_group on every list; products/risk_scorecard judges PLUS groups of its own, so that there any of them will do
    (`plus`), and speaks of the ages alone that SCORE (where `population` has it: age_group) has scores of; in any other a group must stand somewhere.
    A row with a count of nought tells of nobody, but on a list: there may be nobody who could be listed. A product without a row has not been made,
    and is not judged.
    """
    groups = groups_in(population)
    found = []
    for name, table in products.items():
        if table.num_rows:
            told_rows = _with_people(table) if name not in NAMED_OTHERWISE else table
            told = _TOLD[name](told_rows) if name in _TOLD else set(told_rows[GROUP].unique().to_pylist())
            anywhere = _anywhere(told_rows, name)
            asked = _own(groups, population.get(SCORE)) if name == SCORECARD else groups
            found += [Vanished(name, group, people, group not in anywhere) for group, people in asked.items() if group not in told]
    return found


def _with_people(table: pa.Table) -> pa.Table:
    """The rows that tell of people: whose count is hidden, or is not nought. A table without counts: all of them."""
    import pyarrow.compute as pc

    if "people_count" not in table.column_names:
        return table
    count = table["people_count"].cast("int64")
    return table.filter(pc.fill_null(pc.not_equal(count, 0), True))


def _anywhere(table: pa.Table, name: ContractId) -> set[str]:
    """The groups that have a row at all."""
    if name == SCORECARD:
        return _of_scorecard(table)
    return set(table["group" if name == SELECTION_GROUP else GROUP].unique().to_pylist())


def _own(groups: Mapping[str, int], score: pa.Table | None) -> dict[str, int]:
    """What a scorecard is asked for: children where they are scored, low contact, and one word for all PLUS groups (the people of the largest)."""
    is_scored = score is None or UNDER_18 in score["age_group"].unique().to_pylist()
    plain = {group: people for group, people in groups.items() if group == LOW_CONTACT or (group == UNDER_18 and is_scored)}
    plus = [people for group, people in groups.items() if group not in (UNDER_18, LOW_CONTACT)]
    return {**plain, **({ANY_PLUS: max(plus)} if plus else {})}


def _everywhere(table: pa.Table, by: tuple[str, ...], group: str) -> set[str]:
    """The groups that have a row in every combination of some columns."""
    pairs = table.group_by([*by, group]).aggregate([]).to_pylist()
    parts: dict[tuple[str, ...], set[str]] = {}
    for row in pairs:
        parts.setdefault(tuple(str(row[name]) for name in by), set()).add(row[group])
    return set.intersection(*parts.values()) if parts else set()


def _of_segments(table: pa.Table) -> set[str]:
    return _everywhere(table, ("area_type", "scheme"), GROUP)


def _of_selection(table: pa.Table) -> set[str]:
    return _everywhere(table, ("issue_id", "team_id"), "group")


def _of_scorecard(table: pa.Table) -> set[str]:
    rows = table.group_by(["age_group", "subgroup_kind", "subgroup"]).aggregate([]).to_pylist()
    told = {UNDER_18 for row in rows if row["age_group"] == UNDER_18}
    told |= {LOW_CONTACT for row in rows if (row["subgroup_kind"], row["subgroup"]) == ("contact_level", "no_contact")}
    return told | {ANY_PLUS for row in rows if row["subgroup_kind"] == "plus_group"}


_TOLD = {SEGMENT_COUNT: _of_segments, SELECTION_GROUP: _of_selection, SCORECARD: _of_scorecard}
