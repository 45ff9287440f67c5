"""What clinicians said about listed people, and people about lists: kept for ever, in force for a time.

Local choices, all of them: for how long each outcome keeps somebody off (site.toml, [reviews]); that the newest review of a listed row goes before
its older ones, and of one day the one that arrived later corrects what arrived before; that a person's wish to be on no list ends only with the
person's own word (lists_again) or where the same row is corrected; and for how long whoever was accepted counts as somebody's caseload.
What was corrected and is then said once more with the first day cannot be told from an old file that still lies in the folder: give it a new day.
Reviews are judgements of people about people who were listed: no model is trained on them or judged by them.
What does not belong here: reading what came back (`sources/review_outcome.py`), and finding whose row it is (`review_matching.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from fuller_popheath.cohorts.review_matching import SAID, matched, unmatched_in_words
from fuller_popheath.cohorts.review_words import LISTS_AGAIN, review_in_words
from fuller_popheath.sources.review_words import NOT_REVIEWED
from fuller_popheath.specs import ContractId

if TYPE_CHECKING:
    import pyarrow as pa

    from fuller_popheath.specs import Night

REVIEW: ContractId = "core/review"
WISH = "no_lists_please"
WISHES = (WISH, LISTS_AGAIN)
ON_CASELOAD = ("accepted", "already_known")
SAYS_NOTHING_OF_A_CASELOAD = ("later", *WISHES)
CASELOAD_DAYS = 730
"""For so long after the review somebody who was accepted, or known already, counts as somebody's caseload: as long as newly surfaced looks back."""

KEY = ("person_id", "issue_id", "team_id", "row_reference", "review_outcome", "reviewed_on")
LISTED_ROW = ("issue_id", "team_id", "row_reference")
LONGEST_DAYS = 36_525
"""A setting of more days than a century has is for good."""


@dataclass(frozen=True)
class Reviewed:
    """What a night knows of reviews: `review`, the contract core/review, and of tonight's returns how many rows have a review and how many none.

    `unmatched`: the reviewed rows that are of no list, or of an impossible day: columns of inbound/review_outcome and `broken_rules`;
    `unmatched_words` names them by file and row number.
    """

    review: pa.Table
    returned_count: int
    passed_over_count: int
    unmatched: pa.Table
    unmatched_words: str

    @property
    def unmatched_count(self) -> int:
        """How many reviewed rows belong to no list that was issued, or carry an impossible day."""
        return self.unmatched.num_rows


def reviews_of_tonight(
    returns: pa.Table, issued: pa.Table, previous: pa.Table | None, night: Night, names: Mapping[str, str] = MappingProxyType({})
) -> Reviewed:
    """All reviews ever received: those of the night before, and of tonight's returns what was not known.

    `returns`: rows of inbound/review_outcome. `issued`: one row a listed row of any list so far, with issue_id, team_id, row_reference, person_id,
    rank and reason_codes. `previous`: the last core/review before tonight. `names`: what files of returns are called, by return_id. Rows that came
    back without a review are passed over and counted. When each review ends is worked out anew, so that site.toml holds for old ones too. Of one
    review that came with two days to come back to, the later counts. Sorted by key.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    from fuller_popheath.contracts import conform, load_contract

    contract = load_contract(REVIEW)
    before = previous.to_pylist() if previous is not None else []
    kept, said = {_named(row, KEY): row for row in before}, {_named(row, SAID) for row in before}
    is_review = pc.not_equal(returns["review_outcome"], NOT_REVIEWED)
    reviewed = returns.filter(is_review)
    found, unmatched = matched(reviewed, _with_known(issued, previous), night.as_of, {_named(row, SAID) for row in before})
    # With a day first: what a row says already is not said anew, every night, by a copy of it without one.
    for row in sorted(found.to_pylist(), key=lambda row: row["reviewed_on"] is None):
        if row["reviewed_on"] is None:
            if _named(row, SAID) in said:
                continue
            row["reviewed_on"] = night.as_of
        else:
            said.add(_named(row, SAID))
        _keep(kept, row | {"received_on": night.as_of})
    rows = [
        row | {"as_of": night.as_of, "ends_on": ends_on(row, night.site.reviews.days_off), "is_wish": row["review_outcome"] in WISHES}
        for _, row in sorted(kept.items(), key=lambda item: item[0])
    ]
    made = pa.Table.from_pylist(rows, schema=contract.schema) if rows else contract.schema.empty_table()
    return Reviewed(conform(made, contract), reviewed.num_rows, returns.num_rows - reviewed.num_rows, unmatched, unmatched_in_words(unmatched, names))


def all_reviews(snapshots: Iterable[pa.Table]) -> pa.Table:
    """Every review that any stored core/review has, once (by KEY): what the next night, a second run of a day or one of an older day begins with.

    `snapshots`: core/review of any days, in any order. The earliest `received_on` of a review is kept, with the latest day to come back to and
    whatever else the newest snapshot says of it. One row a review, of the contract core/review, `as_of` the newest snapshot's; sorted by key. The
    columns without a row where there is none.
    """
    import pyarrow as pa

    from fuller_popheath.contracts import conform, load_contract

    contract = load_contract(REVIEW)
    kept: dict[tuple[Any, ...], dict[str, Any]] = {}
    rows = [row for table in snapshots for row in table.select(list(contract.column_names)).to_pylist()]
    for row in sorted(rows, key=lambda row: row["as_of"]):
        known = kept.get(_named(row, KEY), row)
        later = max((day for day in (known["later_until"], row["later_until"]) if day is not None), default=None)
        newer = {name: value for name, value in row.items() if value is not None or name == "ends_on"}
        kept[_named(row, KEY)] = {**known, **newer, "received_on": min(known["received_on"], row["received_on"]), "later_until": later}
    newest = max((row["as_of"] for row in rows), default=None)
    told = [row | {"as_of": newest} for _, row in sorted(kept.items(), key=lambda item: item[0])]
    return conform(pa.Table.from_pylist(told, schema=contract.schema) if told else contract.schema.empty_table(), contract)


def _named(row: Mapping[str, Any], names: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(row[name] for name in names)


def _keep(kept: dict[tuple[Any, ...], dict[str, Any]], row: dict[str, Any]) -> None:
    known = kept.setdefault(_named(row, KEY), row)
    if row["later_until"] is not None and (known["later_until"] is None or known["later_until"] < row["later_until"]):
        kept[_named(row, KEY)] = known | {"later_until": row["later_until"]}


def _with_known(issued: pa.Table, previous: pa.Table | None) -> pa.Table:
    """The listed rows, with those that a review was kept of: an old workbook that still lies in the folder is of no unknown list."""
    import pyarrow as pa

    names = [*LISTED_ROW, "person_id", "rank", "reason_codes"]
    tables = [issued.select(names)] + ([previous.select(names)] if previous is not None else [])
    return pa.concat_tables(tables, promote_options="permissive")


def ends_on(review: Mapping[str, Any], days_off: Mapping[str, int]) -> date | None:
    """The day from which on a review keeps nobody off; None: for good. `later` counts to its own date if it has one; lists_again to none."""
    outcome, day, later = str(review["review_outcome"]), review["reviewed_on"], review["later_until"]
    if outcome == LISTS_AGAIN:
        end: date = day
    elif outcome == "later" and later is not None:
        end = later
    elif 0 < days_off[outcome] <= LONGEST_DAYS:
        end = day + timedelta(days=days_off[outcome])
    else:
        return None
    return end


def in_force(review: pa.Table, as_of: date) -> pa.Table:
    """Who is kept off lists on a day, and by what: one row a person, sorted by person_id.

    Columns person_id, outcome, until (the day from which they may be listed; empty: for good), issue_id, team_id, reviewed_on, is_wish. A wish goes
    before a judgement; then the one that ends last, and the newest of those. Of a listed row only its newest review counts, by its day and then the
    night it arrived; a wish counts until the same person says lists_again on a later day, or the same row is corrected (see `not_corrected`).
    `review`: core/review.
    """
    import pyarrow as pa

    rows = not_corrected(review).select([*KEY, "ends_on", "is_wish"]).to_pylist()
    newest: dict[tuple[Any, ...], date] = {}
    again: dict[str, date] = {}
    for row in rows:
        place = _named(row, LISTED_ROW)
        newest[place] = max(newest.get(place, row["reviewed_on"]), row["reviewed_on"])
        if row["review_outcome"] == LISTS_AGAIN:
            again[row["person_id"]] = max(again.get(row["person_id"], row["reviewed_on"]), row["reviewed_on"])
    best: dict[str, dict[str, Any]] = {}
    for row in rows:
        if row["review_outcome"] == LISTS_AGAIN or (row["ends_on"] is not None and row["ends_on"] <= as_of):
            continue
        if row["is_wish"]:
            counts = row["person_id"] not in again or row["reviewed_on"] >= again[row["person_id"]]
        else:
            counts = row["reviewed_on"] == newest[_named(row, LISTED_ROW)]
        if counts and (row["person_id"] not in best or _strength(row) > _strength(best[row["person_id"]])):
            best[row["person_id"]] = row
    told = [best[person] for person in sorted(best)]
    columns = {
        "person_id": "person_id",
        "outcome": "review_outcome",
        "until": "ends_on",
        **{n: n for n in ("issue_id", "team_id", "reviewed_on", "is_wish")},
    }
    types = {"until": pa.date32(), "reviewed_on": pa.date32(), "is_wish": pa.bool_()}
    return pa.table({name: pa.array([row[source] for row in told], types.get(name, pa.string())) for name, source in columns.items()})


def not_corrected(review: pa.Table) -> pa.Table:
    """The reviews that nothing corrects, in their order: a typing error is put right by returning the row once more.

    A review is corrected by another outcome of the same listed row that arrived on a later night and is of the same day; a wish to be on no list also
    by one of a later day. What is said of another list corrects nothing. `review`: core/review, or its columns LISTED_ROW, review_outcome,
    reviewed_on and received_on.
    """
    import pyarrow as pa

    names = (*LISTED_ROW, "review_outcome", "reviewed_on", "received_on")
    rows = list(zip(*(review[name].to_pylist() for name in names), strict=True))
    of_row: dict[tuple[Any, ...], list[tuple[Any, ...]]] = {}
    for *place, outcome, day, received in rows:
        of_row.setdefault(tuple(place), []).append((outcome, day, received))

    def stands(outcome: str, day: date, received: date, others: list[tuple[Any, ...]]) -> bool:
        return not any(o != outcome and r > received and (d == day or (d > day and outcome == WISH)) for o, d, r in others)

    return review.filter(pa.array([stands(outcome, day, received, of_row[tuple(place)]) for *place, outcome, day, received in rows], pa.bool_()))


def _strength(row: Mapping[str, Any]) -> tuple[bool, date, date, str, str, str, str]:
    """What orders the reviews of one person; the last four only so that the answer is always the same."""
    told = (str(row["review_outcome"]), str(row["issue_id"]), str(row["team_id"]), str(row["row_reference"]))
    return (bool(row["is_wish"]), row["ends_on"] or date.max, row["reviewed_on"], *told)


def last_reviews(review: pa.Table) -> pa.Table:
    """What was last said about each person, whether or not it still keeps them off: person_id and words, for the next reader. Sorted by person_id."""
    import pyarrow as pa

    newest: dict[str, dict[str, Any]] = {}
    for row in not_corrected(review).select([*KEY, "ends_on", "is_wish", "received_on"]).to_pylist():
        person = row["person_id"]
        if person not in newest or _recency(row) > _recency(newest[person]):
            newest[person] = row
    words = [review_in_words(newest[p]["review_outcome"], newest[p]["reviewed_on"], *_end(newest[p])) for p in sorted(newest)]
    return pa.table({"person_id": pa.array(sorted(newest), pa.string()), "words": pa.array(words, pa.string())})


def _recency(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return (row["reviewed_on"], row["received_on"], *_strength(row))


def _end(row: Mapping[str, Any]) -> tuple[date | None, bool]:
    return (None, False) if row["review_outcome"] == LISTS_AGAIN else (row["ends_on"], row["ends_on"] is None)


def on_caseload(review: pa.Table, as_of: date) -> pa.Array:
    """The person_id of everybody on a team's caseload, sorted: whoever was accepted or known already when last judged, within CASELOAD_DAYS.

    The newest review of the person decides, by its day and then the night it arrived, but for what says nothing of it (later, wishes): whoever was
    accepted and then declined is on none. What was corrected (see `not_corrected`) does not count. Two years is a local choice, that of newly
    surfaced; it outlasts the time for which the review itself keeps the person off.
    """
    import pyarrow as pa

    newest: dict[str, tuple[date, date, str]] = {}
    standing = not_corrected(review)
    columns = (standing[name].to_pylist() for name in ("person_id", "reviewed_on", "received_on", "review_outcome"))
    for person, *said in zip(*columns, strict=True):
        if said[-1] not in SAYS_NOTHING_OF_A_CASELOAD:
            newest[person] = max(newest.get(person, tuple(said)), tuple(said))
    first = as_of - timedelta(days=CASELOAD_DAYS)
    return pa.array(sorted(person for person, (day, _, outcome) in newest.items() if outcome in ON_CASELOAD and day >= first), pa.string())
