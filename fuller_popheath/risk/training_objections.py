"""Who must not be used to train models: people who object tonight, whether or not they are still registered with anybody.

An objection counts for every date, since it is about the use of a person's records and not about a day. Whoever cannot be told counts as objecting.
What does not belong here: the rules of objections (`people/objections.py`, `catalogue/facts/coded_objection.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fuller_popheath import registry
from fuller_popheath.errors import ContractBroken
from fuller_popheath.feature_store import PERSON, build_fact
from fuller_popheath.risk.given_tables import EngineFactory, SourceOf, whole
from fuller_popheath.specs import Night

if TYPE_CHECKING:
    import pyarrow as pa

CODED = "core/coded_objection"
JUDGED = "core/person_objection"
COLUMN = "excluded_from_training"


def objecting(engine_factory: EngineFactory, source_of: SourceOf, night: Night, people: pa.Table) -> np.ndarray:
    """For each row of `people` (core/person of any day) whether an objection as at `night.as_of` keeps the person out of training; bool.

    Objections are judged anew for these people, by tonight's records and files and the practice that they were registered with then; what
    tonight's `core/person_objection` says of those who are still registered, maybe elsewhere, counts too: one of the two is enough.
    Raises ContractBroken unless everybody has been judged, InputMissing (of `source_of`) for a table that is not there.
    """
    import pyarrow.compute as pc

    fact, judge = registry.facts()[CODED], registry.tables()[JUDGED]
    with engine_factory() as engine:
        coded = build_fact(fact, engine, {PERSON: people, **{name: source_of(name) for name in fact.inputs if name != PERSON}}, night)
    others = {name: whole(source_of(name), name) for name in judge.inputs if name not in (PERSON, CODED)}
    judged = judge.build({PERSON: people, CODED: coded, **others}, night)
    if not judged["person_id"].equals(people["person_id"]):
        raise ContractBroken(f"{JUDGED}: {judged.num_rows} people were judged, and there are {people.num_rows}; nobody is trained on")
    tonight = whole(source_of(JUDGED), JUDGED, ("person_id", COLUMN))
    told = pc.is_in(people["person_id"], value_set=tonight["person_id"].filter(tonight[COLUMN]).combine_chunks())
    return np.asarray(pc.or_(judged[COLUMN], told).to_numpy(), dtype=bool)
