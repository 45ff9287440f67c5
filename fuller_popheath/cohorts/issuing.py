"""A new list for teams whose day it is: who is chosen, what stands beside each of them, what is different from the last list, and what decided.

A list is issued once a week (site.toml, [lists]); a team's list can be made anew by hand under a number of its own. Only people of the team's own
neighbourhood can be on it: anything else is refused. What does not belong here: who could be listed (`list_candidate.py`), the choice itself
(`capacity.py`), what happens to a list afterwards (`pruning.py`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from fuller_popheath.cohorts.capacity import TeamChoice, choose_team, who_stays
from fuller_popheath.cohorts.list_account import account_row, coverage, no_coverage, verdict_counts
from fuller_popheath.cohorts.list_candidate import ELIGIBLE, priority_in_use
from fuller_popheath.cohorts.list_changes import JOINED, LEFT, STAYED, After, Before, before_again, differences
from fuller_popheath.cohorts.list_rows import PERSON, PRACTICE, REVIEW, facts, rows_of
from fuller_popheath.cohorts.pruning import ACCOUNT, CANDIDATE, GROUP, LIST, LIST_CHANGE, LISTED, LOG, REMOVED, TEAM
from fuller_popheath.cohorts.review_words import review_in_words
from fuller_popheath.cohorts.row_reference import row_references
from fuller_popheath.cohorts.selection_log import log_rows
from fuller_popheath.cohorts.team_changes import changed_team, rescored
from fuller_popheath.contracts import conform, empty_table, load_contract
from fuller_popheath.errors import ContractBroken
from fuller_popheath.site_lists import WEEKDAYS
from fuller_popheath.specs import ContractId, Inputs, Night

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from fuller_popheath.site_lists import Lists

CHECKS = "core/list_size_check"
ISSUE = re.compile(r"list-(\d{4}-\d{2}-\d{2})(?:-(\d{1,2}))?")
OF_CANDIDATE = ("person_id", "is_newly_surfaced", "need_points", "need_level", "reason_codes")
WHOLE = ("rank", "age_years", "extract_age_days", "days_since_last_contact")
Changes = Mapping[str, Mapping[str, Any]]


def is_issue_day(as_of: date, last_issued_on: date | None, weekday: str) -> bool:
    """Whether a list is due: there is none yet, or a `weekday` (monday ...) has come since the last, be it today or on a night that did not run."""
    if last_issued_on is None:
        return True
    days_since_weekday = (as_of.weekday() - WEEKDAYS.index(weekday)) % 7
    return as_of - timedelta(days=days_since_weekday) > last_issued_on


def issue_id_for(as_of: date, known: Iterable[str], by_hand: bool) -> str:
    """The name of an issue of the day that none of the `known` ones has: `list-2026-10-05`; made by hand, the first free number from -2 on."""
    taken = set(known)
    numbers = [f"list-{as_of.isoformat()}-{number}" for number in range(2, 100)]
    names = numbers if by_hand else [f"list-{as_of.isoformat()}", *numbers]
    for name in names:
        if name not in taken:
            return name
    raise ContractBroken(f"{LIST}: {len(numbers)} issues were made on {as_of} already; make no more on this day")


@dataclass(frozen=True)
class _Made:
    """One team's new list: its settings as used, those who could be listed, what was chosen among them, and the references of the rows."""

    team: Mapping[str, Any]
    eligible: pa.Table
    choice: TeamChoice
    references: Mapping[str, str]

    @property
    def listed(self) -> list[str]:
        """The people on the list."""
        return list(self.references)


def issue(
    as_of: date,
    tables: Inputs,
    standing: Mapping[ContractId, pa.Table],
    night: Night,
    teams: Collection[str],
    changes: Changes,
    issue_id: str,
) -> dict[ContractId, pa.Table]:
    """The rows of the five tables of lists that a new issue has, for some teams (all of core/team_capacity).

    `standing`: the lists of all teams until now, pruned as at `as_of`: whoever stands on another team's list, stays on it, or has just been given a
    place by a team before in the order of team_id, is on no second one. A list that is made anew on its day of issue is compared with the one that
    stood before the day, and those stay on who stood on that. `changes`: settings of a team to use in place of its own, by team_id. The same
    arguments give the same list. Raises ContractBroken, with counts, where people who could be listed are not of their team's neighbourhood, and
    SettingsWrong for a change that cannot be made.
    """
    befores = {team_id: _before(standing, team_id, as_of) for team_id in sorted(teams)}
    made = _chosen(tables, standing, befores, night, changes, issue_id)
    rows = _rows(made, tables, as_of, issue_id)
    changed = _changes(made, rows, befores, tables, as_of, issue_id)
    is_new = {(row["team_id"], row["person_id"]): row["change"] == JOINED for row in changed}
    rows["is_new"] = [is_new[key] for key in zip(rows["team_id"], rows["person_id"], strict=True)]
    key = {"as_of": as_of, "issue_id": issue_id}
    groups = [{**key, "team_id": each.team["team_id"], **row} for each in made for row in each.choice.groups]
    return {
        LIST: _conformed(rows, LIST),
        ACCOUNT: _from_rows(_accounts(made, rows, changed, tables, standing, night, key), ACCOUNT),
        GROUP: _from_rows(groups, GROUP),
        LOG: _log(made, as_of, issue_id),
        LIST_CHANGE: _from_rows(changed, LIST_CHANGE),
    }


def _chosen(
    tables: Inputs, standing: Mapping[ContractId, pa.Table], befores: Mapping[str, Before | None], night: Night, changes: Changes, issue_id: str
) -> list[_Made]:
    import pyarrow as pa
    import pyarrow.compute as pc

    settings = {row["team_id"]: row for row in tables[TEAM].to_pylist()}
    candidates = tables[CANDIDATE].filter(pc.equal(tables[CANDIDATE]["verdict"], ELIGIBLE))
    candidates = candidates.filter(pc.is_in(candidates["team_id"], value_set=pa.array(befores, pa.string())))
    _refuse_strangers(candidates, settings, tables[PERSON])
    lists, plus = night.site.lists, (*night.site.plus.groups, *night.site.plus.local)
    taken = _listed_by(standing[LIST], but=befores)
    asked: dict[str, tuple[dict[str, Any], pa.Table]] = {}
    for team_id in befores:
        team = changed_team(settings[team_id], changes.get(team_id, {}))
        eligible = _without(candidates.filter(pc.equal(candidates["team_id"], team_id)), taken)
        team["priority_used"] = priority_in_use(team["priority"], tables[CANDIDATE])
        if team["priority"] != settings[team_id]["priority"]:
            eligible = rescored(eligible, team["priority_used"], tables)
        asked[team_id] = team, eligible
    stays = _stays(asked, befores, issue_id, lists)
    made = []
    for team_id, (team, people) in asked.items():
        others = {person for other, kept in stays.items() if other != team_id for person in kept}
        eligible = _without(people, taken | others)
        before = befores[team_id]
        choice = choose_team(eligible, team, before.listed if before else (), issue_id, lists, plus)
        listed = eligible["person_id"].filter(pa.array(choice.chosen)).to_pylist()
        taken.update(listed)
        made.append(_Made(team, eligible, choice, dict(zip(listed, row_references(issue_id, team_id, listed), strict=True))))
    return made


def _stays(
    asked: Mapping[str, tuple[Mapping[str, Any], pa.Table]], befores: Mapping[str, Before | None], issue_id: str, lists: Lists
) -> dict[str, frozenset[str]]:
    """Of teams that share a neighbourhood, whom each would keep of its last list if the others had all of theirs: they are for no other team."""
    areas = Counter(team["neighbourhood_code"] for team, _ in asked.values())
    shared = [team_id for team_id, (team, _) in asked.items() if areas[team["neighbourhood_code"]] > 1]
    listed = {team_id: before.listed for team_id in shared if (before := befores[team_id])}
    kept = {}
    for team_id, own in listed.items():
        team, eligible = asked[team_id]
        others = {person for other, people in listed.items() if other != team_id for person in people}
        kept[team_id] = who_stays(_without(eligible, others), team, own, issue_id, lists)
    return kept


def _listed_by(listed: pa.Table, but: Collection[str]) -> set[str]:
    """Who stands on the lists of all teams but some."""
    rows = listed.select(["team_id", "person_id", "state"]).to_pylist()
    return {row["person_id"] for row in rows if row["state"] == LISTED and row["team_id"] not in but}


def _without(people: pa.Table, some: Collection[str]) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    return people.filter(pc.invert(pc.is_in(people["person_id"], value_set=pa.array(sorted(some), pa.string()))))


def _refuse_strangers(candidates: pa.Table, teams: Mapping[str, Mapping[str, Any]], person: pa.Table) -> None:
    """Raises ContractBroken where a team's list could hold people who are not of its neighbourhood, by their practice tonight."""
    import pyarrow as pa
    import pyarrow.compute as pc

    served = pa.table(
        {"team_id": pa.array(teams, pa.string()), "served": pa.array([team["neighbourhood_code"] for team in teams.values()], pa.string())}
    )
    of_team = (
        served["served"].combine_chunks().take(pc.index_in(candidates["team_id"].combine_chunks(), value_set=served["team_id"].combine_chunks()))
    )
    places = pc.index_in(candidates["person_id"].combine_chunks(), value_set=person["person_id"].combine_chunks())
    lives = person["neighbourhood_code"].combine_chunks().take(places)
    is_own = pc.and_(pc.fill_null(pc.equal(lives, of_team), False), pc.fill_null(pc.equal(candidates["neighbourhood_code"], of_team), False))
    strangers = candidates.filter(pc.invert(is_own))["team_id"]
    if len(strangers):
        told = "; ".join(f"{row['values']}: {row['counts']} people" for row in strangers.value_counts().sort().to_pylist()[:5])
        raise ContractBroken(
            f"{LIST}: {len(strangers)} people who could be listed are not of their team's neighbourhood ({told}). A list is for a team's own people: "
            f"make {CANDIDATE} again from tonight's {PERSON} and {TEAM}"
        )


def _rows(made: Sequence[_Made], tables: Inputs, as_of: date, issue_id: str) -> pd.DataFrame:
    """The rows of products/cohort_list, by team and rank, but for is_new; and registration_start_date, which explanations read."""
    import pandas as pd
    import pyarrow as pa

    parts = []
    for each in made:
        chosen = pa.array(each.choice.chosen)
        part = each.eligible.select(list(OF_CANDIDATE)).filter(chosen).to_pandas()
        decided = [word for word, is_listed in zip(each.choice.decided_by, each.choice.chosen, strict=True) if is_listed]
        part = part.assign(
            team_id=each.team["team_id"],
            neighbourhood_code=each.team["neighbourhood_code"],
            rank=each.choice.rank[each.choice.chosen],
            decided_by=decided,
            row_reference=list(each.references.values()),
        )
        parts.append(part.sort_values("rank"))
    rows = pd.concat(parts, ignore_index=True)
    about = facts(tables, pa.array(sorted(rows["person_id"]), pa.string()), as_of)
    if rows.empty:  # pandas cannot join two texts of which neither has a chunk
        rows["person_id"] = rows["person_id"].astype(object)
    return rows.join(about, on="person_id").assign(as_of=as_of, issue_id=issue_id, state=LISTED, mark=None, marked_on=None)


def _before(standing: Mapping[ContractId, pa.Table], team_id: str, as_of: date) -> Before | None:
    """The list that a team's new one is compared with: that until now, or where that was issued today the one before; None where there is none."""
    import pyarrow.compute as pc

    def own(name: ContractId) -> pa.Table:
        return standing[name].filter(pc.equal(standing[name]["team_id"], team_id))

    def places(issue_id: str) -> dict[str, int]:
        log = own(LOG).filter(pc.equal(own(LOG)["issue_id"], issue_id)).select(["person_id", "rank_by_score"]).to_pydict()
        return dict(zip(log["person_id"], log["rank_by_score"], strict=True))

    accounts = own(ACCOUNT).select(["issue_id", "issued_on"]).to_pylist()
    if not accounts:
        return None
    issue_id, issued_on, changes = accounts[0]["issue_id"], accounts[0]["issued_on"], own(LIST_CHANGE).to_pylist()
    if issued_on == as_of:
        earlier = next((row["previous_issue_id"] for row in changes if row["previous_issue_id"]), None)
        named = ISSUE.fullmatch(earlier or "")
        return before_again(changes, date.fromisoformat(named.group(1)), places(named.group())) if named else None
    return Before(
        issue_id=issue_id,
        issued_on=issued_on,
        rows=own(LIST).select(["person_id", "state", "rank", "practice_code"]).to_pandas().set_index("person_id"),
        places=places(issue_id),
        taken_off={row["person_id"]: row["words"] for row in changes if row["change"] == REMOVED},
    )


def _changes(
    made: Sequence[_Made], rows: pd.DataFrame, befores: Mapping[str, Before | None], tables: Inputs, as_of: date, issue_id: str
) -> list[dict[str, Any]]:
    import pyarrow as pa

    known = {person for before in befores.values() if before for person in before.rows.index} | set(rows["person_id"])
    people = pa.array(sorted(known), pa.string())
    verdicts: dict[str, dict[str, str]] = {}
    for row in rows_of(tables[CANDIDATE], people, ("team_id", "person_id", "verdict")).to_dict("records"):
        verdicts.setdefault(row["team_id"], {})[row["person_id"]] = row["verdict"]
    lists = dict(zip(rows["person_id"], rows["team_id"], strict=True))
    by_team = dict(iter(rows.set_index("person_id").groupby("team_id")))
    changed: list[dict[str, Any]] = []
    for each in made:
        team_id = each.team["team_id"]
        before = befores[team_id]
        after = After(
            issue_id=issue_id,
            team_id=team_id,
            as_of=as_of,
            rows=by_team.get(team_id, rows.head(0).set_index("person_id")),
            places=dict(zip(each.eligible["person_id"].to_pylist(), each.choice.rank_by_score.tolist(), strict=True)),
            slots=each.choice.places,
            verdicts=verdicts.get(team_id, {}),
            elsewhere={person: team for person, team in lists.items() if team != team_id},
            ended=_ended(tables[REVIEW], before.issued_on, as_of) if before else {},
        )
        changed += differences(before, after)
    return changed


def _ended(review: pa.Table, since: date, as_of: date) -> dict[str, str]:
    """Whose review or wish has ended after a day and by another, and what it was."""
    import pyarrow.compute as pc

    found = review.filter(pc.and_(pc.greater(review["ends_on"], since), pc.less_equal(review["ends_on"], as_of)))
    rows = found.select(["person_id", "review_outcome", "reviewed_on", "ends_on"]).sort_by([("ends_on", "ascending"), ("reviewed_on", "ascending")])
    return {row["person_id"]: review_in_words(row["review_outcome"], row["reviewed_on"], row["ends_on"]) for row in rows.to_pylist()}


def _accounts(
    made: Sequence[_Made],
    rows: pd.DataFrame,
    changed: Sequence[Mapping[str, Any]],
    tables: Inputs,
    standing: Mapping[ContractId, pa.Table],
    night: Night,
    key: Mapping[str, Any],
) -> list[dict[str, Any]]:
    import pyarrow.compute as pc

    counts = verdict_counts(tables[CANDIDATE])
    covered = coverage(tables[CHECKS].to_pandas(), tables[PRACTICE].to_pandas())
    shown = set(rows.loc[rows["risk_is_demonstration"].eq(True), "team_id"])
    on_lists = _listed_by(standing[LIST], but=[each.team["team_id"] for each in made]).union(*(each.listed for each in made))
    accounts = []
    for each in made:
        team_id = each.team["team_id"]
        could = tables[CANDIDATE].filter(pc.and_(pc.equal(tables[CANDIDATE]["team_id"], team_id), pc.equal(tables[CANDIDATE]["verdict"], ELIGIBLE)))
        kinds = [row["change"] for row in changed if row["team_id"] == team_id]
        accounts.append(
            {
                **key,
                "issued_on": key["as_of"],
                **account_row(
                    each.team, each.choice, counts.get(team_id, {}), covered.get(each.team["neighbourhood_code"], no_coverage()), night.site.lists
                ),
                "elsewhere_count": len((on_lists - set(each.listed)).intersection(could["person_id"].to_pylist())),
                **{f"{kind}_count": kinds.count(kind) for kind in (JOINED, LEFT, STAYED)},
                "is_demonstration": team_id in shown,
            }
        )
    return accounts


def _log(made: Sequence[_Made], as_of: date, issue_id: str) -> pa.Table:
    import pyarrow as pa

    parts = []
    for each in made:
        references = [each.references.get(person) for person in each.eligible["person_id"].to_pylist()]
        parts.append(log_rows(issue_id, each.team["team_id"], as_of, each.eligible, each.choice, references))
    return pa.concat_tables(parts) if parts else empty_table(load_contract(LOG))


def _conformed(rows: pd.DataFrame, contract_id: ContractId) -> pa.Table:
    import pyarrow as pa

    contract = load_contract(contract_id)
    made = rows[list(contract.column_names)].astype(dict.fromkeys(WHOLE, "Int64"))
    return conform(pa.Table.from_pandas(made, preserve_index=False), contract)


def _from_rows(rows: Sequence[Mapping[str, Any]], contract_id: ContractId) -> pa.Table:
    import pyarrow as pa

    contract = load_contract(contract_id)
    return conform(pa.Table.from_pylist(list(rows), schema=contract.schema), contract)
