"""What stands beside each person on a list, as at the day of the issue: need, risk, continuity, last contacts, practice, what was said before.

Only of the few people who are listed: each table is looked through once, for them. What does not belong here: who is listed, and in which order.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING

from fuller_popheath.cohorts.person_columns import SHOWN_RISK
from fuller_popheath.cohorts.reviews import last_reviews
from fuller_popheath.errors import ContractBroken
from fuller_popheath.specs import ContractId, Inputs

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

PERSON, NEED, GAP = "core/person", "core/continuity_need", "core/continuity_gap"
CONTINUITY, CONTACTS, HOSPITAL = "features/continuity", "features/contacts", "features/hospital"
SCORE, REASON, CHANGE = "risk/score", "risk/score_reason", "risk/score_change"
OBJECTION, REVIEW, PRACTICE = "core/person_objection", "core/review", "core/neighbourhood_practice"
MOST_REASONS = 3
"""So many reasons for a risk are told."""
NO_REASON = "none is recorded"

COLUMNS: Mapping[ContractId, tuple[str, ...]] = {
    PERSON: (
        *("person_id", "practice_code", "neighbourhood_code", "age_years", "sex", "usual_gp_code", "registration_start_date"),
        *("is_linked", "is_sensitive", "extract_date", "extract_age_days"),
    ),
    NEED: ("person_id", "reasons"),
    GAP: ("person_id", "received_percentile"),
    CONTINUITY: ("person_id", "continuity_upc", "continuity_contact_count", "continuity_clinician_count"),
    CONTACTS: ("person_id", "days_since_last_contact"),
    HOSPITAL: ("person_id", "emergency_admission_count_365", "days_since_last_emergency_admission"),
    SCORE: ("person_id", "outcome", "risk_words", "is_demonstration"),
    REASON: ("person_id", "outcome", "place", "direction", "words"),
    CHANGE: ("person_id", "outcome", "change", "words"),
    OBJECTION: ("person_id", "excluded_from_score_list"),
}
"""What is read of each table that has more."""

OF_PERSON = (
    "person_id",
    "practice_code",
    "age_years",
    "sex",
    "usual_gp_code",
    "registration_start_date",
    "is_linked",
    "extract_date",
    "extract_age_days",
)


def rows_of(table: pa.Table, people: pa.Array, columns: tuple[str, ...], outcome: str = "") -> pd.DataFrame:
    """The rows of a table that are about some people, of one outcome where it has several."""
    import pyarrow.compute as pc

    found = table.select(list(columns)).filter(pc.is_in(table["person_id"], value_set=people))
    if outcome:
        found = found.filter(pc.equal(found["outcome"], outcome)).drop_columns(["outcome"])
    return found.to_pandas()


def facts(tables: Inputs, people: pa.Array, as_of: date) -> pd.DataFrame:
    """One row for each of `people` (person ids, each once, all in core/person), by person_id, with the columns of products/cohort_list about them.

    The risk and its reasons are those of people who do not object to lists made from scores. Raises ContractBroken, with counts, where somebody is
    not in core/person.
    """
    made = rows_of(tables[PERSON], people, OF_PERSON)
    if len(made) != len(people):
        raise ContractBroken(f"{len(people) - len(made)} of {len(people)} people to be listed are not in {PERSON}: make core/list_candidate again")
    names = tables[PRACTICE].select(["practice_code", "practice_name"]).to_pandas()
    made = made.merge(names, on="practice_code", how="left", validate="many_to_one")
    about = [rows_of(tables[name], people, COLUMNS[name]) for name in (NEED, GAP, CONTINUITY, CONTACTS)]
    for found in (*about, _hospital(tables, people, as_of), _risk(tables, people), _last_reviews(tables, people)):
        made = made.merge(found, on="person_id", how="left", validate="one_to_one")
    made["reasons"] = made["reasons"].where(made["reasons"].notna(), NO_REASON)
    return made.set_index("person_id").sort_index()


def _hospital(tables: Inputs, people: pa.Array, as_of: date) -> pd.DataFrame:
    found = rows_of(tables[HOSPITAL], people, COLUMNS[HOSPITAL])
    found["last_emergency_admission_date"] = days_ago(found.pop("days_since_last_emergency_admission"), as_of)
    return found


def days_ago(days: pd.Series, as_of: date) -> pd.Series:
    """The day so many days before `as_of`; None where there is no number."""
    import pandas as pd

    told = [None if number != number or number is None else as_of - timedelta(days=int(number)) for number in days]
    return pd.Series(told, index=days.index, dtype=object)


def _risk(tables: Inputs, people: pa.Array) -> pd.DataFrame:
    """Risk in words, how it changed and what raises it, of those of some people who may have it on a list."""
    import pyarrow as pa
    import pyarrow.compute as pc

    objection = rows_of(tables[OBJECTION], people, COLUMNS[OBJECTION])
    free = objection.loc[~objection["excluded_from_score_list"].astype(bool), "person_id"]
    shown = pc.filter(people, pc.is_in(people, value_set=pa.array(free, people.type)))
    made = rows_of(tables[SCORE], shown, COLUMNS[SCORE], SHOWN_RISK).rename(columns={"is_demonstration": "risk_is_demonstration"})
    changes = rows_of(tables[CHANGE], shown, COLUMNS[CHANGE], SHOWN_RISK)
    changes = changes[changes["change"].isin(("rose", "fell"))]
    changes["risk_change"] = changes["change"].astype(str) + changes["words"].map(
        lambda words: f": {words}" if isinstance(words, str) else ""
    ).astype(str)
    reasons = rows_of(tables[REASON], shown, COLUMNS[REASON], SHOWN_RISK)
    reasons = reasons[reasons["direction"] == "raises"].sort_values(["person_id", "place"])
    reasons = reasons[reasons.groupby("person_id").cumcount() < MOST_REASONS]
    joined = reasons.groupby("person_id")["words"].agg("; ".join).rename("risk_reasons").reset_index()
    made = made.merge(changes[["person_id", "risk_change"]], on="person_id", how="left", validate="one_to_one")
    return made.merge(joined, on="person_id", how="left", validate="one_to_one")


def _last_reviews(tables: Inputs, people: pa.Array) -> pd.DataFrame:
    """person_id and last_review: what was last said of each of some people, in words; no row where nothing was."""
    import pyarrow.compute as pc

    review = tables[REVIEW]
    told = last_reviews(review.filter(pc.is_in(review["person_id"], value_set=people)))
    return told.rename_columns(["person_id", "last_review"]).to_pandas()
