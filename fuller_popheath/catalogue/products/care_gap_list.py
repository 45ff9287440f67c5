"""Whom it would take to close the gap: for each team the people of the most deprived fifth it may see, and the indicators in which they are missed.

Who is missed is in the denominator and not in the numerator (where lower is better: in it), as `inequality_by_area` counts them. The team may see
whom its list could hold: objections, sensitive records, reviews and the team's own exclusions hold here too. For direct care only.
What does not belong here: an order of people, identities, and what an indicator says (`catalogue/indicators`).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from fuller_popheath import registry
from fuller_popheath.cohorts.indicator_flags import Indicators, columns_read, flags, told_by_the_record
from fuller_popheath.cohorts.list_candidate import BELOW_POINTS, ELIGIBLE
from fuller_popheath.cohorts.person_columns import PERSON
from fuller_popheath.contracts import conform, load_contract
from fuller_popheath.errors import ContractBroken, SettingsWrong
from fuller_popheath.specs import Inputs, Night, TableSpec

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

CONTRACT = "products/care_gap_list"
CANDIDATE, OBJECTION = "core/list_candidate", "core/person_objection"
CANDIDATE_COLUMNS = ("team_id", "person_id", "verdict")
CORE20 = 1
MOST_INDICATORS = 64
"""Each is a bit of one number."""


def build(indicators: Indicators, inputs: Inputs, night: Night) -> pa.Table:
    """One row per team and person missed in an indicator at least, by team and in the order of core/person.

    Raises ContractBroken where another table is about others.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    person = inputs[PERSON]
    missed, names = _missed(indicators, inputs, night)
    seen = inputs[CANDIDATE].select(list(CANDIDATE_COLUMNS))
    seen = seen.filter(pc.is_in(seen["verdict"], value_set=pa.array([ELIGIBLE, BELOW_POINTS])))
    place = pc.index_in(seen["person_id"], value_set=person["person_id"].combine_chunks())
    if place.null_count:
        raise ContractBroken(f"{CANDIDATE} has {place.null_count:,} rows about people who are not in {PERSON}: make it again")
    at = place.to_numpy()
    rows = np.flatnonzero((missed != 0)[at] & _may_be_listed(inputs, night)[at])
    team = seen["team_id"].combine_chunks().take(pa.array(rows))
    texts, counts, which = _words(missed[at[rows]], names)
    people = person.take(pa.array(at[rows]))
    made = {
        "as_of": pa.repeat(pa.scalar(night.as_of, pa.date32()), len(rows)),
        "team_id": team,
        "person_id": people["person_id"],
        "practice_code": people["practice_code"],
        "gap_count": counts[which],
        "indicators": pa.array(texts, pa.string()).take(pa.array(which)),
    }
    return conform(pa.table(made), load_contract(CONTRACT))


def _missed(indicators: Indicators, inputs: Inputs, night: Night) -> tuple[np.ndarray, list[str]]:
    """For each person of core/person a bit for every indicator in which they are missed; and the indicators by bit."""
    import numpy as np

    bits = np.zeros(inputs[PERSON].num_rows, np.uint64)
    names = []
    for number, (spec, is_in, has) in enumerate(flags(indicators, inputs, night)):
        wanted = is_in & ~has if spec.direction == "higher_is_better" else has
        bits |= wanted.astype(np.uint64) << np.uint64(number)
        names.append(spec.name)
    return bits, names


def _may_be_listed(inputs: Inputs, night: Night) -> np.ndarray:
    """Who lives in the most deprived national fifth and does not object to lists made by rules."""
    import pyarrow as pa
    import pyarrow.compute as pc

    person, objection = inputs[PERSON], inputs[OBJECTION]
    if not objection["person_id"].equals(person["person_id"]):
        raise ContractBroken(f"{OBJECTION} is not about the same people in the same order as {PERSON}: make it again from tonight's people")
    is_core20 = pc.fill_null(pc.equal(person[f"imd_{night.site.lists.imd_edition}_quintile"].cast(pa.int64()), CORE20), False)
    objects = pc.fill_null(objection["excluded_from_rule_list"], True)
    return pc.and_(is_core20, pc.invert(objects)).to_numpy()


def _words(missed: np.ndarray, names: list[str]) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Each different set of indicators once, with commas, and how many they are; and for each row which set it is."""
    import numpy as np

    sets, which = np.unique(missed, return_inverse=True)
    told = [[name for number, name in enumerate(names) if int(one) >> number & 1] for one in sets]
    return [",".join(each) for each in told], np.array([len(each) for each in told], np.int64), which


def table_of(indicators: Indicators) -> TableSpec:
    """The table of these indicators: it reads what they read. Raises SettingsWrong for more of them than a number has bits."""
    if (told := len(told_by_the_record(indicators))) > MOST_INDICATORS:
        raise SettingsWrong(f"{CONTRACT} can hold {MOST_INDICATORS} indicators that the record tells, and there are {told}")
    columns = columns_read(indicators)
    inputs = tuple(dict.fromkeys((PERSON, CANDIDATE, OBJECTION, *columns)))
    own = {CANDIDATE: CANDIDATE_COLUMNS, OBJECTION: ("person_id", "excluded_from_rule_list")}
    return TableSpec(contract=CONTRACT, inputs=inputs, build=partial(build, indicators), columns={**columns, **own})


TABLE = table_of(registry.indicators())
