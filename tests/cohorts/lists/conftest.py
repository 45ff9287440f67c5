"""Two small neighbourhoods with teams of their own, night after night: what lists are made of, from people as a test describes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from fuller_popheath.cohorts import list_candidate
from fuller_popheath.cohorts.reviews import ends_on
from fuller_popheath.cohorts.tonights_lists import INPUTS, OUTPUTS, lists_of_tonight
from fuller_popheath.contracts import conform, load_contract, refuse_if_broken
from fuller_popheath.site import Site
from fuller_popheath.specs import Night

if TYPE_CHECKING:
    import pyarrow as pa

MONDAY = date(2026, 10, 5)
PERSON: dict[str, Any] = {
    "practice_code": "A00001",
    "neighbourhood_code": "U00001",
    "age_years": 74,
    "sex": "female",
    "imd_2025_quintile": 3,
    "registration_start_date": date(2010, 1, 1),
    "is_linked": True,
    "is_sensitive": False,
    "extract_age_days": 0,
}
OBJECTION = {
    "has_type_1_objection": False,
    "type_1_reason": "no_record",
    "excluded_from_rule_list": False,
    "excluded_from_score_list": False,
}
FEATURES: dict[str, Any] = {
    **dict.fromkeys(("has_palliative_care", "has_care_home", "has_housebound"), False),
    "continuity_contact_count": 6,
    "continuity_clinician_count": 3,
    "continuity_upc": 0.5,
    "contact_count_365": 4,
    "days_since_last_contact": 30,
    "emergency_admission_count_365": 0,
    "emergency_admission_count_730": 0,
}
TEAM: dict[str, Any] = {
    "slots_count": 3,
    "reserve_count": 0,
    "priority": "need",
    **dict.fromkeys(("newly_surfaced_percent", "core20_floor", "plus_floor", "under_18_floor"), 0.0),
    "source": "file",
}
TEAMS = {"NORTH": "U00001", "QUAY": "U00002"}
PRACTICES = (("A00001", "GREEN LANE SURGERY", "U00001"), ("A00002", "MILL HOUSE", "U00001"), ("A00003", "THE QUAY", "U00002"))
NAMES = {"U00001": "NORTH PCN", "U00002": "HARBOUR PCN", "U": "Unallocated"}
HARBOUR = {"practice_code": "A00003", "neighbourhood_code": "U00002"}


def pseudonym(name: str) -> str:
    """A person id that a test can read."""
    return name.ljust(12, "x")


def a_table(contract_id: str, as_of: date, rows: list[Mapping[str, Any]]) -> pa.Table:
    """Rows of a contract; what is not said is empty."""
    import pyarrow as pa

    contract = load_contract(contract_id)
    full = [{"as_of": as_of, **row} for row in rows]
    return conform(pa.table({f.name: pa.array([row.get(f.name) for row in full], f.type) for f in contract.schema}), contract)


@dataclass
class World:
    """People by name (columns of any input, `points` of need, `risk`, `gap`), teams by id, and all that was ever said."""

    people: dict[str, dict[str, Any]]
    teams: dict[str, dict[str, Any]] = field(default_factory=lambda: {name: {"neighbourhood_code": code} for name, code in TEAMS.items()})
    reviews: list[dict[str, Any]] = field(default_factory=list)
    dead: dict[str, date] = field(default_factory=dict)
    site: Site = field(default_factory=Site)
    monday: date = MONDAY
    holds_contracts: bool = False
    """Hold every table against its contract, which takes most of a second a night: one story does."""

    @staticmethod
    def on_list(lists: Mapping[str, pa.Table], team: str = "NORTH", state: str = "listed") -> list[str]:
        """The names of who is on a team's list, in order."""
        rows = lists["products/cohort_list"].to_pylist()
        return [row["person_id"].rstrip("x") for row in rows if row["team_id"] == team and row["state"] == state]

    @staticmethod
    def changes(lists: Mapping[str, pa.Table], team: str = "NORTH") -> dict[str, tuple[str, str]]:
        """What changed of each person on a team's list, and why; of several changes the last."""
        rows = lists["core/list_change"].to_pylist()
        return {row["person_id"].rstrip("x"): (row["change"], row["words"]) for row in rows if row["team_id"] == team}

    @staticmethod
    def row(lists: Mapping[str, pa.Table], name: str) -> dict[str, Any]:
        """Somebody's row of a list."""
        (found,) = (row for row in lists["products/cohort_list"].to_pylist() if row["person_id"] == pseudonym(name))
        return found

    @staticmethod
    def account(lists: Mapping[str, pa.Table], team: str = "NORTH") -> dict[str, Any]:
        """A team's row of the account."""
        (found,) = (row for row in lists["products/cohort_list_account"].to_pylist() if row["team_id"] == team)
        return found

    def review(self, lists: Mapping[str, pa.Table], name: str, outcome: str, day: date, **more: Any) -> None:
        """Somebody says something of a person who stands on a list."""
        row = self.row(lists, name)
        said = {"review_outcome": outcome, "reviewed_on": day, "received_on": day, "later_until": None, **more}
        said |= {key: row[key] for key in ("person_id", "issue_id", "team_id", "row_reference", "rank", "reason_codes")}
        self.reviews.append({**said, "is_wish": outcome == "no_lists_please", "ends_on": ends_on(said, self.site.reviews.days_off)})

    def tables(self, as_of: date) -> dict[str, pa.Table]:
        """What a night has made of the people before it makes lists."""
        import pyarrow as pa

        night = Night(as_of=as_of, site=self.site)
        rows = [
            {**PERSON, **OBJECTION, **FEATURES, "extract_date": as_of, **self.people[name], "person_id": pseudonym(name)}
            for name in sorted(self.people)
        ]
        for row in rows:
            points = row.get("points", 0)
            row |= {"level": "high" if points >= 4 else "some" if points >= 2 else "none", "reason_codes": "dementia" if points else None}
            row |= {"reasons": "dementia" if points else None, "usual_gp_code": "G1234567"}
            row |= {"days_since_last_emergency_admission": (as_of - row["admitted"]).days if "admitted" in row else None}
        made = {name: a_table(name, as_of, rows) for name in ("core/person", "core/person_objection", "core/continuity_need", "core/continuity_gap")}
        made |= {f"features/{name}": a_table(f"features/{name}", as_of, rows) for name in ("continuity", "contacts", "hospital", "conditions")}
        scored = [
            {**row, "outcome": "emergency_admission_12m", "probability": row["risk"], "risk_words": "about 1 in 6", "is_demonstration": True}
            for row in rows
            if "risk" in row
        ]
        made["risk/score"] = a_table("risk/score", as_of, scored)
        said = [{**row, "direction": "raises", "place": place, "words": f"reason {place}"} for row in scored for place in (1, 2, 3, 4)]
        made["risk/score_reason"] = a_table("risk/score_reason", as_of, said)
        rose = [{**row, "change": row["risk_change"], "words": "two falls (before: one)"} for row in scored if "risk_change" in row]
        made["risk/score_change"] = a_table("risk/score_change", as_of, rose)
        made["core/review"] = a_table("core/review", as_of, self.reviews)
        teams = [
            {**TEAM, "team_name": f"{name.title()} team", "neighbourhood_name": NAMES.get(team["neighbourhood_code"]), **team, "team_id": name}
            for name, team in sorted(self.teams.items())
        ]
        made["core/team_capacity"] = a_table("core/team_capacity", as_of, teams)
        held = [(row["person_id"], group) for row in rows for group in row.get("plus", ())]
        plus = {"person_id": [person for person, _ in held], "plus_group": [group for _, group in held], "membership": ["yes"] * len(held)}
        made["core/person_plus"] = pa.table({name: pa.array(values, pa.string()) for name, values in plus.items()})
        made |= _places(as_of)
        made["core/registration"] = a_table(
            "core/registration", as_of, [{"person_id": pseudonym(name), "death_date": day} for name, day in self.dead.items()]
        )
        made["core/list_candidate"] = list_candidate.build(made, night)
        return made

    def lists(self, as_of: date, previous: Mapping[str, pa.Table] | None = None, **asked: Any) -> dict[str, pa.Table]:
        """The lists of a night."""
        tables = self.tables(as_of)
        made = lists_of_tonight({name: tables[name] for name in INPUTS}, previous, Night(as_of=as_of, site=self.site), **asked)
        assert tuple(made) == OUTPUTS
        assert all(table.schema.equals(load_contract(name).schema) for name, table in made.items())
        return {name: refuse_if_broken(table, load_contract(name)) for name, table in made.items()} if self.holds_contracts else made


def _places(as_of: date) -> dict[str, pa.Table]:
    practices = [
        {"practice_code": code, "practice_name": name, "neighbourhood_code": area, "neighbourhood_name": NAMES[area]}
        for code, name, area in PRACTICES
    ]
    checks = [{"practice_code": code, "neighbourhood_code": area, "list_state": "new", "extract_age_days": 0} for code, _, area in PRACTICES]
    return {
        "core/neighbourhood_practice": a_table("core/neighbourhood_practice", as_of, practices),
        "core/list_size_check": a_table("core/list_size_check", as_of, checks),
    }


@pytest.fixture
def world() -> Callable[..., World]:
    """A world with eight people of the north team, na with most points (12) to nh with fewest (5), and three of the quay's; and others as asked."""

    def make(people: Mapping[str, dict[str, Any]] | None = None, site: Mapping[str, Any] | None = None, **team: Any) -> World:
        north = {f"n{letter}": {"points": 12 - place} for place, letter in enumerate("abcdefgh")}
        quay = {f"q{letter}": {"points": 5 - place, **HARBOUR} for place, letter in enumerate("abc")}
        made = World({**north, **quay, **(people or {})}, site=Site(**(site or {})))
        made.teams["NORTH"] |= team
        return made

    return make
