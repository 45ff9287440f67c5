"""For each team everybody of its neighbourhood: could they be on its list, else why not; their score by the team's priority, and their groups.

How a score is made is a local choice, and is not validated: risk, the continuity gap (nought where continuity received is unknown), points of need,
or the mean of the places by risk and by gap. What does not belong here: who is chosen (`capacity.py`), how need, gap and risk come about.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fuller_popheath.cohorts import reviews
from fuller_popheath.cohorts.person_columns import PERSON, SCORE, Wanted, arrow_columns, keys_and, values
from fuller_popheath.contracts import conform, load_contract
from fuller_popheath.methods.percentiles import mid_rank_percentile
from fuller_popheath.specs import Inputs, Night, TableSpec

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from fuller_popheath.site import Site

CONTRACT = "core/list_candidate"
TEAM, NEED, GAP, PLUS = "core/team_capacity", "core/continuity_need", "core/continuity_gap", "core/person_plus"
OBJECTION, REVIEW = "core/person_objection", reviews.REVIEW
WANTED: Wanted = {
    PERSON: ("neighbourhood_code", "age_years", "is_sensitive", "imd_2019_quintile", "imd_2025_quintile"),
    OBJECTION: ("has_type_1_objection", "type_1_reason", "wants_no_lists", "excluded_from_rule_list", "excluded_from_score_list"),
    NEED: ("points", "level", "reason_codes"),
    GAP: ("gap",),
    "features/hospital": ("emergency_admission_count_730",),
    "features/contacts": ("contact_count_365",),
    "features/conditions": ("has_palliative_care", "has_care_home", "has_housebound"),
    SCORE: ("probability",),
}
"""What is read of each table that has a row for everybody, and of the scores."""

ELIGIBLE, BELOW_POINTS, TEAM_EXCLUDES, REVIEWED, SENSITIVE = "eligible", "below_points", "team_excludes", "review", "sensitive_record"
TYPE_1, TYPE_1_UNKNOWN, NATIONAL = "type_1_objection", "type_1_unknown", "national_objection"
VERDICTS = (TYPE_1, TYPE_1_UNKNOWN, NATIONAL, SENSITIVE, REVIEWED, TEAM_EXCLUDES, BELOW_POINTS, ELIGIBLE)
"""What becomes of a person at a team: the first of these that is true."""
AGE_BANDS = ("under_18", "18_64", "65_plus")
ADULT_FROM, OLD_FROM = 18, 65
RISK, BY_GAP, RISK_AND_GAP, BY_NEED = "risk", "gap", "risk_and_gap", "need"

Arrays = Mapping[str, "NDArray[Any]"]
Columns = Mapping[str, "pa.ChunkedArray"]


@dataclass(frozen=True)
class _Everybody:
    """What is known of all people of core/person, in its order: arrays that rules read, and columns of the table that do not depend on a team."""

    arrays: Arrays
    table: pa.Table
    is_risk_in_use: bool


def build(inputs: Inputs, night: Night) -> pa.Table:
    """One row per team and person of its neighbourhood, in the order of team_id and core/person.

    Raises ContractBroken where another table is not about the people of core/person in their order.
    """
    import pyarrow as pa

    everybody = _everybody(inputs, night)
    neighbourhood = inputs[PERSON]["neighbourhood_code"].combine_chunks().dictionary_encode()
    area_of, areas = neighbourhood.indices.to_numpy(), neighbourhood.dictionary.to_pylist()
    by_area = np.argsort(area_of, kind="stable")
    first = np.searchsorted(area_of[by_area], np.arange(len(areas) + 1))
    people_of = {area: by_area[first[at] : first[at + 1]] for at, area in enumerate(areas)}
    teams = sorted(inputs[TEAM].to_pylist(), key=lambda team: str(team["team_id"]))
    parts = [_judged(team, people_of.get(team["neighbourhood_code"], np.zeros(0, np.int64)), everybody, night.site) for team in teams]
    rows = np.concatenate([part.rows for part in parts]) if parts else np.zeros(0, np.int64)
    made = {name: everybody.table[name].take(pa.array(rows)) for name in everybody.table.column_names}
    sizes = [len(part.rows) for part in parts]
    score = np.concatenate([part.score for part in parts]) if parts else np.zeros(0)
    made |= {
        "as_of": pa.repeat(pa.scalar(night.as_of, pa.date32()), len(rows)),
        "team_id": _repeated([str(team["team_id"]) for team in teams], sizes),
        "verdict": _words(np.concatenate([part.verdict for part in parts]) if parts else np.zeros(0, np.int8), VERDICTS),
        "score": pa.array(score, mask=np.isnan(score)),
        "priority_used": _repeated([priority_used(team["priority"], everybody.is_risk_in_use) for team in teams], sizes),
    }
    return conform(pa.table(made), load_contract(CONTRACT))


def priority_used(priority: str, is_risk_in_use: bool) -> str:
    """The priority that the score follows: points of need where a risk is asked for and no model is in use."""
    return BY_NEED if priority in (RISK, RISK_AND_GAP) and not is_risk_in_use else priority


def priority_in_use(priority: str, candidates: pa.Table) -> str:
    """The same for rows of core/list_candidate, whose column priority_used says whether a model is in use.

    Where no team of these rows asks for a risk, one is in use if it is known of anybody.
    """
    if priority not in (RISK, RISK_AND_GAP):
        return priority
    told = set(candidates["priority_used"].unique().to_pylist())
    return priority_used(priority, bool(told & {RISK, RISK_AND_GAP}) or candidates["risk"].null_count < candidates.num_rows)


def score_by(priority: str, points: NDArray[np.float64], risk: NDArray[np.float64], gap: NDArray[np.float64]) -> NDArray[np.float64]:
    """What orders the people of one team who could be listed, the highest first. A missing risk or gap is NaN.

    Whose continuity received is unknown has no gap; whose risk is unknown comes last by risk, and by the gap alone where both count, so that people
    whom no model scores (children, where none is in use for them) are not put behind all others. A local choice.
    """
    known_gap = np.nan_to_num(gap, nan=0.0)
    if priority == RISK:
        return np.nan_to_num(risk, nan=0.0)
    if priority == BY_GAP:
        return known_gap
    if priority == RISK_AND_GAP:
        by_gap, by_risk, is_scored = mid_rank_percentile(known_gap), np.full(len(risk), np.nan), ~np.isnan(risk)
        by_risk[is_scored] = mid_rank_percentile(risk[is_scored])
        return np.where(is_scored, (by_gap + by_risk) / 2, by_gap)
    return points.astype(np.float64)


def excluded_by_team(team: Mapping[str, Any], people: Arrays, skills: Mapping[str, Sequence[str]]) -> NDArray[np.bool_]:
    """Whom a team does not see: by its exclusions and ages, or because no reason of theirs is one that its skills answer.

    `people`: age_years, has_care_home, has_housebound, and reason_codes (with commas). `skills`: [lists] skills of the site.
    """
    age = people["age_years"]
    excluded = np.zeros(len(age), np.bool_)
    words = (team["exclude"] or "").split(";")
    for word, holds in (("care_home", people["has_care_home"]), ("housebound", people["has_housebound"])):
        excluded |= holds if word in words else False
    excluded |= (age < ADULT_FROM) if "under_18" in words else False
    excluded |= (age >= ADULT_FROM) if "adult" in words else False
    excluded |= (age < team["minimum_age"]) if team["minimum_age"] is not None else False
    excluded |= (age > team["maximum_age"]) if team["maximum_age"] is not None else False
    if team["skills"]:
        answered = {reason for skill in team["skills"].split(";") for reason in skills[skill]}
        excluded |= ~_any_of(people["reason_codes"], answered)
    return excluded


@dataclass(frozen=True)
class _Judged:
    """Of one team the places of its people in core/person, with the place of the verdict in VERDICTS and the score (NaN unless eligible)."""

    rows: NDArray[np.int64]
    verdict: NDArray[np.int8]
    score: NDArray[np.float64]


def _judged(team: Mapping[str, Any], rows: NDArray[np.int64], everybody: _Everybody, site: Site) -> _Judged:
    people = {name: column[rows] for name, column in everybody.arrays.items()}
    priority = priority_used(str(team["priority"]), everybody.is_risk_in_use)
    purpose = "score_list" if priority in (RISK, RISK_AND_GAP) else "rule_list"
    excluded = people[f"excluded_from_{purpose}"]
    # Which of two objections is told; whether one excludes at all was settled when the table was made.
    by_type_1 = excluded & people["has_type_1_objection"] if purpose in site.objections.type_1 else np.zeros(len(rows), np.bool_)
    is_unknown = people["type_1_reason"] == "unknown"
    reasons = {
        TYPE_1: by_type_1 & ~is_unknown,
        TYPE_1_UNKNOWN: by_type_1 & is_unknown,
        NATIONAL: excluded & ~people["wants_no_lists"],
        SENSITIVE: people["is_sensitive"],
        REVIEWED: people["is_kept_off"],
        TEAM_EXCLUDES: excluded_by_team(team, people, site.lists.skills),
        BELOW_POINTS: people["points"] < site.lists.minimum_points,
    }
    verdict = np.select([reasons[name] for name in VERDICTS[:-1]], range(len(VERDICTS) - 1), default=VERDICTS.index(ELIGIBLE)).astype(np.int8)
    eligible = verdict == VERDICTS.index(ELIGIBLE)
    score = np.full(len(rows), np.nan)
    score[eligible] = score_by(priority, *(people[name][eligible] for name in ("points", "probability", "gap")))
    return _Judged(rows, verdict, score)


def _everybody(inputs: Inputs, night: Night) -> _Everybody:
    import pyarrow as pa
    import pyarrow.compute as pc

    columns = arrow_columns(inputs, WANTED)
    # Whoever objects to lists made from scores has no risk here, whatever the team's priority.
    risk = pc.if_else(pc.fill_null(columns["excluded_from_score_list"], True), None, columns["probability"])
    arrays = {name: values(column) for name, column in columns.items() if name not in ("probability", "level", "neighbourhood_code")}
    arrays["probability"] = values(risk)
    is_risk_in_use = bool(columns["probability"].is_valid().to_numpy().any())
    people = inputs[PERSON]["person_id"].combine_chunks()
    kept_off, until = _kept_off(inputs[REVIEW], people, night)
    # Who told the house that they want no lists is kept off as by a review that says so.
    wishes = columns["wants_no_lists"].combine_chunks().fill_null(False)
    kept_off, until = pc.if_else(wishes, reviews.WISH, kept_off), pc.if_else(wishes, None, until)
    arrays["is_kept_off"] = kept_off.is_valid().to_numpy(zero_copy_only=False)
    plus, is_plus = _plus_groups(inputs[PLUS], people)
    quintile, age = arrays[f"imd_{night.site.lists.imd_edition}_quintile"], arrays["age_years"]
    on_caseload = _are_in(people, reviews.on_caseload(inputs[REVIEW], night.as_of)) | arrays["has_palliative_care"]
    band = np.digitize(age, (ADULT_FROM, OLD_FROM))
    told = {
        "person_id": people,
        "neighbourhood_code": columns["neighbourhood_code"],
        "need_points": columns["points"],
        "need_level": columns["level"],
        "reason_codes": columns["reason_codes"],
        "risk": risk,
        "gap": columns["gap"],
        "is_core20": pa.array(quintile == 1),
        "is_plus": pa.array(is_plus),
        "plus_groups": plus,
        "age_band": _words(band, AGE_BANDS),
        "is_under_18": pa.array(age < ADULT_FROM),
        "is_low_contact": pa.array(arrays["contact_count_365"] == 0),
        "is_newly_surfaced": pa.array((arrays["emergency_admission_count_730"] == 0) & ~on_caseload),
        "kept_off_by": kept_off,
        "kept_off_until": until,
    }
    return _Everybody(arrays, pa.table(told), is_risk_in_use)


def _kept_off(review: pa.Table, people: pa.Array, night: Night) -> tuple[pa.Array, pa.Array]:
    """What keeps each person off and until when; null where nothing does."""
    import pyarrow.compute as pc

    found = reviews.in_force(review, night.as_of)
    places = pc.index_in(people, value_set=found["person_id"].combine_chunks())
    return tuple(found[name].combine_chunks().take(places) for name in ("outcome", "until"))


def _plus_groups(plus: pa.Table, people: pa.Array) -> tuple[pa.Array, NDArray[np.bool_]]:
    """The groups that each person is in, with commas, null for none, and whether there is any. There are few combinations: each is written once."""
    import pyarrow as pa
    import pyarrow.compute as pc

    held = plus.filter(pc.equal(plus["membership"], "yes"))
    names = sorted(held["plus_group"].unique().to_pylist())
    bits = np.zeros(len(people), np.int64)
    for place, name in enumerate(names):
        bits |= _are_in(people, held.filter(pc.equal(held["plus_group"], name))["person_id"].combine_chunks()).astype(np.int64) << place
    combinations, which = np.unique(bits, return_inverse=True)
    texts = [",".join(name for place, name in enumerate(names) if int(each) >> place & 1) or None for each in combinations]
    return pa.array(texts, pa.string()).take(pa.array(which)), bits > 0


def _are_in(people: pa.Array, some: pa.Array) -> NDArray[np.bool_]:
    import pyarrow.compute as pc

    return np.asarray(pc.is_in(people, value_set=some).to_numpy(zero_copy_only=False))


def _any_of(codes: NDArray[Any], wanted: set[str]) -> NDArray[np.bool_]:
    """Whether one of the wanted codes is among those of each person (with commas). There are few combinations: each is looked at once."""
    import pyarrow as pa

    coded = pa.array(codes, pa.string()).dictionary_encode()
    found = np.array([bool(wanted & set(text.split(","))) for text in coded.dictionary.to_pylist()], np.bool_)
    return found[coded.indices.to_numpy()] if len(found) else np.zeros(len(codes), np.bool_)


def _words(which: NDArray[Any], words: Sequence[str]) -> pa.Array:
    import pyarrow as pa

    return pa.array(words, pa.string()).take(pa.array(which))


def _repeated(words: Sequence[str], times: Sequence[int]) -> pa.Array:
    return _words(np.repeat(np.arange(len(words)), times), words)


TABLE = TableSpec(
    contract=CONTRACT,
    inputs=(TEAM, *WANTED, PLUS, REVIEW),
    build=build,
    columns={**keys_and(WANTED), PLUS: ("person_id", "plus_group", "membership")},
)
