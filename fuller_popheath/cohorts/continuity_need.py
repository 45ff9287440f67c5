"""For everybody: which reasons for continuity of care hold, how many points they give together, and how much continuity that is said to need.

The rule is `need_rules.py`, a local choice. A risk counts for nobody who objects to lists made from scores. What does not belong here: who is on a
list, and how much continuity somebody receives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.cohorts import need_rules, reason_words
from fuller_popheath.cohorts.person_columns import PERSON, SCORE, Wanted, arrow_columns, keys_and, values
from fuller_popheath.contracts import conform, load_contract
from fuller_popheath.specs import Inputs, Night, TableSpec

if TYPE_CHECKING:
    import pyarrow as pa

CONTRACT = "core/continuity_need"
OBJECTION = "core/person_objection"
WANTED: Wanted = {
    PERSON: ("age_years",),
    OBJECTION: ("excluded_from_score_list",),
    "features/conditions": tuple(name for name in dict.fromkeys((*reason_words.COLUMNS, *need_rules.COLUMNS)) if name.startswith("has_")),
    "features/comorbidity": ("condition_count",),
    "features/frailty": ("efi_deficit_count", "efi_category", "coded_frailty"),
    "features/contacts": ("contact_count_365",),
    "features/hospital": ("ed_attendance_count_365",),
    SCORE: ("probability",),
}
"""What is read of each table."""


def build(inputs: Inputs, night: Night) -> pa.Table:
    """One row per person of core/person, in its order. Raises ContractBroken where a group of features is about others, SettingsWrong for a rule
    with a reason that does not exist."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    person, columns = inputs[PERSON], arrow_columns(inputs, WANTED)
    objects = pc.fill_null(columns.pop("excluded_from_score_list"), True)
    columns["probability"] = pc.if_else(objects, None, columns["probability"])
    arrays = {name: values(column) for name, column in columns.items()}
    need = need_rules.need_of(arrays, night.site.continuity_need)
    made = pa.table(
        {
            "as_of": person["as_of"],
            "person_id": person["person_id"],
            "points": need.points,
            "level": pa.DictionaryArray.from_arrays(pa.array(need.level), pa.array(need_rules.LEVELS)).cast(pa.string()),
            "reason_codes": reason_words.reason_codes(need),
            "reasons": reason_words.reasons_in_words(need, arrays),
            "is_risk_known": ~np.isnan(arrays["probability"]),
        }
    )
    return conform(made, load_contract(CONTRACT))


TABLE = TableSpec(contract=CONTRACT, inputs=tuple(WANTED), build=build, columns=keys_and(WANTED))
