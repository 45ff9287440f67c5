"""The lists that were issued, as the store kept them, and everybody who could have been on each: what looking back at lists is made from.

The log of an issue is whole in the snapshot of its day; every later one holds it while the issue stands. A list that was replaced on the day it was
made reached nobody and is none. What does not belong here: what became of people, and any figure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from fuller_popheath.arrival.extract_store import ExtractStore
from fuller_popheath.stored_tables import StoredTables

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from fuller_popheath.cohorts.list_yield import Candidates
    from fuller_popheath.specs import ContractId, Parts

Made = TypeVar("Made", bound=np.generic)
ACCOUNT, LOG, GROUP = "products/cohort_list_account", "core/selection_log", "core/selection_group"
CANDIDATE, OBJECTION = "core/list_candidate", "core/person_objection"
OF_LOG = ("team_id", "person_id", "score", "probability", "rank_by_score", "is_listed", "is_in_margin_band")
EXCLUSIONS = ("excluded_from_score_list", "excluded_from_training")
"""Whoever is kept out of either by now stands in no figure of a past list."""


@dataclass(frozen=True, order=True)
class PastList:
    """One team's list. `kept_on`: the first snapshot that holds it. In the order of issue: day, number on the day, team."""

    issued_on: date
    number: int
    team_id: str
    issue_id: str = field(compare=False)
    kept_on: date = field(compare=False)
    priority: str = field(compare=False)
    is_demonstration: bool = field(compare=False)


@dataclass(frozen=True)
class PastLists:
    """What the store's folder holds of lists. Nothing is written."""

    folder: Path

    @property
    def store(self) -> StoredTables:
        """The tables of nights."""
        return StoredTables(self.folder)

    @cached_property
    def all(self) -> tuple[PastList, ...]:
        """Every list that stood at the end of a night, in the order of issue. Raises InputMissing where no night kept an account of lists."""
        from fuller_popheath.cohorts.issuing import ISSUE
        from fuller_popheath.cohorts.list_account import NO_TEAM

        self.store.newest(ACCOUNT)
        found: dict[tuple[str, str], PastList] = {}
        for day in self.store.days(ACCOUNT):
            rows = self.store.read(ACCOUNT, day, ["issue_id", "team_id", "issued_on", "priority_used", "is_demonstration"]).to_pylist()
            for row in (row for row in rows if row["team_id"] != NO_TEAM):
                named = ISSUE.fullmatch(row["issue_id"])
                number = int(named.group(2) or 1) if named else 1
                told = row["issue_id"], day, row["priority_used"] or "", bool(row["is_demonstration"])
                found.setdefault((row["issue_id"], row["team_id"]), PastList(row["issued_on"], number, row["team_id"], *told))
        return tuple(sorted(found.values()))

    @property
    def until(self) -> date:
        """The newest night. Raises InputMissing where there is none."""
        return self.store.newest(ACCOUNT)

    def source(self, contract_id: ContractId) -> Parts:
        """The files of a table about persons on the newest night. Raises InputMissing where they are not there."""
        return ExtractStore(self.folder).parts(contract_id, self.until)

    def log(self, issue: Sequence[PastList]) -> pa.Table:
        """The log of the lists of one issue: everybody who could have been listed, by team."""
        import pyarrow as pa

        parts = [self.store.read(LOG, each.kept_on, OF_LOG, {"issue_id": each.issue_id, "team_id": each.team_id}) for each in issue]
        return pa.concat_tables(parts)

    def candidates(self, issue: Sequence[PastList], log: pa.Table, became: pa.Table, days: int) -> Candidates:
        """The people of `log`, which is of these lists of one issue, with what became of each (`became`: one row a person, by person_id)."""
        import pyarrow.compute as pc

        from fuller_popheath.cohorts.list_yield import Candidates

        own = {each.team_id: each for each in issue}
        teams = np.asarray(log["team_id"].to_pylist(), np.str_)
        of_log = {name: log[name].to_numpy() for name in ("score", "rank_by_score", "is_listed", "is_in_margin_band")}
        place = pc.index_in(log["person_id"], value_set=became["person_id"].combine_chunks()).to_numpy()
        names = [name for name in became.column_names if name != "person_id"]
        return Candidates(
            team=teams,
            priority=np.asarray([own[team].priority for team in teams.tolist()], np.str_),
            **of_log,
            probability=log["probability"].to_numpy().astype(np.float64),
            was_on_last=self._by_team(issue, log, self._on_last),
            cell=self._by_team(issue, log, self._cell),
            is_elsewhere=self._is_elsewhere(issue, log, days),
            objects=_is_in(log["person_id"], self._objecting),
            **{name: became[name].to_numpy()[place] for name in names},
        )

    @staticmethod
    def _by_team(issue: Sequence[PastList], log: pa.Table, made: Callable[[PastList, pa.ChunkedArray], NDArray[Made]]) -> NDArray[Made]:
        """What a function makes of each list and its people, in the order of the log, which is by list."""
        import pyarrow.compute as pc

        return np.concatenate([made(each, log["person_id"].filter(pc.equal(log["team_id"], each.team_id))) for each in issue])

    def _on_last(self, own: PastList, people: pa.ChunkedArray) -> NDArray[np.bool_]:
        """Who was on the team's list before, or on one that was replaced by this on its day."""
        earlier = [each for each in self.all if each.team_id == own.team_id and each < own]
        found = _is_in(people, self._listed[earlier[-1]]) if earlier else np.zeros(len(people), np.bool_)
        rows = self.store.read(LOG, own.kept_on, ["issue_id", "person_id", "issued_on", "is_listed"], {"team_id": own.team_id}).to_pylist()
        replaced = {row["person_id"] for row in rows if row["is_listed"] and row["issued_on"] == own.issued_on and row["issue_id"] != own.issue_id}
        return found | np.array([person in replaced for person in people.to_pylist()], np.bool_) if replaced else found

    def _cell(self, own: PastList, people: pa.ChunkedArray) -> NDArray[np.int64]:
        """Which of the groups with a floor or quota each is in, as bits; -1 for whom the snapshot of the day of issue does not tell."""
        import pyarrow.compute as pc

        from fuller_popheath.cohorts.capacity import FLOORS, OTHERS

        columns = {**{name: column for name, (column, _) in FLOORS.items()}, **OTHERS}
        rows = self.store.read(GROUP, own.kept_on, ["group", "minimum_count"], {"issue_id": own.issue_id, "team_id": own.team_id}).to_pylist()
        counted = [columns[row["group"]] for row in rows if row["minimum_count"] is not None]
        if own.issued_on not in self.store.days(CANDIDATE):
            return np.full(len(people), -1, np.int64)
        told = self.store.read(CANDIDATE, own.issued_on, ["person_id", *counted], {"team_id": own.team_id})
        place = pc.index_in(people, value_set=told["person_id"].combine_chunks()).fill_null(-1).to_numpy()
        bits = np.zeros(told.num_rows + 1, np.int64)
        for bit, column in enumerate(sorted(counted)):
            bits[:-1] |= told[column].to_numpy().astype(np.int64) << bit
        bits[-1] = -1
        return bits[place]

    def _is_elsewhere(self, issue: Sequence[PastList], log: pa.Table, days: int) -> NDArray[np.bool_]:
        """Who stood on a list of another issue, or of another team, before or within the time."""
        found = np.zeros(log.num_rows, np.bool_)
        last = issue[0].issued_on + timedelta(days=days)
        teams = np.asarray(log["team_id"].to_pylist(), np.str_)
        for other in self.all:
            if other.issued_on < last:
                is_own = teams == other.team_id if other.issue_id == issue[0].issue_id else np.zeros(log.num_rows, np.bool_)
                found |= _is_in(log["person_id"], self._listed[other]) & ~is_own
        return found

    @cached_property
    def _listed(self) -> Mapping[PastList, pa.Array]:
        """The people on each list."""
        import pyarrow.compute as pc

        made = {}
        for day in sorted({each.kept_on for each in self.all}):
            rows = self.store.read(LOG, day, ["issue_id", "team_id", "person_id", "is_listed"])
            rows = rows.filter(rows["is_listed"])
            for each in (each for each in self.all if each.kept_on == day):
                of_it = pc.and_(pc.equal(rows["issue_id"], each.issue_id), pc.equal(rows["team_id"], each.team_id))
                made[each] = rows["person_id"].filter(of_it).combine_chunks()
        return made

    @cached_property
    def _objecting(self) -> pa.Array:
        """Who is by now kept out of lists made from scores, or of training."""
        import pyarrow.compute as pc

        told = self.store.read(OBJECTION, self.until, ["person_id", *EXCLUSIONS])
        return told["person_id"].filter(pc.or_(told[EXCLUSIONS[0]], told[EXCLUSIONS[1]])).combine_chunks()


def _is_in(people: pa.ChunkedArray, those: pa.Array) -> NDArray[np.bool_]:
    import pyarrow.compute as pc

    return np.asarray(pc.is_in(people, value_set=those).to_numpy(), np.bool_)
