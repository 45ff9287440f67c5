"""Why somebody is on a team's list, or is not: every rule in order, what it found, and which of them decided.

Of one person, known by a pseudonym alone: no name and no number is here, and asking is no re-identification. What does not belong here: finding
the rows in the store (`why_command.py`), and the rules themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from fuller_popheath.cohorts.list_account import NO_TEAM
from fuller_popheath.cohorts.list_candidate import excluded_by_team
from fuller_popheath.cohorts.list_rows import MOST_REASONS
from fuller_popheath.cohorts.list_words import PRIORITIES, VERDICTS, day_told, review_told
from fuller_popheath.cohorts.need_rules import reasons_with_points
from fuller_popheath.cohorts.reason_words import NAMES
from fuller_popheath.cohorts.review_words import REVIEW_TOLD, review_in_words
from fuller_popheath.cohorts.reviews import in_force
from fuller_popheath.contracts import load_contract
from fuller_popheath.specs import ContractId

if TYPE_CHECKING:
    from fuller_popheath.site import Site

Row = Mapping[str, Any]

PERSON, TEAM, CANDIDATE, OBJECTION = "core/person", "core/team_capacity", "core/list_candidate", "core/person_objection"
NEED, GAP, SCORE, REASON = "core/continuity_need", "core/continuity_gap", "risk/score", "risk/score_reason"
CONDITIONS, LOG, REVIEW = "features/conditions", "core/selection_log", "core/review"
LIST, ACCOUNT, CHANGE = "products/cohort_list", "products/cohort_list_account", "core/list_change"

AS_AT_THE_ISSUE: Mapping[ContractId, tuple[str, ...]] = {
    PERSON: ("person_id",),
    TEAM: (),
    CANDIDATE: ("person_id",),
    OBJECTION: ("person_id",),
    NEED: ("person_id",),
    GAP: ("person_id",),
    CONDITIONS: ("person_id",),
    SCORE: ("person_id", "outcome"),
    REASON: ("person_id", "outcome"),
    LOG: ("person_id", "issue_id"),
    LIST: ("person_id",),
    ACCOUNT: ("issue_id",),
}
"""What is looked at as at the day of the issue, and by which columns its rows are found; by none: all of them."""

COLUMNS: Mapping[ContractId, tuple[str, ...]] = {
    PERSON: ("person_id", "practice_code", "neighbourhood_code", "age_years", "is_sensitive", "extract_date"),
    CONDITIONS: ("person_id", "has_care_home", "has_housebound"),
}
"""The columns that are wanted of what has many more."""

SINCE: Mapping[ContractId, tuple[str, ...]] = {CHANGE: ("person_id", "issue_id"), LIST: ("person_id", "issue_id")}
"""What is looked at as at the last day on which the issue stood."""


@dataclass(frozen=True)
class Step:
    """One rule: its name, whether it speaks against listing the person (None: it does not say), and what it found, in words."""

    rule: str
    is_against: bool | None
    words: str


@dataclass(frozen=True)
class Trace:
    """The rules of one team's list in order, for one person. `answer`: in one sentence whether they are on it, and what decided."""

    person_id: str
    team_id: str
    issue_id: str
    answer: str
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Kept:
    """What the store keeps of one person and one issue.

    Rows by contract, `at` the issue (AS_AT_THE_ISSUE) and `since` (SINCE), and all `reviews` of the person. `as_of`: the day of the issue; `until`:
    the last day on which it stood, which `since` is as at.
    """

    as_of: date
    until: date
    at: Mapping[ContractId, Sequence[Row]]
    since: Mapping[ContractId, Sequence[Row]]
    reviews: Sequence[Row]

    def first(self, contract_id: ContractId, **equal: str) -> Row | None:
        """The first row as at the issue that has some values."""
        return next((row for row in self.at[contract_id] if all(row[name] == value for name, value in equal.items())), None)


def teams_of(kept: Kept) -> tuple[str, ...]:
    """The teams whose list could have held the person as at the issue, and those whose list did."""
    person = kept.first(PERSON)
    served = [team["team_id"] for team in kept.at[TEAM] if person and team["neighbourhood_code"] == person["neighbourhood_code"]]
    held = [row["team_id"] for contract in (LOG, LIST) for row in kept.at[contract] if row.get("issue_id")]
    return tuple(sorted({*served, *held}))


def trace(kept: Kept, person_id: str, team_id: str, issue_id: str, site: Site) -> Trace:
    """Every rule for one person and team. The first rule that speaks against listing decides; where none does, the choice of the team's list."""
    person, team = kept.first(PERSON), kept.first(TEAM, team_id=team_id)
    steps = [_registered(person, kept), _team(person, team, team_id)]
    if person is not None and team is not None:
        steps += [*_objections(kept, team_id), _sensitive(person), _reviews(kept), _exclusions(kept, team, person, site), _need(kept, site)]
        steps += [*_choice(kept, team_id, issue_id), *_since(kept, team_id, issue_id)]
    return Trace(person_id, team_id, issue_id, _answer(kept, team_id, issue_id, steps), tuple(steps))


def _registered(person: Row | None, kept: Kept) -> Step:
    if person is None:
        return Step("registered", True, f"not among the people registered as at {day_told(kept.as_of)}: has died, has left, or was never here")
    return Step("registered", False, f"at practice {person['practice_code']}, by its list of {day_told(person['extract_date'])}")


def _team(person: Row | None, team: Row | None, team_id: str) -> Step:
    if person is None:
        return Step("team", None, "no team can list somebody who is not registered")
    if team is None:
        where = f"no team serves the neighbourhood {person['neighbourhood_code']}"
        return Step("team", True, where if team_id == NO_TEAM else f"team {team_id} was not in force")
    served, lives = team["neighbourhood_code"], person["neighbourhood_code"]
    if served != lives:
        return Step("team", True, f"the person's neighbourhood is {lives}; team {team_id} serves {served}, and lists its own people alone")
    return Step("team", False, f"neighbourhood {lives}, which team {team_id} serves")


def _objections(kept: Kept, team_id: str) -> list[Step]:
    objection, candidate = kept.first(OBJECTION), kept.first(CANDIDATE, team_id=team_id)
    if objection is None or candidate is None:
        return [Step("objections", None, "nothing is kept of them")]
    from_scores = candidate["priority_used"] in ("risk", "risk_and_gap")
    kind = "made from scores" if from_scores else "made by a rule"
    is_out = bool(objection["excluded_from_score_list" if from_scores else "excluded_from_rule_list"])
    held = [words for name, words in (("has_type_1_objection", "Type 1"), ("has_national_objection", "national data opt-out")) if objection[name]]
    held += ["wants no lists"] if objection.get("wants_no_lists") else []
    told = f"has objected: {', '.join(held)}" if held else "none"
    if objection["type_1_reason"] == "unknown":
        told = VERDICTS["type_1_unknown"]
    return [Step("objections", is_out, f"{told}{f'; keeps the person off lists {kind}' if is_out else ''}")]


def _sensitive(person: Row) -> Step:
    return Step("record", bool(person["is_sensitive"]), VERDICTS["sensitive_record"] if person["is_sensitive"] else "not marked as not to be shared")


def _reviews(kept: Kept) -> Step:
    """What was said, what of it kept the person off on the day of the issue, and what was over by then or came later."""
    import pyarrow as pa

    rows = sorted(kept.reviews, key=lambda row: (row["reviewed_on"], row["review_outcome"]))
    known = [dict(row) for row in rows if row["received_on"] <= kept.as_of]
    review = pa.Table.from_pylist(known, schema=load_contract(REVIEW).schema)
    holding = in_force(review, kept.as_of).to_pylist()
    told = [f"{review_told(row)}{', after which the person may return' if row['until'] else ''}" for row in holding]
    told += [f"on {day_told(row['reviewed_on'])}: {REVIEW_TOLD[row['review_outcome']]}" for row in known if not _is_one_of(row, holding)]
    told += [f"said later: {review_in_words(r['review_outcome'], r['reviewed_on'], r['ends_on'])}" for r in rows if r["received_on"] > kept.as_of]
    return Step("reviews", bool(holding), "; ".join(told) or "nothing was said of the person")


def _is_one_of(row: Row, holding: Sequence[Row]) -> bool:
    return any(row["review_outcome"] == each["outcome"] and row["reviewed_on"] == each["reviewed_on"] for each in holding)


def _exclusions(kept: Kept, team: Row, person: Row, site: Site) -> Step:
    """Each thing that the team says about whom it sees, and which of them keep the person off."""
    import numpy as np

    conditions, need = kept.first(CONDITIONS) or {}, kept.first(NEED) or {}
    about = {
        "age_years": np.array([person["age_years"]]),
        "has_care_home": np.array([bool(conditions.get("has_care_home"))]),
        "has_housebound": np.array([bool(conditions.get("has_housebound"))]),
        "reason_codes": np.array([need.get("reason_codes") or ""], dtype=object),
    }
    asked = {
        **{("exclude", word): f"does not see: {word.replace('_', ' ')}" for word in (team["exclude"] or "").split(";") if word},
        **({("minimum_age", team["minimum_age"]): f"sees people from {team['minimum_age']} years on"} if team["minimum_age"] is not None else {}),
        **({("maximum_age", team["maximum_age"]): f"sees people up to {team['maximum_age']} years"} if team["maximum_age"] is not None else {}),
        **({("skills", team["skills"]): f"has skills for {team['skills'].replace(';', ', ').replace('_', ' ')}"} if team["skills"] else {}),
    }
    if not asked:
        return Step("team's exclusions", False, "none: the team sees everybody")
    nothing = dict.fromkeys(("exclude", "minimum_age", "maximum_age", "skills"))
    against = {key: bool(excluded_by_team({**nothing, key[0]: key[1]}, about, site.lists.skills)[0]) for key in asked}
    told = [f"the team {words}{' (which leaves the person out)' if against[key] else ''}" for key, words in asked.items()]
    return Step("team's exclusions", any(against.values()), "; ".join(told))


def _need(kept: Kept, site: Site) -> Step:
    need, least = kept.first(NEED), site.lists.minimum_points
    if need is None:
        return Step("need", None, "nothing is kept of it")
    points = site.continuity_need.points
    codes = [code for code in (need["reason_codes"] or "").split(",") if code]
    known = reasons_with_points(site.continuity_need)
    parts = [f"{NAMES[code]} {points[code]}" if code in known else code for code in codes]
    told = f"{need['points']} point{'s' * (need['points'] != 1)} ({need['level']}): {', '.join(parts) or 'no reason holds'}; a list asks for {least}"
    return Step("need", need["points"] < least, f"{told}. In words: {need['reasons']}" if need["reasons"] else told)


def _choice(kept: Kept, team_id: str, issue_id: str) -> list[Step]:
    """Score, place by score, and what gave or cost the place, of somebody who could be listed."""
    log = kept.first(LOG, team_id=team_id, issue_id=issue_id)
    if log is None:
        other = next((row["team_id"] for row in kept.at[LIST] if row["team_id"] != team_id), None)
        candidate = kept.first(CANDIDATE, team_id=team_id)
        if candidate is None or candidate["verdict"] != "eligible":
            return [Step("score", None, "none: only who could be listed is put in order")]
        where = f"is on the list of team {other}, and on no second one" if other else "was not among those put in order"
        return [Step("score", True, where)]
    account = kept.first(ACCOUNT, team_id=team_id) or {}
    candidate = kept.first(CANDIDATE, team_id=team_id) or {}
    places = account["slots_count"] - account["reserve_count"] if account else None
    return [_score(kept, account, candidate, log), _place(account, log, places), _decision(account, log, places)]


def _score(kept: Kept, account: Row, candidate: Row, log: Row) -> Step:
    priority = account.get("priority_used") or candidate.get("priority_used", "need")
    told = [f"by {PRIORITIES[priority]}"]
    told.append(_risk(kept))
    if gap := kept.first(GAP):
        received = gap["received_percentile"]
        is_known = "not known" if received is None else f"at {100 * received:.0f} of 100 among people with as many contacts"
        told.append(f"continuity received {is_known}, gap {'not known' if gap['gap'] is None else format(gap['gap'], '.2f')}")
    # A risk is told in words alone; any other score by its number.
    told += [] if priority == "risk" else [f"score {log['score']:.3g}"]
    return Step("score", None, "; ".join(told))


def _risk(kept: Kept) -> str:
    """The risk in words with what raises it most, unless the person objects to its use."""
    score, objection = kept.first(SCORE), kept.first(OBJECTION)
    if objection is None or objection["excluded_from_score_list"]:
        return "risk not used: the person objects"
    if score is None:
        return "risk not known"
    reasons = [row["words"] for row in sorted(kept.at[REASON], key=lambda row: int(row["place"])) if row["direction"] == "raises"]
    return f"risk {score['risk_words']}" + (f" ({'; '.join(reasons[:MOST_REASONS])})" if reasons else "")


def _place(account: Row, log: Row, places: int | None) -> Step:
    among = f" of {account['eligible_count']:,} who could be listed" if account else ""
    told = f"place {log['rank_by_score']:,} by score{among}" + (f"; the list has {places:,} places" if places is not None else "")
    told += f"; draw {log['draw']:.4f}, which decides among equal scores"
    return Step("place by score", None if log["is_listed"] else not log["is_by_score_alone"], told)


def _decision(account: Row, log: Row, places: int | None) -> Step:
    words = {
        "score": "listed by score alone",
        "draw": "listed by lot",
        "stay_on": "listed because the person was on the last list and is near enough to stay",
        "floor": "listed so that a group has its share",
        "quota": "listed as newly surfaced: no emergency admission in two years, and on no caseload",
    }
    band = "; stood in the margin band, where the lot decides" if log["is_in_margin_band"] else ""
    floors = f". Floors and quota: {account['floors']}" if account and account["floors"] else ""
    if log["is_listed"]:
        return Step("choice", False, f"{words[log['decided_by']]}, as number {log['rank']}, row {log['row_reference']}{band}{floors}")
    if log["is_in_margin_band"]:
        return Step("choice", True, f"not listed: the lot at the margin went to somebody else{floors}")
    if log["is_by_score_alone"]:
        return Step("choice", True, f"not listed: would be by score alone, but floors, quota or staying on give the place to others{floors}")
    same = "others with the same score were drawn first" if log["score"] == log["threshold"] else "others come before"
    return Step("choice", True, f"not listed: {same}{floors}")


def _since(kept: Kept, team_id: str, issue_id: str) -> list[Step]:
    """What happened to the person's row between the issue and the last day on which it stood."""
    row = next((row for row in kept.since[LIST] if row["team_id"] == team_id and row["issue_id"] == issue_id), None)
    if row is None:
        return []
    changes = [each for each in kept.since[CHANGE] if each["team_id"] == team_id and each["change"] in ("removed", "marked")]
    told = [f"{'taken off' if each['change'] == 'removed' else 'marked'} on {day_told(each['changed_on'])}: {each['words']}" for each in changes]
    return [Step("since the issue", row["state"] == "removed", "; ".join(told) or f"nothing, up to {day_told(kept.until)}")]


def _answer(kept: Kept, team_id: str, issue_id: str, steps: Sequence[Step]) -> str:
    where = f"the list {issue_id} of team {team_id}"
    log = kept.first(LOG, team_id=team_id, issue_id=issue_id)
    against = [step for step in steps if step.is_against]
    if log and log["is_listed"]:
        if steps[-1].rule == "since the issue" and steps[-1].is_against:
            return f"Was on {where}, and is off it: {steps[-1].words}"
        return f"On {where}: {next(step.words for step in steps if step.rule == 'choice')}"
    return f"Not on {where}. {against[0].rule.capitalize()}: {against[0].words}" if against else f"Not on {where}"
