"""What happens to a list between two issues: people are taken off it or marked, and nothing else. Nobody is added, moved or brought back.

The same is done with any earlier list before it is used again, so that going back to it brings no one back who has died, left, objected or been
reviewed since. What does not belong here: making a list (`issuing.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from fuller_popheath.cohorts.list_rows import COLUMNS, HOSPITAL, PERSON, REVIEW, days_ago, rows_of
from fuller_popheath.cohorts.list_words import (
    DIED,
    EXCLUDED_BY_TEAM,
    LEFT,
    MARKS,
    NEW_ADMISSION,
    OBJECTS,
    REVIEWED,
    SENSITIVE,
    TAKEN_ON,
    TAKES_OFF,
    TEAM_ENDED,
    VERDICTS,
    WISH,
    day_told,
    review_told,
)
from fuller_popheath.cohorts.reviews import ON_CASELOAD, in_force
from fuller_popheath.contracts import conform, empty_table, load_contract
from fuller_popheath.errors import ContractBroken
from fuller_popheath.specs import ContractId, Inputs

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa

LIST, ACCOUNT = "products/cohort_list", "products/cohort_list_account"
GROUP, LOG, LIST_CHANGE = "core/selection_group", "core/selection_log", "core/list_change"
LISTS: tuple[ContractId, ...] = (LIST, ACCOUNT, GROUP, LOG, LIST_CHANGE)
"""The tables of lists over time."""

TEAM, CANDIDATE, REGISTRATION = "core/team_capacity", "core/list_candidate", "core/registration"
LISTED, REMOVED = "listed", "removed"
OBJECTIONS = ("type_1_objection", "type_1_unknown", "national_objection")
ROW = ["issue_id", "team_id", "person_id"]

INPUTS: tuple[ContractId, ...] = (TEAM, CANDIDATE, PERSON, REGISTRATION, HOSPITAL, REVIEW)
"""What pruning reads of the day that it is done for."""


def standing_of(previous: Mapping[ContractId, pa.Table] | None) -> dict[ContractId, pa.Table]:
    """The tables of lists of an earlier night, each there: with its columns and no rows where it was not.

    A column that may be empty and was not kept on that night is empty.
    """
    given = previous or {}
    return {
        name: conform(_with_newer(given[name], name), load_contract(name)) if name in given else empty_table(load_contract(name)) for name in LISTS
    }


def _with_newer(table: pa.Table, contract_id: ContractId) -> pa.Table:
    import pyarrow as pa

    for column in load_contract(contract_id).columns:
        if column.name not in table.column_names and not column.required:
            table = table.append_column(column.name, pa.nulls(table.num_rows, column.arrow_type))
    return table


def prune(as_of: date, standing: Mapping[ContractId, pa.Table], tables: Inputs) -> dict[ContractId, pa.Table]:
    """The standing lists as at `as_of`, and what stands behind them: the five tables of `LISTS`.

    `standing`: those five of the same or any earlier day; `tables`: INPUTS of `as_of`. Rows keep their order and what is in them, but for state, mark
    and marked_on; each new mark or removal is one row of core/list_change. Doing it twice changes nothing more. Raises ContractBroken where the
    standing lists are of a later day, or core/list_candidate has no row of somebody whom a team serves.
    """
    listed = standing[LIST]
    _refuse_later(listed, as_of)
    rows = listed.select([*ROW, "practice_code", "state", "mark", "marked_on", "last_emergency_admission_date", "row_reference", "rank"]).to_pandas()
    found = _found(rows[rows["state"] == LISTED], tables, as_of)
    rows.loc[found.index, "mark"] = found["mark"]
    rows.loc[found.index, "marked_on"] = as_of
    rows.loc[found.index[found["mark"].isin(TAKES_OFF)], "state"] = REMOVED
    made = {name: _on_day(table, as_of) for name, table in standing.items()}
    made[LIST] = _with_columns(made[LIST], rows, ("state", "mark", "marked_on"))
    made[ACCOUNT] = _counted_again(made[ACCOUNT], rows)
    made[LIST_CHANGE] = _with_changes(made[LIST_CHANGE], rows.loc[found.index].assign(words=found["words"]), as_of)
    return made


def roll_back(
    as_of: date, earlier: Mapping[ContractId, pa.Table], latest: Mapping[ContractId, pa.Table], tables: Inputs
) -> dict[ContractId, pa.Table]:
    """The lists of an earlier night as they may be used again at `as_of`: pruned by tonight's tables, and whoever was taken off since stays off.

    `earlier` and `latest`: the tables of LISTS of that night and of the newest; the rows of both are told apart by issue, team and person. Raises as
    `prune` does.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    off = latest[LIST].filter(pc.equal(latest[LIST]["state"], REMOVED)).select([*ROW, "mark", "marked_on"]).to_pylist()
    since = {tuple(row[name] for name in ROW): row for row in off}
    rows = earlier[LIST].select([*ROW, "state", "mark", "marked_on"]).to_pylist()
    newly = {key: since[key] for row in rows if row["state"] == LISTED and (key := tuple(row[name] for name in ROW)) in since}
    for row in rows:
        if told := newly.get(tuple(row[name] for name in ROW)):
            row |= {"state": REMOVED, "mark": told["mark"], "marked_on": told["marked_on"]}
    listed = earlier[LIST]
    for name in ("state", "mark", "marked_on"):
        place = listed.column_names.index(name)
        listed = listed.set_column(place, name, pa.array([row[name] for row in rows], listed.schema.field(name).type))
    changes = latest[LIST_CHANGE].filter(pc.equal(latest[LIST_CHANGE]["change"], REMOVED))
    keys = zip(*(changes[name].to_pylist() for name in ROW), strict=True)
    told_since = changes.filter(pa.array([key in newly for key in keys], pa.bool_()))
    return prune(as_of, {**earlier, LIST: listed, LIST_CHANGE: pa.concat_tables([earlier[LIST_CHANGE], told_since])}, tables)


def _refuse_later(listed: pa.Table, as_of: date) -> None:
    import pyarrow.compute as pc

    late = pc.sum(pc.greater(listed["as_of"], as_of)).as_py() or 0
    if late:
        raise ContractBroken(f"the standing lists are not of {as_of} or a day before ({late} of {listed.num_rows} rows are later)")


def _found(listed: pd.DataFrame, tables: Inputs, as_of: date) -> pd.DataFrame:
    """`mark` and `words` of those listed rows to which something new has happened; by their index."""
    import numpy as np
    import pandas as pd
    import pyarrow as pa

    people = pa.array(sorted(set(listed["person_id"])), pa.string())
    now = _now(listed, tables, people, as_of)
    conditions = _conditions(now)
    marks = list(conditions)
    which = np.select(list(conditions.values()), range(1, len(marks) + 1), default=0)
    happened = now[which > 0].assign(mark=[marks[number - 1] for number in which[which > 0]])
    # A row carries one mark: the first stays, unless the person is taken off.
    happened = happened[happened["mark"].isin(TAKES_OFF) | happened["is_unmarked"]]
    reviews = {row["person_id"]: row for row in in_force(tables[REVIEW], as_of).to_pylist()} if len(happened) else {}
    rows: list[Any] = happened.to_dict("records")
    words = [_words(row, reviews.get(row["person_id"])) for row in rows]
    return pd.DataFrame({"mark": happened["mark"], "words": pd.Series(words, index=happened.index, dtype=object)})


def _now(listed: pd.DataFrame, tables: Inputs, people: pa.Array, as_of: date) -> pd.DataFrame:
    """The listed rows with what is true of each person and team tonight, in the same order and with the same index."""
    teams = tables[TEAM].select(["team_id", "neighbourhood_code"]).to_pandas().rename(columns={"neighbourhood_code": "team_neighbourhood"})
    person = rows_of(tables[PERSON], people, ("person_id", "practice_code", "neighbourhood_code", "is_sensitive"))
    person = person.rename(columns={"practice_code": "practice_now"}).assign(is_there=True)
    candidate = rows_of(tables[CANDIDATE], people, ("team_id", "person_id", "verdict", "kept_off_by"))
    hospital = rows_of(tables[HOSPITAL], people, COLUMNS[HOSPITAL])
    hospital = hospital.assign(last_admission=days_ago(hospital["days_since_last_emergency_admission"], as_of))[["person_id", "last_admission"]]
    died = rows_of(tables[REGISTRATION], people, ("person_id", "death_date")).dropna()
    dead = set(died.loc[[day <= as_of for day in died["death_date"]], "person_id"])
    made = listed.merge(teams, on="team_id", how="left", validate="many_to_one")
    made = made.merge(person, on="person_id", how="left", validate="many_to_one")
    made = made.merge(candidate, on=["team_id", "person_id"], how="left", validate="many_to_one")
    made = made.merge(hospital, on="person_id", how="left", validate="many_to_one")
    made.index = listed.index
    known_before = made["last_emergency_admission_date"]
    return made.assign(
        is_there=made["is_there"].notna(),
        is_sensitive=made["is_sensitive"].eq(True),
        is_dead=made["person_id"].isin(dead),
        is_unmarked=made["mark"].isna(),
        is_newly_admitted=[_is_later(now, before) for now, before in zip(made["last_admission"], known_before, strict=True)],
    )


def _is_later(now: Any, before: Any) -> bool:
    return isinstance(now, date) and (not isinstance(before, date) or now > before)


def _conditions(now: pd.DataFrame) -> dict[str, np.ndarray]:
    """For each mark whether it is true of each row; of several the first counts. Raises ContractBroken where that cannot be told."""
    has_team = now["team_neighbourhood"].notna()
    is_served = has_team & now["neighbourhood_code"].eq(now["team_neighbourhood"])
    left = ~now["is_there"] | now["practice_now"].ne(now["practice_code"])
    unknown = int((is_served & ~left & now["verdict"].isna()).sum())
    if unknown:
        raise ContractBroken(f"{CANDIDATE} has no row of {unknown} people of their team's neighbourhood: make it again from tonight's people")
    is_review = now["verdict"].eq("review")
    by_wish = now["kept_off_by"].eq("no_lists_please")
    # Whom the team has taken on stays on this week's list, marked: these are the people it now sees.
    is_taken_on = is_review & now["kept_off_by"].isin(ON_CASELOAD)
    found = {
        DIED: ~now["is_there"] & now["is_dead"],
        SENSITIVE: now["is_sensitive"] & now["is_there"],
        LEFT: left,
        TEAM_ENDED: ~has_team,
        OBJECTS: now["verdict"].isin(OBJECTIONS),
        WISH: is_review & by_wish,
        REVIEWED: is_review & ~by_wish & ~is_taken_on,
        EXCLUDED_BY_TEAM: now["verdict"].eq("team_excludes"),
        TAKEN_ON: is_taken_on,
        NEW_ADMISSION: now["is_newly_admitted"],
    }
    # The team serves another neighbourhood now: the person has left it, in a manner of speaking.
    found[LEFT] |= has_team & ~is_served
    return {mark: condition.to_numpy(dtype=bool) for mark, condition in found.items()}


def _words(row: Mapping[str, Any], review: Mapping[str, Any] | None) -> str:
    """Why a row is marked or taken off, in plain English."""
    mark = row["mark"]
    if mark in (REVIEWED, WISH, TAKEN_ON):
        return review_told(review) if review else VERDICTS["review"]
    if mark == NEW_ADMISSION:
        return f"an emergency admission on {day_told(row['last_admission'])} that was not known when the list was issued"
    if mark == OBJECTS:
        return f"{MARKS[OBJECTS]}: {VERDICTS[row['verdict']]}"
    if mark == LEFT and row["is_there"]:
        if row["practice_now"] == row["practice_code"]:
            return "the practice is of another team's neighbourhood now"
        is_near = row["neighbourhood_code"] == row["team_neighbourhood"]
        return f"now registered at another practice{' of the neighbourhood' if is_near else ', which the team does not serve'}"
    return MARKS[mark]


def _on_day(table: pa.Table, as_of: date) -> pa.Table:
    """The same rows, as at another day."""
    import pyarrow as pa

    return table.set_column(table.column_names.index("as_of"), "as_of", pa.repeat(pa.scalar(as_of, pa.date32()), table.num_rows))


def _with_columns(table: pa.Table, rows: pd.DataFrame, names: tuple[str, ...]) -> pa.Table:
    import pyarrow as pa

    for name in names:
        place = table.column_names.index(name)
        table = table.set_column(place, name, pa.array(rows[name].to_list(), table.schema.field(name).type, from_pandas=True))
    return table


def _counted_again(account: pa.Table, rows: pd.DataFrame) -> pa.Table:
    """The account with how many are listed and how many have been taken off by now."""
    import pandas as pd

    keys = account.select(["issue_id", "team_id"]).to_pandas()
    counts = pd.crosstab([rows["issue_id"], rows["team_id"]], rows["state"]).reindex(columns=[LISTED, REMOVED], fill_value=0).reset_index()
    both = keys.merge(counts, on=["issue_id", "team_id"], how="left", validate="one_to_one").fillna({LISTED: 0, REMOVED: 0})
    both = both.rename(columns={LISTED: "listed_count", REMOVED: "removed_count"}).astype({"listed_count": int, "removed_count": int})
    return _with_columns(account, both, ("listed_count", "removed_count"))


def _with_changes(changes: pa.Table, happened: pd.DataFrame, as_of: date) -> pa.Table:
    import pyarrow as pa

    if not len(happened):
        return changes
    made = happened.assign(
        as_of=as_of,
        changed_on=as_of,
        change=[REMOVED if state == REMOVED else "marked" for state in happened["state"]],
        previous_issue_id=None,
        previous_rank=None,
    ).sort_values(["team_id", "rank"])
    new = conform(pa.Table.from_pandas(made[list(changes.column_names)], preserve_index=False), load_contract(LIST_CHANGE))
    return pa.concat_tables([changes, new])
