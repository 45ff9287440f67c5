"""Who is in which PLUS group of Core20PLUS5: yes and not recorded, one row each; a person without a row is not in the group.

The groups are `catalogue/plus_groups`, one file each, and the site's own ([plus] local, each the cluster of a code list). Which of them count is the
site's choice ([plus] groups); those by place (`plus_groups/places`) only where it names them, because they need a file that it supplies.
What does not belong here: what a group is, and counting people.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from fuller_popheath import registry
from fuller_popheath.cohorts.person_columns import PERSON, Wanted, columns_by_name, keys_and, wanted_of
from fuller_popheath.contracts import conform, load_contract
from fuller_popheath.errors import SettingsWrong
from fuller_popheath.place.area_deprivation import LOOKUP
from fuller_popheath.place.lsoa_classification import CLASSIFICATION, COLUMN, classes_of
from fuller_popheath.place.lsoa_classification import INPUTS as CLASSIFIED
from fuller_popheath.specs import Inputs, Night, PlusGroupSpec, TableSpec

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

CONTRACT = "core/person_plus"
CLUSTER = "core/person_cluster"
YES, NO, NOT_RECORDED = 1, 0, -1
Groups = Mapping[str, PlusGroupSpec]


def build(groups: Groups, inputs: Inputs, night: Night) -> pa.Table:
    """One row per PLUS group of the site and person who is in it or of whom nobody can say, groups in the site's order, people in core/person's.

    Raises SettingsWrong for a group that nobody declares, a local one named as another, or one that leaves somebody out; ContractBroken where an
    input is about others.
    """
    import numpy as np
    import pyarrow as pa

    person, plus = inputs[PERSON], night.site.plus
    if unknown := sorted(set(plus.groups) - set(groups)):
        raise SettingsWrong(f"plus.groups: there is no PLUS group {', '.join(unknown)}; there are {', '.join(sorted(groups))}")
    if twice := sorted(set(plus.local) & set(groups)):
        raise SettingsWrong(f"plus.local: {', '.join(twice)} is the name of a declared group; give the local one another name")
    columns = _columns(inputs, wanted_of(groups[name].columns for name in plus.groups))
    found = {name: _assigned(groups[name], columns, night, person.num_rows) for name in plus.groups}
    found |= {name: _with_cluster(inputs, cluster) for name, cluster in plus.local.items()}
    parts = []
    for name, member in found.items():
        rows = np.flatnonzero(member != NO)
        told = pa.DictionaryArray.from_arrays(pa.array((member[rows] == NOT_RECORDED).astype(np.int8)), pa.array(["yes", "not_recorded"]))
        kept = person.select(["as_of", "person_id"]).take(rows)
        part = kept.append_column("plus_group", pa.repeat(name, len(rows))).append_column("membership", told.cast(pa.string()))
        parts.append(part)
    contract = load_contract(CONTRACT)
    return conform(pa.concat_tables(parts), contract) if parts else contract.schema.empty_table()


def _columns(inputs: Inputs, wanted: Wanted) -> dict[str, np.ndarray]:
    """The wanted columns, one entry a person; what is said of where somebody lives is looked up by the LSOA."""
    columns = columns_by_name(inputs, {name: names for name, names in wanted.items() if name != CLASSIFICATION})
    if CLASSIFICATION in wanted:
        columns[COLUMN] = classes_of(inputs[PERSON]["lsoa_code"], inputs[CLASSIFICATION], inputs[LOOKUP])
    return columns


def _assigned(group: PlusGroupSpec, columns: Mapping[str, np.ndarray], night: Night, people: int) -> np.ndarray:
    import numpy as np

    wanted = {name: columns[name] for names in group.columns.values() for name in names}
    member = np.asarray(group.assign(wanted, night.site))
    if member.shape != (people,) or not np.isin(member, (YES, NO, NOT_RECORDED)).all():
        raise SettingsWrong(f"the PLUS group {group.name} does not say yes (1), no (0) or not recorded (-1) of each of {people:,} people")
    return member


def _with_cluster(inputs: Inputs, cluster: str) -> np.ndarray:
    """1 for everybody with a code of a cluster that is in force."""
    import numpy as np
    import pyarrow.compute as pc

    facts = inputs[CLUSTER]
    held = facts.filter(pc.and_(pc.equal(facts["cluster"], cluster), facts["is_current"]))["person_id"].combine_chunks()
    return pc.is_in(inputs[PERSON]["person_id"].combine_chunks(), value_set=held).to_numpy(zero_copy_only=False).astype(np.int8)


def table_of(groups: Groups) -> TableSpec:
    """The table that these groups make: it reads what they read, and the clusters of local ones."""
    wanted = wanted_of(group.columns for group in groups.values())
    of_places = CLASSIFIED if CLASSIFICATION in wanted else ()
    columns = {**keys_and({name: names for name, names in wanted.items() if name not in of_places}), CLUSTER: ("person_id", "cluster", "is_current")}
    inputs = tuple(dict.fromkeys((PERSON, *wanted, CLUSTER, *of_places)))
    return TableSpec(contract=CONTRACT, inputs=inputs, build=partial(build, groups), picture="plus_pictures", columns=columns)


TABLE = table_of(registry.plus_groups())
