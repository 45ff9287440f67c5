"""How many people of each practice are in each segment: exact counts, for the house alone. What does not belong here: what may leave it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath import registry
from fuller_popheath.cohorts.person_columns import PERSON
from fuller_popheath.cohorts.segment import CONTRACT as SEGMENT
from fuller_popheath.cohorts.segment_counts import coded, segment_positions
from fuller_popheath.contracts import conform, load_contract
from fuller_popheath.specs import Inputs, Night, TableSpec

if TYPE_CHECKING:
    import pyarrow as pa

CONTRACT = "core/segment_of_practice"


def build(inputs: Inputs, night: Night) -> pa.Table:
    """One row per practice with anybody registered, scheme and segment, those of nobody too. Raises ContractBroken as `segment_positions` does."""
    import numpy as np
    import pyarrow as pa

    person, schemes = inputs[PERSON], registry.segments()
    practices, practice = coded(person["practice_code"])
    rows: dict[str, list[str | int]] = {name: [] for name in ("practice_code", "scheme", "segment", "people_count")}
    for name, segment in segment_positions(inputs[SEGMENT], person["person_id"], schemes).items():
        groups = [group.name for group in schemes[name].groups]
        counts = np.bincount(practice * len(groups) + segment, minlength=len(practices) * len(groups))
        rows["practice_code"] += np.repeat(np.array(practices, dtype=object), len(groups)).tolist()
        rows["scheme"] += [name] * len(counts)
        rows["segment"] += groups * len(practices)
        rows["people_count"] += counts.tolist()
    made = pa.table({"as_of": pa.repeat(pa.scalar(night.as_of, pa.date32()), len(rows["scheme"])), **{name: pa.array(c) for name, c in rows.items()}})
    return conform(made.sort_by([(name, "ascending") for name in ("practice_code", "scheme")]), load_contract(CONTRACT))


TABLE = TableSpec(contract=CONTRACT, inputs=(PERSON, SEGMENT), build=build, columns={SEGMENT: ("person_id", "scheme", "segment")})
