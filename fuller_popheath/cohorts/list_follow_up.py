"""What became of the people who could have been listed in an issue, listed or not: by the rules of the outcome that lists are made for.

Follow-up begins on the day of the issue and is as long for everybody. Whoever leaves every practice's list has no outcome that anybody knows, and
is left out of every figure; whoever dies is followed to the death (`risk/outcome_labels.py`). What does not belong here: any figure of a list.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from fuller_popheath import registry
from fuller_popheath.cohorts.person_columns import SHOWN_RISK
from fuller_popheath.feature_store import PERSON, ROW, Sources, tables_known
from fuller_popheath.risk.outcome_labels import FOLLOW_UP, LEFT, REGISTRATION, follow_up, label
from fuller_popheath.specs import ContractId, Night, OutcomeSpec

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from fuller_popheath.engine import Engine
    from fuller_popheath.site import Site

BEFORE_DAYS = 365
"""The time before an issue that is looked back on."""
DAYS_A_YEAR = 365
EPOCH = date(1970, 1, 1)


def outcome() -> OutcomeSpec:
    """The outcome that lists are judged by."""
    return registry.outcomes()[SHOWN_RISK]


def inputs() -> tuple[ContractId, ...]:
    """What `what_became` reads."""
    return (*outcome().inputs, REGISTRATION)


def what_became(engine: Engine, sources: Sources, people: pa.Array, issued_on: date, days: int, as_of: date, site: Site) -> pa.Table:
    """One row for each of `people` (person ids, each once), in their order.

    Columns: person_id; is_followed (false: left every list); has_died; has_outcome (by the outcome's rules, within `days`); before_count and
    after_count, the days on which an emergency stay began in the 365 days before the issue and in follow-up, both as the records of `as_of` tell
    them; followed_years, until death or the end. `sources`: `inputs` of `as_of`. Raises what `risk/outcome_labels.label` raises: SettingsWrong
    where follow-up is not over, InputMissing where records do not cover it or lists hold no one who died or left.
    """
    import pyarrow as pa

    spec = replace(outcome(), horizon_days=days)
    person = pa.table({"as_of": pa.repeat(pa.scalar(issued_on, pa.date32()), len(people)), "person_id": people})
    given = {**sources, PERSON: person}
    index, until = Night(issued_on, site), issued_on + timedelta(days=days)
    made = label(spec, engine, given, index, as_of)
    followed = follow_up(engine, given[REGISTRATION], person, until, as_of)
    lived = np.minimum(_days_after(followed["death_date"], issued_on, days), days)
    at, day = _events(spec, engine, given, index, as_of, followed)
    size = len(people)
    # What is told of a day after the death is a mistake, here as in the outcome.
    in_time = (day >= 0) & (day < days) & (day <= lived[at])
    return pa.table(
        {
            "person_id": people,
            "is_followed": pa.array(made["ended_by"].to_numpy() != LEFT),
            "has_died": pa.array(lived < days),
            "has_outcome": made["has_outcome"],
            "before_count": pa.array(np.bincount(at[(day < 0) & (day >= -BEFORE_DAYS)], minlength=size)),
            "after_count": pa.array(np.bincount(at[in_time], minlength=size)),
            # Who dies on the day of the issue was followed on it.
            "followed_years": pa.array(np.maximum(lived, 1) / DAYS_A_YEAR),
        }
    )


def _events(
    spec: OutcomeSpec, engine: Engine, sources: Sources, index: Night, as_of: date, followed: pa.Table
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Person's place and day from the issue of every day on which a stay began; one that was told twice counts once."""
    known = tables_known(spec.inputs, engine, sources, replace(index, as_of=as_of))
    known[FOLLOW_UP] = engine.table(FOLLOW_UP, followed)
    events = spec.events(known, index)
    found = engine.collect(events.select(ROW, "event_date").distinct(), "counting admissions before and after an issue")
    return found[ROW].to_numpy().astype(np.int64), _days_after(found["event_date"], index.as_of, 0)


def _days_after(dates: pa.ChunkedArray, day: date, absent: int) -> NDArray[np.int64]:
    import pyarrow as pa

    numbers = dates.cast(pa.date32()).cast(pa.int32()).cast(pa.int64())
    return np.asarray(numbers.fill_null(absent + (day - EPOCH).days).to_numpy() - (day - EPOCH).days, np.int64)
