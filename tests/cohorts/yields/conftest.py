"""Issues of lists whose people's future is known: people by risk, a list made of them by the rules of any, and what befell them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from fuller_popheath.cohorts.capacity import TeamChoice, choose_team
from fuller_popheath.cohorts.list_yield import Candidates
from fuller_popheath.cohorts.selection_log import log_rows
from fuller_popheath.contracts import conform, load_contract
from fuller_popheath.site import Folders, Site
from fuller_popheath.site_lists import Lists

if TYPE_CHECKING:
    import pyarrow as pa

ISSUED = date(2025, 6, 2)
LIVED = 180
"""Days from the issue to every death and leaving of these stories."""
TONIGHT = ISSUED + timedelta(days=365 + 14)
TEAM: dict[str, Any] = {
    "team_name": "North team",
    "neighbourhood_code": "U00001",
    "slots_count": 800,
    "reserve_count": 0,
    "priority": "risk",
    "newly_surfaced_percent": 0.0,
    **dict.fromkeys(("core20_floor", "plus_floor", "under_18_floor"), 0.0),
    "source": "site",
}
PERSON = {"neighbourhood_code": "U00001", "verdict": "eligible", "need_points": 3, "need_level": "some", "priority_used": "risk", "age_band": "18_64"}
FLAGS = ("is_core20", "is_plus", "is_under_18", "is_low_contact", "is_newly_surfaced")


def a_person(number: int) -> str:
    return "".join("abcdefghijklmnopqrstuvwxyz234567"[number >> shift & 31] for shift in range(55, -1, -5))


def a_table(contract_id: str, rows: list[Mapping[str, Any]], as_of: date = ISSUED) -> pa.Table:
    """Rows of a contract; what is required and not said is something that fits."""
    import pyarrow as pa

    contract = load_contract(contract_id)
    fitting = {"date": as_of - timedelta(days=2000), "boolean": False, "integer": 0, "number": 0.0}

    def cell(row: Mapping[str, Any], name: str) -> Any:
        column = contract.column(name)
        if name in row or not column.required:
            return row.get(name)
        return as_of if name == "as_of" else (column.allowed or (fitting.get(column.logical_type, "x"),))[0]

    return conform(pa.table({f.name: pa.array([cell(row, f.name) for row in rows], f.type) for f in contract.schema}), contract)


@cache
def chosen(size: int, seed: int, band: int, first: int, settings: tuple[tuple[str, Any], ...]) -> tuple[pa.Table, TeamChoice]:
    """People of a team, by their risks, and who of them is listed by the same rules as any list."""
    import pyarrow as pa

    rng = np.random.default_rng([seed, 1])
    risk = np.clip(rng.beta(1.5, 5, size), 0.002, 0.95)
    made = {
        **{name: pa.repeat(value, size) for name, value in PERSON.items()},
        "as_of": pa.repeat(pa.scalar(ISSUED, pa.date32()), size),
        "team_id": pa.repeat(dict(settings)["team_id"], size),
        "person_id": pa.array([a_person(first + at) for at in range(size)]),
        "risk": pa.array(risk),
        "score": pa.array(risk),
        **{name: pa.array(rng.random(size) < 0.3) for name in FLAGS},
    }
    contract = load_contract("core/list_candidate")
    table = conform(pa.table({f.name: made.get(f.name, pa.nulls(size, f.type)) for f in contract.schema}), contract)
    return table, choose_team(table, dict(settings), (), f"list-{ISSUED}", Lists(margin_band=band))


@dataclass
class Place:
    """The people of one team's issue: risk of an admission in a year, and a list that was made of them by the same rules as any."""

    size: int = 4000
    seed: int = 1
    effect: float = 0.0
    band: int = 0
    team: dict[str, Any] = field(default_factory=dict)
    first: int = 0
    """Number of the first person."""

    def __post_init__(self) -> None:
        rng = np.random.default_rng(self.seed)
        self.settings = {**TEAM, "team_id": "NORTH", **self.team}
        self.candidates, self.choice = chosen(self.size, self.seed, self.band, self.first, tuple(self.settings.items()))
        self.risk = self.candidates["risk"].to_numpy()
        chance = self.risk - np.where(self.choice.chosen, self.effect, 0)
        # Admissions of a year: whoever has one has another with a chance of three in ten, and so on.
        self.before, self.after = ((rng.random(self.size) < each) * rng.geometric(0.7, self.size) for each in (self.risk, chance))

    def people(self, **other: Any) -> Candidates:
        """All of them followed for the year."""
        counted = sorted(
            flag for flag, group in zip(FLAGS, ("core20", "plus", "under_18", "", "newly_surfaced"), strict=True) if group in self.choice.minimum
        )
        cell = sum((np.array(self.candidates[flag].to_pylist(), np.int64) << bit for bit, flag in enumerate(counted)), np.zeros(self.size, np.int64))
        nobody, everybody = np.zeros(self.size, bool), np.ones(self.size, bool)
        made = Candidates(
            team=np.full(self.size, self.settings["team_id"]),
            priority=np.full(self.size, "risk"),
            score=self.risk,
            rank_by_score=self.choice.rank_by_score,
            probability=self.risk,
            is_listed=self.choice.chosen,
            is_in_margin_band=self.choice.is_in_margin_band,
            was_on_last=nobody,
            cell=cell,
            is_elsewhere=nobody,
            objects=nobody,
            is_followed=everybody,
            has_died=nobody,
            has_outcome=self.after > 0,
            before_count=self.before,
            after_count=self.after,
            followed_years=np.ones(self.size),
        )
        return replace(made, **other)


@dataclass
class Kept:
    """A store with an issue of some teams, and what befell the people since."""

    folder: Path

    @property
    def site(self) -> Site:
        return Site(folders=Folders(store=str(self.folder / "store"), spill=str(self.folder / "spill")))

    def write(self, contract_id: str, table: pa.Table, day: date) -> None:
        import pyarrow.parquet as pq

        path = self.folder / "store" / contract_id / f"as_of={day}" / "part.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, path)

    def write_part(self, contract_id: str, table: pa.Table, day: date) -> None:
        import pyarrow.parquet as pq

        path = self.folder / "store" / contract_id / "parts" / "A00001" / "one.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, path)
        told = path.parents[2] / f"as_of={day}" / "parts.json"
        told.parent.mkdir(parents=True, exist_ok=True)
        told.write_text(json.dumps({"parts": [{"path": path.relative_to(self.folder / "store").as_posix()}]}), encoding="utf-8")

    def issue(self, places: list[Place], day: date = ISSUED) -> None:
        """The lists of a day, as the night keeps them."""
        import pyarrow as pa

        name = f"list-{day}"
        logs, groups, accounts = [], [], []
        for place in places:
            key = {"issue_id": name, "team_id": place.settings["team_id"]}
            listed = place.choice.chosen.tolist()
            logs.append(log_rows(name, key["team_id"], day, place.candidates, place.choice, ["BBBBBB" if each else None for each in listed]))
            groups += [{**key, **row} for row in place.choice.groups]
            accounts.append({**key, "issued_on": day, "priority_used": "risk", "is_demonstration": True})
        accounts.append({"issue_id": name, "team_id": "NO-TEAM", "issued_on": day, "is_demonstration": True})
        self.write("core/selection_log", pa.concat_tables(logs), day)
        self.write("core/selection_group", a_table("core/selection_group", groups, day), day)
        self.write("products/cohort_list_account", a_table("products/cohort_list_account", accounts, day), day)
        self.write("core/list_candidate", pa.concat_tables([place.candidates for place in places]), day)
        self.accounts = accounts

    def tonight(
        self, places: list[Place], day: date = TONIGHT, left: tuple[int, ...] = (), died: tuple[int, ...] = (), objects: tuple[int, ...] = ()
    ) -> None:
        """What the newest night knows: everybody's admissions, told twice over for good measure, and who left or died half a year on."""
        half = ISSUED + timedelta(days=LIVED)
        rng = np.random.default_rng(5)
        stays, registrations = [], []
        for place in places:
            for at in range(place.size):
                person = a_person(place.first + at)
                number = place.first + at
                for since, count in ((-365, place.before[at]), (0, place.after[at])):
                    days = rng.choice(LIVED if number in died else 365, int(count), replace=False)
                    stays += [
                        {"person_id": person, "admission_date": ISSUED + timedelta(days=int(since + each)), "is_emergency": True} for each in days
                    ]
                ended = half if number in left or number in died else None
                registrations.append({"person_id": person, "registration_end_date": ended, "death_date": half if number in died else None})
        told = [{**row, "provider_code": "RXN", "admission_method": "21", "recorded_date": row["admission_date"]} for row in stays]
        again = [{**row, "recorded_date": row["admission_date"] + timedelta(days=1)} for row in told]
        self.write_part("core/spell", a_table("core/spell", [*told, *again]), day)
        self.write_part("core/registration", a_table("core/registration", [{**row, "extract_date": day} for row in registrations]), day)
        objections = [{"person_id": a_person(number), "excluded_from_score_list": True} for number in objects]
        self.write("core/person_objection", a_table("core/person_objection", objections, day), day)
        self.write("products/cohort_list_account", a_table("products/cohort_list_account", self.accounts, day), day)


@pytest.fixture
def place() -> Callable[..., Place]:
    """Makes the people of one team's issue."""
    return Place


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    """A store with nothing in it yet."""
    return Kept(tmp_path)
