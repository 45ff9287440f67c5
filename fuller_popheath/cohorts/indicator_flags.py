"""Who counts for each indicator, and for whom of them it was done, found or happened; and whom a gap is about.

The indicators are `catalogue/indicators`. What does not belong here: what an indicator says, and counting people.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from fuller_popheath.cohorts.indicator_values import IndicatorValues, facts_of, subject_of
from fuller_popheath.cohorts.person_columns import PERSON, keys_and, wanted_of
from fuller_popheath.errors import SettingsWrong
from fuller_popheath.specs import ContractId, IndicatorSpec, Inputs, Night

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

Indicators = Mapping[str, IndicatorSpec]


def told_by_the_record(indicators: Indicators) -> tuple[IndicatorSpec, ...]:
    """Those that a rule tells; the others are supplied."""
    return tuple(spec for spec in indicators.values() if spec.assign is not None)


def columns_read(indicators: Indicators) -> dict[ContractId, tuple[str, ...]]:
    """Which columns of which tables the indicators read, keys among them, as `TableSpec.columns` asks; core/person is read whole."""
    specs = told_by_the_record(indicators)
    wide = keys_and(wanted_of(spec.columns for spec in specs))
    long = {
        contract_id: ("person_id", subject_of(contract_id), *dict.fromkeys(name for columns in subjects.values() for name in columns))
        for contract_id, subjects in facts_of(spec.facts for spec in specs).items()
    }
    return {**wide, **long}


def flags(indicators: Indicators, inputs: Inputs, night: Night) -> Iterator[tuple[IndicatorSpec, np.ndarray, np.ndarray]]:
    """For each indicator that the record tells: who is in the denominator and, of them, in the numerator, one entry a person of core/person.

    Raises ContractBroken as IndicatorValues does, SettingsWrong for a rule that does not say yes or no of everybody.
    """
    specs = told_by_the_record(indicators)
    found = IndicatorValues(specs, inputs, night)
    for spec in specs:
        yield spec, *flagged(spec, found.of(spec), night, inputs[PERSON].num_rows)


def flagged(spec: IndicatorSpec, values: Mapping[str, np.ndarray], night: Night, people: int) -> tuple[np.ndarray, np.ndarray]:
    """The answer of one rule, held against what it must be: true or false for each of so many people. Raises SettingsWrong where it is not."""
    import numpy as np

    if spec.assign is None:
        raise SettingsWrong(f"the indicator {spec.name} is supplied: no rule tells it")
    is_in, has = spec.assign(values, night.site)
    for what, answer in (("denominator", is_in), ("numerator", has)):
        if getattr(answer, "shape", None) != (people,) or answer.dtype != np.bool_:
            raise SettingsWrong(f"the indicator {spec.name} does not say true or false of each of {people:,} people for its {what}")
    return is_in, is_in & has


def people_behind(spec: IndicatorSpec, inputs: Inputs, night: Night) -> pa.Table:
    """Whom a better figure is about: in the denominator and not (where lower is better: and) in the numerator. For direct care only.

    One row a person, in the order of core/person: person_id, practice_code, pcn_code. Raises as `flags` does.
    """
    ((_, is_in, has),) = flags({spec.name: spec}, inputs, night)
    wanted = is_in & ~has if spec.direction == "higher_is_better" else has
    return inputs[PERSON].select(["person_id", "practice_code", "pcn_code"]).filter(wanted)
