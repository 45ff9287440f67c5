"""For everybody: which reasons for continuity of care hold, how many points they give, and why the person is or is not on tonight's first list.

It answers "why is she on it and he not?". The rules are `first_list.py`; what leaves the house is made from it in `catalogue/products`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fuller_popheath.cohorts import first_list
from fuller_popheath.cohorts.first_list import LEFT_OUT, LISTED, VERDICTS, Need
from fuller_popheath.cohorts.reason_words import LONG_TERM, reasons_in_words
from fuller_popheath.contracts import conform, load_contract
from fuller_popheath.errors import ContractBroken
from fuller_popheath.place.neighbourhood_practice import NO_PCN
from fuller_popheath.specs import ContractId, Inputs, Night, TableSpec

if TYPE_CHECKING:
    from datetime import date

    import numpy as np
    import pyarrow as pa

    from fuller_popheath.site import Objections

CONTRACT = "core/continuity_need"
PERSON = "core/person"
OBJECTION = "core/person_objection"
FEATURES: dict[ContractId, tuple[str, ...]] = {
    "features/conditions": tuple(
        f"has_{name}" for name in dict.fromkeys((*LONG_TERM, *(c.removeprefix("has_") for c in first_list.COLUMNS if "has_" in c)))
    ),
    "features/comorbidity": ("condition_count",),
    "features/frailty": ("efi_deficit_count", "efi_category"),
    "features/continuity": ("continuity_upc", "continuity_contact_count", "continuity_clinician_count"),
    "features/contacts": ("days_since_last_contact",),
    "features/hospital": ("emergency_admission_count_365",),
}
"""What is read of each group."""

KEPT = ("continuity_upc", "continuity_contact_count", "continuity_clinician_count", "days_since_last_contact", "emergency_admission_count_365")
IN_WORDS = ("efi_deficit_count", "condition_count", "continuity_upc", "continuity_contact_count", "continuity_clinician_count")


def issue_of(as_of: date) -> str:
    """The name of the issue of a day: it stands on the list and on whatever comes back."""
    return f"continuity-{as_of.isoformat()}"


def build(inputs: Inputs, night: Night) -> pa.Table:
    """One row per person of core/person, in its order. Raises ContractBroken where a group of features is about others."""
    import pyarrow as pa

    person, rules, issue = inputs[PERSON], night.site.first_list, issue_of(night.as_of)
    columns = _columns_of(inputs)
    need = first_list.need_of({name: _values(columns[name]) for name in first_list.COLUMNS}, rules)
    neighbourhood = person["neighbourhood_code"].combine_chunks().dictionary_encode()
    left_out = _left_out(inputs, night.site.objections)
    choice = first_list.choose(left_out, neighbourhood.indices.to_numpy(), need.points, person["person_id"].to_numpy(), issue, rules)
    verdicts = pa.DictionaryArray.from_arrays(pa.array(choice.verdict), pa.array(VERDICTS)).cast(pa.string())
    made = pa.table(
        {
            **{name: person[name] for name in ("as_of", "person_id", "neighbourhood_code")},
            "issue_id": pa.repeat(issue, person.num_rows),
            "points": need.points,
            "reason_codes": _codes(need),
            "reasons": _words(need, columns, choice.verdict == VERDICTS.index(LISTED), night),
            "verdict": verdicts,
            "rank": pa.array(choice.rank, mask=choice.rank == 0),
            "draw": pa.array(choice.draw, from_pandas=True),
            **{name: columns[name] for name in KEPT},
        }
    )
    return conform(made, load_contract(CONTRACT))


def _columns_of(inputs: Inputs) -> dict[str, pa.ChunkedArray]:
    """The columns that are read, side by side: every group has the people of core/person in its order."""
    people = inputs[PERSON]["person_id"]
    for name in (OBJECTION, *FEATURES):
        if not inputs[name]["person_id"].equals(people):
            raise ContractBroken(f"{name} is not about the same people in the same order as {PERSON}: make it again from tonight's people")
    return {name: inputs[group][name] for group, names in FEATURES.items() for name in names}


def _values(column: pa.ChunkedArray) -> np.ndarray:
    """A column as numbers (NaN: missing), of true and false as booleans (missing: false), of texts as texts (missing: empty)."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_boolean(column.type):
        return pc.fill_null(column, False).to_numpy()
    if pa.types.is_string(column.type):
        return pc.fill_null(column, "").to_numpy()
    return column.cast(pa.float64()).to_numpy()


def _left_out(inputs: Inputs, matrix: Objections) -> np.ndarray:
    """Why each person is left out, as an index into LEFT_OUT; -1: they are not. The first reason that is true is told."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    person, objection = inputs[PERSON], inputs[OBJECTION]
    excluded = objection["excluded_from_rule_list"]
    # Which of two objections is told; whether one excludes at all was settled when the table was made.
    by_type_1 = (
        pc.and_(excluded, objection["has_type_1_objection"]) if "rule_list" in matrix.type_1 else pa.chunked_array([pa.repeat(False, len(excluded))])
    )
    is_unknown = pc.equal(objection["type_1_reason"], "unknown")
    reasons = {
        first_list.NO_TEAM: pc.equal(person["neighbourhood_code"], NO_PCN),
        first_list.TYPE_1: pc.and_(by_type_1, pc.invert(is_unknown)),
        first_list.TYPE_1_UNKNOWN: pc.and_(by_type_1, is_unknown),
        first_list.NATIONAL: excluded,
        first_list.SENSITIVE: person["is_sensitive"],
    }
    conditions = [reasons[name].to_numpy() for name in LEFT_OUT]
    return np.select(conditions, range(len(LEFT_OUT)), default=-1)


def _codes(need: Need) -> pa.Array:
    """The reasons of each person by their codes, with commas; null where none holds. There are few combinations: each is written once."""
    import numpy as np
    import pyarrow as pa

    combinations, which = np.unique(need.held, return_inverse=True)
    texts = [",".join(first_list.reasons_in(int(held), need.reasons)) or None for held in combinations]
    return pa.array(texts, pa.string()).take(pa.array(which))


def _words(need: Need, columns: dict[str, Any], listed: np.ndarray, night: Night) -> pa.Array:
    """The reasons in a sentence, for those who are listed."""
    import numpy as np
    import pyarrow as pa

    rows = np.flatnonzero(listed)
    wanted = pa.table({name: columns[name] for name in dict.fromkeys((*IN_WORDS, *FEATURES["features/conditions"]))}).take(rows).to_pylist()
    types = night.site.continuity.clinician_types
    texts = [
        reasons_in_words(first_list.reasons_in(int(held), need.reasons), person, [name for name in LONG_TERM if person[f"has_{name}"]], types)
        for held, person in zip(need.held[rows], wanted, strict=True)
    ]
    places = np.full(len(listed), -1)
    places[rows] = np.arange(len(rows))
    return pa.array(texts, pa.string()).take(pa.array(places, mask=places < 0))


TABLE = TableSpec(
    contract=CONTRACT,
    inputs=(PERSON, OBJECTION, *FEATURES),
    build=build,
    columns={group: ("person_id", *names) for group, names in FEATURES.items()},
)
