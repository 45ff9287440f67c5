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
SCORE = "risk/score"
OBJECTION = "core/person_objection"
SHOWN_RISK = "emergency_admission_12m"
OF_PERSON = ("practice_code", "age_years", "sex", "usual_gp_code", "is_linked", "extract_date", "extract_age_days")


def build(inputs: Inputs, night: Night) -> pa.Table:
    """One row per listed person, by neighbourhood and rank. The risk stands beside those who do not object to lists made from scores."""
    import pyarrow as pa
    import pyarrow.compute as pc

    need, person = inputs[NEED], inputs[PERSON]
    listed = need.filter(pc.equal(need["verdict"], LISTED))
    about = person.filter(pc.is_in(person["person_id"], value_set=listed["person_id"].combine_chunks())).select(["person_id", *OF_PERSON])
    names = inputs[PRACTICES].select(["practice_code", "practice_name"])
    rows = listed.to_pandas().merge(about.to_pandas(), on="person_id", how="left", validate="one_to_one")
    rows = rows.merge(names.to_pandas(), on="practice_code", how="left", validate="many_to_one")
    rows = rows.merge(_risks(inputs, listed["person_id"]).to_pandas(), on="person_id", how="left", validate="one_to_one")
    rows = rows.sort_values(["neighbourhood_code", "rank"], ignore_index=True)
    whole = dict.fromkeys(("rank", "days_since_last_contact", "age_years", "extract_age_days"), "Int64")
    return conform(pa.Table.from_pandas(rows.astype(whole), preserve_index=False), load_contract(CONTRACT))


def _risks(inputs: Inputs, people: pa.ChunkedArray) -> pa.Table:
    """The risk in words of those people who have one that may stand on a list."""
    import pyarrow.compute as pc

    score, objection = inputs[SCORE], inputs[OBJECTION]
    objects = objection.filter(pc.fill_null(objection["excluded_from_score_list"], True))["person_id"].combine_chunks()
    shown = score.filter(pc.and_(pc.equal(score["outcome"], SHOWN_RISK), pc.is_in(score["person_id"], value_set=people.combine_chunks())))
    shown = shown.filter(pc.invert(pc.is_in(shown["person_id"], value_set=objects)))
    return shown.select(["person_id", "risk_words", "is_demonstration"]).rename_columns(["person_id", "risk_words", "risk_is_demonstration"])


TABLE = TableSpec(
    contract=CONTRACT,
    inputs=(NEED, PERSON, PRACTICES, SCORE, OBJECTION),
    build=build,
    columns={SCORE: ("person_id", "outcome", "risk_words", "is_demonstration"), OBJECTION: ("person_id", "excluded_from_score_list")},
)
