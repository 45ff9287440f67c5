"""The first continuity list: for each neighbourhood the people who by rule may gain most from seeing the same clinician.

The rules are `cohorts/first_list.py`, and a local choice. Objections are honoured there, before anybody is ranked.
What does not belong here: who was left out; see `continuity_list_account.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuller_popheath.cohorts.first_list import LISTED
from fuller_popheath.contracts import conform, load_contract
from fuller_popheath.specs import Inputs, Night, TableSpec

if TYPE_CHECKING:
    import pyarrow as pa

CONTRACT = "products/continuity_list"
NEED = "core/continuity_need"
PERSON = "core/person"
PRACTICES = "core/neighbourhood_practice"
OF_PERSON = ("practice_code", "age_years", "sex", "usual_gp_code", "is_linked", "extract_date", "extract_age_days")


def build(inputs: Inputs, night: Night) -> pa.Table:
    """One row per listed person, by neighbourhood and rank."""
    import pyarrow as pa
    import pyarrow.compute as pc

    need, person = inputs[NEED], inputs[PERSON]
    listed = need.filter(pc.equal(need["verdict"], LISTED))
    about = person.filter(pc.is_in(person["person_id"], value_set=listed["person_id"].combine_chunks())).select(["person_id", *OF_PERSON])
    names = inputs[PRACTICES].select(["practice_code", "practice_name"])
    rows = listed.to_pandas().merge(about.to_pandas(), on="person_id", how="left", validate="one_to_one")
    rows = rows.merge(names.to_pandas(), on="practice_code", how="left", validate="many_to_one")
    rows = rows.sort_values(["neighbourhood_code", "rank"], ignore_index=True)
    whole = dict.fromkeys(("rank", "days_since_last_contact", "age_years", "extract_age_days"), "Int64")
    return conform(pa.Table.from_pandas(rows.astype(whole), preserve_index=False), load_contract(CONTRACT))


TABLE = TableSpec(contract=CONTRACT, inputs=(NEED, PERSON, PRACTICES), build=build)
