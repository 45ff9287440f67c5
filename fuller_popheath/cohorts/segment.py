"""For everybody and every scheme: the one segment they are in, and the rule that put them there.

The schemes are `catalogue/segments`, one file each. What does not belong here: what a scheme says, and counting people.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from fuller_popheath import registry
from fuller_popheath.cohorts.person_columns import PERSON, columns_by_name, keys_and, wanted_of
from fuller_popheath.contracts import conform, load_contract
from fuller_popheath.errors import SettingsWrong
from fuller_popheath.specs import Inputs, Night, SegmentSpec, TableSpec

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from fuller_popheath.site import Site

CONTRACT = "core/segment"
Schemes = Mapping[str, SegmentSpec]


def build(schemes: Schemes, inputs: Inputs, night: Night) -> pa.Table:
    """One row per scheme and person of core/person, schemes one after the other, people in its order.

    Raises ContractBroken where an input is about others, SettingsWrong for a scheme that leaves somebody out.
    """
    import pyarrow as pa

    person = inputs[PERSON]
    columns = columns_by_name(inputs, wanted_of(scheme.columns for scheme in schemes.values()))
    parts: list[dict[str, Any]] = []
    for name, scheme in schemes.items():
        values = {column: columns[column] for names in scheme.columns.values() for column in names}
        segment, rule = placed(scheme, values, night.site, person.num_rows)
        parts.append(
            {
                "as_of": person["as_of"].combine_chunks(),
                "person_id": person["person_id"].combine_chunks(),
                "scheme": pa.DictionaryArray.from_arrays(pa.repeat(pa.scalar(0, pa.int8()), person.num_rows), pa.array([name])),
                "segment": pa.DictionaryArray.from_arrays(pa.array(segment), pa.array([group.name for group in scheme.groups])),
                "because": pa.DictionaryArray.from_arrays(pa.array(rule), pa.array(scheme.rules)),
            }
        )
    contract = load_contract(CONTRACT)
    if not parts:
        return contract.schema.empty_table()
    return conform(pa.table({name: pa.chunked_array([part[name] for part in parts]) for name in parts[0]}), contract)


def placed(scheme: SegmentSpec, values: Mapping[str, np.ndarray], site: Site, people: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions of group and rule of each of so many people, held against the scheme. Raises SettingsWrong where one of them is neither."""
    import numpy as np

    segment, rule = (np.asarray(position) for position in scheme.assign(values, site))
    for what, position, most in (("group", segment, len(scheme.groups)), ("rule", rule, len(scheme.rules))):
        if position.shape != (people,) or position.dtype.kind not in "iu":
            raise SettingsWrong(f"the scheme {scheme.name} does not give each of {people:,} people the position of one {what}")
        if outside := int(((position < 0) | (position >= most)).sum()):
            raise SettingsWrong(f"the scheme {scheme.name} puts {outside:,} of {people:,} people in no {what} that it declares: everybody is in one")
    return segment.astype(np.int8), rule.astype(np.int8)


def rows_of(segment: pa.Table, scheme: str) -> pa.Table:
    """The rows of one scheme of core/segment, in the order of core/person."""
    import pyarrow.compute as pc

    return segment.filter(pc.equal(segment["scheme"], scheme))


def table_of(schemes: Schemes) -> TableSpec:
    """The table that these schemes make: it reads what they read."""
    wanted = wanted_of(scheme.columns for scheme in schemes.values())
    inputs = tuple(dict.fromkeys((PERSON, *wanted)))
    return TableSpec(contract=CONTRACT, inputs=inputs, build=partial(build, schemes), columns=keys_and(wanted))


TABLE = table_of(registry.segments())
